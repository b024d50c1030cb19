import { expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { resolveOptions } from "../../src/options/resolve.ts";
import { Server } from "../../src/server/server.ts";
import { dispatch } from "../../src/spec/application.ts";
import { Installation } from "../support/installation.ts";
import { Program } from "../support/program.ts";
import type { Folder } from "../support/program.ts";
import { RecordingLogger, text } from "../support/server.ts";
import { eventually } from "../support/wire.ts";
import { childrenOf, Log, runs, workersFolder } from "../support/workers.ts";

// The file of a Unix socket is created again after it was removed, by SIGHUP and SIGUSR2.

setDefaultTimeout(30_000); // many processes on a machine that may be busy

const isRoot = process.getuid?.() === 0;

function serve(folder: Folder, words: readonly string[]): Program {
  return Program.serve(folder, ["app.ts", "-E", "production", ...words]);
}

async function who(path: string): Promise<{ pid: number; version: string }> {
  const text = await (await fetch("http://a/", { unix: path, keepalive: false })).text();
  const [pid = "", , version = ""] = text.split(" ");
  return { pid: Number(pid), version };
}

for (const workers of [1, 2]) {
  const count = ["-w", String(workers)];
  const again = workers === 1 ? /Serving/ : /Reloaded/;

  test(`SIGHUP, ${workers} worker(s): with its mode, for clients and for metrics; another server's is left alone`, async () => {
    using folder = workersFolder();
    const sockets = ["a.sock", "b.sock", "metrics.sock"].map((name) => folder.file(name));
    const [a = "", b = "", metrics = ""] = sockets;
    const where = ["--listen", "unix:a.sock", "--listen", "unix:b.sock", "--metrics", "unix:metrics.sock"];
    await using program = serve(folder, [...count, ...where, "--socket-mode", "0600"]);
    const log = new Log(program);
    await log.until(/Serving/);
    const { pid } = await who(a);
    for (const socket of sockets) fs.rmSync(socket);
    // Somebody else has taken one of the places.
    using _other = Bun.serve({ unix: b, fetch: () => new Response("0 0 other") });
    program.kill("SIGHUP");
    await log.until(/unix:\S+a\.sock had been removed; it was created again/);
    await log.until(again);
    expect(fs.statSync(a).mode & 0o777).toBe(0o600);
    const next = await who(a);
    expect(next.version).toBe("one");
    if (workers > 1) expect(next.pid).not.toBe(pid);
    expect((await who(b)).version).toBe("other");
    const health = await fetch("http://a/healthz", { unix: metrics, keepalive: false });
    expect(await health.text()).toBe("ok\n");
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
    expect([a, metrics].some((socket) => fs.existsSync(socket))).toBe(false);
    expect((await who(b)).version).toBe("other");
  });

  test(`SIGHUP, ${workers} worker(s): a file that could not be created again is created by a later one`, async () => {
    using folder = workersFolder();
    fs.mkdirSync(folder.file("run"));
    const socket = folder.file("run/http.sock");
    await using program = serve(folder, [...count, "--socket", "run/http.sock"]);
    const log = new Log(program);
    await log.until(/Serving/);
    const reload = async (): Promise<void> => {
      program.kill("SIGHUP");
      await log.until(again);
    };
    fs.rmSync(folder.file("run"), { recursive: true });
    await reload();
    expect(program.stderr).toContain("http.sock has been removed and cannot be created again");
    fs.mkdirSync(folder.file("run"));
    fs.writeFileSync(socket, "somebody else's");
    await reload();
    expect(fs.readFileSync(socket, "utf8")).toBe("somebody else's");
    fs.rmSync(socket);
    await reload();
    expect((await who(socket)).version).toBe("one");
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
    expect(fs.existsSync(socket)).toBe(false);
  });

  test(`SIGUSR2, ${workers} worker(s)`, async () => {
    using folder = workersFolder();
    const socket = folder.file("http.sock");
    await using program = serve(folder, [...count, "--socket", "http.sock", "--pid", "pid"]);
    await program.prints(/Serving/);
    fs.rmSync(socket);
    program.kill("SIGUSR2");
    await eventually(
      "another one serves",
      () => {
        const [pid = ""] = folder.lines("pid");
        return pid !== "" && pid !== String(program.pid);
      },
      15_000,
    );
    const next = Number(folder.lines("pid")[0]);
    try {
      expect((await who(socket)).version).toBe("one");
    } finally {
      process.kill(next, "SIGTERM");
    }
    await eventually("it has ended", () => !runs(next), 15_000);
    expect(fs.existsSync(socket)).toBe(false);
  });

  test.if(isRoot)(
    `a file that the server's user may not make, ${workers} worker(s): it is said, and the server goes on`,
    async () => {
      using installation = new Installation();
      using folder = workersFolder();
      fs.chmodSync(folder.path, 0o777);
      fs.mkdirSync(folder.file("run"), { mode: 0o755 });
      const where = ["--listen", "unix:run/http.sock", "--listen", "127.0.0.1:0", "--user", "nobody"];
      await using program = installation.serve(folder, ["app.ts", "-E", "production", ...count, ...where]);
      const log = new Log(program);
      const [, url = ""] = await log.until(/(http:\/\/[\d.]+:\d+\/)/);
      fs.rmSync(folder.file("run/http.sock"));
      program.kill("SIGHUP");
      await log.until(
        /run\/http\.sock has been removed and cannot be created again: Not allowed to make the socket/,
      );
      await log.until(again);
      expect((await fetch(url, { keepalive: false })).status).toBe(200);
      expect(childrenOf(program.pid).length).toBeGreaterThanOrEqual(workers === 1 ? 0 : workers);
    },
  );
}

test("a server in a program makes it again when it is asked to, and serves at once", async () => {
  using folder = workersFolder();
  const socket = folder.file("http.sock");
  const logger = new RecordingLogger();
  const options = await resolveOptions({ socket, env: "production" });
  await using server = new Server(dispatch({ http: text("here") }), options, logger);
  await server.start();
  fs.rmSync(socket);
  await server.remakeSocketFiles();
  expect(await (await fetch("http://a/", { unix: socket, keepalive: false })).text()).toBe("here");
  await server.remakeSocketFiles();
  expect(logger.messages("warn")).toHaveLength(1);
});
