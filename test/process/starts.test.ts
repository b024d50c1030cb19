import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";

import { Folder, INDEX, Program } from "../support/program.ts";
import { Turns } from "../support/turns.ts";
import { eventually, get, request } from "../support/wire.ts";
import { childrenOf, Log, runs } from "../support/workers.ts";

// Starts that never end, or end without a server: of a server, its workers, the process that finds out whether a new
// program would serve, a successor, and a server in the background. Each gives up in its time with a line, and what
// served before goes on.

// Most of the time is waiting for a limit, so these tests wait together, as many as can start in time.
const turns = new Turns(8);
setDefaultTimeout(180_000); // they wait for their turns too, on a machine that may be busy
/** Seconds; enough for many starts at the same time. */
const LIMIT = 4;

function testInTurn(name: string, body: () => Promise<void>): void {
  test.concurrent(name, async () => {
    using _turn = await turns.take();
    await body();
  });
}

/** The file `how` says how the next start goes wrong. */
const APP = `
import fs from "node:fs";
const how = fs.existsSync("how") ? fs.readFileSync("how", "utf8") : "well";
fs.appendFileSync("marks", how + " " + process.pid + "\\n");
if (how === "await") {
  setInterval(() => {}, 1000);
  await new Promise(() => {});
}
const block = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // takes no processor from others
if (how === "block") block();
if (how === "spin") for (;;);
if (how === "exit") process.exit(0);
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    await receive();
    if (how === "refuse") return send({ type: "lifespan.startup.failed", message: "no database" });
    if (how === "exit-later") process.exit(0);
    if (how === "startup-block") block();
    if (how === "hang") await new Promise((resolve) => setInterval(() => {}, 1000));
    await send({ type: "lifespan.startup.complete" });
    await receive();
    return send({ type: "lifespan.shutdown.complete" });
  }
  const body = how + " " + process.pid;
  await send({ type: "http.response.start", status: 200, headers: [["content-length", String(body.length)]] });
  await send({ type: "http.response.body", body });
};
`;

/** Its number is the exit code of a process 1 that the kernel's alarm ends. */
const SIGALRM = 14;

function folderFor(how = "well"): Folder {
  return new Folder({ "app.ts": APP, how });
}

function start(folder: Folder, words: readonly string[] = [], limit = `${LIMIT}s`): Program {
  const always = ["app.ts", "-p", "0", "-E", "production", "--lifespan-startup-timeout", limit];
  return Program.serve(folder, [...always, ...words]);
}

async function answer(address: { host: string; port: number }): Promise<string> {
  return (await request(address, get("/", "Connection: close"))).body;
}

/** Processes that have imported the application in this way. */
function imported(folder: Folder, how: string): number[] {
  return folder
    .lines("marks")
    .filter((line) => line.startsWith(`${how} `))
    .map((line) => Number(line.split(" ")[1]));
}

describe("a first start that never ends", () => {
  const rows: [words: string[], how: string, said: RegExp][] = [
    [[], "await", /pagi-server: The application has not been imported within 4 s/],
    [[], "hang", /pagi-server: The application has not started within 4 s/],
    [["-w", "2"], "await", /pagi-server: The application has not been imported within 4 s/],
    [["-w", "2"], "hang", /pagi-server: The application has not started within 4 s/],
    [
      ["-w", "2", "--no-supervisor-lifespan"],
      "await",
      /said: The application has not been imported within 4 s/,
    ],
    [["-w", "2", "--no-supervisor-lifespan"], "hang", /said: The application has not started within 4 s/],
    [
      ["-w", "2", "--no-supervisor-lifespan"],
      "block",
      /was not ready [\d.]+ s after its start.*it is killed/,
    ],
    [["-D"], "await", /pagi-server: The application has not been imported within 4 s/],
    [["-D"], "hang", /pagi-server: The application has not started within 4 s/],
    [
      ["-D"],
      "block",
      /pagi-server: The server in the background was (?:killed by SIGALRM|not ready 4 s after)/,
    ],
    [["-D", "-w", "2"], "await", /pagi-server: The application has not been imported within 4 s/],
    [["--check-config"], "await", /pagi-server: The application has not been imported within 4 s/],
  ];
  for (const [words, how, said] of rows)
    testInTurn(`${how} with ${words.join(" ") || "one process"}`, async () => {
      using folder = folderFor(how);
      await using program = start(folder, words);
      expect(await program.ended()).toBe(1);
      expect(program.stderr).toMatch(said);
      for (const pid of imported(folder, how)) expect(runs(pid)).toBe(false);
    });

  testInTurn("one that blocks the event loop is ended by the kernel", async () => {
    const ends = async (how: string, words: readonly string[]): Promise<void> => {
      using folder = folderFor(how);
      await using program = start(folder, words);
      await program.ended();
      expect(program.signal).toBe("SIGALRM");
    };
    await Promise.all([ends("block", []), ends("block", ["-w", "2"]), ends("spin", [])]);
  });
});

describe("a new start that never ends, or ends without serving: what served goes on, and the next order is heeded", () => {
  const rows = [
    ["SIGHUP", 1, ["await", "block", "hang", "exit", "refuse", "exit-later"]],
    ["SIGHUP", 2, ["await", "block", "hang", "exit"]],
    ["SIGUSR2", 1, ["await", "block", "exit", "refuse"]],
    ["SIGUSR2", 2, ["await", "block"]],
  ] as const;
  for (const [signal, workers, hows] of rows)
    for (const how of hows)
      testInTurn(`${signal}, ${how}, ${workers} worker(s)`, async () => {
        using folder = folderFor();
        const words = ["-w", String(workers), "--no-supervisor-lifespan", "--pid", "pid"];
        await using program = start(folder, words);
        const address = await program.address();
        const log = new Log(program);
        await log.until(/Serving/);
        fs.writeFileSync(folder.file("how"), how);
        program.kill(signal);
        await log.until(
          signal === "SIGUSR2"
            ? /error The new server .*Keeping the current one/
            : workers === 1
              ? /error The new program cannot be loaded\. Keeping the current one\. It .+/
              : /error worker .*The reload is canceled; the running workers stay/,
        );
        expect(await answer(address)).toStartWith("well ");
        await eventually("nothing of it is left", () => !imported(folder, how).some(runs));
        fs.writeFileSync(folder.file("how"), "better");
        program.kill("SIGHUP");
        await log.until(workers === 1 ? /Serving/ : /Reloaded/);
        expect(await answer(address)).toStartWith("better ");
        program.kill("SIGTERM");
        expect(await program.ended()).toBe(0);
      });

  for (const [signal, workers] of [
    ["SIGHUP", 1],
    ["SIGHUP", 2],
    ["SIGUSR2", 1],
    ["SIGUSR2", 2],
  ] as const)
    testInTurn(
      `${signal} again with repaired code, while the start that hangs is waited for: ${workers} worker(s)`,
      async () => {
        using folder = folderFor();
        const words = ["-w", String(workers), "--no-supervisor-lifespan", "--pid", "pid"];
        await using program = start(folder, words);
        const address = await program.address();
        await new Log(program).until(/Serving/);
        fs.writeFileSync(folder.file("how"), "await");
        program.kill(signal);
        await eventually("it is being imported", () => imported(folder, "await").length > 0);
        fs.writeFileSync(folder.file("how"), "better");
        program.kill(signal);
        while (!(await answer(address)).startsWith("better ")) await Bun.sleep(20);
        const next = Number(folder.lines("pid")[0]);
        await eventually("nothing of the old start is left", () => !imported(folder, "await").some(runs));
        process.kill(next, "SIGTERM");
        await program.ended();
        await eventually("it has ended", () => !runs(next));
      },
    );

  for (const signal of ["SIGHUP", "SIGUSR2"] as const)
    testInTurn(`SIGTERM while ${signal} waits for a start ends both`, async () => {
      using folder = folderFor();
      await using program = start(folder, [], "60s");
      await program.address();
      fs.writeFileSync(folder.file("how"), "await");
      program.kill(signal);
      await eventually("it is being imported", () => imported(folder, "await").length === 1);
      program.kill("SIGTERM");
      expect(await program.ended()).toBe(0);
      await eventually("nothing of it is left", () => !imported(folder, "await").some(runs));
    });

  testInTurn("a server that is killed leaves no such process behind", async () => {
    using folder = folderFor();
    await using program = start(folder, [], "60s");
    await program.address();
    fs.writeFileSync(folder.file("how"), "await");
    program.kill("SIGHUP");
    await eventually("it is being imported", () => imported(folder, "await").length === 1);
    program.kill("SIGKILL");
    await eventually("nothing of it is left", () => !imported(folder, "await").some(runs));
  });
});

describe("signals during a start", () => {
  for (const words of [[], ["--pid", "pid"], ["-w", "2"], ["-w", "2", "--no-supervisor-lifespan"]])
    for (const how of ["await", "hang"])
      testInTurn(
        `SIGTERM while it is ${how === "await" ? "imported" : "started"}: ${words.join(" ") || "one process"}`,
        async () => {
          using folder = folderFor(how);
          await using program = start(folder, words, "60s");
          await eventually("it is being imported", () => imported(folder, how).length > 0, 20_000);
          const sentAt = performance.now();
          program.kill("SIGTERM");
          const code = await program.ended();
          expect([0, 1]).toContain(code ?? -1);
          expect(program.stderr).toMatch(/Stopp|has not started/);
          expect(performance.now() - sentAt).toBeLessThan(15_000); // far from the 60 s, and the 30 s for requests
          expect(imported(folder, how).some(runs)).toBe(false);
          expect(fs.existsSync(folder.file("pid"))).toBe(false);
        },
      );

  testInTurn("SIGTERM while workers block their event loop in their import", async () => {
    using folder = folderFor("block");
    await using program = start(folder, ["-w", "2", "--no-supervisor-lifespan"], "60s");
    await eventually("both are being imported", () => imported(folder, "block").length === 2);
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(1);
    expect(imported(folder, "block").some(runs)).toBe(false);
  });

  testInTurn("orders for a server that serves end no start", async () => {
    using folder = folderFor("await");
    await using program = start(folder, [], "60s");
    await eventually("it is being imported", () => imported(folder, "await").length === 1);
    for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTTIN", "SIGTTOU"] as const)
      program.kill(signal);
    expect(await program.exitsWithin(300)).toBe(false);
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
  });

  testInTurn("SIGINT ends -D, and the server that it has started", async () => {
    using folder = folderFor("await");
    await using program = start(folder, ["-D"], "60s");
    await eventually("it is being imported", () => imported(folder, "await").length === 1);
    program.kill("SIGINT");
    expect(await program.ended()).toBe(1);
    await eventually("nothing of it is left", () => !imported(folder, "await").some(runs));
  });

  const canUnshare = process.getuid?.() === 0 && Bun.which("unshare") !== null;
  (canUnshare ? testInTurn : test.skip)(
    "process 1 of a container ends by SIGTERM and SIGINT while it imports",
    async () => {
      const ends = async (signal: NodeJS.Signals): Promise<void> => {
        using folder = folderFor("await");
        const command = ["unshare", "--pid", "--fork", "--mount-proc", process.execPath];
        const main = `${import.meta.dir}/../../cli/main.ts`;
        const words = [main, "app.ts", "-p", "0", "--lifespan-startup-timeout", "60s"];
        await using program = new Program(folder, words, {}, { command });
        await eventually("it is being imported", () => imported(folder, "await").length === 1);
        const [inner = 0] = childrenOf(program.pid);
        expect(inner).toBeGreaterThan(1); // a signal to 0 would be for this process too
        process.kill(inner, signal);
        await eventually("it has ended", () => !runs(inner));
        expect(await program.ended()).toBe(0);
      };
      await Promise.all([ends("SIGTERM"), ends("SIGINT")]);
    },
  );

  (canUnshare ? testInTurn : test.skip)(
    "process 1 of a container ends when its import or startup blocks for too long",
    async () => {
      const ends = async (how: string, more: readonly string[]): Promise<void> => {
        using folder = folderFor(how);
        const command = ["unshare", "--pid", "--fork", "--mount-proc", process.execPath];
        const main = `${import.meta.dir}/../../cli/main.ts`;
        const words = [main, "app.ts", "-p", "0", ...more, "--lifespan-startup-timeout", `${LIMIT}s`];
        await using program = new Program(folder, words, {}, { command });
        expect([how, await program.ended()]).toEqual([how, SIGALRM]);
      };
      await Promise.all([ends("block", []), ends("block", ["-w", "2"]), ends("startup-block", [])]);
    },
  );
});

testInTurn(
  "a program that calls serve(): a SIGUSR2 whose new program never gets there is given up",
  async () => {
    using folder = folderFor();
    const text = `
    import app from "./app.ts";
    import { serve } from ${JSON.stringify(INDEX)};
    const server = await serve(app, { port: 0, env: "production", lifespanStartupTimeout: ${LIMIT} });
    console.log("serving", server.url);
  `;
    fs.writeFileSync(folder.file("program.ts"), text);
    await using program = new Program(folder, ["program.ts"]);
    const address = await program.address();
    fs.writeFileSync(folder.file("how"), "await");
    program.kill("SIGUSR2");
    await program.prints(
      /The new server was not ready 4 s after its start and was killed\. Keeping the current one/,
    );
    expect(await answer(address)).toStartWith("well ");
  },
);
