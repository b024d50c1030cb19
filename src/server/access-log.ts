import fs from "node:fs";
import { messageOf, OptionError } from "../errors.ts";
import { compileAccessLogFormat, type AccessLogFormatter, type AccessRecord } from "./access-log-format.ts";

export type { AccessRecord } from "./access-log-format.ts";

/** Lines are written at the latest when they come to this many bytes; a line is some 100 bytes. */
const BATCH_BYTES = 64 * 1024;
/** Bytes kept for a reader that does not read (a full pipe); lines beyond that are dropped and counted. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Milliseconds between two tries at a full pipe. */
const RETRY_MS = 10;
/** Milliseconds that `close` gives a full pipe. */
const CLOSE_MS = 1000;

/**
 * The access log: gathers lines and writes them with one system call at the end of the turn, appended to a file or to
 * standard error. Writing is synchronous, so that lines stay in order and nothing is in flight when the process ends.
 * A destination that fails (disk full, EPIPE) is reported when it begins to fail and when it recovers; the lines
 * between are lost, and the server goes on.
 */
export class AccessLog {
  readonly #path: string | undefined;
  readonly #format: AccessLogFormatter;
  readonly #report: (message: string) => void;
  readonly #flushNow = () => this.flush();
  #fd: number;
  /** Whole lines, each char one byte. */
  #waiting = "";
  #immediate: ReturnType<typeof setImmediate> | undefined;
  /** Set while the destination is a full pipe. */
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** True when the file ends within a line, whose rest was lost. */
  #torn = false;
  #failing = false;
  #lostLines = 0;
  #closing: Promise<void> | undefined;

  /**
   * @param format a preset or a format string, see {@link compileAccessLogFormat}.
   * @param report told when lines begin to be lost and when that ends. Default: `console.error`.
   * @throws OptionError for a format that cannot be compiled and for a path that cannot be opened.
   */
  constructor(
    destination: { path: string } | "stderr",
    format: string,
    report: (message: string) => void = (message) => console.error(message),
  ) {
    this.#format = compileAccessLogFormat(format);
    this.#report = report;
    this.#path = destination === "stderr" ? undefined : destination.path;
    this.#fd = this.#path === undefined ? 2 : openForAppend(this.#path);
  }

  /** Takes one line. After `close` has begun it does nothing. */
  write(record: AccessRecord): void {
    if (this.#closing !== undefined) return;
    if (this.#waiting.length >= MAX_WAITING_BYTES) {
      this.#lost(1, "its reader does not read");
      return;
    }
    this.#waiting += `${this.#format(record, Date.now())}\n`;
    if (this.#retry !== undefined) return;
    if (this.#waiting.length >= BATCH_BYTES) this.flush();
    else this.#immediate ??= setImmediate(this.#flushNow);
  }

  /** Writes what has been gathered. Only a full pipe makes it keep something back, which it then tries again. */
  flush(): void {
    if (this.#immediate !== undefined) clearImmediate(this.#immediate);
    clearTimeout(this.#retry);
    this.#immediate = undefined;
    this.#retry = undefined;
    const lines = this.#waiting;
    if (lines === "") return;
    const batch = this.#torn ? `\n${lines}` : lines;
    let rest = batch;
    this.#waiting = "";
    try {
      while (rest !== "") rest = rest.slice(fs.writeSync(this.#fd, rest, null, "latin1"));
      this.#torn = false;
      this.#recovered();
    } catch (error) {
      if (codeOf(error) === "EAGAIN") {
        this.#waiting = rest;
        this.#torn = false;
        this.#retry = setTimeout(this.#flushNow, RETRY_MS);
      } else {
        if (rest !== batch) this.#torn = batch.at(-rest.length - 1) !== "\n";
        this.#drop(rest.length > lines.length ? lines : rest, messageOf(error));
      }
    }
  }

  /** Opens the file anew, after log rotation has moved it. If that fails, it is reported and the old file is kept. */
  reopen(): void {
    if (this.#path === undefined || this.#closing !== undefined) return;
    this.flush();
    try {
      const fd = openForAppend(this.#path);
      fs.closeSync(this.#fd);
      this.#fd = fd;
      this.#torn = false;
    } catch (error) {
      this.#report(`The access log stays with its old file: ${messageOf(error)}`);
    }
  }

  /** Writes everything, waiting up to a second for a full pipe, and closes the file. */
  close(): Promise<void> {
    return (this.#closing ??= this.#finish());
  }

  async #finish(): Promise<void> {
    this.flush();
    const until = performance.now() + CLOSE_MS;
    while (this.#waiting !== "" && performance.now() < until) {
      await Bun.sleep(RETRY_MS);
      this.flush();
    }
    clearTimeout(this.#retry);
    this.#drop(this.#waiting, "its reader does not read");
    this.#waiting = "";
    if (this.#path !== undefined) fs.closeSync(this.#fd);
  }

  /** Gives up on `rest`, the first line of which may have been written in part. */
  #drop(rest: string, why: string): void {
    if (rest !== "") this.#lost(rest.split("\n").length - 1, why);
  }

  #lost(lines: number, why: string): void {
    this.#lostLines += lines;
    if (this.#failing) return;
    this.#failing = true;
    this.#report(
      `The access log cannot be written to ${this.#name()}: ${why}. Its lines are lost until it can.`,
    );
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#report(`The access log is written to ${this.#name()} again; ${this.#lostLines} lines were lost.`);
    this.#failing = false;
    this.#lostLines = 0;
  }

  #name(): string {
    return this.#path === undefined ? "standard error" : `'${this.#path}'`;
  }
}

function openForAppend(path: string): number {
  try {
    return fs.openSync(path, "a");
  } catch (error) {
    throw new OptionError("--access-log", `cannot append to '${path}': ${advice(error)}`, { cause: error });
  }
}

function advice(error: unknown): string {
  switch (codeOf(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return "its directory does not exist. Create the directory, or name another file.";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "this user may not write there. Change the permissions, or name another file.";
    case "EISDIR":
      return "it is a directory. Name a file in it.";
    default:
      return `${messageOf(error)}. Name another file, or use --no-access-log.`;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
