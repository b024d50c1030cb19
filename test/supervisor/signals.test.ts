import { expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { MAIN } from "../support/program.ts";
import { eventually } from "../support/wire.ts";
import { childrenOf, runs, start, workersFolder } from "../support/workers.ts";

// Signals at odd times, and of terminals.

setDefaultTimeout(20_000); // many processes on a machine that may be busy

for (const workers of ["1", "2"]) {
  test(`a terminal that is closed ends the server, and SIGHUP while it is open reloads (${workers} worker(s))`, async () => {
    using folder = workersFolder();
    let shown = "";
    await using terminal = new Bun.Terminal({
      data: (_terminal, bytes) => void (shown += new TextDecoder().decode(bytes)),
    });
    // `setsid -c` makes it the process that the terminal belongs to, as a shell would.
    const child = Bun.spawn(
      ["setsid", "-c", process.execPath, MAIN, "app.ts", "-p", "0", "-w", workers, "--pid", "pid"],
      {
        cwd: folder.path,
        terminal,
        env: { ...process.env, PAGI_ENV: "production", NO_COLOR: "1" },
      },
    );
    await eventually("it serves", () => shown.includes("Serving app.ts"));
    child.kill("SIGHUP");
    await eventually("it reloads", () =>
      workers === "1" ? (shown.match(/Serving app\.ts/g) ?? []).length === 2 : shown.includes("Reloaded"),
    );
    const children = childrenOf(child.pid);
    terminal.close();
    await eventually("it has ended", () => !runs(child.pid) && !children.some(runs));
    expect(await child.exited).toBe(0);
    expect(fs.existsSync(folder.file("pid"))).toBe(false);
    expect(folder.lines("marks").at(-1)).toMatch(/^shutdown (?:single|supervisor) 0 -$/);
  });
}

test("SIGTERM while the workers start ends them all, with exit code 0", async () => {
  using folder = workersFolder();
  const text = fs.readFileSync(folder.file("app.ts"), "utf8");
  const slow = `if (role === "worker") { mark("begins"); await new Promise((r) => setTimeout(r, 300)); }`;
  fs.writeFileSync(folder.file("app.ts"), text.replace(`mark("startup " + who);`, `${slow}$&`));
  await using program = start(folder, ["-w", "2"]);
  await eventually(
    "both start",
    () => folder.lines("marks").filter((line) => line === "begins").length === 2,
  );
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  // What has begun to start is given the time to, and is then shut down.
  const marks = folder.lines("marks").filter((line) => line.includes("worker"));
  expect(marks.toSorted()).toEqual(
    ["shutdown", "startup"].flatMap((what) => [1, 2].map((n) => `${what} worker 1 ${n}`)),
  );
  expect(folder.lines("marks").at(-1)).toBe("shutdown supervisor 0 -");
});

test("SIGTERM while the supervisor's own lifespan starts", async () => {
  using folder = workersFolder();
  const text = fs.readFileSync(folder.file("app.ts"), "utf8");
  const slow = `mark("begins"); await new Promise((r) => setTimeout(r, 300));`;
  fs.writeFileSync(folder.file("app.ts"), text.replace(`mark("startup " + who);`, `${slow}$&`));
  await using program = start(folder, ["-w", "2"]);
  await eventually("it starts", () => folder.lines("marks").includes("begins"));
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  expect(folder.lines("marks")).toEqual(["begins", "startup supervisor 0 -", "shutdown supervisor 0 -"]);
});

test("SIGHUP, SIGUSR2 and SIGTERM all at once: the end wins", async () => {
  for (const workers of ["1", "2"]) {
    using folder = workersFolder();
    await using program = start(folder, ["-w", workers]);
    await program.address();
    for (const signal of ["SIGHUP", "SIGUSR2", "SIGHUP", "SIGTERM"] as const) program.kill(signal);
    expect(await program.ended()).toBe(0);
  }
});

test("SIGTERM while a successor starts ends both", async () => {
  for (const workers of ["1", "2"]) {
    using folder = workersFolder();
    await using program = start(folder, ["-w", workers]);
    await program.address();
    const text = fs.readFileSync(folder.file("app.ts"), "utf8");
    const slow = `mark("begins"); await new Promise((r) => setTimeout(r, 300));`;
    fs.writeFileSync(folder.file("app.ts"), text.replace(`mark("startup " + who);`, `${slow}$&`));
    program.kill("SIGUSR2");
    await eventually("the successor starts", () => folder.lines("marks").includes("begins"));
    program.kill("SIGTERM");
    // Its output ends with the last process that has it.
    expect(await program.ended()).toBe(0);
    const marks = folder.lines("marks");
    const count = (what: string): number => marks.filter((line) => line.startsWith(what)).length;
    expect(count("shutdown")).toBe(count("startup"));
  }
});
