import { describe, expect, test } from "bun:test";

import type { HttpHandler } from "../../../src/spec/index.ts";
import { bytesInKernel } from "../../support/kernel-queues.ts";
import { startHttp } from "../../support/server.ts";
import { Wire, eventually, get } from "../../support/wire.ts";

/** A client that sends as fast as it can. */
async function uploader(address: { host: string; port: number }, head: string, size: number) {
  let taken = 0;
  let received = "";
  const piece = Buffer.alloc(256 * 1024, "x");
  const pump = (socket: { write(bytes: Uint8Array): number }): void => {
    while (taken < size) {
      const count = socket.write(piece.subarray(0, Math.min(piece.length, size - taken)));
      if (count <= 0) return;
      taken += count;
    }
  };
  const socket = await Bun.connect({
    hostname: address.host,
    port: address.port,
    socket: {
      open: (each) => {
        each.write(head);
        pump(each);
      },
      drain: pump,
      data: (_each, bytes) => void (received += bytes.toString("latin1")),
    },
  });
  return { socket, taken: () => taken, received: () => received };
}

/** Waits until a number has stopped growing. */
async function standstill(value: () => number): Promise<number> {
  for (let before = -1; ;) {
    const now = value();
    if (now === before) return now;
    before = now;
    await Bun.sleep(60);
  }
}

const SIZE = 60_000_000;
const HEAD = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SIZE}\r\n\r\n`;

describe("uploads", () => {
  test.skipIf(process.platform !== "linux")(
    "a body that the application does not read stays with the client; one that it reads slowly comes as slowly",
    async () => {
      let go = (): void => {};
      let size = 0;
      let largest = 0;
      const app: HttpHandler = async (_scope, receive, send) => {
        const wait = (): Promise<void> => new Promise((resolve) => (go = resolve));
        await wait();
        for (let more = true; more;) {
          const event = await receive();
          if (event.type !== "http.request") return;
          if (size === 0) await wait();
          size += event.body.length;
          largest = Math.max(largest, event.body.length);
          more = event.more;
        }
        await send({ type: "http.response.start", status: 200, headers: [["content-length", "2"]] });
        await send({ type: "http.response.body", body: "ok" });
      };
      await using server = await startHttp(app, { maxBodySize: 0 });
      const client = await uploader(server, HEAD, SIZE);
      const atFirst = await standstill(client.taken);
      expect(atFirst).toBeLessThan(SIZE - 10e6);
      expect(atFirst + HEAD.length - (await bytesInKernel(client.socket))).toBeLessThan(2e6);
      go();
      const later = await standstill(client.taken);
      expect(later).toBeLessThan(SIZE - 5e6);
      expect(later + HEAD.length - (await bytesInKernel(client.socket))).toBeLessThan(3e6);
      go();
      await eventually("the answer is here", () => client.received().endsWith("\r\n\r\nok"));
      expect(size).toBe(SIZE);
      expect(largest).toBeLessThan(1e6);
      client.socket.end();
    },
    20_000,
  );

  test("a client that is reset while the server does not read is noticed", async () => {
    let reason: unknown;
    await using server = await startHttp(
      async (scope) => {
        reason = await scope["pagi.connection"].whenDisconnected();
      },
      { maxBodySize: 0 },
    );
    const client = await uploader(server, HEAD, SIZE);
    await standstill(client.taken);
    client.socket.terminate();
    await eventually("the application is told", () => reason !== undefined);
    expect(reason).toBe("read_error");
    await eventually("none is left", () => server.server.connectionCount === 0);
  });
});

describe("downloads", () => {
  test("a producer without end is held back by a client that does not read", async () => {
    let sent = 0;
    let highest = 0;
    await using server = await startHttp(async (scope, _receive, send) => {
      const transport = scope["pagi.transport"];
      await send({ type: "http.response.start", status: 200 });
      const chunk = new Uint8Array(50_000);
      while (scope["pagi.connection"].isConnected()) {
        await send({ type: "http.response.body", body: chunk, more: true });
        sent += chunk.length;
        highest = Math.max(highest, transport?.bufferedAmount() ?? 0);
      }
    });
    await using wire = await Wire.open(server);
    wire.pause();
    await wire.send(get("/"));
    await eventually("it has begun", () => sent > 0);
    expect(await standstill(() => sent)).toBeLessThan(50e6);
    expect(highest).toBeLessThan(65_536 + 60_000);
  });

  test.each([
    ["small chunks, held back together", 300],
    ["chunks that are copied", 60_000],
    ["chunks just over what is gathered", 131_072],
    ["chunks that are sent from where they lie", 500_000],
  ])(
    "a buffer that the application reuses once send has resolved: %s",
    async (_name, size) => {
      const total = Math.max(8_000_000, size * 8);
      const rounds = Math.ceil(total / size);
      for (const [writeHighWatermark, writeLowWatermark] of [
        [65_536, 16_384],
        [1_000_000, 900_000],
        [1, 0],
      ] as const) {
        await using server = await startHttp(
          async (_scope, _receive, send) => {
            const buffer = new Uint8Array(size);
            await send({
              type: "http.response.start",
              status: 200,
              headers: [["content-length", String(rounds * size)]],
            });
            for (let i = 0; i < rounds; i++) {
              buffer.fill(i % 251);
              await send({ type: "http.response.body", body: buffer, more: i < rounds - 1 });
              buffer.fill(255); // nothing of this may ever be seen
            }
          },
          { writeHighWatermark, writeLowWatermark },
        );
        await using wire = await Wire.open(server);
        await wire.send(get("/"));
        const response = wire.response();
        for (let i = 0; i < 6; i++) {
          wire.pause();
          await Bun.sleep(8);
          wire.resume();
          await Bun.sleep(1);
        }
        const body = Buffer.from((await response).body, "latin1");
        expect(body.length).toBe(rounds * size);
        let wrong = 0;
        for (let i = 0; i < body.length; i++) if (body[i] !== Math.floor(i / size) % 251) wrong++;
        expect(wrong).toBe(0);
      }
    },
    20_000,
  );

  test("sends that are not awaited keep their order, and their bytes until they resolve", async () => {
    const count = 40;
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      const sends = Array.from({ length: count }, (_, i) =>
        send({ type: "http.response.body", body: new Uint8Array(200_000).fill(i), more: i < count - 1 }),
      );
      await Promise.all(sends);
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    wire.pause();
    await Bun.sleep(30);
    wire.resume();
    const body = Buffer.from((await wire.response()).body, "latin1");
    expect(body.length).toBe(count * 200_000);
    expect(body.findIndex((byte, i) => byte !== Math.floor(i / 200_000))).toBe(-1);
  });

  test("a response that is cut short holds no byte that the application wrote into its buffer later", async () => {
    await using server = await startHttp(async (_scope, _receive, send) => {
      const buffer = new Uint8Array(20_000_000).fill(1);
      await send({ type: "http.response.start", status: 200 });
      void send({ type: "http.response.body", body: buffer, more: true }).then(() => buffer.fill(255));
      await Bun.sleep(20);
      throw new Error("in the middle");
    });
    await using wire = await Wire.open(server);
    wire.pause();
    await wire.send(get("/"));
    await server.logger.seen(/the application threw/);
    await Bun.sleep(20);
    wire.resume();
    const all = await wire.readToEnd();
    expect(all.length).toBeGreaterThan(1_000_000);
    expect(all.includes("\xff")).toBe(false);
  });
});
