import { describe, expect, test } from "bun:test";
import fs from "node:fs";

import { ListenError } from "../../index.ts";
import type { HttpHandler } from "../../index.ts";
import { OptionError } from "../../src/errors.ts";
import { inheritedSocket, openListeningSocket } from "../../src/listening/listening-socket.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import type { PartialOptions } from "../../src/options/resolve.ts";
import { curl } from "../support/curl.ts";
import { DIARY, Folder, Program } from "../support/program.ts";
import { startHttp, text } from "../support/server.ts";
import { eventually, get, request, Wire } from "../support/wire.ts";

/** Answers with where the request came in, as the scope has it. */
const where: HttpHandler = async (scope, _receive, send) => {
  const { client, server, scheme } = scope;
  const body = JSON.stringify({ server, scheme, ...("client" in scope ? { client: client?.[0] } : {}) });
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body });
};

/** A server at these addresses. */
const listenAt = (listen: string[], options: PartialOptions = {}, handler = where) =>
  startHttp(handler, { port: undefined, listen, ...options });

describe("several listeners", () => {
  test("TCP over both families and a Unix socket at once: url, urls, listeners and the scopes tell", async () => {
    using folder = new Folder();
    const path = folder.file("s");
    await using server = await listenAt(["127.0.0.1:0", "[::1]:0", path]);
    const [four, six, unix] = server.server.listeners;
    if (four?.type !== "tcp" || six?.type !== "tcp") throw new Error("no TCP listeners");
    expect(unix).toEqual({ type: "unix", path });
    expect(server.server.url).toBe(`http://127.0.0.1:${four.port}/`);
    expect(server.server.urls).toEqual([server.url, `http://[::1]:${six.port}/`, `unix:${path}`]);
    expect(await (await fetch(server.url)).json()).toEqual({
      client: "127.0.0.1",
      server: ["127.0.0.1", four.port],
      scheme: "http",
    });
    expect(await (await fetch(`http://[::1]:${six.port}/`)).json()).toEqual({
      client: "::1",
      server: ["::1", six.port],
      scheme: "http",
    });
    const { out } = await curl("--unix-socket", path, "http://any/");
    expect(JSON.parse(out)).toEqual({ server: [path, null], scheme: "http" });
  });

  test("one for both families shows IPv4 clients by their IPv4 addresses", async () => {
    for (const options of [{ host: "::" }, { port: undefined, listen: ["[::]:0"] }]) {
      await using server = await startHttp(where, options);
      expect(await (await fetch(`http://127.0.0.1:${server.port}/`)).json()).toMatchObject({
        client: "127.0.0.1",
      });
      expect(await (await fetch(`http://[::1]:${server.port}/`)).json()).toMatchObject({ client: "::1" });
    }
  });

  test("all of them are closed by a stop; what is open on each is drained", async () => {
    using folder = new Folder();
    const path = folder.file("s");
    const server = await listenAt(["127.0.0.1:0", path], {}, text("hi"));
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.response();
    expect((await curl("--unix-socket", path, "http://any/")).out).toBe("hi");
    expect(await server.server.stop()).toBe(true);
    expect(await wire.readToEnd()).toBe("");
    expect((await curl(server.url)).code).toBe(7);
    expect((await curl("--unix-socket", path, "http://any/")).code).toBe(7);
    expect(fs.existsSync(path)).toBe(false);
  });

  test("if one cannot be had, none is kept, and the message names --listen", async () => {
    using folder = new Folder();
    await using other = await startHttp(text("other"));
    const failed = listenAt([folder.file("s"), `127.0.0.1:${other.port}`]);
    await failed.catch(() => {});
    expect(failed).rejects.toThrow(ListenError);
    expect(failed).rejects.toThrow(
      `Port ${other.port} on 127.0.0.1 is in use. Choose another with --listen, or stop what listens there.`,
    );
    expect(fs.existsSync(folder.file("s"))).toBe(false);
  });

  test("the access log says unix for a client of a Unix socket", async () => {
    using folder = new Folder();
    const options = { accessLog: folder.file("log"), accessLogFormat: "%h %U" };
    const server = await listenAt(["127.0.0.1:0", folder.file("s")], options);
    await curl("--unix-socket", folder.file("s"), "http://any/a");
    await fetch(`${server.url}b`);
    await server.server.stop();
    expect(folder.lines("log")).toEqual(["unix /a", "127.0.0.1 /b"]);
  });

  test("a request that is refused on a Unix socket is answered and logged", async () => {
    using folder = new Folder();
    await using server = await listenAt([folder.file("s")]);
    const { out } = await curl("--unix-socket", folder.file("s"), "-H", "Host:", "-i", "http://any/");
    expect(out).toStartWith("HTTP/1.1 400 ");
    await server.logger.seen(/^unix: GET \/ was refused with 400: /);
  });
});

describe("the backlog", () => {
  const backlogOf = (port: number): number =>
    Number(
      Bun.spawnSync(["ss", "-Hltn", `sport = :${port}`])
        .stdout.toString()
        .split(/\s+/)[2],
    );
  const limit = Number(fs.readFileSync("/proc/sys/net/core/somaxconn", "utf8"));

  test("is 2048 by default, whichever way the listener is made, or what it is set to", async () => {
    await using plain = await startHttp(text("hi"));
    await eventually("the backlog is set", () => backlogOf(plain.port) === Math.min(2048, limit));
    await using listed = await listenAt(["127.0.0.1:0"]);
    await eventually("the backlog is set", () => backlogOf(listed.port) === Math.min(2048, limit));
    await using set = await startHttp(text("hi"), { backlog: 7 });
    await eventually("the backlog is set", () => backlogOf(set.port) === 7);
    expect((await request(set, get("/"))).body).toBe("hi");
  });
});

describe("Unix sockets", () => {
  const userOf = (path: string) => fs.statSync(path);

  test("--socket, with mode and owner; the file goes with the server, and a stale one is replaced", async () => {
    using folder = new Folder({ "app.ts": DIARY });
    const { uid, gid } = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : fs.statSync(folder.path);
    const owner = ["--socket-user", String(uid), "--socket-group", String(gid)];
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      await using program = Program.serve(folder, [
        "app.ts",
        "--socket",
        "s",
        "--socket-mode",
        "0606",
        ...owner,
      ]);
      await program.prints(/unix:\S+\/s /);
      expect(userOf(folder.file("s"))).toMatchObject({ uid, gid });
      expect(userOf(folder.file("s")).mode & 0o777).toBe(0o606);
      expect((await curl("--unix-socket", folder.file("s"), "http://any/")).out).toEndWith(` ${program.pid}`);
      program.kill(signal);
      await program.ended();
      expect(fs.existsSync(folder.file("s"))).toBe(signal === "SIGKILL");
    }
  });

  test("names of users and groups are looked up", async () => {
    using folder = new Folder();
    const nameOf = (flag: string): string => Bun.spawnSync(["id", flag]).stdout.toString().trim();
    await using _server = await startHttp(text("hi"), {
      port: undefined,
      socket: folder.file("s"),
      socketUser: nameOf("-un"),
      socketGroup: nameOf("-gn"),
    });
    expect(userOf(folder.file("s"))).toMatchObject({ uid: process.geteuid?.(), gid: process.getegid?.() });
  });

  test("a live socket, and a file that is none, are refused by name and left alone", async () => {
    using folder = new Folder({ file: "text" });
    const path = folder.file("s");
    await using server = await listenAt([path]);
    const failed = listenAt([path]);
    await failed.catch(() => {});
    expect(failed).rejects.toThrow(`Another process listens at ${path}. Stop it, or choose another path.`);
    expect((await curl("--unix-socket", path, "http://any/")).code).toBe(0);
    const wrong = listenAt([folder.file("file")]);
    await wrong.catch(() => {});
    expect(wrong).rejects.toThrow(`${folder.file("file")} exists and is not a socket.`);
    expect(fs.readFileSync(folder.file("file"), "utf8")).toBe("text");
    expect(server.logger.messages("error")).toEqual([]);
  });

  test("a folder that does not exist", async () => {
    using folder = new Folder();
    const failed = listenAt([folder.file("none/s")]);
    await failed.catch(() => {});
    expect(failed).rejects.toThrow("its directory does not exist");
  });
});

describe("inherited descriptors", () => {
  test("fd:N is served, and its address is the socket's", async () => {
    const socket = openListeningSocket({ type: "tcp", host: "127.0.0.1", port: 0 });
    await using server = await listenAt([`fd:${socket.fd}`]);
    expect(server.server.listeners).toEqual([socket.address]);
    expect(await (await fetch(server.url)).json()).toMatchObject({ server: ["127.0.0.1", server.port] });
  });

  test("the file of an inherited Unix socket stays: it is its maker's", async () => {
    using folder = new Folder();
    const path = folder.file("s");
    const socket = openListeningSocket({ type: "unix", path });
    const server = await listenAt([`fd:${socket.dup()}`]);
    expect(server.server.url).toBe(`unix:${path}`);
    await server.server.stop();
    expect(fs.existsSync(path)).toBe(true);
    await using next = await listenAt([`fd:${socket.fd}`]);
    expect((await curl("--unix-socket", path, "http://any/")).code).toBe(0);
    expect(next.logger.messages("error")).toEqual([]);
  });

  test("one that cannot be served", async () => {
    const failed = listenAt(["fd:9999"]);
    await failed.catch(() => {});
    expect(failed).rejects.toThrow("Descriptor 9999 cannot be served: it is not open.");
    const socket = openListeningSocket({ type: "tcp", host: "127.0.0.1", port: 0 });
    const twice = listenAt([`fd:${socket.fd}`, `fd:${socket.fd}`]);
    await twice.catch(() => {});
    expect(twice).rejects.toThrow(`listen: names descriptor ${socket.fd} twice`);
    inheritedSocket(socket.fd).close();
  });
});

describe("options", () => {
  test.each([
    [
      { listen: ["5000"] },
      'listen: must be HOST:PORT, [IPV6]:PORT, the path of a Unix socket, unix:PATH, fd:NUMBER or fd:NAME, but is "5000".',
    ],
    [{ listen: ["a:1"], port: 1 }, "listen: cannot be given together with port; both say where to listen."],
    [{ listen: ["a:1"], host: "a" }, "listen: cannot be given together with host"],
    [{ listen: ["a:1"], socket: "s" }, "listen: cannot be given together with socket"],
    [{ socket: "s", port: 1 }, "socket: cannot be given together with port"],
    [{ socketMode: "rw" }, "socketMode: must be octal permissions, such as 0660, but is"],
    [
      { socketUser: "nobody-of-that-name" },
      'socketUser: there is no user "nobody-of-that-name" on this machine.',
    ],
    [{ socketGroup: "no-such-group" }, 'socketGroup: there is no group "no-such-group" on this machine.'],
    [{ listen: "a:1" }, 'listen: must be a list, but is "a:1".'],
    [{ listen: ["a:1", 7] }, "listen: must be text that is not empty, but is 7."],
    [{ backlog: 0 }, "backlog: must be a whole number from 1"],
  ] as const)("%p is refused", async (options, message) => {
    const failed = resolveOptions(options);
    await failed.catch(() => {});
    expect(failed).rejects.toThrow(OptionError);
    expect(failed).rejects.toThrow(message);
  });

  test("flags go before the environment, also where they exclude each other; of one rank they contradict", async () => {
    using folder = new Folder({ "app.ts": DIARY });
    const shown = async (words: string[], environment: Record<string, string>) => {
      const program = Program.serve(folder, ["app.ts", "--print-config", ...words], environment);
      const code = await program.ended();
      const of = (name: string) => new RegExp(`^${name} +(.*?)  `, "m").exec(program.stdout)?.[1];
      return { code, err: program.stderr, host: of("host"), port: of("port"), listen: of("listen") };
    };
    const both = { PAGI_PORT: "81", HOST: "::1" };
    expect(await shown(["--listen", "a:1", "--listen", "./b"], both)).toMatchObject({
      host: "127.0.0.1",
      port: "5000",
      listen: "a:1, ./b",
    });
    expect(await shown(["-p", "80"], { PAGI_LISTEN: "a:1,b:2", HOST: "::1" })).toMatchObject({
      host: "::1",
      port: "80",
      listen: "none",
    });
    expect(await shown([], { PAGI_LISTEN: "a:1,b:2", PORT: "80" })).toMatchObject({
      port: "5000",
      listen: "a:1, b:2",
    });
    expect(await shown(["--listen", "a:1", "-p", "80"], {})).toMatchObject({
      code: 2,
      err: "pagi-server: --listen: cannot be given together with -p; both say where to listen. Leave one of them out.\n",
    });
  });
});
