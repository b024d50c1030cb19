import fs from "node:fs";

import { messageOf, OptionError } from "../errors.ts";

/** The file that says which process to send signals to. */
export class PidFile {
  readonly #path: string;
  #isWritten = false;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Refuses a file that a live process holds; call it before anything is begun.
   *
   * @param predecessor the process that hands over to this one, which may hold it.
   * @throws OptionError when another process runs that the file names, and when the file is none of ours.
   */
  check(predecessor?: number): void {
    const holder = this.#read();
    if (holder === undefined || holder === process.pid || holder === predecessor || !isAlive(holder)) return;
    throw new OptionError(
      "--pid",
      `${this.#path} belongs to process ${holder}, which runs. Stop it, or give another file.`,
    );
  }

  /**
   * Writes this process's id, as a whole or not at all.
   *
   * @throws OptionError when it cannot be written.
   */
  write(): void {
    const temporary = `${this.#path}.${process.pid}`;
    try {
      fs.writeFileSync(temporary, `${process.pid}\n`, { mode: 0o644 });
      fs.renameSync(temporary, this.#path);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw new OptionError("--pid", `${this.#path} cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#isWritten = true;
  }

  /** Removes it, if it still names this process: a successor may have written its own id. */
  remove(): void {
    if (!this.#isWritten) return;
    try {
      if (this.#read() === process.pid) fs.rmSync(this.#path, { force: true });
    } catch {
      // It is no hindrance: a file that names no live process is overwritten.
    }
  }

  #read(): number | undefined {
    let text: string;
    try {
      text = fs.readFileSync(this.#path, "utf8").trim();
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw new OptionError("--pid", `${this.#path} cannot be read: ${messageOf(error)}`, { cause: error });
    }
    if (text === "") return undefined;
    if (!/^\d{1,10}$/.test(text))
      throw new OptionError("--pid", `${this.#path} is there and holds no process id. Give another file.`);
    return Number(text);
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
