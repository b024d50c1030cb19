import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";

import { takeActivatedSockets } from "../../src/system/socket-activation.ts";
import { curl } from "../support/curl.ts";
import { Folder, MAIN, Program } from "../support/program.ts";

const ACTIVATE = path.join(import.meta.dir, "../support/activate.ts");

/** Answers with the server's address, and with the variables of the activation that it can see. */
const APP = `
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    await receive();
    await send({ type: "lifespan.startup.complete" });
    await receive();
    await send({ type: "lifespan.shutdown.complete" });
    return;
  }
  const seen = Object.keys(process.env).filter((name) => name.startsWith("LISTEN_"));
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: JSON.stringify([scope.server, ...seen]) });
};
`;

/** A server to which sockets are passed, and what it was passed. */
async function activated(folder: Folder, sockets: string[], words: string[], environment = {}) {
  const command = [ACTIVATE, ...sockets, "--", MAIN, "app.ts", ...words];
  const program = new Program(folder, command, environment);
  await program.prints(/Serving .*|pagi-server: .*/);
  const ports = [...program.stdout.matchAll(/^passes \S+:(\d+)$/gm)].map(([, port]) => Number(port));
  return { program, ports };
}

describe("takeActivatedSockets", () => {
  test("reads the variables and removes them", () => {
    const environment = { LISTEN_PID: "7", LISTEN_FDS: "2", LISTEN_FDNAMES: "web:api", OTHER: "x" };
    expect(takeActivatedSockets(environment, 7)).toEqual([
      { fd: 3, name: "web" },
      { fd: 4, name: "api" },
    ]);
    expect(environment as object).toEqual({ OTHER: "x" });
    expect(takeActivatedSockets(environment, 7)).toEqual([]);
  });

  test("leaves what is meant for another process", () => {
    const environment = { LISTEN_PID: "8", LISTEN_FDS: "1" };
    expect(takeActivatedSockets(environment, 7)).toEqual([]);
    expect(environment).toEqual({ LISTEN_PID: "8", LISTEN_FDS: "1" });
  });

  test("names are optional, nonsense is nothing", () => {
    expect(takeActivatedSockets({ LISTEN_PID: "7", LISTEN_FDS: "1" }, 7)).toEqual([{ fd: 3, name: "" }]);
    for (const count of ["", "0", "-1", "x", "1.5", "999999999"])
      expect(takeActivatedSockets({ LISTEN_PID: "7", LISTEN_FDS: count }, 7)).toEqual([]);
  });
});

describe("passed sockets", () => {
  test("all of them are served where no address is given, and the application sees no trace of them", async () => {
    using folder = new Folder({ "app.ts": APP });
    const { program, ports } = await activated(folder, ["a=127.0.0.1:0", "b=./s"], []);
    await using _program = program;
    expect(await (await fetch(`http://127.0.0.1:${ports[0]}/`)).json()).toEqual([["127.0.0.1", ports[0]]]);
    const { out } = await curl("--unix-socket", folder.file("s"), "http://any/");
    expect(JSON.parse(out)).toEqual([[folder.file("s"), null]]);
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
    expect(fs.existsSync(folder.file("s"))).toBe(true);
  });

  test("with --listen, each is found by its address, its name or its number; others are reported", async () => {
    using folder = new Folder({ "app.ts": APP });
    const { program, ports } = await activated(
      folder,
      ["web=127.0.0.1:0", "api=127.0.0.1:0", "unix=./s", "left=127.0.0.1:0"],
      ["--listen", "fd:web", "--listen", "fd:4", "--listen", "./s"],
    );
    await using _program = program;
    expect(program.stderr).toContain(
      `at http://127.0.0.1:${ports[0]}/ and http://127.0.0.1:${ports[1]}/ and unix:`,
    );
    expect(program.stderr).toContain("The socket that was passed as fd:6 (left) is not served");
    expect((await curl("--unix-socket", folder.file("s"), "http://any/")).code).toBe(0);
    expect((await fetch(`http://127.0.0.1:${ports[1]}/`)).status).toBe(200);
  });

  test("a name that nothing was passed under", async () => {
    using folder = new Folder({ "app.ts": APP });
    const { program } = await activated(folder, ["web=127.0.0.1:0"], ["--listen", "fd:api"]);
    await using _program = program;
    expect(await program.ended()).toBe(2);
    expect(program.stderr).toBe(
      "pagi-server: listen: asks for a passed socket with the name api, but they are web.\n",
    );
  });

  test("variables for another process are ignored", async () => {
    using folder = new Folder({ "app.ts": APP });
    const { program, ports } = await activated(folder, ["web=127.0.0.1:0"], ["-p", "0"], {
      ACTIVATE_PID: "1",
    });
    await using _program = program;
    const { port } = await program.address();
    expect(port).not.toBe(ports[0] ?? 0);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  });

  test("systemd-socket-activate: the first connection starts the server, and is served", async () => {
    const activator = Bun.which("systemd-socket-activate");
    if (activator === null)
      throw new Error("This test needs systemd-socket-activate: install the package systemd.");
    using folder = new Folder({ "app.ts": APP });
    const child = Bun.spawn(
      [activator, "-l", folder.file("s"), "--fdname=web", process.execPath, MAIN, "app.ts"],
      { cwd: folder.path, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    );
    try {
      const reader = child.stderr.getReader();
      await reader.read(); // "Listening on ... as 3."
      const { out } = await curl("--unix-socket", folder.file("s"), "http://any/");
      expect(JSON.parse(out)).toEqual([[folder.file("s"), null]]);
      reader.releaseLock();
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
