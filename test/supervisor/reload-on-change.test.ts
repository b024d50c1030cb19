import { expect, test } from "bun:test";
import fs from "node:fs";

import { Load } from "../support/load.ts";
import { Folder, Program } from "../support/program.ts";
import { eventually, get, Wire } from "../support/wire.ts";
import { childrenOf, Log, start, version, whoServes, workersFolder } from "../support/workers.ts";

// --reload: what is saved is served, and what is broken is not.

for (const workers of [1, 2]) {
  test(`what is saved is served, and no request is lost (${workers} worker(s))`, async () => {
    using folder = workersFolder();
    await using program = start(folder, ["--reload", "-w", String(workers)]);
    const address = await program.address();
    const log = new Log(program);
    const before = childrenOf(program.pid);
    expect(before).toHaveLength(workers);
    await using load = new Load(address, 2);
    await eventually("there is load", () => load.answered > 50);
    fs.writeFileSync(folder.file("version.ts"), version("two"));
    await log.until(/version\.ts has changed/);
    await log.until(/Reloaded: every worker is a new one/);
    expect(await whoServes(address)).toMatchObject({ version: "two", parent: program.pid });
    const seen = load.answered;
    await eventually("it goes on", () => load.answered > seen + 50);
    await load.stop();
    expect(load.lost).toEqual([]);
    await eventually("the old ones have gone", () => childrenOf(program.pid).length === workers);
    expect(childrenOf(program.pid).some((pid) => before.includes(pid))).toBe(false);
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
  });
}

test("broken code leaves the old one serving, and says so; the next good save goes on", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["--reload"]);
  const address = await program.address();
  const log = new Log(program);
  const { pid } = await whoServes(address);
  fs.writeFileSync(folder.file("version.ts"), "nonsense(");
  await log.until(
    /could not start: it said: 'app\.ts' cannot be compiled: .* at version\.ts:1:\d+\. The reload is canceled/,
  );
  expect(await whoServes(address)).toMatchObject({ pid, version: "one" });
  fs.writeFileSync(folder.file("fail"), "");
  fs.writeFileSync(folder.file("version.ts"), version("two"));
  await log.until(/could not start: it exited with code 9\. The reload is canceled/);
  expect(await whoServes(address)).toMatchObject({ pid, version: "one" });
  fs.rmSync(folder.file("fail"));
  fs.writeFileSync(folder.file("version.ts"), version("three"));
  await log.until(/Reloaded/);
  expect(await whoServes(address)).toMatchObject({ version: "three" });
});

test("code that is broken at the start, or ends its process, waits for a good save", async () => {
  using folder = workersFolder();
  fs.writeFileSync(folder.file("version.ts"), "nonsense(");
  await using program = start(folder, ["--reload"]);
  const log = new Log(program);
  await log.until(/could not start: it said: 'app\.ts' cannot be compiled/);
  await log.until(/It is started again when a file has changed/);
  fs.writeFileSync(folder.file("version.ts"), version("one"));
  const address = await program.address();
  expect(await whoServes(address)).toMatchObject({ version: "one" });
  fs.writeFileSync(folder.file("fail"), "");
  await using wire = await Wire.open(address);
  await wire.send(get("/exit"));
  await log.until(/exited with code 7; another is started at once/);
  await log.until(/could not start: it exited with code 9[^]*It is started again when a file has changed/);
  fs.rmSync(folder.file("fail"));
  fs.writeFileSync(folder.file("version.ts"), version("two"));
  await log.until(/worker 1 \(pid \d+\) is ready/);
  expect(await whoServes(address)).toMatchObject({ version: "two" });
});

test("a server that waits for a good save ends well", async () => {
  using folder = workersFolder();
  fs.writeFileSync(folder.file("version.ts"), "nonsense(");
  await using program = start(folder, ["--reload"]);
  await program.prints(/It is started again when a file has changed/);
  program.kill("SIGINT");
  expect(await program.ended()).toBe(0);
});

test("requests that never end hold up the old code for a moment only", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["--reload"]);
  const address = await program.address();
  const log = new Log(program);
  await using busy = await Wire.open(address);
  await busy.send(get("/wait"));
  await eventually("the request has come", () => folder.lines("marks").includes("waiting"));
  fs.writeFileSync(folder.file("version.ts"), version("two"));
  await log.until(/Reloaded/);
  expect(await whoServes(address)).toMatchObject({ version: "two" });
  await log.until(/1 connection was cut at shutdown/);
  await eventually("the old one has gone", () => childrenOf(program.pid).length === 1);
  expect(folder.lines("marks").slice(0, 3)).toEqual(["startup single 0 -", "waiting", "startup single 0 -"]);
  expect(folder.lines("marks").at(-1)).toBe("shutdown single 0 -");
});

test("--reload-include and --reload-exclude; installed packages, builds and settings are no code", async () => {
  using folder = workersFolder();
  for (const inner of ["node_modules/x", "dist", ".git", "views", "drafts", "lib/dist"])
    fs.mkdirSync(folder.file(inner), { recursive: true });
  fs.writeFileSync(folder.file("a.env"), "COLOUR=blue");
  fs.writeFileSync(
    folder.file("pagi.config.ts"),
    "export default { reloadInclude: ['views/**/*.html', '*.md'] };",
  );
  const words = ["--reload", "--reload-exclude", "drafts/", "--env-file", "a.env"];
  await using program = start(folder, words);
  const address = await program.address();
  const log = new Log(program);
  const { pid } = await whoServes(address);
  for (const file of [
    "node_modules/x/a.ts",
    "dist/a.js",
    "lib/dist/a.js",
    ".git/a.ts",
    "drafts/a.ts",
    "data.json",
  ])
    fs.writeFileSync(folder.file(file), "");
  fs.writeFileSync(folder.file("pagi.config.ts"), "export default { port: 1 };");
  fs.writeFileSync(folder.file("a.env"), "COLOUR=red");
  for (const file of ["a.env", "pagi.config.ts"])
    await program.prints(new RegExp(`warn ${file} has changed; it is read when the server is started again`));
  expect(await whoServes(address)).toMatchObject({ pid });
  const read = ["views/a.html", "lib/a.md", "lib/a.js"];
  for (const file of read) {
    fs.writeFileSync(folder.file(file), "");
    await log.until(new RegExp(`${file} has changed\\n`));
    await log.until(/Reloaded/);
  }
  const changed = [...program.stderr.matchAll(/(\S+) has changed\n/g)].map(([, file]) => file);
  expect(new Set(changed)).toEqual(new Set(read));
});

test("an application outside of the current directory is watched where it is", async () => {
  using folder = workersFolder();
  using elsewhere = new Folder();
  await using program = Program.serve(elsewhere, [
    folder.file("app.ts"),
    "-p",
    "0",
    "-E",
    "production",
    "--reload",
  ]);
  const address = await program.address();
  fs.writeFileSync(folder.file("version.ts"), version("two"));
  await program.prints(/Reloaded/);
  expect(await whoServes(address)).toMatchObject({ version: "two" });
});

test("a server that somebody waits for does not wait for a change: a hot restart, the background", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["--reload"]);
  const address = await program.address();
  const log = new Log(program);
  fs.writeFileSync(folder.file("version.ts"), "nonsense(");
  await log.until(/The reload is canceled/);
  program.kill("SIGUSR2");
  await log.until(/The new server said: The workers did not become ready: .*Keeping the current one/);
  expect(await whoServes(address)).toMatchObject({ version: "one" });
  await using daemon = start(folder, ["--reload", "-D"]);
  expect(await daemon.ended()).toBe(1);
  expect(daemon.stderr).toContain("'app.ts' cannot be compiled");
});

test("where there is no application there is nothing to reload", async () => {
  using folder = new Folder();
  await using program = Program.serve(folder, ["directory", "-p", "0", "--reload"]);
  expect(await program.ended()).toBe(2);
  expect(program.stderr).toBe(
    "pagi-server: --reload: there is no application to reload; files are served as they are.\n",
  );
});
