import { describe, expect, test } from "bun:test";
import { Hono, type Context } from "hono";
import type { WSContext } from "hono/ws";
import { hono, upgradeWebSocket, type HonoEnvironment } from "../../../adapters/hono.ts";
import { eventually, request as ask } from "../../support/wire.ts";
import { startServer } from "../../support/server.ts";
import { upgradeRequest, WebSocketWire } from "../../support/websocket.ts";
import { WebSocketClient } from "../../support/websocket-client.ts";

// Hono's helper contract for WebSockets, with real clients.

type App = Hono<{ Bindings: HonoEnvironment }>;

async function serve(build: (app: App) => void) {
  const app: App = new Hono();
  build(app);
  const server = await startServer(hono(app));
  return {
    ...server,
    ws: `ws://${server.host}:${server.port}`,
    /** The answer to a handshake that may be refused. */
    handshake: (target: string, fields: Record<string, string> = {}) =>
      ask(server, upgradeRequest(target, fields)),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe("events", () => {
  test("onOpen, onMessage, onClose; text and bytes as what they were", async () => {
    const seen: unknown[] = [];
    await using server = await serve((app) =>
      app.get(
        "/ws/:room",
        upgradeWebSocket((c) => ({
          onOpen(event, ws) {
            seen.push(event.type, ws.readyState, ws.url?.href, ws.raw?.path);
            ws.send(`welcome to ${c.req.param("room")}`);
          },
          onMessage({ data }, ws) {
            seen.push(typeof data === "string" ? "text" : data instanceof ArrayBuffer ? "bytes" : "else");
            if (typeof data === "string") ws.send(data);
            else if (data instanceof ArrayBuffer) ws.send(data);
          },
          onClose({ code, reason, wasClean }, ws) {
            seen.push([code, reason, wasClean, ws.readyState]);
            ws.send("to nobody");
          },
        })),
      ),
    );
    const client = await WebSocketClient.open(`${server.ws}/ws/tea?x=1`);
    expect(await client.next()).toBe("welcome to tea");
    for (const message of ["hello", new Uint8Array([0, 255])]) {
      client.send(message);
      expect(await client.next()).toEqual(message);
    }
    await client.close(4001, "enough");
    await eventually("onClose has run", () => seen.length === 7);
    expect(seen).toEqual([
      ...["open", 1, expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/ws\/tea\?x=1$/), "/ws/tea"],
      ...["text", "bytes", [4001, "enough", true, 3]],
    ]);
    expect(server.logger.messages("error")).toEqual([]);
  });

  test("ws.close() closes, with code and reason, and is told to onClose", async () => {
    const closed = Promise.withResolvers<unknown>();
    await using server = await serve((app) =>
      app.get(
        "/",
        upgradeWebSocket(() => ({
          onMessage(_, ws) {
            ws.close(4002, "done");
            ws.close(4003, "again");
            ws.send("too late");
          },
          onClose: ({ code }, ws) => closed.resolve([code, ws.readyState]),
        })),
      ),
    );
    const client = await WebSocketClient.open(server.ws);
    client.send("x");
    expect(await client.closed).toEqual({ code: 4002, reason: "done" });
    expect(await closed.promise).toEqual([4002, 3]);
    expect(server.logger.messages("error")).toEqual([]);
  });

  test("a client that reads too slowly is closed with 1008, and no more is kept for it", async () => {
    const closed = Promise.withResolvers<unknown>();
    let sent = 0;
    await using server = await serve((app) =>
      app.get(
        "/",
        upgradeWebSocket(
          () => ({
            onOpen(_, ws) {
              // In one turn of the event loop nobody can read.
              for (; sent < 100 && ws.readyState === 1; sent++) ws.send(new Uint8Array(1_000_000));
            },
            onClose: ({ code, reason }) => closed.resolve([code, reason]),
          }),
          { maxBuffered: 5_000_000 },
        ),
      ),
    );
    const client = await WebSocketClient.open(server.ws);
    expect(await closed.promise).toEqual([1008, "reads too slowly"]);
    expect(sent).toBeGreaterThan(4);
    expect(sent).toBeLessThan(100);
    for (let n = 0; n < sent; n++) expect((await client.next()).length).toBe(1_000_000);
    expect(await client.closed).toMatchObject({ code: 1008 });
  });

  test("a client that drops is 1006, and not clean", async () => {
    const closed = Promise.withResolvers<unknown>();
    await using server = await serve((app) =>
      app.get(
        "/",
        upgradeWebSocket(() => ({ onClose: ({ code, wasClean }) => closed.resolve([code, wasClean]) })),
      ),
    );
    const client = await WebSocketClient.open(server.ws);
    client.drop();
    expect(await closed.promise).toEqual([1006, false]);
  });

  test("binaryType 'blob' gives Blobs", async () => {
    await using server = await serve((app) =>
      app.get(
        "/",
        upgradeWebSocket(() => ({
          onOpen: (_, ws) => void (ws.binaryType = "blob"),
          onMessage: async ({ data }, ws) => ws.send(data instanceof Blob ? await data.text() : "no Blob"),
        })),
      ),
    );
    const client = await WebSocketClient.open(server.ws);
    client.send(new TextEncoder().encode("bytes"));
    expect(await client.next()).toBe("bytes");
    await client.close();
  });

  test("messages that follow the handshake at once are not lost", async () => {
    await using server = await serve((app) =>
      app.get("/", async (c, next) => {
        await Bun.sleep(0);
        return upgradeWebSocket(() => ({ onMessage: ({ data }, ws) => ws.send(String(data)) }))(c, next);
      }),
    );
    const clients = await Promise.all(Array.from({ length: 10 }, () => WebSocketClient.open(server.ws)));
    for (const client of clients) for (let n = 0; n < 20; n++) client.send(String(n));
    for (const client of clients) for (let n = 0; n < 20; n++) expect(await client.next()).toBe(String(n));
  });
});

describe("errors in handlers", () => {
  const failing = (how: () => unknown, onError?: (event: Event, ws: WSContext<unknown>) => void) =>
    serve((app) =>
      app.get(
        "/",
        upgradeWebSocket(() => ({
          onMessage: () => void how(),
          ...(onError === undefined ? {} : { onError }),
        })),
      ),
    );

  test("go to onError, and the connection stays open", async () => {
    await using server = await serve((app) =>
      app.get(
        "/",
        upgradeWebSocket(() => ({
          onMessage({ data }) {
            if (data === "throw") throw new Error("thrown");
            return Promise.reject(new Error("rejected"));
          },
          onError: (event, ws) => ws.send(event instanceof ErrorEvent ? event.message : "no ErrorEvent"),
        })),
      ),
    );
    const client = await WebSocketClient.open(server.ws);
    for (const [message, answer] of [
      ["throw", "thrown"],
      ["reject", "rejected"],
    ] as const) {
      client.send(message);
      expect(await client.next()).toBe(answer);
    }
    await client.close();
  });

  test("without onError the connection closes with 1011, and the error is logged", async () => {
    await using server = await failing(() => {
      throw new Error("on purpose");
    });
    const client = await WebSocketClient.open(server.ws);
    client.send("x");
    expect(await client.closed).toMatchObject({ code: 1011 });
    await eventually("it was logged", () =>
      server.logger.lines.some(({ error }) => String(error).includes("on purpose")),
    );
  });

  test("what cannot be sent goes to onError", async () => {
    const told = Promise.withResolvers<string>();
    await using server = await serve((app) =>
      app.get(
        "/",
        upgradeWebSocket(() => ({
          onOpen: (_, ws) => ws.close(1006),
          onError: (event) => told.resolve(event instanceof ErrorEvent ? event.message : ""),
        })),
      ),
    );
    await WebSocketClient.open(server.ws);
    expect(await told.promise).toStartWith("websocket.close: 'code' must be");
  });
});

describe("the handshake", () => {
  const echo = upgradeWebSocket(() => ({ onOpen: (_, ws) => ws.send(`protocol ${ws.protocol}`) }));

  test.each<[string, string | undefined, (app: App) => unknown]>([
    ["the first that is offered", "a", (app) => app.get("/", echo)],
    [
      "the one of the option",
      "b",
      (app) =>
        app.get(
          "/",
          upgradeWebSocket(() => ({}), { protocol: "b" }),
        ),
    ],
    [
      "none, by the option",
      undefined,
      (app) =>
        app.get(
          "/",
          upgradeWebSocket(() => ({}), { protocol: null }),
        ),
    ],
    [
      "the one of the response",
      "b",
      (app) =>
        app.get("/", async (c, next) => {
          c.header("Sec-WebSocket-Protocol", "b");
          return echo(c, next);
        }),
    ],
  ])("its subprotocol: %s", async (_, protocol, build) => {
    await using server = await serve((app) => void build(app));
    await using client = await WebSocketWire.open(server.ws, { "Sec-WebSocket-Protocol": "a, b" });
    const accepted = client.response.head
      .toLowerCase()
      .match(/^sec-websocket-protocol: (.*)\r?$/m)?.[1]
      ?.trim();
    expect(accepted).toBe(protocol);
  });

  test("headers that a middleware sets go with it, cookies too", async () => {
    await using server = await serve((app) => {
      app.use(async (c, next) => {
        await next();
        c.header("x-after", "1");
        c.header("set-cookie", "a=1", { append: true });
        c.header("set-cookie", "b=2", { append: true });
      });
      app.get("/", echo);
    });
    await using client = await WebSocketWire.open(server.ws);
    expect(client.response.head).toMatch(/^x-after: 1\r?$/im);
    expect(client.response.head.match(/^set-cookie: .=./gim)).toEqual(["set-cookie: a=1", "set-cookie: b=2"]);
  });

  test.each<[string, (app: App) => unknown, number, string]>([
    ["a response", (app) => app.get("/", (c) => c.text("no sockets", 426)), 426, "no sockets"],
    ["no route", () => {}, 404, "404 Not Found"],
    [
      "a middleware before it",
      (app) => {
        app.use((c) => Promise.resolve(c.text("who are you?", 401)));
        app.get("/", echo);
      },
      401,
      "who are you?",
    ],
    [
      "a middleware behind it",
      (app) => {
        app.use(async (c, next) => {
          await next();
          c.res = new Response("changed my mind", { status: 403 });
        });
        app.get("/", echo);
      },
      403,
      "changed my mind",
    ],
    [
      "an error while it makes its events",
      (app) => {
        app.onError((error, c) => c.text(error.message, 503));
        app.get(
          "/",
          upgradeWebSocket(() => {
            throw new Error("not today");
          }),
        );
      },
      503,
      "not today",
    ],
  ])("is refused by %s", async (_, build, status, body) => {
    await using server = await serve((app) => void build(app));
    const answer = await server.handshake("/");
    expect([answer.status, answer.body]).toEqual([status, body]);
  });

  test("upgradeWebSocket(c, events) within a handler", async () => {
    await using server = await serve((app) =>
      app.get("/", (c: Context) => upgradeWebSocket(c, { onOpen: (_, ws) => ws.send("inline") })),
    );
    const client = await WebSocketClient.open(server.ws);
    expect(await client.next()).toBe("inline");
    await client.close();
  });

  test("a request that is no handshake goes on to the next handler", async () => {
    await using server = await serve((app) => app.get("/", echo, (c) => c.text("a page")));
    expect(await (await fetch(server.url)).text()).toBe("a page");
  });

  test("a server that is no PAGI server is named in the error", async () => {
    const app = new Hono().get("/", echo).onError((error, c) => c.text(error.message, 500));
    expect(await (await app.request("/")).text()).toStartWith(
      "upgradeWebSocket() found no PAGI scope in c.env.",
    );
  });
});

test("a shutdown closes with 1001", async () => {
  const server = await serve((app) =>
    app.get(
      "/",
      upgradeWebSocket(() => ({})),
    ),
  );
  const client = await WebSocketClient.open(server.ws);
  const stopped = server.server.stop();
  expect(await client.closed).toMatchObject({ code: 1001 });
  await stopped;
});
