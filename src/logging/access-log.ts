import { messageOf, OptionError } from "../errors.ts";
import { danglingLinkProblem } from "../system/dangling-link.ts";
import { compileAccessLogFormat, type AccessLogFormatter, type AccessRecord } from "./access-log-format.ts";
import { LogStream } from "./log-stream.ts";
import { openOutlet } from "./outlet.ts";
import type { Outlet } from "./outlet.ts";
import { standardError } from "./standard-error.ts";
import { writeLine } from "./terminal.ts";

export type { AccessRecord } from "./access-log-format.ts";

/**
 * The access log: collects lines and writes them with one system call at the end of the turn, at most every 10 ms, to a
 * file or to standard error. If the destination fails (disk full) or nothing reads it (a full pipe), it reports when lines start being lost
 * and when that ends; the server keeps running.
 */
export class AccessLog {
  readonly #path: string | undefined;
  readonly #format: AccessLogFormatter;
  readonly #report: (message: string) => void;
  readonly #stream: LogStream;
  #closing: Promise<void> | undefined;

  /**
   * @param format a preset or a format string, see {@link compileAccessLogFormat}.
   * @param report called when lines start being lost and when that ends. Default: writes a line to standard error. Lines
   *   lost on standard error itself are reported there.
   * @throws OptionError for a format that cannot be compiled and for a path that cannot be opened.
   */
  constructor(
    destination: { path: string } | "stderr",
    format: string,
    report: (message: string) => void = (message) => writeLine(2, message),
  ) {
    this.#format = compileAccessLogFormat(format);
    this.#report = report;
    if (destination === "stderr") {
      this.#path = undefined;
      this.#stream = standardError();
      this.#stream.prepare();
    } else {
      this.#path = destination.path;
      this.#stream = this.#openStream(destination.path);
    }
  }

  /** Takes one line. After `close` has begun it does nothing. */
  write(record: AccessRecord): void {
    if (this.#closing === undefined) this.#stream.write(this.#format(record, Date.now()));
  }

  /** Writes the collected lines, as far as there is room. */
  flush(): void {
    this.#stream.flush();
  }

  /** Opens the file again, after log rotation has moved it. If that fails, it is reported and the old file is kept. */
  reopen(): void {
    const path = this.#path;
    if (path === undefined || this.#closing !== undefined) return;
    try {
      this.#stream.replace(() => openForAppend(path));
    } catch (error) {
      this.#report(`The access log stays with its old file: ${messageOf(error)}`);
    }
  }

  /** Writes everything, waiting up to a second for a full pipe, and closes the file. Standard error stays open. */
  close(): Promise<void> {
    return (this.#closing ??= this.#finish());
  }

  async #finish(): Promise<void> {
    if (this.#path === undefined) this.#stream.flush();
    else await this.#stream.close();
  }

  #openStream(path: string): LogStream {
    const outlet = openForAppend(path);
    return new LogStream(() => outlet, {
      began: (why) =>
        this.#report(
          `The access log cannot be written to '${path}': ${why}. Its lines are lost until it can.`,
        ),
      ended: (lines) =>
        this.#report(`The access log is written to '${path}' again; ${lines} lines were lost.`),
    });
  }
}

function openForAppend(path: string): Outlet {
  try {
    return openOutlet(path);
  } catch (error) {
    throw new OptionError("--access-log", `cannot append to '${path}': ${advice(path, error)}`, {
      cause: error,
    });
  }
}

function advice(path: string, error: unknown): string {
  const dangling = danglingLinkProblem(path);
  if (dangling !== undefined) return `${dangling}. Repair the link, or name another file.`;
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
