import { describe, expect, test } from "bun:test";

import { Notifier, takeNotifier } from "../../src/system/service-manager.ts";
import { DatagramSocket } from "../support/datagram-socket.ts";
import { DIARY, Folder, Program } from "../support/program.ts";

describe("Notifier", () => {
  test("sends what sd_notify(3) asks for to a path", async () => {
    using folder = new Folder();
    using manager = new DatagramSocket(folder.file("notify"));
    const notifier = new Notifier(folder.file("notify"));
    notifier.ready();
    notifier.reloading();
    notifier.send("MAINPID=123");
    notifier.stopping();
    notifier.close();
    notifier.send("lost");
    await manager.receives(/^STOPPING=1/);
    expect(manager.received).toEqual([
      "READY=1\nSTATUS=serving",
      expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=reloading$/),
      "MAINPID=123",
      "STOPPING=1\nSTATUS=stopping",
    ]);
    // The kernel's own word for the time since the start, which a clock that goes on during sleep exceeds.
    const uptime = Number((await Bun.file("/proc/uptime").text()).split(" ")[0]);
    const told = Number(/MONOTONIC_USEC=(\d+)/.exec(manager.received[1] ?? "")?.[1]) / 1e6;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(uptime + 1);
  });

  test("an abstract name begins with @", async () => {
    const name = `pagi-test-${process.pid}-${Math.random()}`;
    using manager = new DatagramSocket(`\0${name}`);
    const notifier = new Notifier(`@${name}`);
    notifier.ready("well");
    notifier.close();
    expect(await manager.receives(/READY/)).toBe("READY=1\nSTATUS=well");
  });

  test("a manager that is gone, or does not read, does no harm", () => {
    using folder = new Folder();
    const gone = new Notifier(folder.file("none"));
    gone.ready();
    gone.close();
    using _manager = new DatagramSocket(folder.file("full"));
    const full = new Notifier(folder.file("full"));
    for (let i = 0; i < 10_000; i++) full.send("X=1");
    full.close();
  });

  test("signs of life come once it is ready, until it is closed", async () => {
    using folder = new Folder();
    using manager = new DatagramSocket(folder.file("notify"));
    const notifier = new Notifier(folder.file("notify"), 4);
    notifier.ready();
    notifier.ready("again");
    await manager.receives(/^WATCHDOG=1$/);
    notifier.close();
  });
});

describe("takeNotifier", () => {
  test("takes the variables out of the environment, and keeps them for a successor", () => {
    const environment = { NOTIFY_SOCKET: "/run/n", WATCHDOG_USEC: "1000000", WATCHDOG_PID: "7", OTHER: "x" };
    const notifier = takeNotifier(environment, 7);
    expect(environment as object).toEqual({ OTHER: "x" });
    expect(notifier?.environment).toEqual({
      NOTIFY_SOCKET: "/run/n",
      WATCHDOG_USEC: "1000000",
      WATCHDOG_PID: "7",
    });
    notifier?.close();
    expect(takeNotifier(environment, 7)).toBeUndefined();
  });

  test("knows no other transports", () => {
    expect(takeNotifier({ NOTIFY_SOCKET: "vsock:2:1234" })).toBeUndefined();
    expect(takeNotifier({})).toBeUndefined();
  });

  test("a watchdog for another process is not fed", async () => {
    using folder = new Folder();
    const [own, other] = [folder.file("own"), folder.file("other")];
    using ownManager = new DatagramSocket(own);
    using otherManager = new DatagramSocket(other);
    const notifiers = [
      takeNotifier({ NOTIFY_SOCKET: other, WATCHDOG_USEC: "2000", WATCHDOG_PID: "8" }, 7),
      takeNotifier({ NOTIFY_SOCKET: own, WATCHDOG_USEC: "20000", WATCHDOG_PID: "7" }, 7),
    ];
    for (const notifier of notifiers) notifier?.ready();
    // By then the other one, which is ten times as often due, would have been fed.
    await ownManager.receives(/^WATCHDOG=1$/);
    for (const notifier of notifiers) notifier?.close();
    await otherManager.receives(/READY/);
    expect(otherManager.received).toEqual(["READY=1\nSTATUS=serving"]);
  });
});

test("a server says when it is ready and when it stops, with the watchdog fed between", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  using manager = new DatagramSocket(folder.file("notify"));
  const environment = { NOTIFY_SOCKET: folder.file("notify"), WATCHDOG_USEC: "20000" };
  await using program = Program.serve(folder, ["app.ts", "--socket", "s"], environment);
  await manager.receives(/^READY=1$/m);
  await manager.receives(/^WATCHDOG=1$/m);
  expect(manager.received[0]).toStartWith("READY=1");
  program.kill("SIGTERM");
  await manager.receives(/^STOPPING=1$/m);
  expect(await program.ended()).toBe(0);
});

test("a server that cannot start never says that it is ready", async () => {
  using folder = new Folder({ "app.ts": DIARY, s: "no socket" });
  using manager = new DatagramSocket(folder.file("notify"));
  const environment = { NOTIFY_SOCKET: folder.file("notify") };
  await using program = Program.serve(folder, ["app.ts", "--socket", "s"], environment);
  expect(await program.ended()).toBe(1);
  new Notifier(folder.file("notify")).send("LAST=1");
  await manager.receives(/LAST/);
  expect(manager.received).toEqual(["LAST=1"]);
});
