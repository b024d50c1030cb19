import { expect, test } from "bun:test";

import { Folder, INDEX, Program } from "../support/program.ts";
import { openStream } from "../support/sse.ts";
import { Wire, request } from "../support/wire.ts";

// What a client can make the server hold. The server is a process of its own, which reports on itself.

const KIB = 1024;
const MIB = 1024 * KIB;

const PROGRAM = `
import { readdirSync } from "node:fs";
import { serve } from ${JSON.stringify(INDEX)};

const SIZE = 16 * 1024;
const transports = new Set();
let sent = 0;

const report = () => {
  Bun.gc(true);
  let buffered = 0;
  for (const transport of transports) buffered += transport.bufferedAmount();
  const { rss } = process.memoryUsage();
  const fds = readdirSync("/proc/self/fd").length;
  return { rss, fds, connections: server.connectionCount, open: transports.size, sent, buffered };
};
const answer = async (send, value) => {
  const body = JSON.stringify(value);
  await send({ type: "http.response.start", status: 200, headers: [["content-length", String(body.length)]] });
  await send({ type: "http.response.body", body });
};

/** Sends without end, until the client has gone. */
const flood = async (scope, receive, send, start, event) => {
  const transport = scope["pagi.transport"];
  await receive();
  await send(start);
  transports.add(transport);
  let over = false;
  void receive().then(() => (over = true));
  while (!over) {
    await send(event());
    sent++;
    if (sent % 16 === 0) await new Promise(setImmediate);
  }
  transports.delete(transport);
};

const app = async (scope, receive, send) => {
  if (scope.type === "lifespan") throw new Error("none");
  if (scope.type === "sse") {
    const start = { type: "sse.start" };
    return flood(scope, receive, send, start, () => ({ type: "sse.send", data: "x".repeat(SIZE) }));
  }
  if (scope.path === "/stream") {
    const start = { type: "http.response.start", status: 200 };
    const event = () => ({ type: "http.response.body", body: new Uint8Array(SIZE), more: true });
    return flood(scope, receive, send, start, event);
  }
  if (scope.path === "/upload") {
    const before = report().rss;
    let size = 0;
    let growth = 0;
    let next = 0;
    for (let more = true; more;) {
      const event = await receive();
      if (event.type !== "http.request") return;
      more = event.more;
      size += event.body.byteLength;
      if (size >= next || !more) {
        await Bun.sleep(20);
        growth = Math.max(growth, report().rss - before);
        next += 2 * 1024 * 1024;
      }
    }
    return answer(send, { size, growth });
  }
  await answer(send, scope.path === "/report" ? report() : {});
};
const server = await serve(app, { port: 0, env: "production", maxBodySize: "40m", ...JSON.parse(process.env.OPTIONS ?? "{}") });
console.log(server.url);
`;

interface Report {
  /** Bytes of memory after a collection. */
  rss: number;
  /** File descriptors. */
  fds: number;
  connections: number;
  /** Streams that are running, the chunks they have sent together, and the bytes of those that wait. */
  open: number;
  sent: number;
  buffered: number;
}

interface Address {
  host: string;
  port: number;
}

/** Starts the program; `report` asks it for its figures. */
async function start(options: object = {}) {
  const folder = new Folder({ "program.ts": PROGRAM });
  const program = new Program(folder, ["program.ts"], { OPTIONS: JSON.stringify(options) });
  const address = await program.address();
  const get = async <T>(path: string): Promise<T> => {
    const response = await request(address, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    return JSON.parse(response.body);
  };
  return {
    address,
    report: () => get<Report>("/report"),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Opens a stream and reads no more of it than its head. */
async function stalledStream(address: Address, path: "/events" | "/stream"): Promise<Wire> {
  if (path === "/events") {
    const wire = await openStream(address);
    wire.pause();
    return wire;
  }
  const wire = await Wire.open(address);
  await wire.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  await wire.readTo("\r\n\r\n");
  wire.pause();
  return wire;
}

/** The figures once `count` streams run and none of them sends any more. */
async function whenStalled(report: () => Promise<Report>, count: number): Promise<Report> {
  let last = await report();
  for (;;) {
    await Bun.sleep(100);
    const now = await report();
    if (now.open === count && now.sent === last.sent && now.buffered > 0) return now;
    last = now;
  }
}

for (const path of ["/events", "/stream"] as const) {
  test(`100 stalled readers of ${path} cost about the high-water mark each`, async () => {
    await using server = await start();
    await using warm = await stalledStream(server.address, path);
    await whenStalled(server.report, 1);
    warm.reset();
    while ((await server.report()).open > 0) await Bun.sleep(20);
    const before = await server.report();
    const count = 100;
    await using wires = new AsyncDisposableStack();
    for (let i = 0; i < count; i++) wires.use(await stalledStream(server.address, path));
    const stalled = await whenStalled(server.report, count);
    // The mark and the one chunk that reaches over it.
    expect(stalled.buffered).toBeGreaterThanOrEqual(count * 64 * KIB);
    expect(stalled.buffered).toBeLessThanOrEqual(count * 81 * KIB);
    // Twice that, for what the allocator keeps; without the waiting it would be without bound.
    expect(stalled.rss - before.rss).toBeLessThan(2 * count * 81 * KIB + 16 * MIB);
    await wires.disposeAsync();
    for (;;) {
      const after = await server.report();
      if (after.open === 0 && after.connections === 1) {
        expect(after.buffered).toBe(0);
        expect(after.fds).toBe(before.fds);
        break;
      }
      await Bun.sleep(20);
    }
  }, 20_000);
}

test("2 000 sequential requests leave no connection, no descriptor and no memory behind", async () => {
  await using server = await start();
  const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const run = async (requests: number): Promise<void> => {
    await using kept = await Wire.open(server.address);
    for (let i = 0; i < requests / 2; i++) {
      await kept.send(GET);
      expect((await kept.response()).status).toBe(200);
      expect((await request(server.address, GET)).status).toBe(200);
    }
  };
  await run(200);
  const before = await settledReport(server.report);
  await run(2000);
  const after = await settledReport(server.report);
  expect(after.fds).toBe(before.fds);
  expect(after.rss - before.rss).toBeLessThan(8 * MIB);
}, 20_000);

/** The figures once no connection is open but the one that asks. */
async function settledReport(report: () => Promise<Report>): Promise<Report> {
  for (;;) {
    const now = await report();
    if (now.connections === 1) return now;
    await Bun.sleep(5);
  }
}

test("an upload of 30 MB to an application that reads slowly stays at the client", async () => {
  await using server = await start();
  const size = 30_000_000;
  await using wire = await Wire.open(server.address);
  await wire.send(`POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  const sent = wire.send(new Uint8Array(size));
  const response = await wire.response();
  await sent;
  const result: unknown = JSON.parse(response.body);
  expect(result).toMatchObject({ size });
  expect(result).toHaveProperty("growth");
  if (typeof result !== "object" || result === null || !("growth" in result)) return;
  expect(result.growth).toBeLessThan(10 * MIB);
}, 20_000);
