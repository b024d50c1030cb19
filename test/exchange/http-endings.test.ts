import { afterAll, describe, expect, test } from "bun:test";

import type { HttpHandler, HttpScope, HttpSendEvent } from "../../src/spec/index.ts";
import type { PartialOptions } from "../../src/options/resolve.ts";
import type { TestServer } from "../support/server.ts";
import { startHttp, text } from "../support/server.ts";
import { Wire, eventually, get, post, postChunked } from "../support/wire.ts";

/** What a request's `pagi.connection` told, in order. */
interface Record {
  readonly events: string[];
  scope: HttpScope | undefined;
  /** Resolves when the application has returned or thrown. */
  readonly settled: Promise<void>;
}

/** Starts a server whose application is watched: callbacks, promise, signal and the end of `receive`. */
async function watch(
  app: HttpHandler,
  options: PartialOptions = {},
): Promise<{ server: TestServer; record: Record }> {
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  const record: Record = { events: [], scope: undefined, settled };
  const server = await startHttp(async (scope, receive, send) => {
    if (record.scope !== undefined) return await text("another")(scope, receive, send);
    record.scope = scope;
    const connection = scope["pagi.connection"];
    const { events } = record;
    connection.onDisconnect((reason) => events.push(`disconnect ${reason}`));
    connection.onComplete(() => events.push("complete"));
    void connection.whenDisconnected().then((reason) => events.push(`promise ${reason}`));
    connection.signal.addEventListener("abort", () => events.push(`signal ${connection.signal.reason}`));
    try {
      await app(scope, receive, send);
    } finally {
      resolve();
    }
  }, options);
  return { server, record };
}

const readAll: HttpHandler = async (_scope, receive) => {
  while ((await receive()).type === "http.request");
};

const stream: HttpHandler = async (scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200 });
  const chunk = new Uint8Array(100_000);
  while (scope["pagi.connection"].isConnected()) {
    await send({ type: "http.response.body", body: chunk, more: true });
    await Bun.sleep(1);
  }
};

/** Sends a tick every few milliseconds, until the client is reported as disconnected. */
const ticking: HttpHandler = async (scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200 });
  while (scope["pagi.connection"].isConnected()) {
    await send({ type: "http.response.body", body: "tick", more: true });
    await Bun.sleep(5);
  }
};

/** Lets the client of the running test leave, in the middle of the application. */
let left: (() => Promise<void>) | undefined;

interface Ending {
  readonly name: string;
  readonly app: HttpHandler;
  readonly options?: PartialOptions;
  readonly client: (wire: Wire, server: TestServer, record: Record) => Promise<unknown>;
  /** A reason, or undefined for completion. A list where the kernel decides which of two events comes first. */
  readonly reason: string | readonly string[] | undefined;
}

const running = (record: Record): Promise<void> =>
  eventually("the application runs", () => record.scope !== undefined);

/** Waits until the kernel takes no more of the response. */
async function untilBlocked(record: Record): Promise<void> {
  const waiting = (): number => record.scope?.["pagi.transport"].bufferedAmount() ?? 0;
  for (let last = 0; last === 0 || last !== waiting();) {
    last = waiting();
    await Bun.sleep(100);
  }
}

const ENDINGS: readonly Ending[] = [
  {
    name: "the response was delivered",
    app: text("ok"),
    client: async (wire) => {
      await wire.send(get("/"));
      await wire.response();
    },
    reason: undefined,
  },
  {
    name: "a response without a body was delivered",
    app: async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 204 });
      await send({ type: "http.response.body" });
    },
    client: async (wire) => {
      await wire.send(get("/"));
      await wire.response();
    },
    reason: undefined,
  },
  {
    name: "trailers were delivered",
    app: async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, trailers: true });
      await send({ type: "http.response.body", body: "a" });
      await send({ type: "http.response.trailers", headers: [["x", "y"]] });
    },
    client: async (wire) => {
      await wire.send(get("/"));
      await wire.response();
    },
    reason: undefined,
  },
  {
    name: "a response was delivered, though its request body was not read",
    app: text("ok"),
    client: async (wire) => {
      await wire.send(`${post("/", "x").slice(0, -1)}`);
      await wire.response();
    },
    reason: undefined,
  },
  {
    name: "the client sent FIN in the middle of its body",
    app: readAll,
    client: async (wire) => {
      await wire.send(postChunked("/") + "5\r\nab");
      wire.halfClose();
      await wire.readToEnd();
    },
    reason: "client_closed",
  },
  {
    name: "the client sent FIN and the grace is over",
    app: readAll,
    options: { halfCloseGrace: 0.1 },
    client: async (wire) => {
      await wire.send(get("/"));
      wire.halfClose();
      await wire.readToEnd();
    },
    reason: "client_closed",
  },
  {
    name: "the client closed while the response streamed",
    app: ticking,
    client: async (wire) => {
      await wire.send(get("/"));
      await wire.readTo("tick");
      await wire[Symbol.asyncDispose]();
    },
    reason: "client_closed",
  },
  {
    name: "the client ended its direction, and went when the response had streamed on",
    app: ticking,
    client: async (wire) => {
      await wire.send(get("/"));
      wire.halfClose();
      for (let i = 0; i < 3; i++) await wire.readTo("tick");
      await wire[Symbol.asyncDispose]();
    },
    reason: "client_closed",
  },
  {
    name: "the client closed while the server was busy, which then wrote twice",
    app: async (scope, receive, send) => {
      await receive();
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "first", more: true });
      await send({ type: "http.fullflush" });
      await Bun.sleep(10);
      await (left?.() ?? Promise.reject(new Error("no client")));
      for (let i = 0; i < 2; i++) {
        await send({ type: "http.response.body", body: "x", more: true });
        await send({ type: "http.fullflush" });
        Bun.sleepSync(20);
      }
      await readAll(scope, receive, send);
    },
    client: async (wire, _server, record) => {
      left = async () => {
        await wire[Symbol.asyncDispose]();
        Bun.sleepSync(20);
      };
      await wire.send(get("/"));
      await record.settled;
    },
    reason: "client_closed",
  },
  {
    name: "the client closed before its first byte of the response, and a large one was written",
    app: async (scope, receive, send) => {
      await Bun.sleep(30);
      await send({ type: "http.response.start", status: 200 });
      for (let i = 0; i < 50; i++)
        await send({ type: "http.response.body", body: new Uint8Array(100_000), more: true });
      await readAll(scope, receive, send);
    },
    client: async (wire, _server, record) => {
      await wire.send(get("/"));
      await running(record);
      await wire[Symbol.asyncDispose]();
    },
    reason: "client_closed",
  },
  {
    name: "the client reset while the application worked",
    app: readAll,
    client: async (wire, _server, record) => {
      await wire.send(get("/"));
      await running(record);
      wire.reset();
    },
    reason: "read_error",
  },
  {
    name: "the client reset in the middle of its body",
    app: readAll,
    client: async (wire, _server, record) => {
      await wire.send(postChunked("/") + "5\r\nab");
      await running(record);
      wire.reset();
    },
    reason: "read_error",
  },
  {
    name: "the client reset while the response waited for it",
    app: stream,
    client: async (wire, _server, record) => {
      await wire.send(get("/"));
      await wire.readTo("\r\n\r\n");
      wire.pause();
      await untilBlocked(record);
      wire.reset();
    },
    // The reset may be reported to the reader of the socket, or to the write that was waiting.
    reason: ["read_error", "write_error"],
  },
  {
    name: "the request body stalled",
    app: readAll,
    options: { bodyTimeout: 0.2 },
    client: async (wire) => {
      await wire.send(postChunked("/") + "5\r\nab");
      expect((await wire.response()).status).toBe(408);
    },
    reason: "client_timeout",
  },
  {
    name: "the client took nothing for the write timeout",
    app: stream,
    options: { writeTimeout: 0.2 },
    client: async (wire, _server, record) => {
      await wire.send(get("/"));
      await wire.readTo("\r\n\r\n");
      wire.pause();
      await record.settled;
    },
    reason: "write_timeout",
  },
  {
    name: "the request body grew over the limit",
    app: readAll,
    options: { maxBodySize: 10 },
    client: async (wire) => {
      await wire.send(postChunked("/") + "b\r\n");
      expect((await wire.response()).status).toBe(413);
    },
    reason: "body_too_large",
  },
  {
    name: "the request body broke the protocol",
    app: readAll,
    client: async (wire) => {
      await wire.send(postChunked("/") + "2\r\nab\r\nnonsense\r\n");
      expect((await wire.response()).status).toBe(400);
    },
    reason: "protocol_error",
  },
  {
    name: "the request body broke the protocol after the response had started",
    app: async (scope, receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", more: true });
      await readAll(scope, receive, send);
    },
    client: async (wire) => {
      await wire.send(postChunked("/"));
      await wire.readTo("a\r\n");
      await wire.send("nonsense\r\n");
      expect(await wire.readToEnd()).toBe("");
    },
    reason: "protocol_error",
  },
  {
    name: "the application threw before the start",
    app: async () => {
      throw new Error("before");
    },
    client: async (wire) => {
      await wire.send(get("/"));
      expect((await wire.response()).status).toBe(500);
    },
    reason: "server_error",
  },
  {
    name: "the application threw after the start",
    app: async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", more: true });
      await Bun.sleep(5);
      throw new Error("after");
    },
    client: async (wire) => {
      await wire.send(get("/"));
      await wire.readToEnd();
    },
    reason: "server_error",
  },
  {
    name: "the application returned without a response",
    app: async () => {},
    client: async (wire) => {
      await wire.send(get("/"));
      expect((await wire.response()).status).toBe(500);
    },
    reason: "server_error",
  },
  {
    name: "the application returned in the middle of its response",
    app: async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", more: true });
      await Bun.sleep(5);
    },
    client: async (wire) => {
      await wire.send(get("/"));
      await wire.readToEnd();
    },
    reason: "server_error",
  },
  {
    name: "the application's body was short",
    app: async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, headers: [["content-length", "9"]] });
      await send({ type: "http.response.body", body: "a" }).catch(() => {});
    },
    client: async (wire) => {
      await wire.send(get("/"));
      await wire.readToEnd();
    },
    reason: "server_error",
  },
  {
    name: "the server cut at shutdown",
    app: readAll,
    client: async (wire, server, record) => {
      await wire.send(get("/"));
      await running(record);
      await server.server.stop({ force: true });
    },
    reason: "server_shutdown",
  },
];

describe("PAGI Www, Connection State: exactly one of onDisconnect and onComplete", () => {
  test.concurrent.each(ENDINGS.map((ending) => [ending.name, ending] as const))(
    "%s",
    async (_name, ending) => {
      const { server, record } = await watch(ending.app, ending.options);
      await using _server = server;
      await using wire = await Wire.open(server);
      await ending.client(wire, server, record);
      await record.settled;
      await eventually(
        "the request has ended",
        () => record.scope?.["pagi.connection"].isConnected() === false,
      );
      await server.server.stop({ force: true });
      const connection = record.scope?.["pagi.connection"];
      if (ending.reason === undefined) {
        expect(record.events).toEqual(["complete"]);
        expect(connection?.disconnectReason()).toBeUndefined();
        expect(connection?.responseComplete()).toBe(true);
        expect(connection?.responseStarted()).toBe(true);
        expect(connection?.signal.aborted).toBe(false);
      } else {
        const reason = connection?.disconnectReason();
        expect([ending.reason].flat() as unknown[]).toContain(reason);
        expect(record.events).toEqual([`signal ${reason}`, `disconnect ${reason}`, `promise ${reason}`]);
        expect(connection?.responseComplete()).toBe(false);
        expect(connection?.signal.aborted).toBe(true);
      }
    },
  );
});

describe("a response that is written into a connection which the client has just reset", () => {
  const LARGE = new Uint8Array(3_000_000);
  const file = `${process.env["TMPDIR"] ?? "/tmp"}/pagi-reset-${process.pid}`;
  afterAll(() => Bun.file(file).delete());

  test.concurrent.each([
    ["a body", { type: "http.response.body", body: "answer" }],
    ["a large body", { type: "http.response.body", body: LARGE }],
    ["a file", { type: "http.response.body", file }],
  ] satisfies [string, HttpSendEvent][])(
    "%s: it is no completion, and nobody is to blame",
    async (_name, event) => {
      await Bun.write(file, LARGE);
      let reset = (): unknown => undefined;
      const { server, record } = await watch(async (_scope, _receive, send) => {
        await Bun.sleep(10);
        reset(); // in the same turn, so that the server cannot have noticed
        await send({ type: "http.response.start", status: 200 });
        await send(event);
      });
      await using _server = server;
      const client = await Bun.connect({ hostname: server.host, port: server.port, socket: { data() {} } });
      reset = () => client.terminate();
      client.write(get("/"));
      await record.settled;
      await eventually("none is left", () => server.server.connectionCount === 0);
      expect(record.events.filter((each) => each.startsWith("disconnect") || each === "complete")).toEqual([
        expect.stringMatching(/^disconnect (write_error|read_error|client_closed)$/),
      ]);
      expect(server.logger.messages("error")).toEqual([]);
    },
  );
});
