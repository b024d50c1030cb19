import { expect, test } from "bun:test";

import { DIARY, Folder, Program } from "../support/program.ts";
import { openStream } from "../support/sse.ts";
import { Wire, field, request } from "../support/wire.ts";

// The running command line: what it serves, how it ends, and what must not end it.

const GET = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
const POST_WAIT = "POST /wait HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\n\r\n";

/** Waits until a file of the folder has this line. */
async function marked(folder: Folder, mark: string): Promise<void> {
  while (!folder.lines("marks").includes(mark)) await Bun.sleep(5);
}

/** Sends a request of which half the body is missing, and waits until the application works on it. */
async function openBusy(folder: Folder, address: { host: string; port: number }): Promise<Wire> {
  const wire = await Wire.open(address);
  await wire.send(`${POST_WAIT}o`);
  await marked(folder, "busy");
  return wire;
}

// ── start ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test("it says where it serves what, and the application finds its mode in PAGI_ENV", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  for (const mode of ["development", "production", "none"]) {
    await using program = Program.serve(folder, ["app.ts", "-p", "0", "-E", mode]);
    const { port, url } = await program.address();
    expect(program.stderr).toStartWith(`Serving app.ts at http://127.0.0.1:${port}/`);
    expect(program.stdout).toBe("");
    expect(await (await fetch(url)).text()).toBe(`${mode} ${program.pid}`);
  }
});

test("--quiet says nothing", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  const port = freePort();
  await using program = Program.serve(folder, ["app.ts", "-p", String(port), "-q"]);
  while (!(await canConnect(port))) await Bun.sleep(5);
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  expect(program.stderr + program.stdout).toBe("");
});

test("startup.failed: its message, exit code 1, and nothing has listened", async () => {
  const port = freePort();
  using folder = new Folder({
    "app.ts": `
      export default async (scope, receive, send) => {
        await receive();
        const reached = await fetch("http://127.0.0.1:${port}/").then(() => "listens", () => "silence");
        await send({ type: "lifespan.startup.failed", message: "no database, " + reached });
      };`,
  });
  await using program = Program.serve(folder, ["app.ts", "-p", String(port)]);
  expect(await program.ended()).toBe(1);
  expect(program.stderr).toBe("pagi-server: The application refuses to start: no database, silence\n");
  expect(program.stdout).toBe("");
});

test("a port in use: one line that says what to do, exit code 1, and the application is shut down", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  try {
    await using program = Program.serve(folder, ["app.ts", "-p", String(other.port)]);
    expect(await program.ended()).toBe(1);
    expect(program.stderr).toBe(
      `pagi-server: Port ${other.port} on 127.0.0.1 is in use. Choose another with --port, or stop what listens there.\n`,
    );
    expect(folder.lines("marks")).toEqual(["startup", "shutdown"]);
  } finally {
    other.stop(true);
  }
});

// ── drain ───────────────────────────────────────────────────────────────────────────────────────────────────────────

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} drains: what runs is finished, what is idle closed, streams told; exit code 0`, async () => {
    using folder = new Folder({ "app.ts": DIARY });
    await using program = Program.serve(folder, ["app.ts", "-p", "0"]);
    const address = await program.address();
    await using idle = await Wire.open(address);
    await idle.send(GET);
    expect((await idle.response()).status).toBe(200);
    await using silent = await Wire.open(address);
    await using stream = await openStream(address);
    await stream.readTo("data: hello\n\n");
    await using busy = await openBusy(folder, address);

    program.kill(signal);
    expect(await idle.readToEnd()).toBe("");
    expect(await silent.readToEnd()).toBe("");
    const farewell = await stream.readToEnd();
    expect(farewell).toContain("data: bye\n\n");
    expect(farewell).toEndWith("0\r\n\r\n");
    expect(await canConnect(address.port)).toBe(false);
    expect(program.isRunning).toBe(true);
    expect(folder.lines("marks")).not.toContain("shutdown");

    await busy.send("k");
    const response = await busy.response();
    expect(response.status).toBe(200);
    expect(field(response, "connection")).toBe("close");
    expect(await busy.readToEnd()).toBe("");
    expect(await program.ended()).toBe(0);
    expect(folder.lines("marks")).toEqual([
      "startup",
      "busy",
      "told server_shutdown",
      "stream returned",
      "shutdown",
    ]);
    expect(program.stderr).toContain(
      "Stopping: finishing running requests. Press Ctrl-C again to stop at once.",
    );
  });
}

test("a request that begins to arrive before the signal is served, and its response says close", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  await using program = Program.serve(folder, ["app.ts", "-p", "0"]);
  const address = await program.address();
  await using wire = await Wire.open(address);
  await wire.send(GET);
  await wire.response();
  await wire.send(GET.slice(0, 10));
  await request(address, GET); // a round trip, after which the server has seen those bytes
  program.kill("SIGTERM");
  await program.prints(/Stopping/);
  await wire.send(GET.slice(10));
  const response = await wire.response();
  expect(response.status).toBe(200);
  expect(field(response, "connection")).toBe("close");
  expect(await program.ended()).toBe(0);
});

test("the second Ctrl-C cuts at once, and the application's shutdown still runs; exit code 1", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  await using program = Program.serve(folder, ["app.ts", "-p", "0"]);
  await using busy = await openBusy(folder, await program.address());
  program.kill("SIGINT");
  await program.prints(/Stopping/);
  program.kill("SIGINT");
  expect(await program.ended()).toBe(1);
  await busy.readToEnd();
  expect(folder.lines("marks")).toEqual(["startup", "busy", "lost server_shutdown", "shutdown"]);
  expect(program.stderr).toContain("1 connection was cut at shutdown");
});

test("after the shutdown timeout what is left is cut, and it ends all the same; exit code 1", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  await using program = Program.serve(folder, ["app.ts", "-p", "0", "--shutdown-timeout", "300ms"]);
  await using busy = await openBusy(folder, await program.address());
  const from = performance.now();
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(1);
  expect(performance.now() - from).toBeGreaterThan(280);
  await busy.readToEnd();
  expect(folder.lines("marks")).toEqual(["startup", "busy", "lost server_shutdown", "shutdown"]);
  expect(program.stderr).toContain("1 connection was cut at shutdown");
});

test("an application that hangs in its shutdown: the shutdown timeout ends that too; exit code 1", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  const words = ["app.ts", "-p", "0", "--shutdown-timeout", "300ms"];
  await using program = Program.serve(folder, words, { HANG: "shutdown" });
  await program.address();
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(1);
  expect(program.stderr).toContain("The application has not shut down within 0.3 s");
});

test("an application that hangs in its shutdown: another Ctrl-C ends it at once", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  await using program = Program.serve(folder, ["app.ts", "-p", "0"], { HANG: "shutdown" });
  await program.address();
  program.kill("SIGINT");
  await marked(folder, "shutdown");
  program.kill("SIGINT");
  expect(await program.ended()).toBe(1);
});

for (const how of ["throws", "says so"] as const) {
  test(`an application that fails in its shutdown (${how}): exit code 1`, async () => {
    const failure = {
      throws: 'throw new Error("no disk")',
      "says so": 'await send({ type: "lifespan.shutdown.failed", message: "no disk" })',
    }[how];
    using folder = new Folder({
      "app.ts": `
        export default async (scope, receive, send) => {
          await receive();
          await send({ type: "lifespan.startup.complete" });
          await receive();
          ${failure};
        };`,
    });
    await using program = Program.serve(folder, ["app.ts", "-p", "0"]);
    await program.address();
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(1);
    expect(program.stderr).toContain("no disk");
  });
}

test("an application whose top-level await never ends: a message, exit code 1", async () => {
  using folder = new Folder({ "app.ts": "await new Promise(() => {}); export default () => {};" });
  await using program = Program.serve(folder, ["app.ts", "-p", "0"]);
  expect(await program.ended()).toBe(1);
  expect(program.stderr).toContain("top-level await");
});

test("Ctrl-C during a startup that hangs: the first waits for it, the second ends it", async () => {
  using folder = new Folder({
    "app.ts": `
      import { writeFileSync } from "node:fs";
      export default async (scope, receive) => {
        await receive();
        writeFileSync("marks", "starting\\n");
        await new Promise(() => {});
      };`,
  });
  await using program = Program.serve(folder, ["app.ts", "-p", "0"]);
  await marked(folder, "starting");
  program.kill("SIGINT");
  await program.prints(/Stopping/);
  expect(program.isRunning).toBe(true);
  program.kill("SIGINT");
  expect(await program.ended()).toBe(1);
  expect(program.stderr).not.toContain("http://");
});

// ── errors of the application ───────────────────────────────────────────────────────────────────────────────────────

test("nothing that an application throws ends the process; all of it is logged", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  await using program = Program.serve(folder, ["app.ts", "-p", "0", "-E", "production"]);
  const { url, host, port } = await program.address();
  expect((await fetch(`${url}throw?a=b`)).status).toBe(500);
  await program.prints(/ error GET \/throw: the application threw: Error: thrown in a request\n {4}at /);
  expect((await fetch(`${url}unawaited`)).status).toBe(200);
  await program.prints(
    / error GET \/unawaited: the application left a rejected promise unhandled: EventError: http\.response\.body: /,
  );
  for (const [path, pattern] of [
    ["reject", / error .*: Error: rejected behind a request\n {4}at /],
    ["timer", / error .*: Error: thrown in a timer\n {4}at /],
    ["late", / error .*: Error: rejected in a timer\n {4}at /],
  ] as const) {
    expect((await fetch(`${url}${path}`)).status).toBe(200);
    await program.prints(pattern);
  }
  await using cut = await Wire.open({ host, port });
  await cut.send("POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  expect(await cut.readToEnd()).toEndWith("part\r\n");
  await program.prints(/ error POST \/cut: the application threw: Error: thrown in a response\n {4}at /);
  expect(await (await fetch(url)).text()).toBe(`production ${program.pid}`);
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  expect(folder.lines("marks")).toEqual(["startup", "shutdown"]);
});

// ── access log ──────────────────────────────────────────────────────────────────────────────────────────────────────

test("the access log has every line when the process is gone, and that of what was cut", async () => {
  using folder = new Folder({ "app.ts": DIARY });
  const log = ["--access-log", "access.log", "--access-log-format", "%m %U %s"];
  await using program = Program.serve(folder, ["app.ts", "-p", "0", ...log]);
  const address = await program.address();
  await using stream = await openStream(address);
  await stream.readTo("data: hello\n\n");
  await using busy = await openBusy(folder, address);
  const count = 1000;
  await using wire = await Wire.open(address);
  await wire.send(GET.repeat(count));
  for (let i = 0; i < count; i++) await wire.response();
  program.kill("SIGINT");
  await program.prints(/Stopping/);
  await stream.readToEnd();
  program.kill("SIGINT");
  expect(await program.ended()).toBe(1);
  await busy.readToEnd();
  const lines = folder.lines("access.log");
  expect(lines.filter((line) => line === "GET / 200")).toHaveLength(count + 1);
  expect(lines.filter((line) => line.startsWith("POST /wait "))).toHaveLength(1);
  expect(lines).toHaveLength(count + 2);
});

// ── helpers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A port that was free a moment ago. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

async function canConnect(port: number): Promise<boolean> {
  try {
    await using _wire = await Wire.open({ host: "127.0.0.1", port });
    return true;
  } catch {
    return false;
  }
}
