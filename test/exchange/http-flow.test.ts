import { describe, expect, test } from "bun:test";

import type { HttpHandler } from "../../src/spec/index.ts";
import { startHttp } from "../support/server.ts";
import { Wire, eventually, get } from "../support/wire.ts";

const MEGABYTE = new Uint8Array(1_000_000);
const OPTIONS = { writeHighWatermark: 100_000, writeLowWatermark: 20_000 };
const more = { type: "http.response.body", body: MEGABYTE, more: true } as const;

/** Opens a connection whose client asks and then reads nothing. */
async function stalledClient(server: { host: string; port: number }): Promise<Wire> {
  const wire = await Wire.open(server);
  wire.pause();
  await wire.send(get("/"));
  return wire;
}

describe("PAGI Www, Transport Flow Control", () => {
  test("the marks are the options', by default 64 KiB and 16 KiB", async () => {
    const marks: unknown[] = [];
    const app: HttpHandler = async (scope) => {
      const transport = scope["pagi.transport"];
      marks.push([transport?.highWaterMark(), transport?.lowWaterMark(), transport?.bufferedAmount()]);
    };
    await using usual = await startHttp(app);
    await using own = await startHttp(app, OPTIONS);
    for (const server of [usual, own]) {
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      await wire.readToEnd();
    }
    expect(marks).toEqual([
      [65_536, 16_384, 0],
      [100_000, 20_000, 0],
    ]);
  });

  test("send waits at the high mark and goes on at the low one; the callbacks run once for each edge", async () => {
    const events: string[] = [];
    let sent = 0;
    let waiting = 0;
    let held = 0;
    let isDone = false;
    await using server = await startHttp(async (scope, _receive, send) => {
      const transport = scope["pagi.transport"];
      if (transport === undefined) return;
      transport.onHighWater(() => {
        events.push("high");
        expect(transport.bufferedAmount()).toBeGreaterThanOrEqual(OPTIONS.writeHighWatermark);
      });
      transport.onDrain(() => {
        events.push("drain");
        expect(transport.bufferedAmount()).toBeLessThanOrEqual(OPTIONS.writeLowWatermark);
      });
      transport.onDrain(() => events.push("drain 2"));
      await send({ type: "http.response.start", status: 200 });
      while (sent < 30) {
        const promise = send(more);
        waiting = Bun.peek.status(promise) === "pending" ? 1 : 0;
        held = Math.max(held, transport.bufferedAmount());
        await promise;
        waiting = 0;
        sent++;
        if (sent === 30) {
          // Registered at the high mark: at once. Sends behind it wait for the same drain, and say nothing new.
          const last = [send(more), send(more)];
          transport.onHighWater(() => events.push("registered high"));
          await Promise.all(last);
        }
      }
      await send({ type: "http.response.body" });
      isDone = true;
    }, OPTIONS);
    await using wire = await stalledClient(server);
    await eventually("send waits", () => waiting === 1);
    await Bun.sleep(50);
    expect(waiting).toBe(1);
    const before = sent;
    await Bun.sleep(50);
    expect(sent).toBe(before);
    expect(events).toEqual(["high"]);
    wire.resume();
    await eventually("the application is through", () => isDone);
    expect(held).toBeLessThan(MEGABYTE.length + OPTIONS.writeHighWatermark);
    const edges = events.filter((each) => each === "high" || each === "drain");
    expect(edges.length % 2).toBe(0);
    edges.forEach((each, i) => expect(each).toBe(i % 2 === 0 ? "high" : "drain"));
    expect(events.filter((each) => each === "drain 2")).toHaveLength(edges.length / 2);
    expect(events.filter((each) => each === "registered high").length).toBeLessThanOrEqual(1);
  });

  test("onDrain alone does not run; onHighWater runs at once where the mark is reached", async () => {
    const events: string[] = [];
    let isHigh = false;
    await using server = await startHttp(async (scope, _receive, send) => {
      const transport = scope["pagi.transport"];
      transport?.onDrain(() => events.push("drain"));
      await send({ type: "http.response.start", status: 200 });
      let last = Promise.resolve();
      while ((transport?.bufferedAmount() ?? 0) < OPTIONS.writeHighWatermark) {
        expect(events).toEqual([]);
        last = send(more);
        await Promise.resolve();
      }
      transport?.onHighWater(() => events.push("high"));
      expect(events).toEqual(["high"]);
      isHigh = true;
      await last;
      await send({ type: "http.response.body" });
    }, OPTIONS);
    await using wire = await stalledClient(server);
    await eventually("the mark is reached", () => isHigh);
    expect(events).toEqual(["high"]);
    wire.resume();
    await eventually("the buffer has drained", () => events.length === 2);
    expect(events).toEqual(["high", "drain"]);
  });

  test("the drain is told at the low mark, and not before", async () => {
    const marks = { writeHighWatermark: 8_000_000, writeLowWatermark: 100_000 };
    const amounts: number[] = [];
    await using server = await startHttp(async (scope, _receive, send) => {
      const transport = scope["pagi.transport"];
      transport?.onDrain(() => amounts.push(transport.bufferedAmount()));
      await send({ type: "http.response.start", status: 200 });
      const sends = Array.from({ length: 40 }, () => send(more));
      void sends[39]?.then(() => amounts.push(transport?.bufferedAmount() ?? -1));
      await Promise.all(sends);
      await send({ type: "http.response.body" });
    }, marks);
    await using wire = await stalledClient(server);
    await Bun.sleep(50);
    expect(amounts).toEqual([]);
    for (let i = 0; i < 200 && amounts.length < 2; i++) {
      wire.resume();
      await Bun.sleep(1);
      wire.pause();
      await Bun.sleep(1);
    }
    wire.resume();
    await eventually("it has drained", () => amounts.length === 2);
    for (const amount of amounts) expect(amount).toBeLessThanOrEqual(marks.writeLowWatermark);
  });

  test.each([
    ["is reset", (wire: Wire) => wire.reset()],
    ["is closed by the server", undefined],
  ])("a send that waits wakes, and resolves, when the connection %s", async (_name, lose) => {
    let woke: unknown;
    let amount: number | undefined;
    let waiting = false;
    await using server = await startHttp(async (scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      while (scope["pagi.connection"].isConnected()) {
        const promise = send(more);
        waiting = Bun.peek.status(promise) === "pending";
        woke = await promise.then(
          () => "resolved",
          () => "rejected",
        );
      }
      amount = scope["pagi.transport"]?.bufferedAmount();
    });
    await using wire = await stalledClient(server);
    await eventually("send waits", () => waiting);
    await Bun.sleep(50);
    if (lose === undefined) await server.server.stop({ force: true });
    else lose(wire);
    await eventually("send has woken", () => amount !== undefined);
    expect(woke).toBe("resolved");
    expect(amount).toBe(0);
  });

  test("a callback that throws is logged and harms nobody", async () => {
    await using server = await startHttp(async (scope, _receive, send) => {
      const transport = scope["pagi.transport"];
      let isHigh = false;
      transport?.onHighWater(() => {
        throw new Error("from a callback");
      });
      transport?.onHighWater(() => (isHigh = true));
      await send({ type: "http.response.start", status: 200 });
      while (!isHigh) await send(more);
      await send({ type: "http.response.body" });
    }, OPTIONS);
    await using wire = await stalledClient(server);
    await server.logger.seen(/^GET \/: a pagi.transport callback threw$/);
    wire.resume();
    await wire.until((all) => (all.endsWith("\r\n0\r\n\r\n") ? true : undefined));
  });
});
