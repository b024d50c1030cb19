import { expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { WorkerSamples } from "../../src/supervisor/worker-samples.ts";
import type { Program } from "../support/program.ts";
import { parsePrometheus } from "../support/prometheus.ts";
import type { Page } from "../support/prometheus.ts";
import { eventually, get, request, Wire } from "../support/wire.ts";
import { childrenOf, Log, start, whoServes, workersFolder } from "../support/workers.ts";

// Real processes: a supervisor and its workers, as the command line starts them.

setDefaultTimeout(20_000); // many processes on a machine that may be busy

async function endpointOf(program: Program): Promise<{ host: string; port: number }> {
  const [, host = "", port = ""] = await program.prints(/Metrics at ([\d.]+):(\d+)/);
  return { host, port: Number(port) };
}

async function scrape(endpoint: { host: string; port: number }): Promise<Page["samples"]> {
  const { status, body } = await request(endpoint, get("/metrics"));
  expect(status).toBe(200);
  return parsePrometheus(body).samples;
}

const DONE = 'pagi_http_requests_total{status="2xx"}';

/** Waits until the samples are as they should be. */
async function until(
  endpoint: { host: string; port: number },
  what: string,
  isSo: (samples: Page["samples"]) => boolean,
): Promise<Page["samples"]> {
  const end = performance.now() + 4000;
  for (;;) {
    const samples = await scrape(endpoint);
    if (isSo(samples)) return samples;
    if (performance.now() > end)
      throw new Error(`it did not come true that ${what}: ${JSON.stringify([...samples])}`);
    await Bun.sleep(5);
  }
}

test("two workers are added up; what a worker has counted stays when it is replaced or killed", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2", "--metrics", "127.0.0.1:0"]);
  const endpoint = await endpointOf(program);
  const address = await program.address();
  const answered = new Set<number>();
  let sent = 0;
  for (; answered.size < 2 || sent < 50; sent++) answered.add((await whoServes(address)).pid);
  const samples = await until(endpoint, "all are counted", (each) => each.get(DONE) === sent);
  expect(samples.get("pagi_http_request_duration_seconds_count")).toBe(sent);
  expect(samples.get("pagi_connections_accepted_total")).toBe(sent);
  expect(samples.get("pagi_http_requests_in_flight")).toBe(0);
  expect(samples.get("pagi_workers")).toBe(2);
  expect(samples.get("pagi_worker_restarts_total")).toBe(0);
  expect(samples.get("process_open_fds")).toBeGreaterThan(20);
  expect(samples.get("process_resident_memory_bytes")).toBeGreaterThan(3 * 10 * 2 ** 20);

  const log = new Log(program);
  program.kill("SIGHUP");
  await log.until(/worker 2 \(pid \d+\) is ready/);
  await eventually("the old ones are gone", () => childrenOf(program.pid).every((pid) => !answered.has(pid)));
  const reloaded = await until(
    endpoint,
    "both are replaced",
    (each) => each.get("pagi_worker_restarts_total") === 2,
  );
  expect(reloaded.get(DONE)).toBe(sent);
  await whoServes(address);
  await until(endpoint, "it goes on", (each) => each.get(DONE) === sent + 1);

  // Of a worker that is killed, what it has told by itself before is known.
  const { pid } = await whoServes(address);
  await until(endpoint, "it is counted", (each) => each.get(DONE) === sent + 2);
  process.kill(pid, "SIGKILL");
  const killed = await until(
    endpoint,
    "it is replaced",
    (each) => each.get("pagi_worker_restarts_total") === 3,
  );
  expect(killed.get(DONE)).toBe(sent + 2);
  await log.until(/was killed by SIGKILL/);
  await log.until(/worker \d \(pid \d+\) is ready/);
});

test("/readyz and /healthz are the supervisor's, and not ready while it drains", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2", "--metrics", "127.0.0.1:0"]);
  const endpoint = await endpointOf(program);
  const address = await program.address();
  const ask = async (target: string): Promise<number> => (await request(endpoint, get(target))).status;
  expect([await ask("/readyz"), await ask("/healthz")]).toEqual([200, 200]);
  await using wire = await Wire.open(address);
  await wire.send(get("/wait"));
  await until(endpoint, "it is in flight", (each) => each.get("pagi_http_requests_in_flight") === 1);
  program.kill("SIGTERM");
  await program.prints(/Stopping/);
  expect([await ask("/readyz"), await ask("/healthz")]).toEqual([503, 200]);
  fs.writeFileSync(folder.file("go"), "");
  expect((await wire.response()).status).toBe(200);
  expect(await program.ended()).toBe(0);
});

test.each(["1", "2"])("SIGUSR2 with -w %s: the successor takes the address over", async (count) => {
  using folder = workersFolder();
  const port = await freePort();
  await using program = start(folder, ["-w", count, "--metrics", `127.0.0.1:${port}`, "--pid", "server.pid"]);
  const endpoint = { host: "127.0.0.1", port };
  const address = await program.address();
  await whoServes(address);
  await until(endpoint, "it is counted", (each) => each.get(DONE) === 1);
  program.kill("SIGUSR2");
  try {
    await program.prints(/The new server serves/);
    // Its output does not end with it, for its successor writes there too.
    await eventually("the old server has ended", () => !program.isRunning);
    const deadline = performance.now() + 4000;
    const isServed = async (): Promise<boolean> =>
      await request(endpoint, get("/readyz")).then(
        ({ status }) => status === 200,
        () => false,
      );
    while (!(await isServed()) && performance.now() < deadline) await Bun.sleep(10);
    expect((await scrape(endpoint)).get(DONE)).toBe(0);
  } finally {
    const successor = Number(folder.lines("server.pid")[0]);
    if (successor > 1 && successor !== program.pid) process.kill(successor, "SIGTERM");
  }
});

test("a round waits for those that were asked, and not for what comes by itself or has gone", async () => {
  const samples = new WorkerSamples();
  samples.spawned(1, 1);
  samples.spawned(2, 2);
  samples.told(1, 0, { pagi_sent_bytes_total: 1 });
  const rounds: number[] = [];
  const collected = samples.collect((_worker, round) => rounds.push(round));
  let isOver = false;
  void collected.then(() => (isOver = true));
  samples.told(1, 0, { pagi_sent_bytes_total: 2 });
  samples.told(2, 0, { pagi_sent_bytes_total: 10, process_open_fds: 5 });
  await Bun.sleep(0);
  expect(isOver).toBe(false);
  samples.told(1, rounds[0] ?? 0, { pagi_sent_bytes_total: 3 });
  samples.exited(2);
  samples.spawned(3, 2);
  expect(await collected).toEqual({
    pagi_sent_bytes_total: 13,
    pagi_workers: 2,
    pagi_worker_restarts_total: 1,
  });
});

async function freePort(): Promise<number> {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
