import fs from "node:fs";

import { messageOf, OptionError } from "../errors.ts";
import { danglingLinkProblem } from "../system/dangling-link.ts";

/** The longest process id that Linux gives, and a newline. */
const LONGEST = 16;

/**
 * The file that says which process to send signals to. It is opened before privileges are given up, and written once
 * the server is ready.
 */
export class PidFile {
  readonly #path: string;
  readonly fd: number;
  /** True when there was no such file before. */
  readonly #isNew: boolean;

  /**
   * Opens the file, and leaves what is in it.
   *
   * @param predecessor the process that this one follows, which may hold it.
   * @throws OptionError when a process that runs holds it, when it is none of ours, and when it cannot be written.
   */
  constructor(path: string, predecessor?: number) {
    this.#path = path;
    this.#isNew = !fs.existsSync(path);
    try {
      this.fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644);
    } catch (error) {
      const problem = danglingLinkProblem(path) ?? messageOf(error);
      throw new OptionError("--pid", `${path} cannot be written: ${problem}`, { cause: error });
    }
    try {
      this.#check(predecessor);
    } catch (error) {
      fs.closeSync(this.fd);
      throw error;
    }
  }

  /** Writes this process's id. @throws OptionError when it cannot be written, for example because the disk is full. */
  write(): void {
    try {
      fs.ftruncateSync(this.fd);
      fs.writeSync(this.fd, `${process.pid}\n`, 0);
    } catch (error) {
      throw new OptionError("--pid", `${this.#path} cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Lets go of the file, and removes it if it is this process's: a successor may have written its own id. */
  end(): void {
    const text = this.#read();
    try {
      if (text === String(process.pid) || (text === "" && this.#isNew)) this.#remove();
    } finally {
      fs.closeSync(this.fd);
    }
  }

  /** An empty file is nobody's; more may not be possible in a folder that the privileges do not reach any more. */
  #remove(): void {
    try {
      fs.rmSync(this.#path, { force: true });
    } catch {
      fs.ftruncateSync(this.fd);
    }
  }

  #check(predecessor: number | undefined): void {
    const text = this.#read();
    if (text === "") return;
    if (!/^\d{1,10}$/.test(text))
      throw new OptionError("--pid", `${this.#path} is there and holds no process id. Give another file.`);
    const holder = Number(text);
    if (holder === process.pid || holder === predecessor || !isAlive(holder)) return;
    throw new OptionError(
      "--pid",
      `${this.#path} belongs to process ${holder}, which runs. Stop it, or give another file.`,
    );
  }

  #read(): string {
    const bytes = Buffer.alloc(LONGEST);
    return bytes.toString("latin1", 0, fs.readSync(this.fd, bytes, 0, LONGEST, 0)).trim();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs, under another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
