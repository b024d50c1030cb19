import { expect, test } from "bun:test";
import fs from "node:fs";

import { openListeningSocket } from "../../src/listening/listening-socket.ts";
import { deploymentFile, Front, openToAll, outputOf, programPath } from "../support/front.ts";
import { Installation } from "../support/installation.ts";
import { Load } from "../support/load.ts";
import { Folder, MAIN, Program } from "../support/program.ts";
import { Wire, eventually, get, request } from "../support/wire.ts";
import { childrenOf, Log, runs, version, workersFolder } from "../support/workers.ts";

// The units in docs/deployment, and servers whose sockets a service manager keeps.

/** What a unit file sets. */
function setting(unit: string, name: string): string {
  const [, value] = new RegExp(`^${name}=(.*)$`, "m").exec(deploymentFile(unit)) ?? [];
  if (value === undefined) throw new Error(`${unit} has no ${name}`);
  return value;
}

/** systemd-socket-activate with these sockets, whose first connection starts the program behind it. */
function activator(folder: Folder, sockets: Readonly<Record<string, string>>): string[] {
  const program = programPath("systemd-socket-activate", "systemd");
  const addresses = Object.values(sockets).map((address) => `--listen=${address}`);
  const names = Object.keys(sockets).join(":");
  return [program, ...addresses, `--fdname=${names}`, `--setenv=PWD=${folder.path}`, process.execPath];
}

/** Asks at a Unix socket, and waits until a server has started for it and has answered. */
async function answerAt(socket: string, target = "/"): Promise<string> {
  const response = await fetch(`http://any${target}`, { unix: socket, keepalive: false });
  return await response.text();
}

test("systemd understands every line of the units", () => {
  using folder = new Folder();
  const analyze = programPath("systemd-analyze", "systemd");
  const verify = (service: string): { code: number; text: string } => {
    fs.writeFileSync(folder.file("pagi-server.service"), service);
    fs.writeFileSync(folder.file("pagi-server.socket"), deploymentFile("pagi-server.socket"));
    const units = ["pagi-server.service", "pagi-server.socket"].map((name) => folder.file(name));
    return outputOf([analyze, "verify", "--man=no", ...units]);
  };
  const service = deploymentFile("pagi-server.service", { "/usr/local/bin/bun": process.execPath });
  expect(verify(service)).toEqual({ code: 0, text: "" });
  // It says so when it does not.
  expect(verify(service.replace("KillMode=mixed", "KillMode=mixd")).text).toContain("mixd");
});

test("the service's command serves the socket that the socket unit names", async () => {
  using folder = workersFolder();
  fs.mkdirSync(folder.file("node_modules/.bin"), { recursive: true });
  fs.symlinkSync(MAIN, folder.file("node_modules/.bin/pagi-server"));
  const [runtime, ...words] = setting("pagi-server.service", "ExecStart").split(" ");
  expect(runtime).toBe("/usr/local/bin/bun");
  const socket = folder.file("http.sock");
  const sockets = { [setting("pagi-server.socket", "FileDescriptorName")]: socket };
  await using program = new Program(folder, words, {}, { command: activator(folder, sockets) });
  await program.prints(/Listening on/);
  expect(await answerAt(socket)).toEndWith(" one");
  const [banner] = await program.prints(/Serving app\.ts.*/);
  expect(banner).toContain(`at unix:${socket}`);
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
});

/** A shell that runs its words as a user with few rights, where root runs the tests; anyone else stays who they are. */
function asUser(name: string): string[] {
  if (process.getuid?.() !== 0) return [];
  return [
    programPath("setpriv", "util-linux"),
    `--reuid=${name}`,
    `--regid=${groupOf(name)}`,
    "--clear-groups",
  ];
}

function groupOf(user: string): string {
  return outputOf(["id", "-gn", user]).text.trim();
}

test("the units as they run: the socket is root's and nginx's, the service's user has no rights, and nginx reaches it", async () => {
  using installation = new Installation();
  using folder = workersFolder();
  openToAll(folder);
  fs.writeFileSync(folder.file("marks"), "");
  fs.chmodSync(folder.file("marks"), 0o666);
  fs.mkdirSync(folder.file("node_modules/.bin"), { recursive: true });
  fs.symlinkSync(installation.main, folder.file("node_modules/.bin/pagi-server"));
  // What the manager does by the socket unit.
  const path = folder.file("http.sock");
  const socket = openListeningSocket({ type: "unix", path });
  const isRoot = process.getuid?.() === 0;
  fs.chmodSync(path, parseInt(setting("pagi-server.socket", "SocketMode"), 8));
  if (isRoot) {
    const ids = [setting("pagi-server.socket", "SocketUser"), setting("pagi-server.socket", "SocketGroup")];
    expect(outputOf(["chown", ids.join(":"), path]).code).toBe(0);
  }
  // DynamicUser is a user that owns nothing, as nobody does.
  const [, ...words] = setting("pagi-server.service", "ExecStart").split(" ");
  const shell = `LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=${setting("pagi-server.socket", "FileDescriptorName")} exec "$0" "$@"`;
  try {
    await using program = new Program(
      folder,
      words,
      { PAGI_ENV: "production" },
      { command: [...asUser("nobody"), "sh", "-c", shell, installation.bun], descriptors: [socket.fd] },
    );
    const log = new Log(program);
    await log.until(/Serving app\.ts/);
    await using front = await Front.nginx(folder, path);
    const identity = await request(front, get("/identity"));
    expect(identity.status).toBe(200);
    expect(identity.body).toEndWith("back: none");
    if (isRoot) expect(identity.body).not.toMatch(/^Uid:\s+0/m);
    program.kill("SIGHUP");
    await log.until(/Reloaded|Serving app\.ts[^]*Serving app\.ts/);
    expect((await request(front, get("/"))).body).toEndWith(" one");
    program.kill("SIGTERM");
    expect(await program.ended()).toBe(0);
  } finally {
    socket.close();
  }
}, 20_000);

test("the container's command serves at its address as a user without rights", async () => {
  using installation = new Installation();
  using folder = workersFolder();
  openToAll(folder);
  fs.writeFileSync(folder.file("marks"), "");
  fs.chmodSync(folder.file("marks"), 0o666);
  fs.mkdirSync(folder.file("node_modules/.bin"), { recursive: true });
  fs.symlinkSync(installation.main, folder.file("node_modules/.bin/pagi-server"));
  const text = deploymentFile("Containerfile");
  const list = (instruction: string): string[] =>
    JSON.parse(new RegExp(`^${instruction} (\\[.*\\])$`, "m").exec(text)?.[1] ?? "[]") as string[];
  const [runtime, ...words] = [...list("ENTRYPOINT"), ...list("CMD")];
  expect(runtime).toBe("bun");
  const variables = [...(/^ENV (.*)$/m.exec(text)?.[1]?.matchAll(/(\w+)=(\S+)/g) ?? [])].map(
    ([, name, value]) => [name, value],
  );
  const environment = { ...Object.fromEntries(variables), PAGI_PORT: "0", PAGI_WORKERS: "2" } as Record<
    string,
    string
  >;
  expect(environment["PAGI_HOST"]).toBe("0.0.0.0");
  await using program = new Program(folder, words, environment, {
    command: [...asUser("nobody"), installation.bun],
  });
  const { port } = await program.address();
  expect((await request({ host: "127.0.0.1", port }, get("/identity"))).body).toEndWith("back: none");
  program.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
}, 20_000);

test("the service reloads by the signal that the unit sends, and has longer to stop than its requests have", () => {
  expect(setting("pagi-server.service", "ExecReload")).toBe("/bin/kill -HUP $MAINPID");
  expect(Number(setting("pagi-server.service", "TimeoutStopSec"))).toBeGreaterThanOrEqual(2 * 30 + 5);
  expect(Number(setting("pagi-server.socket", "Backlog"))).toBe(2048);
});

for (const workers of [1, 2]) {
  test(`sockets passed by systemd-socket-activate, by name: reload and hot restart lose nothing (${workers} worker(s))`, async () => {
    using folder = workersFolder();
    const sockets = { web: folder.file("web.sock"), admin: folder.file("admin.sock") };
    const words = [MAIN, "app.ts", "-E", "production", "-w", String(workers), "--pid", "pid"];
    words.push("--listen", "fd:admin", "--listen", "fd:web");
    await using program = new Program(folder, words, {}, { command: activator(folder, sockets) });
    const log = new Log(program);
    await log.until(/Listening on[^]*Listening on/);
    expect(await answerAt(sockets.admin)).toEndWith(" one");
    await log.until(/Serving app\.ts/);
    const load = new Load({ path: sockets.web }, 4);
    try {
      await eventually("there is load", () => load.answered > 200);
      fs.writeFileSync(folder.file("version.ts"), version("two"));
      program.kill("SIGHUP");
      await log.until(workers === 1 ? /Serving app\.ts/ : /Reloaded: every worker is a new one/);
      expect(await answerAt(sockets.admin)).toEndWith(" two");
      program.kill("SIGUSR2");
      await eventually("the first server has ended", () => !program.isRunning);
      const seen = load.answered;
      await eventually("the second one serves", () => load.answered > seen + 200);
      await load.stop();
      expect(load.lost).toEqual([]);
      expect(await answerAt(sockets.admin)).toEndWith(" two");
    } finally {
      await load.stop();
      const successor = Number(fs.readFileSync(folder.file("pid"), "utf8"));
      process.kill(successor, "SIGTERM");
      await eventually("the successor has ended", () => !runs(successor));
    }
    // The files are the service manager's.
    expect(Object.values(sockets).every((path) => fs.existsSync(path))).toBe(true);
  }, 20_000);

  test(`a restart: connections that wait in the manager's socket are served by the next server (${workers} worker(s))`, async () => {
    using folder = workersFolder();
    // The manager is this process: it has the socket, and a server only while one runs.
    const socket = openListeningSocket({ type: "tcp", host: "127.0.0.1", port: 0 });
    if (socket.address.type !== "tcp") throw new Error("never");
    const { address } = socket;
    const shell = `LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=http exec "$0" "$@"`;
    const startServer = (): Program =>
      new Program(
        folder,
        [MAIN, "app.ts", "-E", "production", "-w", String(workers), "--listen", "fd:http"],
        {},
        { command: ["sh", "-c", shell, process.execPath], descriptors: [socket.fd] },
      );
    try {
      const ask = async (): Promise<Wire> => {
        const wire = await Wire.open(address);
        await wire.send(get("/", "Connection: close"));
        return wire;
      };
      const served: number[] = [];
      for (let turn = 0; turn < 3; turn++) {
        // Nobody accepts, and yet none of them is refused.
        const waiting = await Promise.all(Array.from({ length: 50 }, ask));
        await using server = startServer();
        for (const wire of waiting) {
          const [pid, parent] = (await wire.response()).body.split(" ").map(Number);
          served.push((workers === 1 ? pid : parent) ?? 0);
          await wire[Symbol.asyncDispose]();
        }
        expect(new Set(served.splice(0))).toEqual(new Set([server.pid]));
        if (workers > 1) expect(childrenOf(server.pid)).toHaveLength(workers);
        server.kill("SIGTERM");
        expect(await server.ended()).toBe(0);
      }
    } finally {
      socket.close();
    }
  }, 20_000);
}
