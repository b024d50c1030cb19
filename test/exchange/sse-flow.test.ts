import { expect, test } from "bun:test";

import type { TransportState } from "../../src/spec/index.ts";
import { Folder } from "../support/program.ts";
import { startSse } from "../support/server.ts";
import { Flood, Journal, openStream } from "../support/sse.ts";

// PAGI Www, "Transport Flow Control", for event streams.

const HIGH = 64 * 1024;
const LOW = 16 * 1024;

test("send waits at the high-water mark, and no more than one event goes over it", async () => {
  const size = 10_000;
  const flood = new Flood(size);
  await using server = await startSse(flood.handler);
  await using wire = await openStream(server);
  wire.pause();
  await flood.stalled();
  const sent = flood.sent;
  expect(flood.bufferedAmount).toBeGreaterThanOrEqual(HIGH);
  expect(flood.bufferedAmount).toBeLessThan(HIGH + size + 100);
  await Bun.sleep(100);
  expect(flood.sent).toBe(sent);
  // It wakes when the client reads on.
  wire.resume();
  while (flood.sent < sent + 100) await Bun.sleep(5);
  wire.halfClose();
  await flood.returned;
});

test("a waiting send wakes when the client resets", async () => {
  const flood = new Flood();
  await using server = await startSse(flood.handler);
  await using wire = await openStream(server);
  wire.pause();
  await flood.stalled();
  wire.reset();
  await flood.returned;
  expect(flood.bufferedAmount).toBe(0);
  expect(server.logger.messages("error")).toEqual([]);
});

test("the marks are the server's options", async () => {
  const flood = new Flood(1000);
  await using server = await startSse(flood.handler, { writeHighWatermark: "8k", writeLowWatermark: "2k" });
  await using wire = await openStream(server);
  wire.pause();
  await flood.stalled();
  expect(flood.bufferedAmount).toBeGreaterThanOrEqual(8 * 1024);
  expect(flood.bufferedAmount).toBeLessThan(8 * 1024 + 1100);
});

test("onHighWater and onDrain alternate, once for each crossing, and send goes on with the drain", async () => {
  const edges = new Journal<{ edge: string; buffered: number }>();
  const state: { transport?: TransportState } = {};
  const over = Promise.withResolvers<void>();
  let waiting = 0;
  let mostWaiting = 0;
  await using server = await startSse(async (scope, _receive, send) => {
    const transport = scope["pagi.transport"];
    state.transport = transport;
    transport.onHighWater(() => edges.add({ edge: "high", buffered: transport.bufferedAmount() }));
    transport.onDrain(() => edges.add({ edge: "low", buffered: transport.bufferedAmount() }));
    await send({ type: "sse.start" });
    const data = "x".repeat(10_000);
    let done = false;
    void over.promise.then(() => (done = true));
    while (!done) {
      waiting++;
      mostWaiting = Math.max(mostWaiting, waiting);
      await send({ type: "sse.send", data });
      waiting--;
      await Bun.sleep(0);
    }
  });
  await using wire = await openStream(server);
  for (let cycle = 1; cycle <= 3; cycle++) {
    wire.pause();
    await edges.first(cycle * 2 - 1);
    wire.resume();
    await edges.first(cycle * 2);
  }
  over.resolve();
  await wire.readTo("0\r\n\r\n");
  const seen = edges.entries;
  expect(seen.length).toBeGreaterThanOrEqual(6);
  expect(seen.map(({ edge }) => edge)).toEqual(seen.map((_, i) => (i % 2 === 0 ? "high" : "low")));
  for (const { edge, buffered } of seen) {
    if (edge === "high") expect(buffered).toBeGreaterThanOrEqual(HIGH);
    else expect(buffered).toBeLessThanOrEqual(LOW);
  }
  expect(mostWaiting).toBe(1);
});

test("an application that does not wait for send can see how far its client is behind", async () => {
  const seen = new Journal<number>();
  const skipped = Promise.withResolvers<void>();
  await using server = await startSse(async (scope, receive, send) => {
    await receive();
    const transport = scope["pagi.transport"];
    await send({ type: "sse.start" });
    const data = "x".repeat(5000);
    let over = false;
    void receive().then(() => (over = true));
    let skips = 0;
    while (!over) {
      if (transport.bufferedAmount() > transport.highWaterMark() / 2) {
        if (++skips === 20) skipped.resolve();
      } else void send({ type: "sse.send", data });
      seen.add(transport.bufferedAmount());
      await Bun.sleep(0);
    }
  });
  await using wire = await openStream(server);
  wire.pause();
  await skipped.promise;
  wire.reset();
  expect(Math.max(...seen.entries)).toBeLessThan(HIGH / 2 + 5100);
});

test("keepalive adds nothing to what a stalled client has not read", async () => {
  const flood = new Flood();
  await using server = await startSse(async (scope, receive, send) => {
    const first = { type: "sse.keepalive", interval: 0.1, comment: "c".repeat(1000) } as const;
    let started = false;
    await flood.handler(scope, receive, async (event) => {
      await send(event);
      if (!started) await send(first);
      started = true;
    });
  });
  await using wire = await openStream(server);
  wire.pause();
  await flood.stalled();
  const before = flood.bufferedAmount;
  await Bun.sleep(500);
  expect(flood.bufferedAmount).toBe(before);
});

test("an application may end the stream of a client that is behind, from the callback itself", async () => {
  const result = new Journal<string>();
  await using server = await startSse(async (scope, _receive, send) => {
    await send({ type: "sse.start" });
    let over = false;
    scope["pagi.transport"].onHighWater(() => {
      over = true;
      void send({ type: "sse.close", reason: "x-too-slow" });
    });
    while (!over) await send({ type: "sse.send", data: "x".repeat(16_000) });
    result.add("goes on");
  });
  await using wire = await openStream(server);
  wire.pause();
  // The send that reached the mark does not wait: nothing more will be sent.
  await result.first(1);
  wire.resume();
  expect(await wire.readTo("0\r\n\r\n")).toEndWith("0\r\n\r\n");
});

test("a stream that is ended from the drain callback is logged once", async () => {
  using folder = new Folder();
  const accessLog = folder.file("access.log");
  {
    await using server = await startSse(
      async (scope, receive, send) => {
        await receive();
        await send({ type: "sse.start" });
        const drained = Promise.withResolvers<void>();
        scope["pagi.transport"].onDrain(() => drained.resolve(send({ type: "sse.close" })));
        let isHigh = false;
        scope["pagi.transport"].onHighWater(() => (isHigh = true));
        while (!isHigh) void send({ type: "sse.send", data: "x".repeat(16_000) });
        await drained.promise;
      },
      { accessLog, accessLogFormat: "%m %s" },
    );
    await using wire = await openStream(server);
    expect(await wire.readTo("0\r\n\r\n")).toEndWith("0\r\n\r\n");
  }
  expect(folder.lines("access.log")).toEqual(["GET 200"]);
});
