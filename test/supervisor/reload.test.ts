import { expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { Load } from "../support/load.ts";
import type { Program } from "../support/program.ts";
import { INDEX, Program as Running } from "../support/program.ts";
import { Wire, eventually, get } from "../support/wire.ts";
import { childrenOf, Log, runs, start, version, whoServes, workersFolder } from "../support/workers.ts";
import { isMissing } from "../support/optional-program.ts";

// SIGHUP and SIGUSR2 under load: new code, and no request that is lost.

setDefaultTimeout(20_000); // many processes on a machine that may be busy

/** The process that the pid file names, which a hot restart changes. It is killed at the end. */
function pidIn(file: string): number {
  return Number(fs.readFileSync(file, "utf8"));
}

/** Its output does not end with it, for its successor writes there too. */
async function ended(program: Program): Promise<void> {
  await eventually("the old server has ended", () => !program.isRunning);
}

async function reload(program: Program, log: Log): Promise<void> {
  program.kill("SIGHUP");
  await log.until(/Reloaded: every worker is a new one/);
}

for (const kind of ["TCP", "Unix socket"] as const) {
  test(`10 000 requests during three reloads and one hot restart: none is lost (${kind})`, async () => {
    using folder = workersFolder();
    const words = ["-w", "2", "--pid", "pid"];
    const socket = folder.file("http.sock");
    await using program =
      kind === "TCP"
        ? start(folder, words)
        : Running.serve(folder, ["app.ts", "-E", "production", "--socket", "http.sock", ...words]);
    const log = new Log(program);
    await log.until(/Serving app\.ts/);
    const first = childrenOf(program.pid);
    const where = kind === "TCP" ? await program.address() : { path: socket };
    const load = new Load(where, 8);
    try {
      for (let turn = 0; turn < 3; turn++) {
        const seen = load.answered;
        await eventually("there is load", () => load.answered > seen + 1000);
        await reload(program, log);
      }
      expect(childrenOf(program.pid).some((pid) => first.includes(pid))).toBe(false);
      program.kill("SIGUSR2");
      await log.until(/The new server serves \(pid \d+\); this one ends/);
      await ended(program);
      const successor = pidIn(folder.file("pid"));
      expect(successor).not.toBe(program.pid);
      const seen = load.answered;
      await eventually("the successor serves", () => load.answered > seen + 1000);
      while (load.answered < 10_000) await Bun.sleep(5);
      expect(load.lost).toEqual([]);
      await load.stop();
      process.kill(successor, "SIGTERM");
      await eventually("it has ended", () => !runs(successor));
      expect(fs.existsSync(folder.file("pid"))).toBe(false);
      if (kind === "Unix socket") expect(fs.existsSync(socket)).toBe(false);
    } finally {
      await load.stop();
      if (fs.existsSync(folder.file("pid"))) process.kill(pidIn(folder.file("pid")), "SIGKILL");
    }
  });
}

test.skipIf(isMissing("wrk"))("the same with wrk: no socket error, no other status", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2", "--pid", "pid"]);
  const { url } = await program.address();
  const log = new Log(program);
  const wrk = (): Promise<string> =>
    Bun.spawn(["wrk", "-t1", "-c16", "-d3s", url], { stdout: "pipe" }).stdout.text();
  const meanwhile = wrk();
  for (let turn = 0; turn < 3; turn++) await reload(program, log);
  program.kill("SIGUSR2");
  await ended(program);
  const successor = pidIn(folder.file("pid"));
  try {
    let served = 0;
    // A busy machine needs more rounds for as many requests.
    for (let report = await meanwhile; ; report = await wrk()) {
      expect(report).not.toMatch(/Socket errors|Non-2xx/);
      const count = Number(/(\d+) requests in/.exec(report)?.[1]);
      expect(count).toBeGreaterThan(0);
      served += count;
      if (served > 10_000) break;
    }
  } finally {
    process.kill(successor, "SIGTERM");
  }
  await eventually("it has ended", () => !runs(successor));
});

test("a reload brings new code; connections that stay open end well", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"]);
  const address = await program.address();
  const log = new Log(program);
  await using idle = await Wire.open(address);
  await idle.send(get("/"));
  expect((await idle.response()).body).toEndWith(" one");
  await using busy = await Wire.open(address);
  await busy.send(get("/wait"));
  await eventually("the request has come", () => folder.lines("marks").includes("waiting"));
  fs.writeFileSync(folder.file("version.ts"), version("two"));
  await reload(program, log);
  expect((await whoServes(address)).version).toBe("two");
  // A kept connection is served once more by the worker that it is at, which then closes it.
  await idle.send(get("/"));
  const last = await idle.response();
  expect(last.body).toEndWith(" one");
  expect(last.head.toLowerCase()).toContain("\r\nconnection: close");
  fs.writeFileSync(folder.file("go"), "");
  expect((await busy.response()).body).toEndWith(" one");
  await eventually("the old ones have gone", () => childrenOf(program.pid).length === 2);
});

test("a reload to code that does not start changes nothing, and says so", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"]);
  const address = await program.address();
  const log = new Log(program);
  const before = childrenOf(program.pid);
  fs.writeFileSync(folder.file("version.ts"), "nonsense(");
  program.kill("SIGHUP");
  await log.until(
    /could not start: it said: 'app\.ts' cannot be compiled.*The reload is canceled; the running workers stay/,
  );
  expect(childrenOf(program.pid).filter((pid) => before.includes(pid))).toEqual(before);
  expect((await whoServes(address)).version).toBe("one");
});

test("a hot restart that fails changes nothing, and says so", async () => {
  using folder = workersFolder();
  await using program = Running.serve(folder, [
    "app.ts",
    "--socket",
    "http.sock",
    "-w",
    "2",
    "--pid",
    "pid",
    "--no-supervisor-lifespan",
  ]);
  const log = new Log(program);
  await log.until(/Serving/);
  const before = childrenOf(program.pid);
  fs.writeFileSync(folder.file("version.ts"), "nonsense(");
  program.kill("SIGUSR2");
  await log.until(/The new server said: .*'app\.ts' cannot be compiled.*Keeping the current one/);
  fs.writeFileSync(folder.file("version.ts"), version("one"));
  fs.writeFileSync(folder.file("fail"), "");
  program.kill("SIGUSR2");
  await log.until(/The new server said: .*exited with code 9\. Keeping the current one/);
  expect(childrenOf(program.pid)).toEqual(before);
  expect(pidIn(folder.file("pid"))).toBe(program.pid);
  await using load = new Load({ path: folder.file("http.sock") }, 1);
  await eventually("it serves", () => load.answered > 10);
  expect(load.lost).toEqual([]);
});

test("20 reloads leave the supervisor's descriptors and memory where they were", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"]);
  await program.address();
  const log = new Log(program);
  const descriptors = (): number => fs.readdirSync(`/proc/${program.pid}/fd`).length;
  const memory = (): number => {
    const status = fs.readFileSync(`/proc/${program.pid}/status`, "utf8");
    return Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  };
  const settled = async (): Promise<void> =>
    await eventually("the old ones have gone", () => childrenOf(program.pid).length === 2);
  for (let turn = 0; turn < 3; turn++) await reload(program, log);
  await settled();
  const before = { descriptors: descriptors(), memory: memory() };
  for (let turn = 0; turn < 20; turn++) await reload(program, log);
  await settled();
  await eventually("its descriptors are closed", () => descriptors() <= before.descriptors);
  expect(memory()).toBeLessThan(before.memory + 16);
}, 60_000);

test("a server without workers answers SIGHUP with a new start in the same process: nothing is lost", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["--pid", "pid"]);
  const address = await program.address();
  const log = new Log(program);
  await log.until(/Serving/);
  await using load = new Load(address, 4);
  await eventually("there is load", () => load.answered > 500);
  fs.writeFileSync(folder.file("version.ts"), version("two"));
  program.kill("SIGHUP");
  await log.until(/Reloading/);
  await log.until(/Serving app\.ts/);
  const now = await whoServes(address);
  expect(now.version).toBe("two");
  expect(now.pid).toBe(program.pid);
  expect(pidIn(folder.file("pid"))).toBe(program.pid);
  const seen = load.answered;
  await eventually("it goes on", () => load.answered > seen + 100);
  await load.stop();
  expect(load.lost).toEqual([]);
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  // The old program, the process that found out whether the new one could serve, and the new one.
  const life = ["startup single 0 -", "shutdown single 0 -"];
  const [first, ...others] = folder.lines("marks");
  expect([first, ...others]).toEqual(["startup single 0 -", ...life, "shutdown single 0 -", ...life]);
  expect(fs.existsSync(folder.file("pid"))).toBe(false);
});

test("it stays as it is when the new code cannot be loaded", async () => {
  using folder = workersFolder();
  await using program = start(folder, []);
  const address = await program.address();
  const log = new Log(program);
  fs.writeFileSync(folder.file("version.ts"), "nonsense(");
  program.kill("SIGHUP");
  await log.until(/'app\.ts' cannot be compiled/);
  await log.until(/The new program cannot be loaded\. Keeping the current one/);
  expect((await whoServes(address)).version).toBe("one");
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
});

test("a program that calls serve() with workers: its workers are the program once more", async () => {
  using folder = workersFolder();
  const text = `
    import app from "./app.ts";
    import { serve } from ${JSON.stringify(INDEX)};
    const server = await serve(app, { port: 0, workers: 2, env: "production" });
    console.log("serving", process.pid, server.url);
  `;
  fs.writeFileSync(folder.file("program.ts"), text);
  await using program = new Running(folder, ["program.ts"]);
  const [, , url = ""] = await program.prints(new RegExp(`serving (${program.pid}) (\\S+)`));
  const { hostname: host, port } = new URL(url);
  const address = { host, port: Number(port) };
  const log = new Log(program);
  await using load = new Load(address, 4);
  await reload(program, log);
  await load.stop();
  expect(load.lost).toEqual([]);
  expect((await whoServes(address)).parent).toBe(program.pid);
  expect(folder.lines("marks").filter((line) => line.startsWith("startup"))).toHaveLength(5);
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  expect(folder.lines("marks").at(-1)).toBe("shutdown supervisor 0 -");
});

test("a program that calls serve(): SIGHUP starts it anew, SIGUSR2 starts another one beside it", async () => {
  using folder = workersFolder();
  const text = `
    import app from "./app.ts";
    import { serve } from ${JSON.stringify(INDEX)};
    const server = await serve(app, { port: 0, env: "production", pid: "pid" });
    console.log("serving", process.pid, server.url);
  `;
  fs.writeFileSync(folder.file("program.ts"), text);
  await using program = new Running(folder, ["program.ts"]);
  const { host, port } = await program.address();
  await using load = new Load({ host, port }, 4);
  fs.writeFileSync(folder.file("version.ts"), version("two"));
  program.kill("SIGHUP");
  await program.prints(new RegExp(`(?:serving ${program.pid}[^]*){2}`));
  expect(await whoServes({ host, port })).toMatchObject({ pid: program.pid, version: "two" });
  program.kill("SIGUSR2");
  await ended(program);
  const successor = pidIn(folder.file("pid"));
  try {
    expect(await whoServes({ host, port })).toMatchObject({ pid: successor });
    await load.stop();
    expect(load.lost).toEqual([]);
  } finally {
    process.kill(successor, "SIGTERM");
  }
  await eventually("it has ended", () => !runs(successor));
});
