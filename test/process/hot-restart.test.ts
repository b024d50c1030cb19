import { expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";

import { Installation } from "../support/installation.ts";
import { Program } from "../support/program.ts";
import { eventually, get, request } from "../support/wire.ts";
import { runs, start, whoServes, workersFolder } from "../support/workers.ts";

// What the process itself is told: pid file, permissions, user, folder, background.

setDefaultTimeout(20_000); // many processes on a machine that may be busy

const isRoot = process.getuid?.() === 0;

for (const workers of [1, 2]) {
  const words = ["-w", String(workers)];

  test(`--pid, ${workers} worker(s): there when it serves, gone when it has ended, refused while its process runs`, async () => {
    using folder = workersFolder();
    fs.writeFileSync(folder.file("pid"), "999999999\n"); // nobody's: no process has so high an id
    await using program = start(folder, [...words, "--pid", "pid"]);
    await program.address();
    expect(folder.lines("pid")).toEqual([String(program.pid)]);
    await using second = start(folder, [...words, "--pid", "pid"]);
    expect(await second.ended()).toBe(2);
    expect(second.stderr).toContain(`--pid: pid belongs to process ${program.pid}, which runs.`);
    expect(folder.lines("pid")).toEqual([String(program.pid)]);
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
    expect(fs.existsSync(folder.file("pid"))).toBe(false);
  });

  test(`--chdir and --umask, ${workers} worker(s)`, async () => {
    using folder = workersFolder();
    fs.mkdirSync(folder.file("inner"));
    for (const file of ["app.ts", "version.ts"])
      fs.renameSync(folder.file(file), folder.file(`inner/${file}`));
    await using program = start(folder, [
      ...words,
      "--chdir",
      "inner",
      "--umask",
      "027",
      "--access-log",
      "log",
    ]);
    expect((await whoServes(await program.address())).version).toBe("one");
    for (const file of ["inner/log", "inner/marks"])
      expect(fs.statSync(folder.file(file)).mode & 0o777).toBe(0o640);
    // Started once more, it begins where it did, and goes there again.
    program.kill("SIGHUP");
    await program.prints(workers === 1 ? /(?:Serving[^]*){2}/ : /Reloaded/);
    expect((await whoServes(await program.address())).version).toBe("one");
  });

  test.if(isRoot)(`--user and --group, ${workers} worker(s): groups included, and no way back`, async () => {
    using installation = new Installation();
    using folder = workersFolder();
    fs.chmodSync(folder.path, 0o777);
    const socket = folder.file("http.sock");
    const words = ["app.ts", "-w", String(workers), "-E", "production", "--socket", "http.sock"];
    await using program = installation.serve(folder, [
      ...words,
      "--user",
      "nobody",
      "--group",
      "nogroup",
      "--pid",
      "pid",
    ]);
    await program.prints(/Serving/);
    const identity = async (): Promise<string> =>
      await (await fetch("http://a/identity", { unix: socket, keepalive: false })).text();
    const [uid, gid] = ["/etc/passwd", "/etc/group"].map((file) => {
      const name = file === "/etc/passwd" ? "nobody" : "nogroup";
      const line = fs
        .readFileSync(file, "utf8")
        .split("\n")
        .find((each) => each.startsWith(`${name}:`));
      return line?.split(":")[2] ?? "";
    });
    const expected = `Uid:\t${[uid, uid, uid, uid].join("\t")}\nGid:\t${[gid, gid, gid, gid].join("\t")}\nGroups:\t${gid} \nCapEff:\t0000000000000000\nback: none`;
    expect(await identity()).toBe(expected);
    // The supervisor has given them up as well, and what it starts later has them not.
    expect(fs.readFileSync(`/proc/${program.pid}/status`, "utf8")).toContain(
      `Uid:\t${uid}\t${uid}\t${uid}\t${uid}`,
    );
    program.kill("SIGHUP");
    await program.prints(workers === 1 ? /(?:Serving[^]*){2}/ : /Reloaded/);
    expect(await identity()).toBe(expected);
    program.kill("SIGKILL");
  });

  test(`--daemonize, ${workers} worker(s): the command ends when the server serves, which has no terminal`, async () => {
    using folder = workersFolder();
    const socket = folder.file("http.sock");
    const words = ["app.ts", "-w", String(workers), "-D", "--socket", "http.sock", "--pid", "pid"];
    await using program = Program.serve(folder, words);
    expect(await program.ended()).toBe(0);
    const pid = Number(fs.readFileSync(folder.file("pid"), "utf8"));
    try {
      expect(program.stderr).toContain(`Serving in the background: process ${pid}`);
      const [session] =
        fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(3) ?? [];
      expect(session).toBe(String(pid));
      const [served = "", parent = ""] = (await (await fetch("http://a/", { unix: socket })).text()).split(
        " ",
      );
      expect(workers === 1 ? served : parent).toBe(String(pid));
      for (const fd of [0, 1, 2]) expect(fs.readlinkSync(`/proc/${served}/fd/${fd}`)).toBe("/dev/null");
    } finally {
      process.kill(pid, "SIGTERM");
    }
    await eventually("it has ended", () => !runs(pid));
    expect(fs.existsSync(folder.file("pid"))).toBe(false);
    expect(fs.existsSync(socket)).toBe(false);
  });

  test(`--daemonize, ${workers} worker(s): a server that cannot start is said by the command`, async () => {
    using folder = workersFolder();
    const role = workers === 1 ? "single" : "worker";
    await using program = start(folder, [...words, "-D"], { FAIL: role });
    expect(await program.ended()).toBe(1);
    expect(program.stderr).toContain("pagi-server: ");
    expect(program.stderr).toContain("The application refuses to start: no database");
    await using wrong = start(folder, [...words, "-D", "--pid", "no/such/folder/pid"]);
    expect(await wrong.ended()).toBe(2);
    expect(wrong.stderr).toContain("--pid: no/such/folder/pid cannot be written");
  });
}

test("what is wrong with these options is one line, and exit code 2", async () => {
  using folder = workersFolder();
  fs.writeFileSync(folder.file("notes"), "no id\n");
  const rows: [string[], RegExp][] = [
    [["--chdir", "nowhere"], /--chdir: cannot go to 'nowhere'/],
    [["--umask", "rwx"], /--umask: must be an octal number such as 022, but is "rwx"/],
    [["--user", "no-such-user"], /--user: there is no/],
    [["--group", "no-such-group"], /--group: there is no/],
    [["--pid", "notes"], /--pid: notes is there and holds no process id/],
    [["-w", "2", "--user", "no-such-user"], /--user: there is no/],
    [["-w", "-1"], /-w: must be a whole number from 1 to 1024, or auto/],
  ];
  for (const [words, message] of rows) {
    await using program = start(folder, words);
    expect([words.join(" "), await program.ended()]).toEqual([words.join(" "), 2]);
    expect(program.stderr).toMatch(message);
  }
  expect(folder.lines("notes")).toEqual(["no id"]);
});

test("the bundled command, as it is installed, has workers, reloads and hot restarts too", async () => {
  using folder = workersFolder();
  const root = path.resolve(import.meta.dir, "../..");
  const build = Bun.spawnSync(
    [process.execPath, "build", "cli/main.ts", "--target=bun", "--format=cjs", "--bytecode"].concat([
      "--minify-syntax",
      "--minify-whitespace",
      `--outdir=${folder.path}`,
      "--entry-naming=pagi-server.[ext]",
    ]),
    { cwd: root },
  );
  expect(build.exitCode).toBe(0);
  const words = ["pagi-server.js", "app.ts", "-p", "0", "-E", "production", "-w", "2", "--pid", "pid"];
  await using program = new Program(folder, words);
  const address = await program.address();
  expect((await whoServes(address)).parent).toBe(program.pid);
  program.kill("SIGHUP");
  await program.prints(/Reloaded: every worker is a new one/);
  program.kill("SIGUSR2");
  await eventually("the old one has ended", () => !program.isRunning);
  const successor = Number(fs.readFileSync(folder.file("pid"), "utf8"));
  try {
    const { body } = await request(address, get("/", "Connection: close"));
    expect(body.split(" ")[1]).toBe(String(successor));
  } finally {
    process.kill(successor, "SIGTERM");
  }
  await eventually("it has ended", () => !runs(successor));
});
