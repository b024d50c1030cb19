import { expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { Installation } from "../support/installation.ts";
import { LogDestination } from "../support/log-destination.ts";
import type { DestinationKind } from "../support/log-destination.ts";
import { Folder, MAIN, Program } from "../support/program.ts";
import { eventually, get, request } from "../support/wire.ts";
import { childrenOf, runs, whoServes, workersFolder } from "../support/workers.ts";

// A server whose log nobody reads: it serves, handles signals and exits like every other server, and counts the lines it drops.

setDefaultTimeout(60_000); // many processes on a machine that may be busy

const isRoot = process.getuid?.() === 0;
const KINDS: readonly DestinationKind[] = ["pipe", "socket", "terminal"];
/** Pipes, sockets and terminals hold 64 KiB to some 200 KiB, and a process keeps 1 MiB. */
const FILLING = 500;
const LONG = "x".repeat(4000);

interface Address {
  readonly host: string;
  readonly port: number;
}

/** A server whose standard output and error is `destination`. It is killed at the end. */
class Unread implements AsyncDisposable {
  readonly child: Bun.Subprocess;

  /** @param command the Bun and the program that serve, where they are not this project's. */
  constructor(
    folder: Folder,
    destination: LogDestination,
    words: readonly string[],
    command: readonly string[] = [process.execPath, MAIN],
  ) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(?:PAGI_.*|PORT|HOST)$/.test(name));
    const { end } = destination;
    this.child = Bun.spawn(
      [...command, "app.ts", "-p", "0", "-E", "production", "--access-log", "-", ...words],
      {
        cwd: folder.path,
        env: { ...Object.fromEntries(inherited), NO_COLOR: "1" },
        stdio: ["ignore", end, end],
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.exited;
  }
}

async function addressIn(destination: LogDestination): Promise<Address> {
  const [, host = "", port = ""] = await destination.until(/http:\/\/([\w.]+):(\d+)\//);
  return { host, port: Number(port) };
}

/** Requests whose lines are 4 kB. Resolves when all are answered. */
async function fill(address: Address, count = FILLING): Promise<void> {
  const url = `http://${address.host}:${address.port}/fill`;
  for (let sent = 0; sent < count; sent += 10) {
    const batch = Array.from({ length: 10 }, (_, i) =>
      fetch(`${url}/${sent + i}?${LONG}`, { signal: AbortSignal.timeout(20_000) }),
    );
    for (const response of await Promise.all(batch)) {
      expect(response.status).toBe(200);
      await response.body?.cancel();
    }
  }
}

/** Waits for what nothing announces: the log would, if it were read. The test's own time is the limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(5);
}

const LOST = /Standard error could not be written to for a while: (\d+) log lines were lost here\n/;

for (const kind of KINDS) {
  test.concurrent(`a ${kind} that nobody reads: requests go on, and the lost lines are counted`, async () => {
    using folder = workersFolder();
    using destination = new LogDestination(kind);
    await using _server = new Unread(folder, destination, ["--log-level", "debug"]);
    const address = await addressIn(destination);
    await fill(address);
    expect((await whoServes(address)).version).toBe("one");
    const [, lost = ""] = await destination.until(LOST);
    expect((await request(address, get("/after", "Connection: close"))).status).toBe(200);
    await destination.until(/GET \/after/);
    // Every line is whole, and none is missing that is not counted.
    const lines = destination.read().split("\n");
    const logged = lines.filter((line) =>
      /^127\.0\.0\.1 .* "GET \/(?:fill\/\d+\?x{4000}| )?.*" 200 /.test(line),
    );
    const isFill = (line: string): boolean => line.includes("/fill/");
    expect(logged.filter(isFill).every((line) => line.includes(`?${LONG}"`))).toBe(true);
    expect(lines.filter(isFill)).toHaveLength(logged.filter(isFill).length);
    // The request for the version was lost as well.
    expect(logged.filter(isFill).length + Number(lost)).toBe(FILLING + 1);
    expect(lines.findIndex((line) => LOST.test(`${line}\n`))).toBeGreaterThan(lines.findLastIndex(isFill));
  });

  for (const workers of [1, 2]) {
    test.concurrent(`a ${kind} that nobody reads, ${workers} worker(s): signals end the server`, async () => {
      using folder = workersFolder();
      using destination = new LogDestination(kind);
      await using server = new Unread(folder, destination, ["-w", String(workers)]);
      const address = await addressIn(destination);
      await fill(address, 200);
      // The application throws, which the server logs with the stack.
      for (let sent = 0; sent < 100; sent++)
        expect((await request(address, get("/", "Accept: text/event-stream"))).status).toBe(500);
      server.child.kill("SIGTERM");
      expect(await server.child.exited).toBe(0);
      expect(folder.lines("marks")).toContain(`shutdown ${workers === 1 ? "single 0 -" : "worker 1 1"}`);
    });
  }
}

// With a limit of one second for its workers, so not beside other servers.
test("a full log does not keep the supervisor from replacing a worker that hangs", async () => {
  using folder = workersFolder();
  using destination = new LogDestination("pipe");
  const words = ["-w", "2", "--heartbeat-timeout", "1", "--log-level", "debug"];
  await using server = new Unread(folder, destination, words);
  const address = await addressIn(destination);
  await fill(address, 200);
  const workers = childrenOf(server.child.pid);
  expect(workers).toHaveLength(2);
  void request(address, get("/block")).catch(() => {});
  await until(() => !workers.every(runs)); // the one that hangs was replaced
  server.child.kill("SIGHUP");
  await until(() => !workers.some(runs)); // and by a reload the other one
  expect((await whoServes(address)).parent).toBe(server.child.pid);
});

for (const kind of KINDS)
  test.concurrent.if(isRoot)(
    `a ${kind} that the server's user may not open is not waited for either`,
    async () => {
      using installation = new Installation();
      using folder = workersFolder();
      fs.chmodSync(folder.path, 0o777);
      using destination = new LogDestination(kind);
      // Such a terminal gets lines in pieces, between which those of another worker may come.
      const workers = kind === "terminal" ? ["-w", "1", "--reload"] : ["-w", "2"];
      await using server = new Unread(
        folder,
        destination,
        [...workers, "--user", "nobody"],
        [installation.bun, installation.main],
      );
      const address = await addressIn(destination);
      const { pid } = await whoServes(address);
      expect(fs.statSync(`/proc/${pid}`).uid).not.toBe(0);
      await fill(address, 2 * FILLING); // each of the two keeps its own
      const [, lost] = await destination.until(LOST);
      expect(Number(lost)).toBeGreaterThan(0);
      await fill(address, 200);
      server.child.kill("SIGTERM");
      expect(await server.child.exited).toBe(0);
      // Two workers have written, and none has torn the lines of the other. In a terminal, a line of the supervisor can
      // come between two pieces.
      const lines = destination
        .read()
        .replaceAll(/\d{4}-[\d-]+T[\d:.]+Z info Stopping: .*\n/g, kind === "terminal" ? "" : "$&")
        .split("\n");
      // Only the last one may have had room for a part of it when its process ended.
      const torn = lines
        .slice(0, -1)
        .filter((line) => line.includes("x") && !/\?x{4000}" 200 [\d.]+s$/.test(line));
      expect(torn.map((line) => line.replaceAll(/x{50,}/g, (all) => `x*${all.length}`))).toEqual([]);
    },
  );

test.concurrent("the file description that others share keeps waiting", async () => {
  using folder = workersFolder();
  using destination = new LogDestination("pipe");
  await using server = new Unread(folder, destination, []);
  await addressIn(destination);
  const flags = (fd: number): number =>
    Number.parseInt(
      /^flags:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/${server.child.pid}/fdinfo/${fd}`, "utf8"))?.[1] ?? "",
      8,
    );
  for (const fd of [1, 2]) expect(flags(fd) & fs.constants.O_NONBLOCK).toBe(0);
});

test.concurrent(
  "what was logged last is not lost when the process ends while a slow reader reads",
  async () => {
    using folder = workersFolder();
    fs.writeFileSync(folder.file("fails.ts"), `throw new Error("${"y".repeat(200_000)} the end");`);
    await using program = Program.serve(folder, ["fails.ts"]);
    expect(await program.ended()).toBe(1);
    expect(program.stderr).toContain("yy the end");
  },
);

test.concurrent(
  "a named pipe that nobody reads: the start does not wait for a reader, and lost lines are reported",
  async () => {
    using folder = workersFolder();
    expect(Bun.spawnSync(["mkfifo", folder.file("log")]).exitCode).toBe(0);
    const words = ["app.ts", "-p", "0", "-E", "production", "--access-log", "log", "--log-format", "json"];
    await using program = Program.serve(folder, words);
    const [, port = ""] = await program.prints(/http:\/\/[\w.]+:(\d+)\//);
    const address = { host: "127.0.0.1", port: Number(port) };
    await fill(address);
    await program.prints(
      /cannot be written to 'log': its reader does not read. Its lines are lost until it can/,
    );
    const reader = fs.openSync(folder.file("log"), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const buffer = Buffer.alloc(64 * 1024);
    let text = "";
    await eventually("the log is written again", () => {
      try {
        text += buffer.toString("latin1", 0, fs.readSync(reader, buffer));
      } catch {
        // nothing there at the moment
      }
      return /is written to 'log' again; \d+ lines were lost/.test(program.stderr);
    });
    fs.closeSync(reader);
    expect(text).toContain('"GET /fill/0?xxx');
  },
);
