import { describe, expect, test } from "bun:test";
import fs from "node:fs";

import {
  boundAddress,
  inheritedSocket,
  openListeningSocket,
  setInherited,
} from "../../src/listening/listening-socket.ts";
import { Folder } from "../support/program.ts";

/** Serves a descriptor: answers each connection with `text`. */
function serve(fd: number, text: string): { stop(): void } {
  // Bun's types leave `fd` out.
  const options = {
    fd,
    hostname: "",
    port: 0,
    socket: {
      open(socket: Bun.Socket) {
        socket.end(text);
      },
      data() {},
    },
  };
  return Bun.listen(options);
}

/** What a connection is greeted with. */
function greeting(address: { host: string; port: number } | { path: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = {
      data: (_socket: Bun.Socket, bytes: Buffer) => resolve(bytes.toString()),
      connectError: (_socket: Bun.Socket, error: Error) => reject(error),
    };
    const connected =
      "path" in address
        ? Bun.connect({ unix: address.path, socket })
        : Bun.connect({ hostname: address.host, port: address.port, socket });
    connected.catch(reject);
  });
}

const closesOnExec = (fd: number): boolean =>
  (parseInt(/flags:\s*(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "", 8) &
    0o2000000) !==
  0;

describe("TCP", () => {
  test("a port that was 0 is known; connections wait until somebody serves the descriptor", async () => {
    const socket = openListeningSocket({ type: "tcp", host: "127.0.0.1", port: 0 });
    if (socket.address.type !== "tcp") throw new Error("no TCP address");
    expect(socket.address.host).toBe("127.0.0.1");
    expect(socket.address.port).toBeGreaterThan(0);
    const greeted = greeting(socket.address);
    using stack = new DisposableStack();
    const server = serve(socket.fd, "served");
    stack.defer(() => server.stop());
    expect(await greeted).toBe("served");
  });

  test("two with reusePort share a port; without it the second is EADDRINUSE", () => {
    const first = openListeningSocket({ type: "tcp", host: "127.0.0.1", port: 0 }, { reusePort: true });
    const second = openListeningSocket(first.address, { reusePort: true });
    expect(second.address).toEqual(first.address);
    expect(() => openListeningSocket(first.address)).toThrow(
      expect.objectContaining({ code: "EADDRINUSE", syscall: "bind" }),
    );
    first.close();
    second.close();
  });

  test(":: takes IPv4 as well; a name is looked up, IPv4 first; an unknown one is ENOTFOUND", async () => {
    const all = openListeningSocket({ type: "tcp", host: "::", port: 0 });
    if (all.address.type !== "tcp") throw new Error("no TCP address");
    expect(all.address.host).toBe("::");
    const server = serve(all.fd, "both");
    expect(await greeting({ host: "127.0.0.1", port: all.address.port })).toBe("both");
    expect(await greeting({ host: "::1", port: all.address.port })).toBe("both");
    server.stop();
    const named = openListeningSocket({ type: "tcp", host: "localhost", port: 0 });
    expect(named.address).toMatchObject({ host: "127.0.0.1" });
    named.close();
    expect(() => openListeningSocket({ type: "tcp", host: "nowhere.invalid", port: 0 })).toThrow(
      expect.objectContaining({ code: "ENOTFOUND" }),
    );
  });

  test("the backlog is the given one", async () => {
    const socket = openListeningSocket({ type: "tcp", host: "127.0.0.1", port: 0 }, { backlog: 7 });
    if (socket.address.type !== "tcp") throw new Error("no TCP address");
    const inode = /\[(\d+)\]/.exec(fs.readlinkSync(`/proc/self/fd/${socket.fd}`))?.[1];
    const table = Bun.spawnSync(["ss", "-Hlten", `sport = :${socket.address.port}`]).stdout.toString();
    expect(table).toContain(`ino:${inode}`);
    expect(table.trim().split(/\s+/)[2]).toBe("7");
    socket.close();
  });
});

describe("descriptors", () => {
  test("a duplicate is the same socket, and outlives the server of the first", async () => {
    const socket = openListeningSocket({ type: "tcp", host: "127.0.0.1", port: 0 });
    if (socket.address.type !== "tcp") throw new Error("no TCP address");
    const other = socket.dup();
    serve(socket.fd, "first").stop();
    expect(boundAddress(other)).toEqual(socket.address);
    const greeted = greeting(socket.address);
    const server = serve(other, "second");
    expect(await greeted).toBe("second");
    server.stop();
  });

  test("they are closed when a program is executed, unless that is changed", () => {
    const socket = openListeningSocket({ type: "tcp", host: "127.0.0.1", port: 0 });
    expect(closesOnExec(socket.fd)).toBe(true);
    setInherited(socket.fd, true);
    expect(closesOnExec(socket.fd)).toBe(false);
    setInherited(socket.fd, false);
    expect(closesOnExec(socket.fd)).toBe(true);
    const copy = socket.dup();
    expect(closesOnExec(copy)).toBe(true);
    inheritedSocket(copy).close();
    socket.close();
  });

  test("an inherited one must be a listening socket", () => {
    using folder = new Folder({ file: "" });
    const fd = fs.openSync(folder.file("file"), "r");
    expect(() => inheritedSocket(fd)).toThrow(expect.objectContaining({ code: "ENOTSOCK" }));
    fs.closeSync(fd);
    expect(() => inheritedSocket(fd)).toThrow(expect.objectContaining({ code: "EBADF" }));
  });
});

describe("Unix sockets", () => {
  test("the file has its mode from the first moment, is served, and is removed by its owner only", async () => {
    using folder = new Folder();
    const path = folder.file("s");
    const socket = openListeningSocket({ type: "unix", path }, { mode: 0o606 });
    expect(fs.statSync(path).mode & 0o777).toBe(0o606);
    expect(inheritedSocket(socket.dup()).address).toEqual({ type: "unix", path });
    const server = serve(socket.fd, "unix");
    expect(await greeting({ path })).toBe("unix");
    server.stop();
    expect(fs.existsSync(path)).toBe(true);
    socket.file?.remove();
    expect(fs.existsSync(path)).toBe(false);
    fs.writeFileSync(path, "another's");
    socket.file?.remove();
    expect(fs.readFileSync(path, "utf8")).toBe("another's");
  });

  test("the default mode is 0660, whatever the umask", () => {
    using folder = new Folder();
    const mask = process.umask(0);
    const socket = openListeningSocket({ type: "unix", path: folder.file("s") });
    expect(process.umask(mask)).toBe(0);
    expect(fs.statSync(folder.file("s")).mode & 0o777).toBe(0o660);
    socket.close();
  });

  test("a stale socket is replaced, a live one and a file that is none are refused and left", () => {
    using folder = new Folder({ file: "text" });
    const path = folder.file("s");
    openListeningSocket({ type: "unix", path }).close();
    const live = openListeningSocket({ type: "unix", path });
    expect(() => openListeningSocket({ type: "unix", path })).toThrow(
      `Another process listens at ${path}. Stop it, or choose another path.`,
    );
    live.close();
    expect(() => openListeningSocket({ type: "unix", path: folder.file("file") })).toThrow(
      `${folder.file("file")} exists and is not a socket.`,
    );
    expect(fs.readFileSync(folder.file("file"), "utf8")).toBe("text");
  });

  test("a socket that this user may not connect to is left alone", () => {
    using folder = new Folder({
      "open.ts": `
        const { openListeningSocket } = await import(${JSON.stringify(`${import.meta.dir}/../../src/listening/listening-socket.ts`)});
        openListeningSocket({ type: "unix", path: "s" }, { mode: 0o000 });
        // Root may connect to everything.
        if (process.geteuid() === 0) process.setuid(65534);
        try {
          openListeningSocket({ type: "unix", path: "s" });
        } catch (error) {
          console.log(error.message);
        }`,
    });
    fs.chmodSync(folder.path, 0o777);
    const { stdout } = Bun.spawnSync([process.execPath, "open.ts"], { cwd: folder.path });
    expect(stdout.toString()).toStartWith(
      `${folder.file("s")} is a socket that this user may not connect to, so that it cannot be known`,
    );
    expect(fs.statSync(folder.file("s")).isSocket()).toBe(true);
  });

  test("a path that is too long, or in no folder", () => {
    using folder = new Folder();
    expect(() => openListeningSocket({ type: "unix", path: folder.file("x".repeat(110)) })).toThrow(
      expect.objectContaining({ code: "ENAMETOOLONG" }),
    );
    expect(() => openListeningSocket({ type: "unix", path: folder.file("none/s") })).toThrow(
      expect.objectContaining({ code: "ENOENT" }),
    );
  });
});
