import { describe, expect, test } from "bun:test";

import type { TransportState, WebSocketHandler, WebSocketReceiveEvent } from "../../src/spec/index.ts";
import { bytesInKernel } from "../support/kernel-queues.ts";
import { startWebSocket } from "../support/server.ts";
import { Journal } from "../support/sse.ts";
import { WebSocketWire, frame, messageFrames, upgradeRequest } from "../support/websocket.ts";
import { eventually } from "../support/wire.ts";

/** Waits until a number has stopped changing. */
async function standstill(value: () => number): Promise<number> {
  for (let before = NaN; ;) {
    const now = value();
    if (now === before) return now;
    before = now;
    await Bun.sleep(60);
  }
}

// ── towards the client: PAGI Www, "Transport Flow Control" ──────────────────────────────────────────────────────────

/** Sends messages as fast as `send` lets it, until the end. */
function flood(size: number) {
  const state = { sent: 0, transport: undefined as TransportState | undefined, highs: 0, drains: 0 };
  const ended = Promise.withResolvers<WebSocketReceiveEvent>();
  const handler: WebSocketHandler = async (scope, receive, send) => {
    const transport = scope["pagi.transport"];
    state.transport = transport;
    transport.onHighWater(() => state.highs++);
    transport.onDrain(() => state.drains++);
    await receive();
    await send({ type: "websocket.accept" });
    let isOver = false;
    void receive().then((event) => {
      isOver = true;
      ended.resolve(event);
    });
    const bytes = new Uint8Array(size);
    while (!isOver) {
      await send({ type: "websocket.send", bytes });
      state.sent++;
      if (state.sent % 16 === 0) await Bun.sleep(0);
    }
  };
  return { state, ended: ended.promise, handler };
}

describe("a client that does not read", () => {
  test.each([1000, 50_000])(
    "costs no more than the high-water mark and one message of %d bytes",
    async (size) => {
      const { state, handler } = flood(size);
      await using server = await startWebSocket(handler, { writeHighWatermark: 65_536 });
      await using client = await WebSocketWire.open(server.url);
      client.wire.pause();
      const stuckAt = await standstill(() => state.sent);
      const buffered = state.transport?.bufferedAmount() ?? 0;
      expect(buffered).toBeGreaterThanOrEqual(65_536);
      expect(buffered).toBeLessThanOrEqual(65_536 + size + 10);
      expect(state.highs - state.drains).toBe(1);
      client.wire.resume();
      await eventually("send goes on", () => state.sent > stuckAt && state.drains > 0);
      for (let i = 0; i < stuckAt; i++) {
        const message = await client.nextMessage();
        if (message?.type !== "binary" || message.bytes.byteLength !== size)
          throw new Error(`message ${i} is ${message?.type}`);
      }
    },
  );

  test("that resets ends a loop that does nothing but send, which keeps nobody from their turn", async () => {
    const ended = Promise.withResolvers<WebSocketReceiveEvent>();
    await using server = await startWebSocket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      let isOver = false;
      void receive().then((event) => {
        isOver = true;
        ended.resolve(event);
      });
      while (!isOver) await send({ type: "websocket.send", bytes: new Uint8Array(50_000) });
    });
    await using client = await WebSocketWire.open(server.url);
    await client.nextMessage();
    client.wire.reset();
    expect(await ended.promise).toMatchObject({ type: "websocket.disconnect", code: 1006 });
  });

  test.skipIf(process.platform !== "linux")(
    "is counted to the byte: what is sent is with the client, with the kernel or in bufferedAmount",
    async () => {
      const { state, handler } = flood(4000);
      await using server = await startWebSocket(handler);
      let received = 0;
      let head = "";
      const socket = await Bun.connect({
        hostname: server.host,
        port: server.port,
        socket: {
          open: (each) => void each.write(upgradeRequest()),
          data: (each, bytes) => {
            received += bytes.length;
            if (head !== "") return;
            head = `${bytes.toString("latin1").split("\r\n\r\n", 1)[0]}\r\n\r\n`;
            each.pause();
          },
        },
      });
      await eventually("the handshake is answered", () => head !== "");
      const sent = await standstill(() => state.sent);
      const inKernel = await bytesInKernel({ localPort: server.port, remotePort: socket.localPort });
      const buffered = state.transport?.bufferedAmount() ?? 0;
      // One message is taken and waits in `send`; each has a header of four bytes.
      expect(received - head.length + inKernel + buffered).toBe((sent + 1) * 4004);
      socket.terminate();
    },
  );

  test("a send that waits wakes when the client is lost", async () => {
    const { ended, state, handler } = flood(50_000);
    await using server = await startWebSocket(handler);
    await using client = await WebSocketWire.open(server.url);
    client.wire.pause();
    await standstill(() => state.sent);
    client.wire.reset();
    expect(await ended).toEqual({ type: "websocket.disconnect", code: 1006, reason: "write_error" });
    await eventually("the application has returned", () => server.server.connectionCount === 0);
  });

  test("one that pings as well gets the last pong when it reads again, and costs no more", async () => {
    const { state, handler, ended } = flood(50_000);
    await using server = await startWebSocket(handler);
    await using client = await WebSocketWire.open(server.url);
    client.wire.pause();
    await standstill(() => state.sent);
    const pings = Array.from({ length: 20_000 }, (_, i) => frame({ opcode: "ping", payload: `ping ${i}` }));
    await client.wire.send(Buffer.concat(pings));
    await client.sendText("all of them have been read when this has");
    await ended;
    expect(state.transport?.bufferedAmount()).toBeLessThanOrEqual(65_536 + 50_010 + 127);
    client.wire.resume();
    let pong = "";
    while (pong !== "ping 19999") {
      const message = await client.nextMessage();
      if (message?.type === "pong") pong = Buffer.from(message.bytes).toString();
      else if (message?.type !== "binary" && message?.type !== "close")
        throw new Error(`no pong, but ${message?.type}`);
    }
  });

  test("gets no pong behind the Close frame", async () => {
    const pinged = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    await using server = await startWebSocket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      const sent = send({ type: "websocket.send", bytes: new Uint8Array(20_000_000) });
      await receive(); // it comes behind the ping
      pinged.resolve();
      await send({ type: "websocket.close" });
      closed.resolve();
      await sent;
    });
    await using client = await WebSocketWire.open(server.url);
    client.wire.pause();
    await client.send({ opcode: "ping", payload: "late" }, { opcode: "text", payload: "after" });
    await pinged.promise;
    client.wire.resume();
    expect((await client.nextMessage())?.type).toBe("binary");
    const messages = [];
    for (let message = await client.nextMessage(); message !== null; message = await client.nextMessage())
      messages.push(message.type);
    expect(messages).toEqual(["close"]);
    await closed.promise;
  });
});

// ── towards the application ─────────────────────────────────────────────────────────────────────────────────────────

/** Accepts, and takes messages only when it is told to. */
function slow() {
  const journal = new Journal<WebSocketReceiveEvent>();
  let wanted = 0;
  let wake = (): void => {};
  const handler: WebSocketHandler = async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    for (;;) {
      while (wanted === 0) await new Promise<void>((resolve) => (wake = resolve));
      wanted--;
      const event = await receive();
      journal.add(event);
      if (event.type === "websocket.disconnect") return;
    }
  };
  const take = (count: number): void => {
    wanted += count;
    wake();
  };
  return { journal, handler, take };
}

/** A client that sends as fast as TCP lets it. */
async function sender(address: { host: string; port: number }, piece: Uint8Array, total: number) {
  let sent = 0;
  let isUp = false;
  let at = 0;
  let received = "";
  const pump = (socket: { write(bytes: Uint8Array): number }): void => {
    while (isUp && sent < total) {
      const count = socket.write(piece.subarray(at));
      if (count <= 0) return;
      sent += count;
      at = (at + count) % piece.byteLength;
    }
  };
  const socket = await Bun.connect({
    hostname: address.host,
    port: address.port,
    socket: {
      open: (each) => void each.write(upgradeRequest()),
      data: (each, bytes) => {
        received += bytes.toString("latin1");
        if (isUp) return;
        isUp = true;
        pump(each);
      },
      drain: pump,
    },
  });
  return { sent: () => sent, received: () => received, close: () => socket.terminate() };
}

describe("an application that does not receive", () => {
  test.each([
    ["tiny", 1],
    ["middling", 1000],
    ["large", 500_000],
  ])("stops a fast sender of %s messages, and gets them in order when it goes on", async (_about, size) => {
    const { handler, journal, take } = slow();
    await using server = await startWebSocket(handler);
    const piece = frame({ opcode: "binary", payload: new Uint8Array(size) });
    // More than the kernel holds for the two of them.
    const count = Math.ceil(16_000_000 / piece.byteLength);
    const client = await sender(server, piece, count * piece.byteLength);
    await eventually("it sends", () => client.sent() > 0);
    const stuckAt = await standstill(client.sent);
    expect(stuckAt).toBeLessThan(count * piece.byteLength);
    const enough = Math.min(count, 300_000); // for TCP to open its window again
    take(enough);
    await journal.first(Math.min(count, 20_000));
    await eventually("the sender goes on", () => client.sent() > stuckAt);
    expect(journal.entries.every((event) => event.type === "websocket.receive")).toBe(true);
    client.close();
  });

  test("a burst of compressed messages is inflated only as far as there is room", async () => {
    const { handler, journal, take } = slow();
    await using server = await startWebSocket(handler);
    await using client = await WebSocketWire.open(server.url, {
      "Sec-WebSocket-Extensions": "permessage-deflate",
    });
    const before = process.memoryUsage.rss();
    const bomb = messageFrames({ type: "binary", payload: new Uint8Array(1_000_000), compressed: true });
    await client.send(...Array.from({ length: 200 }, () => bomb).flat());
    take(1);
    await journal.first(1);
    // 200 MB would be here, were they all inflated.
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
    take(199);
    await journal.first(200);
    expect(journal.entries.every((event) => event.type === "websocket.receive")).toBe(true);
  });

  test("with more waiting than maxReceiveQueue it is closed with 1008 and queue_overflow", async () => {
    const { handler, journal, take } = slow();
    await using server = await startWebSocket(handler, { maxReceiveQueue: 10 });
    await using client = await WebSocketWire.open(server.url);
    await client.send(...Array.from({ length: 11 }, () => ({ opcode: "text", payload: "a" }) as const));
    expect(await client.nextMessage()).toEqual({ type: "close", code: 1008, reason: "" });
    await client.end();
    take(12);
    const events = await journal.first(12);
    expect(events.slice(0, 11).map((event) => event.type)).toEqual(Array(11).fill("websocket.receive"));
    expect(events[11]).toEqual({ type: "websocket.disconnect", code: 1008, reason: "queue_overflow" });
  });

  test("just as many as maxReceiveQueue are no reason to close", async () => {
    const { handler, journal, take } = slow();
    await using server = await startWebSocket(handler, { maxReceiveQueue: 10 });
    await using client = await WebSocketWire.open(server.url);
    await client.send(...Array.from({ length: 10 }, () => ({ opcode: "text", payload: "a" }) as const));
    await client.send({ opcode: "ping" });
    expect((await client.nextMessage())?.type).toBe("pong");
    take(10);
    expect(await journal.first(10)).toHaveLength(10);
  });

  test("gets what has come before it is told of the end", async () => {
    const { handler, journal, take } = slow();
    await using server = await startWebSocket(handler);
    await using client = await WebSocketWire.open(server.url);
    for (let i = 0; i < 5; i++) await client.sendText(String(i));
    await client.sendClose(4000);
    expect(await client.nextMessage()).toMatchObject({ type: "close", code: 4000 });
    take(6);
    const events = await journal.first(6);
    expect(events.map((event) => (event.type === "websocket.receive" ? event.text : event.type))).toEqual([
      ...["0", "1", "2", "3", "4", "websocket.disconnect"],
    ]);
  });
});
