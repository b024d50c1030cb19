import { afterEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import express from "express";
import { Hono } from "hono";
import { fromFetch, toFetch, type ToFetchOptions } from "../../adapters/fetch.ts";
import { hono, pagi } from "../../adapters/hono.ts";
import { fromNode } from "../../adapters/node.ts";
import { LifespanError, UnsupportedScopeError } from "../../src/errors.ts";
import {
  dispatch,
  type Application,
  type HttpHandler,
  type HttpReceiveEvent,
  type Scope,
  type SseReceiveEvent,
} from "../../src/spec/index.ts";
import { BodyReader } from "../../src/toolkit/request/body-reader.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { echo, text } from "../support/server.ts";
import { eventually, get, request as ask } from "../support/wire.ts";

// A PAGI application behind `Bun.serve`, asked by real clients.

const servers: { stop(force: boolean): Promise<void> }[] = [];
const complaints: string[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
  complaints.length = 0;
});

function host(app: Application, options: ToFetchOptions = {}) {
  const onError = (message: string): void => void complaints.push(message);
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    fetch: toFetch(app, { validateEvents: true, onError, ...options }),
  });
  servers.push(server);
  return { url: `http://127.0.0.1:${server.port}`, host: "127.0.0.1", port: server.port ?? 0 };
}

const http = (handler: HttpHandler): Application => dispatch({ http: handler });

describe("the request", () => {
  test("its scope", async () => {
    const { promise, resolve } = Promise.withResolvers<Scope>();
    const at = host(
      http(async (scope, receive, send) => {
        resolve(scope);
        await text("ok")(scope, receive, send);
      }),
      { rootPath: "/root" },
    );
    await fetch(`${at.url}/a%20b/c?x=%41`, { headers: { "x-a": "1" } });
    expect(await promise).toMatchObject({
      ...{ type: "http", method: "GET", scheme: "http", http_version: "1.1", root_path: "/root" },
      ...{ path: "/a b/c", raw_path: "/a%20b/c", query_string: "x=%41", state: {} },
      ...{ server: ["127.0.0.1", at.port], client: ["127.0.0.1", expect.any(Number)] },
      headers: expect.arrayContaining([["x-a", "1"]]),
    });
  });

  test("its body, of any size", async () => {
    const at = host(http(echo));
    for (const body of ["", "hello", "x".repeat(1_000_000)]) {
      const answer = await fetch(at.url, { method: "POST", body });
      expect(await answer.json()).toMatchObject({ body });
    }
  });

  test("its body reaches adapters where no field announces it, as in a Request that a program has made", async () => {
    const listener = express();
    listener.use(express.raw({ type: () => true }), (request, response) => {
      response.send(request.body);
    });
    const app = new Hono().all("*", async (c) => c.body(await c.req.arrayBuffer()));
    for (const inner of [
      fromFetch((request) => new Response(request.body)),
      fromNode(listener),
      hono(app),
      hono(new Hono().all("/*", pagi(hono(app)))),
    ]) {
      const { fetch } = toFetch(inner, { validateEvents: true });
      for (const accept of ["*/*", "text/event-stream"]) {
        const ask = (body: string | ReadableStream<Uint8Array> | null) =>
          fetch(new Request("http://a/", { method: "POST", headers: { accept }, body }));
        expect(await (await ask("the body")).text()).toBe("the body");
        expect(await (await ask(new Blob(["a", "b"]).stream())).text()).toBe("ab");
        expect(await (await ask(null)).text()).toBe("");
      }
    }
  });

  test.each(["*/*", "text/event-stream"])(
    "behind its body receive() waits for the end, with %s",
    async (accept) => {
      const types: string[] = [];
      const { fetch } = toFetch(async (scope, receive, send) => {
        if (scope.type !== "http" && scope.type !== "sse") throw new UnsupportedScopeError(scope.type);
        const body = new BodyReader<HttpReceiveEvent | SseReceiveEvent>(scope, receive);
        for (let more = true; more;) {
          const event = await body.next();
          if (event.type === "http.disconnect" || event.type === "sse.disconnect") break;
          types.push(event.type);
          more = event.more;
        }
        void body.next().then((event) => types.push(event.type));
        await new Promise((resolve) => setTimeout(resolve, 0));
        await PagiResponse.text(types.join(" ")).respond(send, scope);
      });
      const type = accept === "*/*" ? "http.request" : "sse.request";
      const response = await fetch(
        new Request("http://a/", { method: "POST", headers: { accept }, body: "a" }),
      );
      expect(await response.text()).toBe(`${type} ${type}`);
    },
  );

  test("its body is read as the application receives, and the response streams meanwhile", async () => {
    const at = host(
      http(async (_scope, receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        for (;;) {
          const event = await receive();
          if (event.type === "http.disconnect") return;
          await send({ type: "http.response.body", body: event.body, more: event.more });
          if (!event.more) return;
        }
      }),
    );
    const steps = ["one", "two", "three"].map((word) => ({ word, turn: Promise.withResolvers<void>() }));
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const step = steps.shift();
        if (step === undefined) return controller.close();
        controller.enqueue(new TextEncoder().encode(step.word));
        await step.turn.promise;
      },
    });
    const turns = steps.map(({ turn }) => turn);
    const answer = await fetch(at.url, { method: "POST", body });
    const reader = answer.body?.getReader();
    const got: string[] = [];
    for (const turn of turns) {
      got.push(new TextDecoder().decode((await reader?.read())?.value));
      turn.resolve();
    }
    expect(got).toEqual(["one", "two", "three"]);
    expect((await reader?.read())?.done).toBe(true);
  });
});

describe("the response", () => {
  test("fields about the connection are the host's, apart from Upgrade (RFC 9110 sections 7.6.1 and 7.8)", async () => {
    const at = host(
      http(async (_scope, _receive, send) => {
        const headers: [string, string][] = [
          ["upgrade", "h2c"],
          ["connection", "close"],
          ["keep-alive", "timeout=5"],
          ["proxy-connection", "close"],
          ["te", "trailers"],
          ["x-kept", "1"],
        ];
        await send({ type: "http.response.start", status: 426, headers });
        await send({ type: "http.response.body", body: "upgrade" });
      }),
    );
    const { status, headers } = await ask(at, get("/"));
    const names = ["connection", "keep-alive", "proxy-connection", "te", "upgrade", "x-kept"];
    expect([status, headers.filter(([name]) => names.includes(name)).sort()]).toEqual([
      426,
      [
        ["connection", "upgrade"],
        ["upgrade", "h2c"],
        ["x-kept", "1"],
      ],
    ]);
  });

  test("status, repeated headers and a body that has its length", async () => {
    const at = host(
      http(async (_scope, _receive, send) => {
        const headers: [string, string][] = [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
          ["x-a", "caf\xe9"],
          ["connection", "close"],
        ];
        await send({ type: "http.response.start", status: 201, headers });
        await send({ type: "http.response.body", body: "made" });
      }),
    );
    const answer = await ask(at, get("/"));
    expect(answer.status).toBe(201);
    expect(answer.headers.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual([
      "a=1",
      "b=2",
    ]);
    expect(answer.headers).toEqual(
      expect.arrayContaining([
        ["content-length", "4"],
        ["x-a", "caf\xe9"],
      ] as const),
    );
    expect(answer.body).toBe("made");
  });

  test("a head leaves before the body, at the end of its turn", async () => {
    const more = Promise.withResolvers<void>();
    const handler = toFetch(
      http(async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await more.promise;
        await send({ type: "http.response.body", body: "late" });
      }),
    );
    // Bun.serve itself waits for the first bytes of a body before it sends anything.
    const answer = await handler(new Request("http://h/"));
    more.resolve();
    expect(await answer.text()).toBe("late");
  });

  test.each([
    ["a file", { file: join(import.meta.dir, "../../LICENSE") }],
    ["a Blob", { fh: Bun.file(join(import.meta.dir, "../../LICENSE")) }],
  ])("%s, or a part of it", async (_, source) => {
    for (const range of [{}, { offset: 4, length: 10 }]) {
      const at = host(
        http(async (_scope, _receive, send) => {
          await send({ type: "http.response.start", status: 200 });
          await send({ type: "http.response.body", ...source, ...range });
        }),
      );
      const whole = await Bun.file(join(import.meta.dir, "../../LICENSE")).text();
      const expected = "offset" in range ? whole.slice(4, 14) : whole;
      expect(await (await fetch(at.url)).text()).toBe(expected);
    }
  });

  test("bytes that their owner uses again are sent as they were", async () => {
    const at = host(
      http(async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        const buffer = Buffer.alloc(3);
        for (const letter of ["a", "b", "c"]) {
          await send({ type: "http.response.body", body: buffer.fill(letter), more: true });
        }
        await send({ type: "http.response.body" });
      }),
    );
    expect(await (await fetch(at.url)).text()).toBe("aaabbbccc");
  });

  test.each(["HEAD", "GET"])("204 and %s", async (method) => {
    const at = host(
      http(async (scope, receive, send) => {
        if (scope.path === "/") return text("five!")(scope, receive, send);
        await send({ type: "http.response.start", status: 204 });
        await send({ type: "http.response.body" });
      }),
    );
    const answer = await fetch(at.url, { method });
    expect([answer.headers.get("content-length"), await answer.text()]).toEqual([
      "5",
      method === "GET" ? "five!" : "",
    ]);
    expect((await fetch(`${at.url}/204`, { method })).status).toBe(204);
  });

  test("send waits while the client does not read, and its buffer is bounded", async () => {
    const CHUNK = new Uint8Array(64 * 1024).fill(0x61);
    let sent = 0;
    let highest = 0;
    const at = host(
      http(async (scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        while (sent < 1000) {
          await send({ type: "http.response.body", body: CHUNK, more: true });
          highest = Math.max(highest, scope["pagi.transport"].bufferedAmount());
          sent += 1;
        }
        await send({ type: "http.response.body" });
      }),
    );
    const socket = await openSocket(at);
    socket.pause();
    socket.write(get("/"));
    await eventually("something was sent", () => sent > 0);
    let before = -1;
    await eventually("sending has stopped", () => {
      const stopped = sent === before;
      before = sent;
      return stopped && sent > 0;
    });
    expect(sent).toBeLessThan(1000);
    expect(highest).toBeLessThanOrEqual(2 * 65_536);
    let received = 0;
    socket.on("data", (bytes) => (received += bytes.length));
    socket.resume();
    await eventually("all of it has come", () => received > 1000 * CHUNK.byteLength);
    socket.destroy();
  }, 20_000);
});

describe("event streams", () => {
  test("a request that accepts one is an sse scope", async () => {
    const at = host(
      dispatch({
        async sse(_scope, _receive, send) {
          await send({ type: "sse.start" });
          await send({ type: "sse.send", data: "a\nb", id: "1" });
          await send({ type: "sse.close" });
        },
      }),
    );
    const answer = await fetch(at.url, { headers: { accept: "text/event-stream" } });
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(await answer.text()).toBe("id: 1\ndata: a\ndata: b\n\n");
  });

  test("a client's going is told", async () => {
    const gone = Promise.withResolvers<string>();
    const at = host(
      dispatch({
        async sse(_scope, receive, send) {
          await send({ type: "sse.start" });
          await send({ type: "sse.comment", comment: "hello" });
          for (;;) {
            const event = await receive();
            if (event.type === "sse.disconnect") return gone.resolve(event.reason);
          }
        },
      }),
    );
    const abort = new AbortController();
    const answer = await fetch(at.url, { headers: { accept: "text/event-stream" }, signal: abort.signal });
    expect(answer.status).toBe(200);
    abort.abort();
    expect(await gone.promise).toBe("client_closed");
  });
});

describe("a client that goes", () => {
  test("is told to the application, whose sends then do nothing", async () => {
    const gone = Promise.withResolvers<unknown>();
    const started = Promise.withResolvers<void>();
    const at = host(
      http(async (scope, receive, send) => {
        started.resolve();
        await receive();
        const reason = await scope["pagi.connection"].whenDisconnected();
        const event = await receive();
        await send({ type: "http.response.start", status: 200 });
        gone.resolve([reason, event.type, scope["pagi.connection"].isConnected()]);
      }),
    );
    const abort = new AbortController();
    const answer = fetch(at.url, { method: "POST", body: "", signal: abort.signal }).catch(() => "aborted");
    await started.promise;
    abort.abort();
    expect(await answer).toBe("aborted");
    expect(await gone.promise).toEqual(["client_closed", "http.disconnect", false]);
    expect(complaints).toEqual([]);
  });
});

describe("a request body whose stream fails", () => {
  const failing = (error: unknown): Request => {
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulls++ === 0) controller.enqueue(new Uint8Array(3));
        else controller.error(error);
      },
    });
    return new Request("http://a/x", { method: "POST", body });
  };
  /** Reads the body, begins the response before it where it is to, and resolves with what it has learnt. */
  const reading = (begins: boolean) => {
    const learnt = Promise.withResolvers<unknown>();
    const app = http(async (scope, receive, send) => {
      if (begins) {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: "part", more: true });
      }
      let event = await receive();
      while (event.type === "http.request" && event.more) event = await receive();
      learnt.resolve([event.type, scope["pagi.connection"].disconnectReason()]);
    });
    return { app, learnt: learnt.promise };
  };
  const onError = (message: string, error?: unknown): void =>
    void complaints.push(`${message}: ${error instanceof Error ? error.message : String(error)}`);
  const LOGGED = "POST /x: the stream of the request body failed: disk";

  test("is answered with 400, logged, and the application learns that the request is over", async () => {
    const { app, learnt } = reading(false);
    const answer = await toFetch(app, { onError })(failing(new Error("disk")));
    expect([answer.status, await answer.text()]).toEqual([400, "Bad Request\n"]);
    expect(await learnt).toEqual(["http.disconnect", "read_error"]);
    expect(complaints).toEqual([LOGGED]);
  });

  test("cuts a response that has begun", async () => {
    const { app, learnt } = reading(true);
    const answer = await toFetch(app, { onError })(failing(new Error("disk")));
    expect(answer.status).toBe(200);
    expect(answer.text()).rejects.toThrow("The request body failed.");
    expect(await learnt).toEqual(["http.disconnect", "read_error"]);
    expect(complaints).toEqual([LOGGED]);
  });

  test("because its client has disconnected is no failure", async () => {
    const { app, learnt } = reading(false);
    const answer = await toFetch(app, { onError })(failing(new DOMException("gone", "AbortError")));
    expect(answer.status).toBe(499);
    expect(await learnt).toEqual(["http.disconnect", "client_closed"]);
    expect(complaints).toEqual([]);
  });

  test("within Hono too, where pagi() hosts the application", async () => {
    const { app } = reading(false);
    const outer = new Hono();
    outer.all("/*", pagi(app));
    const answer = await outer.fetch(failing(new Error("disk")));
    expect(answer.status).toBe(400);
  });
});

describe("errors", () => {
  test.each<[string, Application, RegExp]>([
    ["throws", () => Promise.reject(new Error("secret")), /the application threw/],
    ["returns without a response", async () => {}, /without starting a response/],
    [
      "starts and throws before anything has left",
      http(async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        throw new Error("secret");
      }),
      /the application threw/,
    ],
  ])("an application that %s is answered for with a bare 500", async (_, app, message) => {
    const at = host(app);
    const answer = await fetch(at.url);
    expect([answer.status, await answer.text()]).toEqual([500, "Internal Server Error\n"]);
    expect(complaints.join("\n")).toMatch(message);
  });

  test.each<[string, HttpHandler]>([
    [
      "throws",
      async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: "part", more: true });
        throw new Error("no more");
      },
    ],
    [
      "stays below its content-length",
      async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200, headers: [["content-length", "10"]] });
        await send({ type: "http.response.body", body: "part", more: true });
        await send({ type: "http.response.body", body: "" });
      },
    ],
  ])("an application that %s in the middle: the client sees that the response is cut", async (_, handler) => {
    const at = host(http(handler));
    expect(fetch(at.url).then((answer) => answer.text())).rejects.toThrow();
    await eventually("it was logged", () => complaints.length > 0);
  });

  test.each<[string, number, [string, string][]]>([
    ["a status that no Response can have", 700, []],
    ["a header that is none", 200, [["x", "a\0b"]]],
  ])("%s rejects, and another answer is still possible", async (_, status, headers) => {
    const problems: string[] = [];
    const at = host(
      http(async (scope, receive, send) => {
        const start = { type: "http.response.start" as const, status, headers };
        await send(start).catch((error: Error) => problems.push(error.name));
        await text("good")(scope, receive, send);
      }),
      { validateEvents: false },
    );
    expect(await (await fetch(at.url)).text()).toBe("good");
    expect(problems).toEqual(["EventError"]);
  });

  test("an event out of order rejects, and nothing else happens", async () => {
    const problems: string[] = [];
    const at = host(
      http(async (scope, receive, send) => {
        await send({ type: "http.response.body" }).catch((error: Error) => problems.push(error.name));
        await text("good")(scope, receive, send);
      }),
    );
    expect(await (await fetch(at.url)).text()).toBe("good");
    expect(problems).toEqual(["StateError"]);
  });
});

describe("lifespan", () => {
  const app = (events: string[], fails?: "startup" | "shutdown"): Application =>
    dispatch({
      async lifespan(scope, receive, send) {
        for (;;) {
          const { type } = await receive();
          events.push(type);
          if (type === "lifespan.startup") {
            scope.state["n"] = 42;
            if (fails === "startup") return send({ type: "lifespan.startup.failed", message: "no database" });
            await send({ type: "lifespan.startup.complete" });
          } else {
            if (fails === "shutdown") return send({ type: "lifespan.shutdown.failed", message: "stuck" });
            return send({ type: "lifespan.shutdown.complete" });
          }
        }
      },
      http: (scope, receive, send) => text(`n is ${scope.state["n"]}`)(scope, receive, send),
    });

  test("start() and stop() drive it, and state reaches the requests", async () => {
    const events: string[] = [];
    const handler = toFetch(app(events));
    await handler.start();
    expect(await (await handler(new Request("http://h/"))).text()).toBe("n is 42");
    await handler.stop();
    await handler.stop();
    expect(events).toEqual(["lifespan.startup", "lifespan.shutdown"]);
  });

  test("the first request starts it, and only once", async () => {
    const events: string[] = [];
    const { fetch: ask } = toFetch(app(events));
    const answers = await Promise.all([ask(new Request("http://h/")), ask(new Request("http://h/"))]);
    expect(await Promise.all(answers.map((each) => each.text()))).toEqual(["n is 42", "n is 42"]);
    expect(events).toEqual(["lifespan.startup"]);
  });

  test("a failure to start or to stop is thrown; requests get 500", async () => {
    const handler = toFetch(app([], "startup"), { onError: (message) => void complaints.push(message) });
    expect(handler.start()).rejects.toThrow(LifespanError);
    expect((await handler(new Request("http://h/"))).status).toBe(500);
    expect(complaints).toEqual(["a request came, but the application has not started"]);
    const stuck = toFetch(app([], "shutdown"));
    await stuck.start();
    expect(stuck.stop()).rejects.toThrow("stuck");
  });

  test("an application without lifespan is served all the same", async () => {
    const handler = toFetch(http(text("fine")));
    await handler.start();
    expect(await (await handler(new Request("http://h/"))).text()).toBe("fine");
    await handler.stop();
  });
});

test("Deno's info tells the client too", async () => {
  const handler = toFetch(http((scope, receive, send) => text(String(scope.client))(scope, receive, send)));
  const info = { remoteAddr: { transport: "tcp", hostname: "192.0.2.1", port: 7 } };
  expect(await (await handler(new Request("https://h/"), info)).text()).toBe("192.0.2.1,7");
});

async function openSocket(at: { host: string; port: number }): Promise<Socket> {
  const socket = connect(at);
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}
