import { describe, expect, test } from "bun:test";

import { EventError } from "../../src/errors.ts";
import type { WebSocketReceiveEvent, WebSocketSendEvent } from "../../src/spec/index.ts";
import { echoMessages, startWebSocket } from "../support/server.ts";
import { Journal, failureOf } from "../support/sse.ts";
import { WebSocketWire, messageFrames } from "../support/websocket.ts";

const DEFLATE = { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" };

test("text and bytes arrive as they were sent, one event a message, and keep their memory", async () => {
  const journal = new Journal<WebSocketReceiveEvent>();
  await using server = await startWebSocket(echoMessages((event) => journal.add(event)));
  await using client = await WebSocketWire.open(server.url);
  await client.sendText("grüße ☃ 😀");
  await client.sendBinary(Uint8Array.of(0, 255, 128));
  await client.sendText("");
  await client.sendBinary(new Uint8Array(0));
  const [, ...events] = await journal.first(5);
  expect(events).toEqual([
    { type: "websocket.receive", text: "grüße ☃ 😀" },
    { type: "websocket.receive", bytes: Uint8Array.of(0, 255, 128) },
    { type: "websocket.receive", text: "" },
    { type: "websocket.receive", bytes: new Uint8Array(0) },
  ]);
  expect(await client.nextMessage()).toEqual({ type: "text", text: "grüße ☃ 😀" });
  expect(await client.nextMessage()).toEqual({ type: "binary", bytes: Uint8Array.of(0, 255, 128) });
  expect(await client.nextMessage()).toEqual({ type: "text", text: "" });
  expect(await client.nextMessage()).toEqual({ type: "binary", bytes: new Uint8Array(0) });
});

test("messages in parts, with pings between the parts, come whole; pings are answered", async () => {
  await using server = await startWebSocket(echoMessages());
  await using client = await WebSocketWire.open(server.url);
  await client.send(
    { opcode: "text", payload: "one ", fin: false },
    { opcode: "ping", payload: "still there?" },
    { opcode: "continuation", payload: "two", fin: true },
  );
  expect(await client.nextMessage()).toEqual({ type: "pong", bytes: Buffer.from("still there?") });
  expect(await client.nextMessage()).toEqual({ type: "text", text: "one two" });
});

test.each([1, 125, 126, 65_535, 65_536, 1_000_000])(
  "a message of %d bytes goes both ways, whole and in pieces of any size",
  async (size) => {
    await using server = await startWebSocket(echoMessages());
    await using client = await WebSocketWire.open(server.url);
    const bytes = crypto.getRandomValues(new Uint8Array(Math.min(size, 65_536)));
    const message = Buffer.alloc(size, bytes);
    await client.sendBinary(message);
    const answer = await client.nextMessage();
    expect(answer?.type === "binary" && Buffer.compare(answer.bytes, message)).toBe(0);
    await client.send(
      ...messageFrames({ type: "binary", payload: message, fragmentSize: Math.max(1, size >> 4) }),
    );
    const again = await client.nextMessage();
    expect(again?.type === "binary" && Buffer.compare(again.bytes, message)).toBe(0);
  },
);

test("a buffer may be used again once its send has resolved", async () => {
  await using server = await startWebSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    const buffer = new Uint8Array(1024);
    for (let i = 0; i < 200; i++) {
      buffer.fill(i);
      await send({ type: "websocket.send", bytes: buffer });
    }
  });
  await using client = await WebSocketWire.open(server.url);
  for (let i = 0; i < 200; i++) {
    const message = await client.nextMessage();
    expect(message).toEqual({ type: "binary", bytes: new Uint8Array(1024).fill(i) });
  }
});

test.each([
  ["neither", {}, "bytes"],
  ["both", { text: "a", bytes: new Uint8Array(1) }, "bytes"],
  ["a number as text", { text: 1 }, "text"],
  ["a string as bytes", { bytes: "a" }, "bytes"],
] as const)("websocket.send with %s is rejected", async (_about, fields, at) => {
  for (const validateEvents of [true, false]) {
    const journal = new Journal<unknown>();
    const wrong = { type: "websocket.send", ...fields } as unknown as WebSocketSendEvent;
    await using server = await startWebSocket(
      async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept" });
        journal.add(await failureOf(send(wrong)));
        await send({ type: "websocket.send", text: "right" });
      },
      { validateEvents },
    );
    await using client = await WebSocketWire.open(server.url);
    const [error] = await journal.first(1);
    expect(error).toBeInstanceOf(EventError);
    if (!validateEvents) expect((error as EventError).field).toBe(at);
    expect(await client.nextMessage()).toEqual({ type: "text", text: "right" });
  }
});

test("events of other scopes are rejected", async () => {
  const journal = new Journal<unknown>();
  const wrong = { type: "http.response.start", status: 200 } as unknown as WebSocketSendEvent;
  await using server = await startWebSocket(
    async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      journal.add(await failureOf(send(wrong)));
    },
    { validateEvents: false },
  );
  await using _client = await WebSocketWire.open(server.url);
  expect((await journal.first(1))[0]).toBeInstanceOf(EventError);
});

describe("permessage-deflate", () => {
  test("large messages go out compressed, small ones do not, and both ways are read", async () => {
    await using server = await startWebSocket(echoMessages());
    await using client = await WebSocketWire.open(server.url, DEFLATE);
    expect(client.isDeflating).toBe(true);
    const large = JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ i })));
    await client.send(...messageFrames({ type: "text", payload: large, compressed: true }));
    await client.send(...messageFrames({ type: "text", payload: "small", compressed: true }));
    await client.send(...messageFrames({ type: "binary", payload: "x".repeat(1024) }));
    expect(await client.nextMessage()).toEqual({ type: "text", text: large });
    expect(client.compressedMessages).toBe(1);
    expect(await client.nextMessage()).toEqual({ type: "text", text: "small" });
    expect(client.compressedMessages).toBe(1);
    expect(await client.nextMessage()).toEqual({ type: "binary", bytes: Buffer.alloc(1024, "x") });
    expect(client.compressedMessages).toBe(2);
  });

  test("a message that is too big once it is inflated is 1009", async () => {
    const journal = new Journal<WebSocketReceiveEvent>();
    await using server = await startWebSocket(
      echoMessages((event) => journal.add(event)),
      { maxWsMessageSize: 100_000 },
    );
    await using client = await WebSocketWire.open(server.url, DEFLATE);
    const bomb = Buffer.alloc(10_000_000);
    await client.send(...messageFrames({ type: "binary", payload: bomb, compressed: true }));
    expect(await client.nextMessage()).toMatchObject({ type: "close", code: 1009 });
    expect((await journal.first(2))[1]).toEqual({
      type: "websocket.disconnect",
      code: 1009,
      reason: "body_too_large",
    });
  });

  test("is not agreed on where it is off, or not offered", async () => {
    await using off = await startWebSocket(echoMessages(), { wsCompression: false });
    await using refused = await WebSocketWire.open(off.url, DEFLATE);
    expect(refused.isDeflating).toBe(false);
    await refused.sendText("x".repeat(5000));
    expect(await refused.nextMessage()).toEqual({ type: "text", text: "x".repeat(5000) });
    await using on = await startWebSocket(echoMessages());
    await using plain = await WebSocketWire.open(on.url);
    expect(plain.isDeflating).toBe(false);
    await plain.sendText("x".repeat(5000));
    expect(await plain.nextMessage()).toEqual({ type: "text", text: "x".repeat(5000) });
  });
});
