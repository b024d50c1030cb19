import { describe, expect, test } from "bun:test";

import { EventError } from "../../src/errors.ts";
import type { WebSocketSendEvent } from "../../src/spec/index.ts";
import { echoMessages, startWebSocket } from "../support/server.ts";
import { Journal, failureOf } from "../support/sse.ts";
import { WebSocketWire } from "../support/websocket.ts";
import { eventually } from "../support/wire.ts";

/** An application that sends events and then notes what it receives. */
async function started(...events: WebSocketSendEvent[]) {
  const journal = new Journal<unknown>();
  const server = await startWebSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    for (const event of events) await send(event);
    for (;;) {
      const event = await receive();
      journal.add(event);
      if (event.type === "websocket.disconnect") return;
    }
  });
  return { server, journal };
}

// ── PAGI Www, "Keepalive" ───────────────────────────────────────────────────────────────────────────────────────────

describe("websocket.keepalive", () => {
  test.concurrent("pings again and again, as long as pongs come", async () => {
    const { server, journal } = await started({ type: "websocket.keepalive", interval: 0.1, timeout: 0.3 });
    await using _server = server;
    await using client = await WebSocketWire.open(server.url);
    for (let i = 0; i < 6; i++) {
      expect(await client.nextMessage()).toEqual({ type: "ping", bytes: new Uint8Array(0) });
      await client.send({ opcode: "pong" });
    }
    expect(journal.entries).toEqual([]);
  });

  test.concurrent(
    "a client that does not answer is dropped with 1006 and keepalive_timeout, without a Close frame",
    async () => {
      const { server, journal } = await started({ type: "websocket.keepalive", interval: 0.1, timeout: 0.3 });
      await using _server = server;
      await using client = await WebSocketWire.open(server.url);
      const messages = [];
      while (!client.wire.isEnded) {
        const message = await client.nextMessage().catch(() => null);
        if (message === null) break;
        messages.push(message.type);
      }
      expect(new Set(messages)).toEqual(new Set(["ping"]));
      expect(await journal.first(1)).toEqual([
        { type: "websocket.disconnect", code: 1006, reason: "keepalive_timeout" },
      ]);
      await eventually("the connection is gone", () => server.server.connectionCount === 0);
    },
  );

  test.concurrent("whatever the client sends shows that it is there", async () => {
    const { server, journal } = await started({ type: "websocket.keepalive", interval: 0.1, timeout: 0.3 });
    await using _server = server;
    await using client = await WebSocketWire.open(server.url);
    for (let i = 0; i < 6; i++) {
      expect((await client.nextMessage())?.type).toBe("ping");
      await client.sendText(String(i));
    }
    expect(await journal.first(6)).toHaveLength(6);
  });

  test.concurrent("without a timeout nobody is dropped; the last settings count; 0 stops it", async () => {
    const journal = new Journal<unknown>();
    await using server = await startWebSocket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.keepalive", interval: 0.1, timeout: 0.1 });
      await send({ type: "websocket.keepalive", interval: 0.1 });
      journal.add(await receive()); // "enough", after pings without a pong
      await send({ type: "websocket.keepalive", interval: 0 });
      await send({ type: "websocket.send", text: "stopped" });
      journal.add(await receive());
      await send({ type: "websocket.close" });
    });
    await using client = await WebSocketWire.open(server.url);
    for (let i = 0; i < 5; i++) expect((await client.nextMessage())?.type).toBe("ping");
    await client.sendText("enough");
    let message = await client.nextMessage();
    while (message?.type === "ping") message = await client.nextMessage();
    expect(message).toEqual({ type: "text", text: "stopped" });
    await Bun.sleep(350); // a ping more would be among the next messages
    await client.sendText("over");
    expect(await client.nextMessage()).toMatchObject({ type: "close", code: 1000 });
    expect(journal.entries).toHaveLength(2);
  });

  test.concurrent("while it is us who do not read, nobody is dropped", async () => {
    const go = Promise.withResolvers<void>();
    const journal = new Journal<unknown>();
    await using server = await startWebSocket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.keepalive", interval: 0.1, timeout: 0.1 });
      await go.promise;
      for (let i = 0; i < 100; i++) journal.add((await receive()).type);
    });
    await using client = await WebSocketWire.open(server.url);
    // More than may wait, so that the Pongs behind it are not read.
    await client.send(...Array.from({ length: 100 }, () => ({ opcode: "text", payload: "a" }) as const));
    for (let i = 0; i < 8; i++) {
      expect((await client.nextMessage())?.type).toBe("ping");
      await client.send({ opcode: "pong" });
    }
    go.resolve();
    expect(new Set(await journal.first(100))).toEqual(new Set(["websocket.receive"]));
  });

  test.concurrent.each([
    ["interval", { interval: -1 }],
    ["interval", { interval: Infinity }],
    ["interval", { interval: "1" }],
    ["interval", {}],
    ["timeout", { interval: 1, timeout: -1 }],
    ["timeout", { interval: 1, timeout: NaN }],
  ] as const)("a wrong %s (%j) is rejected", async (at, fields) => {
    const journal = new Journal<unknown>();
    const wrong = { type: "websocket.keepalive", ...fields } as unknown as WebSocketSendEvent;
    await using server = await startWebSocket(
      async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept" });
        journal.add(await failureOf(send(wrong)));
      },
      { validateEvents: false },
    );
    await using _client = await WebSocketWire.open(server.url);
    const [error] = await journal.first(1);
    expect(error).toBeInstanceOf(EventError);
    expect((error as EventError).field).toBe(at);
  });
});

describe("wsIdleTimeout", () => {
  test.concurrent("closes a WebSocket on which nothing moves with 1001, and tells idle_timeout", async () => {
    const journal = new Journal<unknown>();
    await using server = await startWebSocket(
      echoMessages((event) => journal.add(event)),
      { wsIdleTimeout: 0.3 },
    );
    await using client = await WebSocketWire.open(server.url);
    expect(await client.nextMessage()).toEqual({ type: "close", code: 1001, reason: "" });
    await client.end();
    expect((await journal.first(2))[1]).toEqual({
      type: "websocket.disconnect",
      code: 1001,
      reason: "idle_timeout",
    });
  });

  test.concurrent("pings of the client and messages to it keep it open", async () => {
    await using server = await startWebSocket(
      async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept" });
        for (let i = 0; i < 5; i++) {
          await Bun.sleep(200);
          await send({ type: "websocket.send", text: String(i) });
        }
        for (;;) if ((await receive()).type === "websocket.disconnect") return;
      },
      { wsIdleTimeout: 0.5 },
    );
    await using client = await WebSocketWire.open(server.url);
    for (let i = 0; i < 5; i++) expect(await client.nextMessage()).toEqual({ type: "text", text: String(i) });
    for (let i = 0; i < 5; i++) {
      await Bun.sleep(200);
      await client.send({ opcode: "ping" });
      expect((await client.nextMessage())?.type).toBe("pong");
    }
  });
});
