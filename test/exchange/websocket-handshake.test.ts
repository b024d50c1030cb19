import { describe, expect, test } from "bun:test";

import { EventError, StateError, UnsupportedScopeError } from "../../src/errors.ts";
import type { WebSocketHandler, WebSocketSendEvent } from "../../src/spec/index.ts";
import { echoMessages, startWebSocket } from "../support/server.ts";
import { Journal, failureOf } from "../support/sse.ts";
import { WebSocketWire, upgradeRequest } from "../support/websocket.ts";
import type { HandshakeFields } from "../support/websocket.ts";
import { Wire, eventually, field } from "../support/wire.ts";

const OFFER: HandshakeFields = { "Sec-WebSocket-Protocol": "chat.v2, chat.v1" };

/** Answers `websocket.connect` with events and notes how each `send` went. */
function answering(
  events: readonly WebSocketSendEvent[],
  journal: Journal<unknown>,
): { handler: WebSocketHandler } {
  return {
    handler: async (_scope, receive, send) => {
      await receive();
      for (const event of events) journal.add(await failureOf(send(event)));
    },
  };
}

async function refusal(handler: WebSocketHandler, fields?: HandshakeFields) {
  await using server = await startWebSocket(handler);
  await using wire = await Wire.open(server);
  await wire.send(upgradeRequest("/", fields));
  const response = await wire.response();
  const rest = await wire.readToEnd();
  await eventually("the connection is gone", () => server.server.connectionCount === 0);
  return { response, rest, errors: server.logger.messages("error") };
}

// ── accept: PAGI Www, "Accept"; RFC 6455 section 4.2.2 ──────────────────────────────────────────────────────────────

describe("accept", () => {
  test("names a subprotocol that was offered, and adds fields to the answer", async () => {
    await using server = await startWebSocket(async (scope, receive, send) => {
      await receive();
      expect(scope.subprotocols).toEqual(["chat.v2", "chat.v1"]);
      await send({
        type: "websocket.accept",
        subprotocol: "chat.v1",
        headers: [
          ["x-room", "7"],
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
        ],
      });
    });
    await using client = await WebSocketWire.open(server.url, OFFER);
    const { headers } = client.response;
    expect(field(client.response, "sec-websocket-protocol")).toBe("chat.v1");
    expect(field(client.response, "upgrade")).toBe("websocket");
    expect(field(client.response, "connection")).toBe("Upgrade");
    expect(field(client.response, "x-room")).toBe("7");
    expect(headers.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual([
      "a=1",
      "b=2",
    ]);
    expect(headers.filter(([name]) => name === "date")).toHaveLength(1);
  });

  test("without a subprotocol none is in the answer, whatever was offered", async () => {
    await using server = await startWebSocket(echoMessages());
    await using client = await WebSocketWire.open(server.url, OFFER);
    expect(field(client.response, "sec-websocket-protocol")).toBeUndefined();
  });

  test.each([
    ["one that was not offered", { subprotocol: "chat.v3" }, "subprotocol", OFFER],
    ["one where none was offered", { subprotocol: "chat.v1" }, "subprotocol", {}],
    ["headers with a line break", { headers: [["x-a", "1\r\nx-b: 2"]] }, "headers", {}],
    [
      "headers of the handshake itself",
      { headers: [["sec-websocket-protocol", "chat.v1"]] },
      "headers",
      OFFER,
    ],
  ] as const)("rejects %s, and can be sent again", async (_about, fields, at, offered) => {
    const journal = new Journal<unknown>();
    const wrong = { type: "websocket.accept", ...fields } as unknown as WebSocketSendEvent;
    const { handler } = answering([wrong, { type: "websocket.accept" }], journal);
    await using server = await startWebSocket(handler, { validateEvents: false });
    await using _client = await WebSocketWire.open(server.url, offered);
    const [first, second] = await journal.first(2);
    expect(first).toBeInstanceOf(EventError);
    expect((first as EventError).field).toBe(at);
    expect(second).toBeUndefined();
  });

  test("what is sent right after it, without waiting, comes behind the answer and in order", async () => {
    await using server = await startWebSocket(async (scope, receive, send) => {
      await receive();
      const all = [send({ type: "websocket.accept" })];
      for (let i = 0; i < 5; i++) all.push(send({ type: "websocket.send", text: `early ${i}` }));
      expect(scope["pagi.transport"].bufferedAmount()).toBe(5 * "early 0".length);
      all.push(send({ type: "websocket.close", code: 4000, reason: "done" }));
      await Promise.all(all);
    });
    await using client = await WebSocketWire.open(server.url);
    for (let i = 0; i < 5; i++)
      expect(await client.nextMessage()).toEqual({ type: "text", text: `early ${i}` });
    expect(await client.nextMessage()).toEqual({ type: "close", code: 4000, reason: "done" });
    await client.end();
  });

  test("nothing is written before it, and nothing is allowed before it but an answer", async () => {
    const go = Promise.withResolvers<void>();
    const journal = new Journal<unknown>();
    await using server = await startWebSocket(async (_scope, receive, send) => {
      expect(await receive()).toEqual({ type: "websocket.connect" });
      journal.add(await failureOf(send({ type: "websocket.send", text: "no" })));
      journal.add(await failureOf(send({ type: "websocket.keepalive", interval: 1 })));
      journal.add(await failureOf(send({ type: "websocket.http.response.body", body: "no" })));
      await go.promise;
      await send({ type: "websocket.accept" });
      journal.add(await failureOf(send({ type: "websocket.accept" })));
    });
    await using wire = await Wire.open(server);
    await wire.send(upgradeRequest());
    for (const error of await journal.first(3)) {
      expect(error).toBeInstanceOf(StateError);
      expect((error as StateError).state).toBe("connecting");
    }
    expect(wire.pending).toBe("");
    go.resolve();
    await wire.readTo("\r\n\r\n");
    const [, , , again] = await journal.first(4);
    expect(again).toBeInstanceOf(StateError);
    expect((again as StateError).state).toBe("open");
  });
});

// ── refusal ─────────────────────────────────────────────────────────────────────────────────────────────────────────

describe("refusal", () => {
  test("websocket.close is a bare 403; a second one does nothing, and there is nothing to receive", async () => {
    const journal = new Journal<unknown>();
    const { response, errors } = await refusal(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.close", code: 1008, reason: "secret" });
      journal.add(await failureOf(send({ type: "websocket.close" })));
      journal.add(await failureOf(send({ type: "websocket.send", text: "into the void" })));
      journal.add(await failureOf(send({ type: "websocket.accept" })));
      journal.add(await failureOf(receive()));
    });
    expect(response.status).toBe(403);
    expect(response.body).toBe("Forbidden\n");
    expect(field(response, "connection")).toBe("close");
    expect(response.head).not.toContain("secret");
    const [close, message, accept, received] = await journal.first(4);
    expect([close, message]).toEqual([undefined, undefined]);
    expect(accept).toBeInstanceOf(StateError);
    expect(received).toBeInstanceOf(StateError);
    expect(errors).toEqual([]);
  });

  test("a denial has any status, fields and body, and the connection closes after it", async () => {
    const { response, rest } = await refusal(async (scope, receive, send) => {
      await receive();
      expect(scope.extensions["websocket.http.response"]).toEqual({});
      await send({
        type: "websocket.http.response.start",
        status: 401,
        headers: [
          ["www-authenticate", "Bearer"],
          ["content-type", "application/json"],
        ],
      });
      await send({ type: "websocket.http.response.body", body: '{"error":', more: true });
      await send({ type: "websocket.http.response.body", body: '"unauthorized"}' });
    });
    expect(response.status).toBe(401);
    expect(field(response, "www-authenticate")).toBe("Bearer");
    expect(field(response, "connection")).toBe("close");
    expect(response.body).toBe('{"error":"unauthorized"}');
    expect(rest).toBe("");
  });

  test("after a denial has begun, an acceptance is refused and the denial goes on", async () => {
    const journal = new Journal<unknown>();
    const { response } = await refusal(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.http.response.start", status: 503 });
      journal.add(await failureOf(send({ type: "websocket.accept" })));
      journal.add(await failureOf(send({ type: "websocket.close" })));
      await send({ type: "websocket.http.response.body", body: "later" });
    });
    expect(response.body).toBe("later");
    for (const error of await journal.first(2)) expect((error as StateError).state).toBe("denying");
  });

  test("events of a denial are ignored once the WebSocket is open", async () => {
    await using server = await startWebSocket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.http.response.start", status: 401 });
      await send({ type: "websocket.http.response.body", body: "no" });
      await send({ type: "websocket.send", text: "yes" });
    });
    await using client = await WebSocketWire.open(server.url);
    expect(await client.nextMessage()).toEqual({ type: "text", text: "yes" });
  });

  const BACKSTOPS: [about: string, handler: WebSocketHandler, status: number, message: RegExp][] = [
    ["returning", async () => {}, 403, /^GET \/: the application returned without answering/],
    [
      "throwing",
      async () => {
        throw new Error("secret");
      },
      500,
      /^GET \/: the application threw/,
    ],
    [
      "an acceptance that cannot be sent",
      async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept", headers: [["x", "\n"]] });
      },
      500,
      /^GET \/: the application threw/,
    ],
  ];
  test.each(BACKSTOPS)(
    "%s before an answer is answered with %d",
    async (_about, handler, status, message) => {
      const { response, errors } = await refusal(handler);
      expect(response.status).toBe(status);
      expect(response.head + response.body).not.toContain("secret");
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatch(message);
    },
  );

  test("an application without WebSockets is answered for with 501, and nothing is in the log", async () => {
    const { response, errors } = await refusal(async (scope) => {
      throw new UnsupportedScopeError(scope.type);
    });
    expect(response.status).toBe(501);
    expect(errors).toEqual([]);
  });

  test("a denial that is not finished is cut", async () => {
    await using server = await startWebSocket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.http.response.start", status: 401, headers: [["content-length", "9"]] });
      await send({ type: "websocket.http.response.body", body: "part", more: true });
    });
    await using wire = await Wire.open(server);
    await wire.send(upgradeRequest());
    expect(await wire.readToEnd()).toEndWith("\r\n\r\npart");
    await server.logger.seen(/returned before its response was complete/);
  });

  test("an application that does not answer in time is answered for, and told", async () => {
    const journal = new Journal<unknown>();
    await using server = await startWebSocket(
      async (_scope, receive, send) => {
        await receive();
        journal.add(await receive());
        journal.add(await failureOf(send({ type: "websocket.accept" })));
      },
      { wsHandshakeTimeout: 0.1 },
    );
    await using wire = await Wire.open(server);
    await wire.send(upgradeRequest());
    expect((await wire.response()).status).toBe(504);
    await wire.readToEnd();
    expect(await journal.first(2)).toEqual([
      { type: "websocket.disconnect", code: 1006, reason: "server_error" },
      undefined,
    ]);
    await server.logger.seen(/did not answer websocket.connect within 0.1 s/);
  });

  test.each([
    ["FIN", "client_closed", (wire: Wire) => wire.halfClose()],
    ["RST", "read_error", (wire: Wire) => wire.reset()],
  ] as const)("a client that goes with %s before an answer is told as %s", async (_how, reason, leave) => {
    const journal = new Journal<unknown>();
    await using server = await startWebSocket(async (_scope, receive, send) => {
      journal.add(await receive());
      journal.add(await receive());
      journal.add(await failureOf(send({ type: "websocket.accept" })));
    });
    await using wire = await Wire.open(server);
    await wire.send(upgradeRequest());
    await journal.first(1);
    leave(wire);
    expect((await journal.first(3)).slice(1)).toEqual([
      { type: "websocket.disconnect", code: 1006, reason },
      undefined,
    ]);
  });
});
