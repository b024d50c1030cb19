import { CString, dlopen, ptr } from "bun:ffi";
import fs from "node:fs";

/** What standard error can be, besides a file. */
export type DestinationKind = "pipe" | "socket" | "terminal";

// From <sys/socket.h>, <fcntl.h>.
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const F_SETFL = 4;
const { O_NOCTTY, O_NONBLOCK, O_RDWR } = fs.constants;
const O_CLOEXEC = 0o2000000;

let symbols: ReturnType<typeof load> | undefined;

function libc(): ReturnType<typeof load> {
  return (symbols ??= load());
}

function load() {
  return dlopen("libc.so.6", {
    pipe2: { args: ["ptr", "int"], returns: "int" },
    socketpair: { args: ["int", "int", "int", "ptr"], returns: "int" },
    posix_openpt: { args: ["int"], returns: "int" },
    grantpt: { args: ["int"], returns: "int" },
    unlockpt: { args: ["int"], returns: "int" },
    ptsname: { args: ["int"], returns: "ptr" },
    fcntl: { args: ["int", "int", "int"], returns: "int" },
  }).symbols;
}

/** A pipe, socket or terminal that programs log to, and that nobody reads unless a test says so. */
export class LogDestination implements Disposable {
  /** The descriptor to write to, for a program. */
  readonly end: number;
  readonly #readEnd: number;
  readonly #buffer = Buffer.alloc(64 * 1024);
  #text = "";

  constructor(kind: DestinationKind) {
    const [readEnd, end] = { pipe: openPipe, socket: openSockets, terminal: openTerminal }[kind]();
    if (libc().fcntl(readEnd, F_SETFL, O_NONBLOCK) === -1) throw new Error("fcntl");
    this.#readEnd = readEnd;
    this.end = end;
  }

  /** Reads what there is. @returns everything that was read so far. */
  read(): string {
    try {
      for (;;) {
        const size = fs.readSync(this.#readEnd, this.#buffer);
        if (size === 0) break;
        this.#text += this.#buffer.toString("latin1", 0, size).replaceAll("\r\n", "\n");
      }
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
    return this.#text;
  }

  /** Reads until there is a match, for at most 20 seconds. */
  async until(pattern: RegExp): Promise<RegExpMatchArray> {
    for (const limit = performance.now() + 20_000; performance.now() < limit; await Bun.sleep(5)) {
      const match = this.read().match(pattern);
      if (match !== null) return match;
    }
    const end = this.#text.slice(-3000).replaceAll(/x{50,}/g, (all) => `x*${all.length}`);
    throw new Error(`${pattern} does not come; of ${this.#text.length} chars the last ones are: ${end}`);
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#readEnd);
    fs.closeSync(this.end);
  }
}

function openPipe(): [readEnd: number, end: number] {
  const ends = new Int32Array(2);
  if (libc().pipe2(ptr(ends), O_CLOEXEC) === -1) throw new Error("pipe2");
  return [ends[0] ?? -1, ends[1] ?? -1];
}

function openSockets(): [readEnd: number, end: number] {
  const ends = new Int32Array(2);
  if (libc().socketpair(AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, ptr(ends)) === -1) throw new Error("socketpair");
  return [ends[0] ?? -1, ends[1] ?? -1];
}

function openTerminal(): [readEnd: number, end: number] {
  const master = libc().posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (libc().grantpt(master) === -1 || libc().unlockpt(master) === -1) throw new Error("posix_openpt");
  const name = libc().ptsname(master);
  if (name === null) throw new Error("ptsname");
  return [master, fs.openSync(new CString(name).toString(), O_RDWR | O_NOCTTY)];
}
