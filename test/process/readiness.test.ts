import { expect, setDefaultTimeout, test } from "bun:test";
import path from "node:path";
import fs from "node:fs";

import { DatagramSocket } from "../support/datagram-socket.ts";
import { MAIN, Program } from "../support/program.ts";
import { eventually } from "../support/wire.ts";
import { childrenOf, Log, runs, start, whoServes, workersFolder } from "../support/workers.ts";

// Workers under a service manager: what it is told, and sockets that it passes.

setDefaultTimeout(20_000); // many processes on a machine that may be busy

const ACTIVATE = path.resolve(import.meta.dir, "../support/activate.ts");

test("the service manager is told of start, reload, hot restart and end; workers know nothing of it", async () => {
  using folder = workersFolder();
  using manager = new DatagramSocket(folder.file("notify"));
  await using program = start(folder, ["-w", "2", "--pid", "pid"], { NOTIFY_SOCKET: folder.file("notify") });
  await manager.receives(/^READY=1\nSTATUS=2 workers$/);
  for (const pid of childrenOf(program.pid))
    expect(fs.readFileSync(`/proc/${pid}/environ`, "latin1")).not.toContain("NOTIFY_SOCKET");
  const log = new Log(program);
  program.kill("SIGHUP");
  await log.until(/Reloaded/);
  await manager.receives(/^RELOADING=1/);
  await manager.receives(/^READY=1\nSTATUS=serving$/);
  program.kill("SIGUSR2");
  await eventually("it has ended", () => !program.isRunning);
  const successor = Number(fs.readFileSync(folder.file("pid"), "utf8"));
  try {
    await manager.receives(new RegExp(`^MAINPID=${successor}$`));
    expect(manager.received.some((text) => text.startsWith("STOPPING"))).toBe(false);
  } finally {
    process.kill(successor, "SIGTERM");
  }
  await manager.receives(/^STOPPING=1/);
  await eventually("the successor has ended", () => !runs(successor));
});

for (const workers of [1, 2]) {
  test(`sockets that are passed are served, reloaded and inherited (${workers} worker(s))`, async () => {
    using folder = workersFolder();
    const words = ["app.ts", "-E", "production", "-w", String(workers), "--pid", "pid"];
    const sockets = ["web=127.0.0.1:0", "local=./local.sock"];
    await using program = new Program(folder, [
      ACTIVATE,
      ...sockets,
      "--",
      MAIN,
      ...words,
      "--listen",
      "fd:web",
      "--listen",
      "fd:local",
    ]);
    const [, port = ""] = await program.prints(/passes 127\.0\.0\.1:(\d+)/);
    const address = { host: "127.0.0.1", port: Number(port) };
    const log = new Log(program);
    await log.until(/Serving/);
    const local = async (): Promise<string> =>
      await (await fetch("http://a/", { unix: folder.file("local.sock"), keepalive: false })).text();
    expect(await local()).toEndWith(" one");
    const before = await whoServes(address);
    program.kill("SIGHUP");
    await log.until(workers === 1 ? /Serving/ : /Reloaded/);
    const reloaded = await whoServes(address);
    expect(workers === 1 ? reloaded.pid : reloaded.parent).toBe(workers === 1 ? before.pid : before.parent);
    expect(await local()).toEndWith(" one");
    program.kill("SIGUSR2");
    await eventually("it has ended", () => !program.isRunning);
    const successor = Number(fs.readFileSync(folder.file("pid"), "utf8"));
    try {
      const now = await whoServes(address);
      expect(workers === 1 ? now.pid : now.parent).toBe(successor);
      expect(await local()).toEndWith(" one");
    } finally {
      process.kill(successor, "SIGTERM");
    }
    await eventually("the successor has ended", () => !runs(successor));
    // The file is the service manager's.
    expect(fs.existsSync(folder.file("local.sock"))).toBe(true);
  });
}
