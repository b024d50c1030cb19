import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { Load } from "../support/load.ts";
import { Program } from "../support/program.ts";
import { Wire, eventually, get, request } from "../support/wire.ts";
import { childrenOf, Log, runs, start, whoServes, workersFolder } from "../support/workers.ts";

// Real processes: a supervisor and its workers, as the command line starts them.

setDefaultTimeout(40_000); // many processes on a machine that may be busy

test("lifespan: the supervisor's around those of the workers; every one of them before it accepts", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"]);
  const address = await program.address();
  const [first, ...others] = folder.lines("marks");
  expect(first).toBe("startup supervisor 0 -");
  expect(others.toSorted()).toEqual(["startup worker 1 1", "startup worker 1 2"]);
  const { parent, pid } = await whoServes(address);
  expect(parent).toBe(program.pid);
  expect(childrenOf(program.pid)).toContain(pid);
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  const ends = folder.lines("marks").slice(3);
  expect(ends.slice(0, 2).toSorted()).toEqual(["shutdown worker 1 1", "shutdown worker 1 2"]);
  expect(ends.slice(2)).toEqual(["shutdown supervisor 0 -"]);
});

test("--no-supervisor-lifespan leaves the supervisor's out; --no-reuseport lets all share one socket", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "3", "--no-supervisor-lifespan", "--no-reuseport"]);
  const { port } = await program.address();
  expect(folder.lines("marks").toSorted()).toEqual([1, 2, 3].map((n) => `startup worker 1 ${n}`));
  expect(listeningSockets(port)).toBe(1);
  program.kill("SIGINT");
  expect(await program.ended()).toBe(0);
});

test("SO_REUSEPORT: a socket for each worker, and the kernel uses all of them; a second server is refused", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "3"]);
  const address = await program.address();
  expect(listeningSockets(address.port)).toBe(3);
  const answered = new Set<number>();
  for (let i = 0; i < 200 && answered.size < 3; i++) answered.add((await whoServes(address)).pid);
  expect(answered.size).toBe(3);
  await using second = Program.serve(folder, ["app.ts", "-w", "2", "-p", String(address.port)]);
  expect(await second.ended()).toBe(1);
  expect(second.stderr).toContain(`Port ${address.port} on 127.0.0.1 is in use`);
});

test("SIGTERM drains: a running request is finished; a second one cuts it, with exit code 1", async () => {
  for (const isCut of [false, true]) {
    using folder = workersFolder();
    await using program = start(folder, ["-w", "2"]);
    await using wire = await Wire.open(await program.address());
    await wire.send(get("/wait"));
    await eventually("the request has come", () => folder.lines("marks").includes("waiting"));
    program.kill("SIGTERM");
    await program.prints(/Stopping/);
    if (isCut) program.kill("SIGTERM");
    else fs.writeFileSync(folder.file("go"), "");
    if (isCut) expect(await wire.readToEnd()).toBe("");
    else expect((await wire.response()).status).toBe(200);
    expect(await program.ended()).toBe(isCut ? 1 : 0);
    expect(folder.lines("marks").at(-1)).toBe("shutdown supervisor 0 -");
  }
});

test("SIGQUIT cuts at once", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"]);
  await using wire = await Wire.open(await program.address());
  await wire.send(get("/wait"));
  await eventually("the request has come", () => folder.lines("marks").includes("waiting"));
  program.kill("SIGQUIT");
  expect(await wire.readToEnd()).toBe("");
  expect(await program.ended()).toBe(1);
});

test("kill -9 of a worker under load loses only what that worker had open, and it is back at once", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"]);
  const address = await program.address();
  const { pid: victim } = await whoServes(address);
  const [other] = childrenOf(program.pid).filter((pid) => pid !== victim);
  const log = new Log(program);
  const clients = 16;
  await using load = new Load(address, clients);
  await eventually("there is load", () => load.answered > 500);
  process.kill(victim, "SIGKILL");
  await log.until(/error worker (\d) \(pid \d+\) was killed by SIGKILL; another is started at once/);
  await log.until(/worker \d \(pid \d+\) is ready/);
  const seen = load.answered;
  await eventually("it goes on", () => load.answered > seen + 500);
  await load.stop();
  // Each client had at most one request at the worker.
  expect(load.lost.length).toBeLessThanOrEqual(clients);
  expect(childrenOf(program.pid)).toContain(other ?? 0);
  expect(childrenOf(program.pid)).not.toContain(victim);
});

test("kill -9 of the supervisor leaves no process, not even one whose event loop is blocked", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"]);
  const address = await program.address();
  const workers = childrenOf(program.pid);
  expect(workers).toHaveLength(2);
  await using wire = await Wire.open(address);
  await wire.send(get("/block"));
  program.kill("SIGKILL");
  await eventually("no worker is left", () => !workers.some(runs));
});

test("kill -9 of the supervisor while its workers are starting leaves no process either", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"]);
  let workers: number[] = [];
  await eventually("the workers are started", () => (workers = childrenOf(program.pid)).length === 2);
  program.kill("SIGKILL");
  try {
    await eventually("no worker is left", () => !workers.some(runs));
    expect(program.stderr).not.toContain("Serving");
  } finally {
    // What is left would hold the pipes of its output open, and so the end of this test.
    for (const pid of workers.filter(runs)) process.kill(pid, "SIGTERM");
  }
});

test("no connection is lost when the count changes, however quickly", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "3"]);
  const address = await program.address();
  const log = new Log(program);
  let isOver = false;
  let answered = 0;
  const clients = Array.from({ length: 8 }, async () => {
    for (; !isOver; answered++) await whoServes(address); // a connection for each request
  });
  for (const pause of [false, false, true, false]) {
    program.kill("SIGTTOU");
    await log.until(/One worker less: 2/);
    if (pause) await eventually("it has gone", () => childrenOf(program.pid).length === 2);
    program.kill("SIGTTIN");
    await log.until(/worker 3 \(pid \d+\) is ready/);
    const seen = answered;
    await eventually("it goes on", () => answered > seen + 100);
  }
  isOver = true;
  await Promise.all(clients);
});

test("--max-requests: the replacement is ready before the old worker stops accepting, and nothing is lost", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2", "--max-requests", "300", "--max-requests-jitter", "200"]);
  const address = await program.address();
  const first = childrenOf(program.pid);
  const log = new Log(program);
  await using load = new Load(address, 4);
  await log.until(/worker \d \(pid \d+\) is replaced: it has served \d+ requests/);
  await eventually("both are others", () => !childrenOf(program.pid).some((pid) => first.includes(pid)));
  await load.stop();
  expect(load.lost).toEqual([]);
});

test("a worker that is told to end by itself is replaced first", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"]);
  const address = await program.address();
  const { pid } = await whoServes(address);
  await using load = new Load(address, 4);
  process.kill(pid, "SIGTERM");
  await program.prints(/is replaced: it was told to end by a signal/);
  await eventually("it has gone", () => !runs(pid));
  await load.stop();
  expect(load.lost).toEqual([]);
  await eventually("there are two", () => childrenOf(program.pid).length === 2);
});

test("every worker failing its start-up ends the supervisor with code 1 and one line for each", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"], { FAIL: "worker" });
  expect(await program.ended()).toBe(1);
  expect(program.stderr).toMatch(
    /error worker \d \(pid \d+\) could not start: it said: The application refuses to start: no database/,
  );
  expect(program.stderr).toContain("error No worker could start; the server ends");
  expect(folder.lines("marks")).toEqual(["startup supervisor 0 -", "shutdown supervisor 0 -"]);
});

test("a supervisor whose own lifespan fails starts no worker", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"], { FAIL: "supervisor" });
  expect(await program.ended()).toBe(1);
  expect(program.stderr).toContain("pagi-server: The application refuses to start: no database");
  expect(folder.lines("marks")).toEqual([]);
});

test("a wrong application is one line, and exit code 1", async () => {
  using folder = workersFolder();
  fs.writeFileSync(folder.file("app.ts"), "syntax error");
  for (const words of [[], ["--no-supervisor-lifespan"]]) {
    await using program = start(folder, ["-w", "2", ...words]);
    expect(await program.ended()).toBe(1);
    expect(program.stderr).toContain("'app.ts' cannot be compiled");
  }
});

test("the requests that ran beside the one that ended the worker are named too, the newest first; a client cannot forge a line", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2", "--no-reuseport"]);
  const address = await program.address();
  const log = new Log(program);
  // Connections that are kept are all at one worker only by chance, so they are made until enough are.
  const wires: Wire[] = [];
  const at = new Map<number, Wire[]>();
  let mine: Wire[] = [];
  while (mine.length < 4) {
    const wire = await Wire.open(address);
    wires.push(wire);
    await wire.send(get("/"));
    const pid = Number((await wire.response()).body.split(" ")[0]);
    mine = at.get(pid) ?? [];
    mine.push(wire);
    at.set(pid, mine);
  }
  const [first, second, third, last] = mine;
  await first?.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  await eventually("it waits", () => folder.lines("marks").filter((each) => each === "waiting").length === 1);
  await second?.send(get("/")); // answered, and so not named
  expect((await second?.response())?.status).toBe(200);
  await third?.send(`POST /wait?token=secret HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbody`);
  await third?.send(""); // the rest never comes
  await last?.send(`GET /exit/%0a%1b${"x".repeat(300)} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const [, ran = ""] = await log.until(
    /exited with code 7; another is started at once\. It was running (.*)\n/,
  );
  expect(ran).toMatch(/^GET \/exit\/%0a%1bx{200,250}…, POST \/wait and GET \/wait$/);
  for (const wire of wires) await wire[Symbol.asyncDispose]();
});

describe.concurrent("with waits in between, so these run side by side:", () => {
  test("a blocked event loop is killed and replaced", async () => {
    using folder = workersFolder();
    await using program = start(folder, ["-w", "2", "--heartbeat-timeout", "1s"]);
    const address = await program.address();
    const log = new Log(program);
    await using wire = await Wire.open(address);
    await wire.send(get("/block"));
    const [, slot = "", pid = ""] = await log.until(
      /worker (\d) \(pid (\d+)\) gave no heartbeat for 1 s, its event loop is blocked; it is killed/,
    );
    await log.until(
      new RegExp(`worker ${slot} \\(pid ${pid}\\) was killed by SIGKILL; another is started at once`),
    );
    await log.until(new RegExp(`worker ${slot} \\(pid \\d+\\) is ready`));
    expect(runs(Number(pid))).toBe(false);
    expect(await wire.readToEnd()).toBe("");
    expect((await whoServes(address)).parent).toBe(program.pid);
  });

  test("SIGTTIN and SIGTTOU change the count, which is never under 1", async () => {
    using folder = workersFolder();
    await using program = start(folder, ["-w", "2"]);
    const { port } = await program.address();
    const log = new Log(program);
    program.kill("SIGTTIN");
    await log.until(/One worker more: 3/);
    await log.until(/worker 3 \(pid \d+\) is ready/);
    expect(childrenOf(program.pid)).toHaveLength(3);
    expect(listeningSockets(port)).toBe(3);
    for (const left of [2, 1]) {
      program.kill("SIGTTOU");
      await log.until(new RegExp(`One worker less: ${left}`));
      await eventually(`${left} are left`, () => childrenOf(program.pid).length === left);
      await eventually("its socket is closed", () => listeningSockets(port) === left);
    }
    program.kill("SIGTTOU");
    await log.until(/never less/);
    const [last] = childrenOf(program.pid);
    expect((await whoServes(await program.address())).pid).toBe(last ?? 0);
  });

  test("--max-rss: a worker that has grown is replaced", async () => {
    using folder = workersFolder();
    // Long enough for a machine that is busy to fill the memory; a shorter one would have more frequent looks.
    const beat = ["--heartbeat-timeout", "20s"];
    await using program = start(folder, ["-w", "2", "--max-rss", "200m", ...beat]);
    const address = await program.address();
    const log = new Log(program);
    await request(address, get("/grow", "Connection: close"));
    const [, slot = ""] = await log.until(/worker (\d) \(pid \d+\) is replaced: it has grown to \d+ MiB/);
    await log.until(new RegExp(`worker ${slot} \\(pid \\d+\\) is ready`));
    await eventually("the old one has gone", () => childrenOf(program.pid).length === 2);
  });

  test("five failures of a worker in a row end the supervisor with code 1", async () => {
    using folder = workersFolder();
    await using program = start(folder, ["-w", "2"]);
    await program.address();
    // From now on no worker starts; the other one goes on, until one has failed too often.
    fs.writeFileSync(folder.file("fail"), "");
    const [victim = 0] = childrenOf(program.pid);
    process.kill(victim, "SIGKILL");
    expect(await program.ended()).toBe(1);
    expect(program.stderr).toContain("could not start: it exited with code 9; another is started in 250 ms");
    expect(program.stderr).toMatch(/Worker \d has failed 5 times within 10 s; the server ends/);
  });

  test("requests that end their workers, one after the other, do not end the server; the log names signal or code, and them", async () => {
    using folder = workersFolder();
    await using program = start(folder, ["-w", "2"]);
    const address = await program.address();
    const log = new Log(program);
    const rows: [path: string, how: string][] = [
      ["/exit", "exited with code 7"],
      ["/kill/SIGSEGV", "was killed by SIGSEGV"],
      ["/kill/SIGABRT", "was killed by SIGABRT"],
      ["/kill/SIGKILL", "was killed by SIGKILL"],
      ["/exit/again", "exited with code 7"],
      ["/exit/more", "exited with code 7"],
      ["/kill/SIGBUS", "was killed by SIGBUS"],
      ["/exit/eighth", "exited with code 7"],
    ];
    for (const [path, how] of rows) {
      await using wire = await Wire.open(address);
      await wire.send(get(path));
      expect(await wire.readToEnd()).toBe("");
      const next = "another is started (?:at once|in \\d+ ms)";
      await log.until(new RegExp(`${how}; ${next}\\. It was running GET ${path}\n`));
    }
    expect((await whoServes(address)).parent).toBe(program.pid);
    await eventually("both are back", () => childrenOf(program.pid).length === 2);
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
  });
});

test("SIGUSR1 lets every worker open the access log anew", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2", "--access-log", "access.log"]);
  const address = await program.address();
  await whoServes(address);
  await eventually("the request is logged", () => folder.lines("access.log").length === 1);
  fs.renameSync(folder.file("access.log"), folder.file("access.log.1"));
  program.kill("SIGUSR1");
  await eventually("there is a new file", () => fs.existsSync(folder.file("access.log")));
  // The workers open it one after the other; in the end both write to it.
  await eventually("both have opened it", () => {
    const open = childrenOf(program.pid).filter((pid) =>
      fs.readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(pid, fd) === folder.file("access.log")),
    );
    return open.length === 2;
  });
  for (let i = 0; i < 20; i++) await whoServes(address);
  await eventually("all are logged", () => folder.lines("access.log").length === 20);
  expect(folder.lines("access.log.1")).toHaveLength(1);
});

test("Ctrl-C, which a terminal sends to all processes at once, drains as if it came to the supervisor alone", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "2"]);
  await using wire = await Wire.open(await program.address());
  await wire.send(get("/wait"));
  await eventually("the request has come", () => folder.lines("marks").includes("waiting"));
  for (const pid of [program.pid, ...childrenOf(program.pid)]) process.kill(pid, "SIGINT");
  await program.prints(/Stopping/);
  fs.writeFileSync(folder.file("go"), "");
  expect((await wire.response()).status).toBe(200);
  expect(await program.ended()).toBe(0);
});

test("-w auto is one for each CPU; what is no number is refused", async () => {
  using folder = workersFolder();
  await using program = start(folder, ["-w", "auto"]);
  await program.address();
  expect(childrenOf(program.pid)).toHaveLength(navigator.hardwareConcurrency);
  await using wrong = start(folder, ["-w", "many"]);
  expect(await wrong.ended()).toBe(2);
  expect(wrong.stderr).toContain("must be a whole number from 1 to 1024, or auto");
});

function linkOf(pid: number, fd: string): string {
  try {
    return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return "";
  }
}

/** TCP sockets that listen at a port of 127.0.0.1. */
function listeningSockets(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = fs.readFileSync("/proc/net/tcp", "utf8").split("\n");
  return lines.filter((line) => line.includes(` 0100007F:${hex} 00000000:0000 0A `)).length;
}
