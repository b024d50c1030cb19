import { describe, expect, test } from "bun:test";
import fs from "node:fs";

import { Folder, INDEX, Program } from "../support/program.ts";
import { eventually, get, request } from "../support/wire.ts";
import { Log, runs } from "../support/workers.ts";

// Programs that call serve() themselves: SIGHUP tries the program out before it replaces it.

/** The file `how` says how the next start goes wrong, or which version it is. Each start leaves a mark. */
const PROGRAM = `
import fs from "node:fs";
import { serve } from ${JSON.stringify(INDEX)};
const how = fs.readFileSync("how", "utf8");
const mark = (text) => fs.appendFileSync("marks", text + " " + how + " " + process.pid + "\\n");
mark("program");
if (how === "exit") process.exit(0);
if (how === "throw") throw new Error("a fault in the program");
if (how === "never") setInterval(() => {}, 1000);
const app = async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    await receive();
    if (how === "refuse") return send({ type: "lifespan.startup.failed", message: "no database" });
    if (how === "hang") await new Promise((resolve) => setInterval(() => {}, 1000));
    mark("startup");
    await send({ type: "lifespan.startup.complete" });
    await receive();
    mark("shutdown");
    return send({ type: "lifespan.shutdown.complete" });
  }
  const body = how + " " + process.pid;
  await send({ type: "http.response.start", status: 200, headers: [["content-length", String(body.length)]] });
  await send({ type: "http.response.body", body });
};
const options = { port: 0, env: "production", lifespanStartupTimeout: 3, ...JSON.parse(process.env.OPTIONS ?? "{}") };
if (how === "caught") await serve(app, { ...options, sslCert: ["missing.pem"] }).catch(() => {});
else if (how !== "never") {
  const server = await serve(app, options);
  console.log("serving", process.pid, server.url);
}
`;

function start(options: object = {}, program = PROGRAM): { folder: Folder; program: Program } {
  const folder = new Folder({ "program.ts": program, how: "well" });
  return { folder, program: new Program(folder, ["program.ts"], { OPTIONS: JSON.stringify(options) }) };
}

async function answer(address: { host: string; port: number }): Promise<string> {
  return (await request(address, get("/", "Connection: close"))).body;
}

/** Processes that have run the program in this way. */
function started(folder: Folder, how: string): number[] {
  return folder
    .lines("marks")
    .filter((line) => line.startsWith(`program ${how} `))
    .map((line) => Number(line.split(" ")[2]));
}

describe("SIGHUP to a program whose new code would not serve: the running server stays, and says why", () => {
  const rows: [how: string, why: RegExp][] = [
    ["exit", /It exited with code 0, without reporting that it can serve/],
    ["throw", /It exited with code 1, without reporting that it can serve/],
    ["never", /It was not ready 3 s after its start and was killed/],
    ["refuse", /It said: .*no database/],
    ["hang", /It said: The application has not started within 3 s/],
    ["caught", /It said: .*missing\.pem/],
  ];
  for (const [how, why] of rows)
    test.concurrent(how, async () => {
      const { folder, program } = start();
      using _folder = folder;
      await using _program = program;
      const address = await program.address();
      fs.writeFileSync(folder.file("how"), how);
      program.kill("SIGHUP");
      await program.prints(/The new program cannot be loaded\. Keeping the current one\. .+/);
      expect(program.stderr).toMatch(why);
      expect(await answer(address)).toBe(`well ${program.pid}`);
      await eventually("nothing of it is left", () => !started(folder, how).some(runs));
      fs.writeFileSync(folder.file("how"), "better");
      program.kill("SIGHUP");
      await program.prints(new RegExp(`(?:serving ${program.pid}[^]*){2}`));
      expect(await answer(address)).toBe(`better ${program.pid}`);
      program.kill("SIGTERM");
      expect(await program.ended()).toBe(0);
    });
});

test("SIGHUP to a program that would serve: startup and shutdown in another process, then in its own", async () => {
  const { folder, program } = start({ pid: "pid" });
  using _folder = folder;
  await using _program = program;
  const address = await program.address();
  fs.writeFileSync(folder.file("how"), "new");
  program.kill("SIGHUP");
  await program.prints(new RegExp(`(?:serving ${program.pid}[^]*){2}`));
  expect(await answer(address)).toBe(`new ${program.pid}`);
  expect(fs.readFileSync(folder.file("pid"), "utf8")).toBe(`${program.pid}\n`);
  const [, trial = 0] = /^program new (\d+)$/m.exec(fs.readFileSync(folder.file("marks"), "utf8")) ?? [];
  expect(Number(trial)).not.toBe(program.pid);
  expect(folder.lines("marks")).toEqual([
    `program well ${program.pid}`,
    `startup well ${program.pid}`,
    `program new ${trial}`,
    `startup new ${trial}`,
    `shutdown new ${trial}`,
    `shutdown well ${program.pid}`,
    `program new ${program.pid}`,
    `startup new ${program.pid}`,
  ]);
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
});

describe("a program that cannot run twice at the same time", () => {
  /** It also listens at a port of its own, before it calls serve(). */
  const alone = `
import fs from "node:fs";
const other = Bun.serve({ port: fs.existsSync("port") ? Number(fs.readFileSync("port", "utf8")) : 0, fetch: () => new Response() });
fs.writeFileSync("port", String(other.port));
${PROGRAM.replace('import fs from "node:fs";', "")}`;

  test("is not replaced, since its trial start fails", async () => {
    const { folder, program } = start({}, alone);
    using _folder = folder;
    await using _program = program;
    const address = await program.address();
    program.kill("SIGHUP");
    await program.prints(/The new program cannot be loaded\. Keeping the current one/);
    expect(await answer(address)).toBe(`well ${program.pid}`);
  });

  test("is replaced without a trial start where it asks for that", async () => {
    const { folder, program } = start({ trialStart: false }, alone);
    using _folder = folder;
    await using _program = program;
    const address = await program.address();
    fs.writeFileSync(folder.file("how"), "new");
    program.kill("SIGHUP");
    await program.prints(new RegExp(`(?:serving ${program.pid}[^]*){2}`));
    expect(await answer(address)).toBe(`new ${program.pid}`);
    expect(started(folder, "new")).toEqual([program.pid]);
  });
});

test("SIGTERM during a trial start ends both", async () => {
  const { folder, program } = start({ lifespanStartupTimeout: 20 });
  using _folder = folder;
  await using _program = program;
  await program.address();
  const log = new Log(program);
  fs.writeFileSync(folder.file("how"), "hang");
  program.kill("SIGHUP");
  await log.until(/Reloading/);
  await eventually("the trial start runs", () => started(folder, "hang").some(runs));
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  await eventually("the trial start has ended", () => !started(folder, "hang").some(runs));
});
