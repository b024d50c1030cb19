import { expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { Installation } from "../support/installation.ts";
import type { Folder, Program } from "../support/program.ts";
import { eventually } from "../support/wire.ts";
import { Log, runs, start as startHere, workersFolder } from "../support/workers.ts";

// The socket of the metrics is opened before privileges are given up, and handed from one program to the next.

setDefaultTimeout(30_000); // many processes on a machine that may be busy

const isRoot = process.getuid?.() === 0;

/** @param installation the Bun that serves, where the user of `--user` must be able to run it. */
function start(folder: Folder, words: readonly string[], installation?: Installation): Program {
  if (installation === undefined) return startHere(folder, words);
  return installation.serve(folder, ["app.ts", "-p", "0", "-E", "production", ...words]);
}

/** A port that only root may listen at, and that is free. */
function lowPort(): number {
  for (let port = 1023; port > 900; port--) {
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // taken
    }
  }
  throw new Error("there is no free port below 1024");
}

async function readiness(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { keepalive: false });
  return (await response.text()).trim();
}

async function overSocket(path: string, target: string): Promise<string> {
  const response = await fetch(`http://a${target}`, { unix: path, keepalive: false });
  return (await response.text()).trim();
}

function pidIn(folder: Folder): number {
  return Number(folder.lines("pid")[0]);
}

async function hotRestart(folder: Folder, pid: number): Promise<number> {
  process.kill(pid, "SIGUSR2");
  await eventually("the next one has the pid file", () => pidIn(folder) !== pid && pidIn(folder) > 0, 15_000);
  await eventually("the one before has ended", () => !runs(pid), 15_000);
  return pidIn(folder);
}

for (const workers of [1, 2]) {
  const words = (metrics: string): string[] => [
    ...["-w", String(workers), "--user", "nobody", "--pid", "pid", "--metrics", metrics],
  ];
  const reloaded = async (program: Program): Promise<void> => {
    const log = new Log(program);
    await log.until(/Serving/);
    program.kill("SIGHUP");
    await log.until(workers === 1 ? /Serving/ : /Reloaded/);
  };

  test.if(isRoot)(
    `--user and --metrics below 1024, ${workers} worker(s): kept over SIGHUP and SIGUSR2`,
    async () => {
      using installation = new Installation();
      using folder = workersFolder();
      fs.chmodSync(folder.path, 0o777);
      const port = lowPort();
      await using program = start(folder, words(`127.0.0.1:${port}`), installation);
      await program.address();
      expect(await readiness(port)).toBe("ready");
      await reloaded(program);
      expect(await readiness(port)).toBe("ready");
      // Whoever asks while one process follows another hears only from one that is ready.
      const heard = new Set<string>();
      let isOver = false;
      const asking = (async () => {
        while (!isOver) {
          heard.add(await readiness(port));
          await Bun.sleep(1);
        }
      })();
      const next = await hotRestart(folder, program.pid);
      try {
        await eventually("some more have asked", () => heard.size > 0);
        expect(await readiness(port)).toBe("ready");
      } finally {
        isOver = true;
        await asking.catch(() => {});
        process.kill(next, "SIGTERM");
      }
      expect([...heard]).toEqual(["ready"]);
      await eventually("it has ended", () => !runs(next), 15_000);
    },
  );

  test.if(isRoot)(`--user and --metrics in a folder of root's, ${workers} worker(s)`, async () => {
    using installation = new Installation();
    using folder = workersFolder();
    fs.chmodSync(folder.path, 0o777);
    fs.mkdirSync(folder.file("run"), { mode: 0o711 });
    const socket = folder.file("run/metrics.sock");
    await using program = start(folder, words("unix:run/metrics.sock"), installation);
    await program.address();
    expect(await overSocket(socket, "/healthz")).toBe("ok");
    const { ino } = fs.statSync(socket);
    await reloaded(program);
    expect(await overSocket(socket, "/readyz")).toBe("ready");
    const next = await hotRestart(folder, program.pid);
    try {
      expect(await overSocket(socket, "/readyz")).toBe("ready");
      expect(fs.statSync(socket).ino).toBe(ino);
    } finally {
      process.kill(next, "SIGTERM");
    }
    await eventually("it has ended", () => !runs(next), 15_000);
  });

  test(`a successor that fails leaves the metrics to its predecessor, ${workers} worker(s)`, async () => {
    using folder = workersFolder();
    const socket = folder.file("metrics.sock");
    await using program = start(folder, ["-w", String(workers), "--metrics", "unix:metrics.sock"]);
    await program.address();
    fs.writeFileSync(folder.file("fail"), "");
    program.kill("SIGUSR2");
    await program.prints(/The new server (?:exited|said).*\n/);
    expect(await overSocket(socket, "/readyz")).toBe("ready");
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
    expect(fs.existsSync(socket)).toBe(false);
  });

  test(`a start that fails leaves no socket of the metrics, ${workers} worker(s)`, async () => {
    using folder = workersFolder();
    const words = ["-w", String(workers), "--metrics", "unix:metrics.sock", "--pid", "pid"];
    const environment = { FAIL: workers === 1 ? "single" : "worker" };
    await using program = startHere(folder, words, environment);
    expect(await program.ended()).toBe(1);
    expect(program.stderr).toContain("no database");
    expect(fs.existsSync(folder.file("metrics.sock"))).toBe(false);
  });
}
