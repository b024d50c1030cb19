import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";

import { connectionBudget } from "../../src/server/descriptor-limit.ts";
import { Folder, INDEX, MAIN, Program } from "../support/program.ts";
import { eventually, get, request, Wire } from "../support/wire.ts";
import { Log } from "../support/workers.ts";

// A process that may have few files open: what it accepts, what it says, and that it survives. From the sources, whose
// modules are files, and as the one file that the package ships.

setDefaultTimeout(40_000);

const APP = `
import fs from "node:fs";
const taken = [];
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    await receive();
    await send({ type: "lifespan.startup.complete" });
    await receive();
    return send({ type: "lifespan.shutdown.complete" });
  }
  if (scope.type === "websocket") {
    await receive();
    await send({ type: "websocket.accept" });
    for (;;) {
      const event = await receive();
      if (event.type === "websocket.disconnect") return;
      await send({ type: "websocket.send", text: "echo " + event.text });
    }
  }
  if (scope.path === "/throw") throw new Error("thrown in a request");
  if (scope.path === "/file") {
    await send({ type: "http.response.start", status: 200 });
    return send({ type: "http.response.body", file: "app.ts" });
  }
  if (scope.path === "/take") try { for (;;) taken.push(fs.openSync("app.ts")); } catch {}
  if (scope.path === "/give") for (const fd of taken.splice(0)) fs.closeSync(fd);
  await send({ type: "http.response.start", status: 200, headers: [["content-length", "2"]] });
  await send({ type: "http.response.body", body: "ok" });
};
`;

let bundle: Folder;

beforeAll(async () => {
  bundle = new Folder();
  const { scripts }: { scripts: { bundle: string } } = await Bun.file(
    path.join(import.meta.dir, "../../package.json"),
  ).json();
  const [build = ""] = scripts.bundle.split("&&");
  const words = build.trim().split(" ").slice(1);
  const here = words.map((word) => (word === "--outdir=dist" ? `--outdir=${bundle.path}` : word));
  const child = Bun.spawn([process.execPath, ...here], {
    cwd: path.join(import.meta.dir, "../.."),
    stdout: "ignore",
  });
  expect(await child.exited).toBe(0);
  return () => bundle[Symbol.dispose]();
});

/** Runs with at most so many open files. */
function limited(
  folder: Folder,
  files: number,
  words: readonly string[],
  environment?: Record<string, string>,
): Program {
  const command = ["sh", "-c", `ulimit -n ${files}; exec "$@"`, "sh", process.execPath];
  return new Program(folder, words, environment, { command });
}

/** Milliseconds of CPU time that a process has used. */
function cpuTime(pid: number): number {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10; // clock ticks of 10 ms
}

/** Descriptors of a process that are the socket which listens at a port. */
function socketsAt(pid: number, port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = fs.readFileSync("/proc/net/tcp", "utf8").split("\n");
  const inode = lines
    .find((line) => line.includes(`:${hex} 00000000:0000 0A `))
    ?.trim()
    .split(/\s+/)[9];
  const links = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link === `socket:[${inode}]`).length;
}

function openFiles(pid: number): number {
  return fs.readdirSync(`/proc/${pid}/fd`).length;
}

test("connections may take most descriptors, and leave some", () => {
  const rows: [openFiles: number, budget: number][] = [
    [64, 40],
    [256, 232],
    [1024, 960],
    [4096, 3840],
    [1_048_576, 1_048_320],
    [20, 1],
    [Infinity, Infinity],
  ];
  for (const [files, budget] of rows) expect([files, connectionBudget(files)]).toEqual([files, budget]);
});

test("a pause keeps a process alive in which nothing else does", async () => {
  const limits = path.join(import.meta.dir, "../../src/server/descriptor-limit.ts");
  using folder = new Folder({
    "program.ts": `
      import { DescriptorGuard } from ${JSON.stringify(limits)};
      const ignore = () => {};
      const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
      const listener = { prepareToPause: ignore, pause: ignore, resume: ignore };
      const guard = new DescriptorGuard(64, [listener], logger, () => {
        console.log("accepts again");
        guard.close();
      });
      guard.watch();
      guard.onAccepted(guard.ceiling);`,
  });
  await using program = new Program(folder, ["program.ts"]);
  expect(await program.ended()).toBe(0);
  expect(program.stdout).toBe("accepts again\n");
});

for (const kind of ["sources", "bundle"] as const)
  describe(`with 64 files, ${kind}`, () => {
    const main = (): string => (kind === "sources" ? MAIN : bundle.file("pagi-server.js"));
    const start = (folder: Folder, words: readonly string[] = []): Program =>
      limited(folder, 64, [main(), "app.ts", "-p", "0", "-E", "production", ...words]);

    test("the banner says how many connections there can be", async () => {
      using folder = new Folder({ "app.ts": APP });
      await using program = start(folder);
      await program.prints(
        /At most 40 connections at a time, not 1000 \(--max-connections\): this process may have 64 files open \(ulimit -n\)/,
      );
      await using few = start(folder, ["--max-connections", "40"]);
      await few.address();
      expect(few.stderr).not.toContain("At most");
      await using workers = start(folder, ["-w", "2"]);
      await workers.prints(/In each worker: At most 40 connections/);
    });

    test("70 connections and handlers that throw: it goes on, says why it does not accept, and does not spin", async () => {
      using folder = new Folder({ "app.ts": APP });
      await using program = start(folder);
      const address = await program.address();
      const wires = await Promise.all(Array.from({ length: 70 }, () => Wire.open(address)));
      await program.prints(
        /warn No connections are accepted for now: this process may have 64 files open \(ulimit -n, RLIMIT_NOFILE\)/,
      );
      const answers = wires.map(async (wire) => {
        await wire.send(get("/throw"));
        const response = await wire.response();
        if (response.status === 503) await wire[Symbol.asyncDispose]();
        return response.status;
      });
      // All of them are answered, those that had to wait as well.
      const statuses = await Promise.all(answers);
      expect(statuses.filter((each) => each === 500).length).toBeGreaterThanOrEqual(40);
      expect(statuses.filter((each) => each !== 500 && each !== 503)).toEqual([]);
      await program.prints(/error GET \/throw: the application threw: Error: thrown in a request/);
      expect(program.stderr.match(/No connections are accepted/g)).toHaveLength(1);
      for (const wire of wires) await wire[Symbol.asyncDispose]();
      await eventually("all are closed", () => openFiles(program.pid) < 20);
      expect((await request(address, get("/file", "Connection: close"))).body).toBe(APP);
      program.kill("SIGTERM");
      expect(await program.ended()).toBe(0);
    });

    test("all connections close at once while accepting pauses: the server stays, and accepts again", async () => {
      using folder = new Folder({ "app.ts": APP });
      await using program = start(folder);
      const address = await program.address();
      // Without a request, so that no timer of one keeps the process alive.
      const wires = await Promise.all(Array.from({ length: 80 }, () => Wire.open(address)));
      await program.prints(/No connections are accepted for now/);
      await Promise.all(wires.map((wire) => wire[Symbol.asyncDispose]()));
      await eventually("all are closed", () => openFiles(program.pid) < 20);
      expect((await request(address, get("/", "Connection: close"))).status).toBe(200);
      program.kill("SIGTERM");
      expect(await program.ended()).toBe(0);
    });

    test("an application that takes all of them: accepting pauses without using the CPU, and comes back", async () => {
      using folder = new Folder({ "app.ts": APP });
      await using program = start(folder);
      const address = await program.address();
      await using first = await Wire.open(address);
      await using other = await Wire.open(address);
      for (const wire of [first, other]) {
        await wire.send(get("/"));
        expect((await wire.response()).status).toBe(200);
      }
      // Connections wait in a second descriptor of the socket while accepting pauses; what may be needed is loaded before.
      const sockets = (): number => socketsAt(program.pid, address.port);
      await eventually("all is loaded", () => sockets() === 2);
      await first.send(get("/take"));
      expect((await first.response()).status).toBe(200);
      await using waiting = await Wire.open(address);
      await waiting.send(get("/"));
      await program.prints(/No connections are accepted for now/);
      const before = cpuTime(program.pid);
      await Bun.sleep(1000);
      expect(cpuTime(program.pid) - before).toBeLessThan(300);
      // The logger, which nothing has needed before, works without a descriptor.
      await other.send(get("/throw"));
      expect((await other.response()).status).toBe(500);
      await program.prints(/thrown in a request/);
      await first.send(get("/give"));
      expect((await first.response()).status).toBe(200);
      expect((await waiting.response()).status).toBe(200);
      program.kill("SIGTERM");
      expect(await program.ended()).toBe(0);
    });

    test("WebSockets count as three; one too many is refused, and those that are open go on", async () => {
      using folder = new Folder({ "app.ts": APP });
      await using program = start(folder);
      const { host, port } = await program.address();
      const open: WebSocket[] = [];
      const outcomes = await Promise.all(
        Array.from({ length: 30 }, async () => {
          const socket = new WebSocket(`ws://${host}:${port}/`);
          return await new Promise<boolean>((resolve) => {
            socket.onopen = () => {
              open.push(socket);
              resolve(true);
            };
            socket.onclose = socket.onerror = () => resolve(false);
          });
        }),
      );
      const count = outcomes.filter(Boolean).length;
      expect(count).toBeGreaterThanOrEqual(4);
      expect(count).toBeLessThanOrEqual(13);
      for (const socket of open) {
        const answer = new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(data)));
        socket.send("a");
        expect(await answer).toBe("echo a");
        socket.close();
      }
      await eventually("all are closed", () => openFiles(program.pid) < 20);
      program.kill("SIGTERM");
      expect(await program.ended()).toBe(0);
    });
  });

test("a program that calls serve() logs the limit", async () => {
  using folder = new Folder({
    "app.ts": APP,
    "program.ts": `
      import app from "./app.ts";
      import { serve } from ${JSON.stringify(INDEX)};
      console.log((await serve(app, { port: 0, env: "production" })).url);`,
  });
  await using program = limited(folder, 64, ["program.ts"]);
  await new Log(program).until(/warn At most 40 connections at a time, not 1000/);
});
