import { expect, test } from "bun:test";

import { DIARY, Folder, INDEX, Program } from "../support/program.ts";
import { openStream } from "../support/sse.ts";
import { Wire, field } from "../support/wire.ts";

// Programs that call serve() themselves: what signals do to them, and what serve() does to the process.

const IMPORTS = `
import app from "./app.ts";
import { serve } from ${JSON.stringify(INDEX)};
`;
const SERVE = `
const server = await serve(app, { port: 0, env: "production", ...JSON.parse(process.env.OPTIONS ?? "{}") });
console.log(server.url);
`;
const COUNTS = `
const counts = () => ["SIGTERM", "SIGINT", "uncaughtException", "unhandledRejection"]
  .map((event) => process.listenerCount(event)).join();
`;

/** Runs a program in a folder that has the diary application in app.ts. */
function start(program: string, environment?: Readonly<Record<string, string>>) {
  const folder = new Folder({ "app.ts": DIARY, "program.ts": program });
  return { folder, program: new Program(folder, ["program.ts"], environment) };
}

/** Sends a request of which half the body is missing, and waits until the application works on it. */
async function openBusy(folder: Folder, address: { host: string; port: number }): Promise<Wire> {
  const wire = await Wire.open(address);
  await wire.send("POST /wait HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\no");
  while (!folder.lines("marks").includes("busy")) await Bun.sleep(5);
  return wire;
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`serve(): ${signal} drains the server and ends the program with exit code 0`, async () => {
    const started = start(`${IMPORTS}${SERVE} setInterval(() => {}, 1000);`);
    using folder = started.folder;
    await using program = started.program;
    const address = await program.address();
    await using stream = await openStream(address);
    await stream.readTo("data: hello\n\n");
    await using busy = await openBusy(folder, address);
    program.kill(signal);
    expect(await stream.readToEnd()).toContain("data: bye\n\n");
    expect(program.isRunning).toBe(true);
    await busy.send("k");
    const response = await busy.response();
    expect(response.status).toBe(200);
    expect(field(response, "connection")).toBe("close");
    expect(await program.ended()).toBe(0);
    expect(folder.lines("marks").at(-1)).toBe("shutdown");
  });
}

test("serve(): a second SIGINT cuts, a SIGTERM after a SIGINT too", async () => {
  for (const second of ["SIGINT", "SIGTERM"] as const) {
    const started = start(IMPORTS + SERVE);
    using folder = started.folder;
    await using program = started.program;
    await using busy = await openBusy(folder, await program.address());
    program.kill("SIGINT");
    await program.prints(/Stopping/);
    program.kill(second);
    expect(await program.ended()).toBe(1);
    expect(await busy.readToEnd()).toBe("");
    expect(folder.lines("marks")).toEqual(["startup", "busy", "lost server_shutdown", "shutdown"]);
  }
});

test("serve(): shutdownTimeout 0 cuts at once; exit code 1", async () => {
  const started = start(IMPORTS + SERVE, { OPTIONS: '{"shutdownTimeout":0}' });
  using folder = started.folder;
  await using program = started.program;
  await using busy = await openBusy(folder, await program.address());
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(1);
  expect(await busy.readToEnd()).toBe("");
});

test("serve(): nothing that the application throws ends the program", async () => {
  const started = start(IMPORTS + SERVE);
  using _folder = started.folder;
  await using program = started.program;
  const { url } = await program.address();
  expect((await fetch(`${url}throw`)).status).toBe(500);
  await program.prints(/GET \/throw: the application threw: Error: thrown in a request/);
  expect((await fetch(`${url}unawaited`)).status).toBe(200);
  await program.prints(
    / error GET \/unawaited: the application left a rejected promise unhandled: EventError: http\.response\.body: /,
  );
  for (const path of ["reject", "timer", "late"]) expect((await fetch(url + path)).status).toBe(200);
  await program.prints(/rejected behind a request/);
  await program.prints(/thrown in a timer/);
  await program.prints(/rejected in a timer/);
  expect((await fetch(url)).status).toBe(200);
  program.kill("SIGINT");
  expect(await program.ended()).toBe(0);
});

test("serve(): a signal during startup is not lost on the application", async () => {
  const started = start(`
    import { appendFileSync } from "node:fs";
    import { serve } from ${JSON.stringify(INDEX)};
    const mark = (text) => appendFileSync("marks", text + "\\n");
    await serve(async (scope, receive, send) => {
      await receive();
      mark("starting");
      await new Promise((resolve) => setTimeout(resolve, 200));
      await send({ type: "lifespan.startup.complete" });
      mark("started");
      await receive();
      mark("shutdown");
    }, { port: 0 });
    mark("listens");`);
  using folder = started.folder;
  await using program = started.program;
  while (!folder.lines("marks").includes("starting")) await Bun.sleep(5);
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  expect(folder.lines("marks")).toEqual(["starting", "started", "shutdown"]);
});

test("await using stops the server; the program goes on, with its handlers as they were, and ends by itself", async () => {
  const started = start(`${IMPORTS}${COUNTS}
    const before = counts();
    {
      await using server = await serve(app, { port: 0, env: "production" });
      console.log("during", counts());
      console.log(await (await fetch(server.url)).text());
    }
    console.log("same", counts() === before);`);
  using folder = started.folder;
  await using program = started.program;
  expect(await program.ended()).toBe(0);
  expect(program.stdout).toBe(`during 1,1,1,1\nundefined ${program.pid}\nsame true\n`);
  expect(folder.lines("marks")).toEqual(["startup", "shutdown"]);
});

test("server.stop() in the program does not end it", async () => {
  const started = start(`${IMPORTS}${SERVE}
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    console.log("still here", server.connectionCount);`);
  using folder = started.folder;
  await using program = started.program;
  expect(await program.ended()).toBe(0);
  expect(program.stdout).toEndWith("still here 0\n");
  expect(folder.lines("marks")).toEqual(["startup", "shutdown"]);
});

test("signals: false leaves the process alone", async () => {
  const started = start(`${IMPORTS}${COUNTS}
    const before = counts();
    const server = await serve(app, { port: 0, env: "production", signals: false });
    console.log("same", counts() === before);
    process.on("SIGTERM", () => console.log("mine"));
    console.log(server.url);
    await new Promise((resolve) => process.once("SIGTERM", resolve));
    console.log((await fetch(server.url)).status);
    await server.stop();
    process.exit(7);`);
  using folder = started.folder;
  await using program = started.program;
  await program.address();
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(7);
  expect(program.stdout).toMatch(/^same true\nhttp:\S+\nmine\n200\n$/);
  expect(folder.lines("marks")).toEqual(["startup", "shutdown"]);
});

test("a start that fails leaves no handlers behind", async () => {
  const started = start(`${IMPORTS}${COUNTS}
    const before = counts();
    const failing = async (scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.failed", message: "no" });
    };
    const code = await serve(failing, { port: 0 }).then(() => "started", (error) => error.code);
    console.log(code);
    await new Promise((resolve) => setImmediate(resolve));
    console.log("same", counts() === before);`);
  using _folder = started.folder;
  await using program = started.program;
  expect(await program.ended()).toBe(0);
  expect(program.stdout).toBe("ERR_PAGI_LIFESPAN\nsame true\n");
});

test("two servers in one program: a signal drains both before it ends", async () => {
  const started = start(`${IMPORTS}
    const other = await serve(async (scope, receive, send) => {
      if (scope.type !== "http") throw new Error("no");
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "other" });
    }, { port: 0, env: "production" });
    ${SERVE}`);
  using folder = started.folder;
  await using program = started.program;
  await using busy = await openBusy(folder, await program.address());
  program.kill("SIGTERM");
  await program.prints(/Stopping[^]*Stopping/);
  await Bun.sleep(100); // the idle one has stopped long since
  expect(program.isRunning).toBe(true);
  await busy.send("k");
  expect((await busy.response()).status).toBe(200);
  expect(await program.ended()).toBe(0);
  expect(folder.lines("marks").at(-1)).toBe("shutdown");
});
