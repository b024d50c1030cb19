import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";

import { Certificates } from "../support/certificates.ts";
import { curl } from "../support/curl.ts";
import { ServerProcess } from "../support/example.ts";
import { Folder, INDEX, MAIN } from "../support/program.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { childrenOf, runs } from "../support/workers.ts";
import { eventually } from "../support/wire.ts";

const ROOT = path.resolve(import.meta.dir, "../..");
const BIG = new Uint8Array(700_000).map((_, at) => (at * 7 + (at >> 9)) % 256);

/** What it serves uses each part of the server that is loaded only when it is needed. */
const app = (version: string): string => `
import { join } from "node:path";
import { directory } from ${JSON.stringify(path.join(ROOT, "src/apps/directory.ts"))};
import { fromFetch } from ${JSON.stringify(path.join(ROOT, "adapters/fetch.ts"))};

const asset = (name) => join(import.meta.dir, "public", name);
const files = directory({ root: join(import.meta.dir, "public") });
const handler = fromFetch((request) => {
  if (request.url.endsWith("/file")) return new Response(Bun.file(asset("big.bin")));
  return new Response(request.body, { headers: { "x-method": request.method } });
});
const text = async (send, body) => {
  await send({ type: "http.response.start", status: 200, headers: [["content-length", String(body.length)]] });
  await send({ type: "http.response.body", body });
};
const app = async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    await receive();
    await send({ type: "lifespan.startup.complete" });
    await receive();
    return send({ type: "lifespan.shutdown.complete" });
  }
  if (scope.type === "websocket") {
    await receive();
    await send({ type: "websocket.accept" });
    for (let event = await receive(); event.type === "websocket.receive"; event = await receive())
      await send({ type: "websocket.send", text: "echo " + event.text });
    return;
  }
  switch (scope.path) {
    case "/who":
      return text(send, [${JSON.stringify(version)}, process.pid, process.env.PAGI_ENV].join(" "));
    case "/part":
      await send({ type: "http.response.start", status: 200, headers: [] });
      return send({ type: "http.response.body", file: asset("big.bin"), offset: 1000, length: 2000 });
    case "/handle":
      await send({ type: "http.response.start", status: 200, headers: [] });
      return send({ type: "http.response.body", fh: Bun.file(asset("big.bin")), offset: 600_000 });
    case "/disk":
      await send({ type: "http.response.start", status: 200, headers: [] });
      return send({ type: "http.response.body", file: "on-disk.txt" });
    case "/lazy":
      return text(send, (await import("./lazy.ts")).text);
  }
  if (scope.path.startsWith("/fetch/")) return handler(scope, receive, send);
  return files(scope, receive, send);
};
export default app;
export const make = async () => app;
`;

const SERVE = `
import { serve } from ${JSON.stringify(INDEX)};
import app from "./app.ts";
const server = await serve(app, { port: 0, quiet: true });
console.log(server.url);
`;

let sources: Folder;
let empty: Folder;
let binary: string;

beforeAll(async () => {
  sources = new Folder({
    "app.ts": app("one"),
    "lazy.ts": `export const text = "lazy";\n`,
    "server.ts": SERVE,
  });
  fs.mkdirSync(sources.file("public"));
  fs.writeFileSync(sources.file("public/index.html"), "<h1>embedded</h1>\n");
  fs.writeFileSync(sources.file("public/big.bin"), BIG);
  fs.mkdirSync(sources.file("public/deep"));
  fs.writeFileSync(sources.file("public/deep/leaf.txt"), "leaf");
  empty = new Folder({ "on-disk.txt": "on disk\n" });
  binary = await built("app", "app.ts", "--asset", "public");
}, 60_000);

afterAll(() => {
  sources[Symbol.dispose]();
  empty[Symbol.dispose]();
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(command: string[], cwd: string): Promise<Ended> {
  const child = Bun.spawn(command, {
    cwd,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

function pagiBuild(...words: string[]): Promise<Ended> {
  return run([process.execPath, MAIN, "build", ...words], sources.path);
}

/** Builds a binary into the folder in which nothing else is. */
async function built(name: string, ...words: string[]): Promise<string> {
  const file = empty.file(name);
  const { code, err } = await pagiBuild(...words, "-o", file);
  if (code !== 0) throw new Error(err);
  return file;
}

function start(file: string, ...words: string[]): Promise<ServerProcess> {
  return ServerProcess.run([file, ...words], {}, empty.path);
}

async function who(url: string): Promise<{ version: string; pid: number }> {
  const response = await fetch(`${url}/who`, { headers: { connection: "close" } });
  const [version = "", pid] = (await response.text()).split(" ");
  return { version, pid: Number(pid) };
}

describe("a binary of pagi-server build", () => {
  test("serves files that were built in: a directory, parts of files, files of a fetch handler", async () => {
    await using server = await start(binary, "-p", "0");
    const page = await fetch(`${server.url}/`);
    expect(page.headers.get("content-type")).toBe("text/html;charset=utf-8");
    expect(page.headers.get("last-modified")).toBeNull(); // 1970, for all files of all versions
    expect(await page.text()).toBe("<h1>embedded</h1>\n");
    const whole = await fetch(`${server.url}/big.bin`);
    expect(whole.headers.get("content-length")).toBe(String(BIG.length));
    expect(Buffer.from(await whole.arrayBuffer()).equals(BIG)).toBe(true);
    const part = await (await fetch(`${server.url}/part`)).bytes();
    expect(Buffer.from(part).equals(BIG.subarray(1000, 3000))).toBe(true);
    const handle = await (await fetch(`${server.url}/handle`)).bytes();
    expect(Buffer.from(handle).equals(BIG.subarray(600_000))).toBe(true);
    const fetched = await (await fetch(`${server.url}/fetch/file`)).bytes();
    expect(Buffer.from(fetched).equals(BIG)).toBe(true);
    const list = await (await fetch(`${server.url}/deep/`)).text();
    expect(list).toContain('<a href="./leaf.txt">leaf.txt</a></td><td>4 B</td>');
    expect((await fetch(`${server.url}/nothing`)).status).toBe(404);
    expect((await fetch(`${server.url}/%2e%2e/app`)).status).toBe(404);
  }, 20_000);

  test("serves what is loaded only when needed: files on disk, fetch handlers, WebSockets, modules", async () => {
    await using server = await start(binary, "-p", "0", "--access-log", "access.log", "--validate-events");
    expect(await (await fetch(`${server.url}/disk`)).text()).toBe("on disk\n");
    expect(await (await fetch(`${server.url}/lazy`)).text()).toBe("lazy");
    const echo = await fetch(`${server.url}/fetch/echo`, { method: "POST", body: "through" });
    expect([echo.headers.get("x-method"), await echo.text()]).toEqual(["POST", "through"]);
    const client = await WebSocketClient.open(`${server.url.replace("http", "ws")}/`);
    client.send("hello");
    expect(await client.next()).toBe("echo hello");
    await client.close();
    expect(await server.stop()).toBe(0);
    expect(fs.readFileSync(empty.file("access.log"), "utf8")).toContain(`"GET /disk" 200 `);
  }, 20_000);

  test("serves with TLS", async () => {
    using certificates = new Certificates();
    const { cert, key } = certificates.selfSigned("/CN=localhost");
    await using server = await start(binary, "-p", "0", "--ssl-cert", cert, "--ssl-key", key);
    const { out, err } = await curl("-k", `https://127.0.0.1:${server.port}/who`);
    expect(err).toBe("");
    expect(out).toBe(`one ${server.pid} production`);
  }, 20_000);

  test("tells of wrong flags, and of a file, as pagi-server does", async () => {
    const cases: [words: string[], code: number, message: string][] = [
      [["--prot", "1"], 2, "--prot: there is no such flag. Did you mean --port?"],
      [["--port", "many"], 2, `--port: must be a port from 0 to 65535, but is "many".`],
      [["other.ts"], 2, "'other.ts': no file can be named: this program serves app.ts."],
      [["--reload"], 2, "--reload: this program has no modules in files that could be saved."],
      [["-e", "1"], 2, "-e: cannot be given together with app.ts"],
      [["build"], 2, "'build': no file can be named: this program serves app.ts."],
    ];
    for (const [words, code, message] of cases) {
      const ended = await run([binary, ...words], empty.path);
      expect(ended.err).toContain(message);
      expect(ended.code).toBe(code);
    }
    const help = await run([binary, "--help"], empty.path);
    expect(help.out).toStartWith(
      "Usage: app [options]\n\nServes app.ts, which is built into this program.\n",
    );
    const config = await run([binary, "--check-config"], empty.path);
    expect(config).toEqual({ code: 0, out: "ok: the options are good and app.ts can be served.\n", err: "" });
  }, 20_000);

  test("starts itself as its workers, and on SIGHUP its new version as new workers", async () => {
    const file = empty.file("workers");
    fs.copyFileSync(binary, file);
    await using server = await start(file, "-p", "0", "--workers", "2");
    const workers = childrenOf(server.pid);
    expect(workers).toHaveLength(2);
    expect(workers).toContain((await who(server.url)).pid);
    fs.writeFileSync(sources.file("app.ts"), app("two"));
    await built("workers", "app.ts", "--asset", "public");
    fs.writeFileSync(sources.file("app.ts"), app("one"));
    process.kill(server.pid, "SIGHUP");
    await server.shows(/Reloaded: every worker is a new one/);
    const now = await who(server.url);
    expect(now.version).toBe("two");
    expect(workers).not.toContain(now.pid);
    expect(await server.stop()).toBe(0);
  }, 30_000);

  test("SIGHUP and SIGUSR2 start the new version of the file, also over a link, without losing the port", async () => {
    const link = empty.file("current");
    fs.symlinkSync(binary, link);
    const next = empty.file("next");
    fs.writeFileSync(sources.file("app.ts"), app("two"));
    await built("next", "app.ts", "--asset", "public");
    fs.writeFileSync(sources.file("app.ts"), app("one"));
    await using server = await start("./current", "-p", "0");
    expect(await who(server.url)).toEqual({ version: "one", pid: server.pid });
    fs.rmSync(link);
    fs.symlinkSync(next, link);
    process.kill(server.pid, "SIGHUP");
    await server.shows(/Serving[^]*Reloading[^]*Serving/);
    expect(await who(server.url)).toEqual({ version: "two", pid: server.pid });
    fs.rmSync(link);
    fs.copyFileSync(binary, link);
    process.kill(server.pid, "SIGUSR2");
    const [, pid] = await server.shows(/The new server serves \(pid (\d+)\)/);
    try {
      await eventually("the one before has ended", () => !runs(server.pid));
      expect(await who(server.url)).toEqual({ version: "one", pid: Number(pid) });
    } finally {
      process.kill(Number(pid), "SIGTERM");
      await eventually("the successor has ended", () => !runs(Number(pid)));
    }
  }, 30_000);
});

describe("a binary of bun build --compile", () => {
  test("whose file calls serve() takes every flag, before what the program gives, and starts its workers", async () => {
    const file = empty.file("served");
    const words = ["build", "--compile", "--asset", "public", "--outfile", file, "server.ts"];
    expect((await run([process.execPath, ...words], sources.path)).code).toBe(0);
    {
      await using server = await start(file, "--workers=2", "--host", "127.0.0.1");
      expect(childrenOf(server.pid)).toHaveLength(2);
      expect(childrenOf(server.pid)).toContain((await who(server.url)).pid);
      expect(await server.stop()).toBe(0);
    }
    const background = await run([file, "--daemonize", "--socket", "./d.sock"], empty.path);
    expect(background.code).toBe(0);
    const pid = Number(/^Serving in the background: process (\d+)$/m.exec(background.err)?.[1]);
    try {
      const answer = await fetch("http://localhost/who", { unix: empty.file("d.sock") });
      expect(await answer.text()).toStartWith(`one ${pid} `);
    } finally {
      process.kill(pid, "SIGTERM");
      await eventually("the process in the background has ended", () => !runs(pid));
    }
    const config = await run([file, "--print-config", "--socket", "./s"], empty.path);
    expect(config.out).toMatch(/^quiet +on +program/m);
    expect(config.out).toMatch(/^socket +\.\/s +flag --socket/m);
    expect(config.out).toMatch(/^port +5000 +default/m); // excluded by the socket
    const loading = await run([file, "--eval", "app"], empty.path);
    expect([loading.code, loading.err]).toEqual([
      2,
      "pagi-server: --eval: this program serves its own application, which it has loaded itself.\n",
    ]);
    fs.writeFileSync(empty.file("its.config.ts"), "export default { port: 7 };\n");
    const fromFile = await run([file, "--config", "its.config.ts", "--print-config"], empty.path);
    expect(fromFile.out).toMatch(/^port +7 +file its\.config\.ts/m);
    const wrong = await run([file, "--prot"], empty.path);
    expect(wrong.err).toBe(
      "pagi-server: --prot: there is no such flag. Did you mean --port? See --help for all of them.\n",
    );
    expect(wrong.code).toBe(2);
    expect((await run([file, "--version"], empty.path)).out).toMatch(/^pagi-server \d/);
  }, 30_000);
});

describe("pagi-server build", () => {
  test("takes an export and a factory", async () => {
    const file = await built("made", "app.ts:make", "--factory", "--asset", "public");
    await using server = await start(file, "-p", "0");
    expect((await who(server.url)).version).toBe("one");
    expect(server.output).toContain("Serving app.ts:make at ");
  }, 20_000);

  test("takes frameworks in: the Express application of the examples", async () => {
    const file = empty.file("express");
    const command = [process.execPath, MAIN, "build", "examples/express-app/app.ts", "-o", file];
    expect((await run(command, ROOT)).err).toMatch(/^Built .*express \(\d+ MB\)\n$/);
    await using server = await start(file, "-p", "0");
    expect(await (await fetch(`${server.url}/me`)).json()).toMatchObject({
      ip: "127.0.0.1",
      startedBy: "PAGI",
    });
    expect(await server.stop()).toBe(0);
  }, 20_000);

  test("says what is wrong, and leaves an older binary alone", async () => {
    fs.writeFileSync(sources.file("broken.ts"), "export default (;\n");
    fs.writeFileSync(sources.file("needs.ts"), `import "not-installed";\n`);
    fs.writeFileSync(empty.file("old"), "old");
    const old = empty.file("old");
    const cases: [words: string[], code: number, message: RegExp][] = [
      [[], 2, /^pagi-server: build: name the application's file: pagi-server build app\.ts$/m],
      [["app.ts", "other.ts"], 2, /other\.ts: only one application goes into a binary/],
      [["app.ts", "--aset", "public"], 2, /--aset: build has no such flag\. Did you mean --asset\?/],
      [["app.ts", "-o"], 2, /-o: needs a value/],
      [["app.ts", "-o", "public"], 2, /--output: '.*public' is a directory/],
      [["app.ts", "-o", "app.ts"], 2, /--output: 'app\.ts' is the application itself/],
      [["app.ts", "-o", "no/where"], 2, /--output: there is no directory '.*no'/],
      [["app.ts", "--asset", "privat"], 2, /--asset: there is no file or folder 'privat'/],
      [["app.ts", "--target", "linux"], 2, /--target: 'linux' is none/],
      [["ap.ts", "-o", old], 1, /There is no file 'ap\.ts'\. Did you mean 'app\.ts'\?/],
      [["broken.ts", "-o", old], 1, /'broken\.ts' cannot be compiled: .* at broken\.ts:1:/],
      [["needs.ts", "-o", old], 1, /needs\.ts needs 'not-installed', which is not found/],
    ];
    for (const [words, code, message] of cases) {
      const ended = await pagiBuild(...words);
      expect(ended.err).toMatch(message);
      expect(ended.code).toBe(code);
    }
    expect(fs.readFileSync(old, "utf8")).toBe("old");
    expect(fs.readdirSync(empty.path).filter((name) => /old\.|\.bun-build$/.test(name))).toEqual([]);
  }, 30_000);

  test("a file whose name is build is served as ./build", async () => {
    fs.copyFileSync(sources.file("app.ts"), sources.file("build"));
    const ended = await run([process.execPath, MAIN, "./build", "--check-config"], sources.path);
    expect(ended.out).toBe("ok: the options are good and ./build can be served.\n");
    expect((await pagiBuild("--help")).out).toStartWith("Usage: pagi-server build FILE[:EXPORT]");
  });
});
