import { expect, test } from "bun:test";
import { catchesInterrupt, cpuTimeBetween, cpuTimeOf, filesOf, memoryOf } from "../../bench/process-stats.ts";

const isLinux = process.platform === "linux";

test.if(isLinux)("the kernel's accounting is read", () => {
  const before = cpuTimeOf(process.pid);
  while (cpuTimeOf(process.pid).user < before.user + 20_000);
  const spent = cpuTimeBetween(before, cpuTimeOf(process.pid));
  // The clock counts all of what /proc shows, give or take a step of 10 ms for user and system each.
  expect(spent.total).toBeGreaterThan(spent.user + spent.system - 20_001);
  expect(filesOf(process.pid)).toBeGreaterThan(2);
  const { now, peak } = memoryOf(process.pid);
  expect(now).toBeGreaterThan(1e6);
  expect(peak).toBeGreaterThanOrEqual(now);
});

test.if(isLinux)("a process catches SIGINT once it has a handler", async () => {
  const child = Bun.spawn(
    [
      process.execPath,
      "-e",
      "console.log(1); for await (const _ of console) { process.on('SIGINT', () => {}); console.log(2) }",
    ],
    {
      stdin: "pipe",
      stdout: "pipe",
    },
  );
  const lines = child.stdout.getReader();
  try {
    await lines.read();
    expect(catchesInterrupt(child.pid)).toBe(false);
    child.stdin.write("\n");
    child.stdin.flush();
    await lines.read();
    expect(catchesInterrupt(child.pid)).toBe(true);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
  expect(catchesInterrupt(child.pid)).toBe(false);
});
