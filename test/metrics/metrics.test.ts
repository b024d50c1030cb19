import { describe, expect, test } from "bun:test";
import fs from "node:fs";

import { ListenError, OptionError } from "../../src/errors.ts";
import { Histogram } from "../../src/metrics/histogram.ts";
import { addSamples, lastingSamples, renderMetrics } from "../../src/metrics/families.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import type { PartialOptions } from "../../src/options/resolve.ts";
import { dispatch } from "../../src/spec/index.ts";
import type { Application } from "../../src/spec/index.ts";
import { curl } from "../support/curl.ts";
import { Folder } from "../support/program.ts";
import { parsePrometheus } from "../support/prometheus.ts";
import type { Page } from "../support/prometheus.ts";
import { echo, echoMessages, startServer, text } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { upgradeRequest, WebSocketWire } from "../support/websocket.ts";
import { eventually, get, post, request, Wire } from "../support/wire.ts";

const METRICS = "127.0.0.1:0";

/** An application with an answer for each way that a request can end. */
function application() {
  const gate = Promise.withResolvers<void>();
  const app: Application = dispatch({
    http: async (scope, receive, send) => {
      const { path } = scope;
      const start = (status: number, length: number) =>
        send({ type: "http.response.start", status, headers: [["content-length", String(length)]] });
      if (path === "/echo") return await echo(scope, receive, send);
      if (path === "/throw") throw new Error("on purpose");
      if (path === "/wait") await gate.promise;
      if (path === "/cut") {
        await start(200, 10);
        await send({ type: "http.response.body", body: "part", more: true });
        await send({ type: "http.fullflush" });
        throw new Error("on purpose");
      }
      if (path.startsWith("/status/")) {
        await start(Number(path.slice("/status/".length)), 0);
        return await send({ type: "http.response.body", body: "" });
      }
      await text("ok")(scope, receive, send);
    },
    sse: async (_scope, receive, send) => {
      await send({ type: "sse.start" });
      await send({ type: "sse.send", data: "hello" });
      for (;;) if ((await receive()).type === "sse.disconnect") return;
    },
    websocket: async (scope, receive, send) => {
      if (scope.path !== "/no") return await echoMessages()(scope, receive, send);
      await receive();
      await send({ type: "websocket.close" });
    },
  });
  return { app, open: gate.resolve };
}

async function start(options: PartialOptions = {}): Promise<TestServer & { open: () => void }> {
  const { app, open } = application();
  return { ...(await startServer(app, { metrics: METRICS, ...options })), open };
}

function endpoint({ server }: TestServer): { host: string; port: number } {
  const address = server.metricsAddress;
  if (address?.type !== "tcp") throw new Error("no metrics over TCP");
  return address;
}

async function scrape(server: TestServer): Promise<Page> {
  const response = await request(endpoint(server), get("/metrics"));
  expect(response.status).toBe(200);
  return parsePrometheus(response.body);
}

/** Samples without those that are about time and the machine, and without zeros. */
async function counts(server: TestServer): Promise<Record<string, number>> {
  const { samples } = await scrape(server);
  const others = /_bucket|_sum|^process_|_lag_|_bytes_/;
  const kept = [...samples].filter(([name, value]) => value !== 0 && !others.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name.replace(/^pagi_/, ""), value]));
}

const requests = (status: string) => `http_requests_total{status="${status}"}`;
const connections = (protocol: string) => `connections{protocol="${protocol}"}`;
const DURATIONS = "http_request_duration_seconds_count";
const ACCEPTED = "connections_accepted_total";
const IN_FLIGHT = "http_requests_in_flight";

/** Waits until what is counted is this. */
async function settle(server: TestServer, expected: Record<string, number>): Promise<void> {
  let last: Record<string, number> = {};
  const end = performance.now() + 4000;
  while (performance.now() < end) {
    last = await counts(server);
    if (Bun.deepEquals(last, expected)) break;
    await Bun.sleep(2);
  }
  expect(last).toEqual(expected);
}

describe("the endpoint", () => {
  test("/metrics is the text format, whole and strict, with every family", async () => {
    await using server = await start();
    const response = await request(endpoint(server), get("/metrics"));
    expect(response.headers).toContainEqual(["content-type", "text/plain; version=0.0.4; charset=utf-8"]);
    const { samples, types } = parsePrometheus(response.body);
    expect(Object.fromEntries(types)).toEqual({
      pagi_http_requests_total: "counter",
      pagi_http_requests_in_flight: "gauge",
      pagi_http_request_duration_seconds: "histogram",
      pagi_connections: "gauge",
      pagi_connections_accepted_total: "counter",
      pagi_connections_rejected_total: "counter",
      pagi_received_bytes_total: "counter",
      pagi_sent_bytes_total: "counter",
      pagi_event_loop_lag_seconds: "histogram",
      pagi_workers: "gauge",
      pagi_worker_restarts_total: "counter",
      process_cpu_seconds_total: "counter",
      process_resident_memory_bytes: "gauge",
      process_open_fds: "gauge",
      process_start_time_seconds: "gauge",
    });
    expect(samples.get("process_resident_memory_bytes")).toBeGreaterThan(2 ** 20);
    expect(samples.get("process_cpu_seconds_total")).toBeGreaterThan(0);
    const startedAt = samples.get("process_start_time_seconds") ?? 0;
    expect(Math.abs(Date.now() / 1000 - startedAt)).toBeLessThan(24 * 3600);
    const open = fs.readdirSync("/proc/self/fd").length;
    expect(Math.abs((samples.get("process_open_fds") ?? 0) - open)).toBeLessThan(10);
  });

  test.each<[bytes: string, status: number, body: string]>([
    [get("/healthz"), 200, "ok\n"],
    [get("/readyz"), 200, "ready\n"],
    [get("/readyz?x"), 200, "ready\n"],
    ["HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 200, ""],
    [get("/"), 404, "There are /metrics, /healthz and /readyz\n"],
    [get("/metrics/"), 404, "There are /metrics, /healthz and /readyz\n"],
    [post("/metrics", "x"), 405, "Only GET and HEAD\n"],
    [get("/metrics", "Accept: text/event-stream"), 406, "There are no event streams here.\n"],
    [upgradeRequest("/metrics"), 403, "Forbidden\n"],
    ["GET / HTTP/1.1\r\n\r\n", 400, expect.stringContaining("Host")],
  ])("%j: %i", async (bytes, status, body) => {
    await using server = await start();
    expect(await request(endpoint(server), bytes)).toMatchObject({ status, body });
    await settle(server, {}); // nothing of it is a request of the server
  });

  test("it is at no address of the application, and there is none without the option", async () => {
    await using server = await start();
    expect((await request(server, get("/metrics"))).body).toBe("ok");
    await using without = await start({ metrics: "" });
    expect(without.server.metricsAddress).toBeUndefined();
    expect(without.server.samples).toEqual({});
  });

  test("over a Unix socket, whose file goes with it", async () => {
    using folder = new Folder();
    const path = folder.file("metrics");
    {
      await using server = await start({ metrics: path, socketMode: "0600" });
      expect(server.server.metricsAddress).toEqual({ type: "unix", path });
      expect(fs.statSync(path).mode & 0o777).toBe(0o600);
      const { out } = await curl("--unix-socket", path, "http://any/metrics");
      expect(parsePrometheus(out).samples.get("pagi_connections_accepted_total")).toBe(0);
    }
    expect(fs.existsSync(path)).toBe(false);
  });

  test("an address that is taken ends the start, with the flag's name", async () => {
    await using first = await start();
    const { port } = endpoint(first);
    const second = start({ metrics: `127.0.0.1:${port}` });
    await expect(second).rejects.toThrow(ListenError);
    await expect(second).rejects.toThrow(/is in use. Choose another with --metrics/);
  });

  test.each(["9100", "localhost", "fd:3", "fd:name", "127.0.0.1:99999", "http://localhost:9100/"])(
    "%j is no address",
    async (metrics) => {
      await expect(resolveOptions({ metrics })).rejects.toThrow(OptionError);
      await expect(resolveOptions({ metrics })).rejects.toThrow(/^metrics: must be HOST:PORT/);
    },
  );

  test("/readyz says 503 before the startup is done and while the server drains; /healthz says 200", async () => {
    const startup = Promise.withResolvers<void>();
    const request1 = Promise.withResolvers<void>();
    const app = dispatch({
      lifespan: async (_scope, receive, send) => {
        await receive();
        await startup.promise;
        await send({ type: "lifespan.startup.complete" });
        await receive();
        await send({ type: "lifespan.shutdown.complete" });
      },
      http: async (scope, receive, send) => {
        await request1.promise;
        await text("ok")(scope, receive, send);
      },
    });
    using folder = new Folder();
    const path = folder.file("metrics");
    const ask = async (target: string): Promise<string> => {
      const { out } = await curl(
        "--unix-socket",
        path,
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        `http://any${target}`,
      );
      return out;
    };
    const starting = startServer(app, { metrics: path });
    await eventually("there is an endpoint", () => fs.existsSync(path));
    expect([await ask("/readyz"), await ask("/healthz")]).toEqual(["503", "200"]);
    startup.resolve();
    await using server = await starting;
    expect([await ask("/readyz"), await ask("/healthz")]).toEqual(["200", "200"]);
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await eventually("the request runs", () => server.server.samples["pagi_http_requests_in_flight"] === 1);
    const stopped = server.server.stop();
    expect([await ask("/readyz"), await ask("/healthz")]).toEqual(["503", "200"]);
    request1.resolve();
    expect((await wire.response()).status).toBe(200);
    expect(await stopped).toBe(true);
    expect(fs.existsSync(path)).toBe(false);
  });
});

describe("what is counted", () => {
  test("statuses by their class, on a connection that is kept", async () => {
    await using server = await start();
    await using wire = await Wire.open(server);
    for (const status of [200, 201, 301, 404, 500, 503, 999]) {
      await wire.send(get(`/status/${status}`));
      await wire.response();
    }
    await settle(server, {
      [requests("2xx")]: 2,
      [requests("3xx")]: 1,
      [requests("4xx")]: 1,
      [requests("5xx")]: 3,
      [DURATIONS]: 7,
      [ACCEPTED]: 1,
      [connections("http/1.1")]: 1,
    });
  });

  test("pipelined requests, one at a time in flight", async () => {
    await using server = await start();
    await using wire = await Wire.open(server);
    await wire.send(get("/") + get("/wait") + get("/") + get("/"));
    await wire.response();
    await settle(server, {
      [requests("2xx")]: 1,
      [IN_FLIGHT]: 1,
      [DURATIONS]: 1,
      [ACCEPTED]: 1,
      [connections("http/1.1")]: 1,
    });
    server.open();
    for (let i = 0; i < 3; i++) await wire.response();
    await settle(server, {
      [requests("2xx")]: 4,
      [DURATIONS]: 4,
      [ACCEPTED]: 1,
      [connections("http/1.1")]: 1,
    });
  });

  test.each<[why: string, bytes: string, status: string, durations: number]>([
    ["a request that cannot be read", "nonsense\r\n\r\n", "4xx", 0],
    ["a request without Host", "GET / HTTP/1.1\r\n\r\n", "4xx", 0],
    [
      "a body that breaks off in its framing",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "4xx",
      1,
    ],
    [
      "an unknown transfer coding",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      "5xx",
      0,
    ],
    ["an application that throws", get("/throw"), "5xx", 1],
    ["a response that is cut", get("/cut"), "2xx", 1],
  ])("%s", async (_, bytes, status, durations) => {
    await using server = await start();
    await using wire = await Wire.open(server);
    await wire.send(bytes);
    await wire.readToEnd();
    wire.halfClose();
    await settle(server, {
      [requests(status)]: 1,
      ...(durations > 0 && { [DURATIONS]: durations }),
      [ACCEPTED]: 1,
    });
  });

  test("a client that leaves before the answer has no status", async () => {
    await using server = await start();
    await using wire = await Wire.open(server);
    await wire.send(get("/wait"));
    await settle(server, { [IN_FLIGHT]: 1, [ACCEPTED]: 1, [connections("http/1.1")]: 1 });
    wire.reset();
    await settle(server, { [requests("none")]: 1, [DURATIONS]: 1, [ACCEPTED]: 1 });
    server.open();
    await settle(server, { [requests("none")]: 1, [DURATIONS]: 1, [ACCEPTED]: 1 });
  });

  test("connections that are turned away are no requests", async () => {
    await using server = await start({ maxConnections: 1 });
    await using first = await Wire.open(server);
    await first.send(get("/"));
    await first.response();
    await using second = await Wire.open(server);
    expect((await second.response()).status).toBe(503);
    second.halfClose();
    await settle(server, {
      [requests("2xx")]: 1,
      [DURATIONS]: 1,
      [ACCEPTED]: 2,
      connections_rejected_total: 1,
      [connections("http/1.1")]: 1,
    });
  });

  test("an event stream is one as long as it runs, and is no part of the latency", async () => {
    await using server = await start();
    await using wire = await Wire.open(server);
    await wire.send(get("/", "Accept: text/event-stream"));
    await wire.readTo("data: hello");
    await settle(server, { [IN_FLIGHT]: 1, [ACCEPTED]: 1, [connections("sse")]: 1 });
    wire.reset();
    await settle(server, { [requests("2xx")]: 1, [ACCEPTED]: 1 });
  });

  test("a WebSocket counts when it opens, and is a connection of its kind until it ends", async () => {
    await using server = await start();
    await using client = await WebSocketWire.upgrade(await Wire.open(server));
    await client.sendText("x".repeat(1000));
    expect((await client.nextMessage())?.type).toBe("text");
    await settle(server, { [requests("1xx")]: 1, [ACCEPTED]: 1, [connections("websocket")]: 1 });
    await client.sendClose(1000);
    await client.nextMessage();
    await client.end();
    await settle(server, { [requests("1xx")]: 1, [ACCEPTED]: 1 });
    const { samples } = await scrape(server);
    expect(samples.get("pagi_received_bytes_total")).toBeGreaterThan(1000);
    expect(samples.get("pagi_sent_bytes_total")).toBeGreaterThan(1000);
  });

  test("a WebSocket that is refused is a request with its status", async () => {
    await using server = await start();
    const { status } = await request(server, upgradeRequest("/no"));
    expect(status).toBe(403);
    await settle(server, { [requests("4xx")]: 1, [ACCEPTED]: 1 });
  });

  test("bytes, those of open connections and those of closed ones", async () => {
    await using server = await start();
    await using wire = await Wire.open(server);
    const bytes = post("/echo", "y".repeat(100_000));
    const bytesOf = async () => {
      const { samples } = await scrape(server);
      return [samples.get("pagi_received_bytes_total"), samples.get("pagi_sent_bytes_total")];
    };
    await wire.send(bytes);
    const { size } = await wire.response("POST");
    expect(await bytesOf()).toEqual([bytes.length, size]);
    await wire.send(bytes);
    await wire.response("POST");
    wire.reset();
    await eventually("it is closed", () => server.server.connectionCount === 0);
    expect(await bytesOf()).toEqual([2 * bytes.length, 2 * size]);
  });

  test("an event loop that is blocked shows", async () => {
    await using server = await start();
    const lagOver = async (le: string): Promise<number> => {
      const { samples } = await scrape(server);
      const name = "pagi_event_loop_lag_seconds";
      return (samples.get(`${name}_count`) ?? 0) - (samples.get(`${name}_bucket{le="${le}"}`) ?? 0);
    };
    const until = performance.now() + 300;
    while (performance.now() < until) {
      // blocked
    }
    const end = performance.now() + 4000;
    while ((await lagOver("0.1")) === 0 && performance.now() < end) await Bun.sleep(5);
    expect(await lagOver("0.1")).toBeGreaterThan(0);
  });
});

describe("samples", () => {
  test("a histogram counts each value in its bucket and in all above; a bound belongs to its bucket", () => {
    const histogram = new Histogram();
    for (const value of [0, 0.001, 0.0011, 0.3, 10, 11]) histogram.observe(value);
    const samples = histogram.samples("h");
    const at = (le: string) => samples[`h_bucket{le="${le}"}`];
    expect(["0.001", "0.0025", "0.25", "0.5", "5", "10", "+Inf"].map(at)).toEqual([2, 3, 3, 4, 4, 5, 6]);
    expect([samples["h_sum"], samples["h_count"]]).toEqual([21.3021, 6]);
  });

  test("are added by name; of what has ended only the counters and histograms stay", () => {
    const one = {
      pagi_received_bytes_total: 1,
      pagi_http_requests_in_flight: 2,
      pagi_event_loop_lag_seconds_count: 3,
      'pagi_http_requests_total{status="2xx"}': 4,
      unknown_total: 5,
    };
    expect(addSamples([one, { pagi_received_bytes_total: 10, process_open_fds: 7 }])).toEqual({
      ...one,
      pagi_received_bytes_total: 11,
      process_open_fds: 7,
    });
    const { pagi_http_requests_in_flight: _gauge, unknown_total: _unknown, ...lasting } = one;
    expect(lastingSamples(one)).toEqual(lasting);
  });

  test("are written without what is unknown, and 0 where there is none", () => {
    const { samples } = parsePrometheus(renderMetrics({ "evil{": 1, pagi_workers: 3 }));
    expect([...samples.keys()].filter((name) => name.includes("evil"))).toEqual([]);
    expect([samples.get("pagi_workers"), samples.get("pagi_sent_bytes_total")]).toEqual([3, 0]);
  });

  test.each([
    ["a_total 1\n", "a sample that is not of the family"],
    ["# HELP a x\n# TYPE a counter\na 1\n", "only counters end with _total"],
    ["# TYPE a gauge\na 1\n", "no HELP"],
    ["# HELP a x\n# TYPE a gauge\na 1\na 2\n", "twice"],
    ["# HELP a x\n# TYPE a gauge\na{b=c} 1\n", "malformed labels"],
    ["# HELP a x\n# TYPE a gauge\na NaN\n", "not a finite value"],
    ["# HELP a x\n# TYPE a gauge\na 1", "does not end"],
    [
      '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
      "less than",
    ],
  ])("the tests' own reader refuses %j", (page, why) => {
    expect(() => parsePrometheus(page)).toThrow(why);
  });
});
