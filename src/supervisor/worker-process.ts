import fs from "node:fs";

import type { Samples } from "../metrics/families.ts";
import { openJournal, readJournal } from "../server/request-journal.ts";
import { openDescriptorChannel, sendDescriptors } from "../system/descriptor-channel.ts";
import { FIRST_DESCRIPTOR } from "../process/inherited-socket.ts";
import { describeExit, describeRunning, outOfMemoryKills } from "../process/exit-reason.ts";
import { envelope, readReport } from "../process/messages.ts";
import type { WorkerCommand, Report } from "../process/messages.ts";
import { spawnCommand } from "../process/program.ts";
import { environmentFor } from "../process/role-environment.ts";

/** Milliseconds that the last words of a process that has ended may take to arrive. */
const LAST_WORDS = 100;

/** Events of a worker process. */
export interface WorkerEvents {
  onReport(report: Exclude<Report, { type: "starting" | "failed" | "measured" }>): void;
  onSamples(round: number, samples: Samples): void;
  /** Nothing is reported after it. */
  onExit(end: WorkerEnd): void;
}

/** How a worker ended. */
export interface WorkerEnd {
  /** A part of a sentence: "exited with code 7". */
  readonly how: string;
  /** The requests that ran, as a sentence: "It was running GET /exit"; empty for none. A client's words, not escaped. */
  readonly ran: string;
  /** It had finished everything. */
  readonly isClean: boolean;
  /** By a signal, or with a code that it does not end with when it is asked to end. */
  readonly isCrash: boolean;
}

/** The exit codes of a worker that was asked to end: 1 when something had to be cut. */
const ORDERLY_CODES: readonly (number | null)[] = [0, 1];

/** A worker as its supervisor has it: this very program, started once more in another role. */
export class WorkerProcess {
  readonly #child: Bun.Subprocess;
  readonly #events: WorkerEvents;
  readonly #outOfMemoryKills = outOfMemoryKills();
  readonly #disconnected = Promise.withResolvers<void>();
  readonly #journal = orNone(openJournal);
  /** Our end of the channel by which it gets sockets. */
  readonly #channel: number | undefined;
  /** The descriptors of the journal and of the channel in the worker. */
  readonly descriptors: { readonly journal: number | undefined; readonly channel: number | undefined };
  #said: string | undefined;
  /** Connections that it had open when it was last heard of. */
  connections = 0;

  /**
   * Starts it.
   *
   * @param sockets descriptors of the sockets that it is to serve.
   * @throws when the system starts no process.
   */
  constructor(sockets: readonly number[], events: WorkerEvents) {
    const { command, options } = spawnCommand();
    this.#events = events;
    const [ours, theirs] = orNone(openDescriptorChannel) ?? [];
    this.#channel = ours;
    const descriptors = [...sockets, ...[this.#journal, theirs].filter((each) => each !== undefined)];
    const inWorker = (fd: number | undefined): number | undefined =>
      fd === undefined ? undefined : FIRST_DESCRIPTOR + descriptors.indexOf(fd, sockets.length);
    this.descriptors = { journal: inWorker(this.#journal), channel: inWorker(theirs) };
    try {
      this.#child = Bun.spawn(command, {
        ...options,
        env: environmentFor({ type: "worker" }),
        stdio: ["ignore", "inherit", "inherit", ...descriptors],
        serialization: "json",
        ipc: (message) => this.#onMessage(message),
        onDisconnect: () => this.#disconnected.resolve(),
        onExit: (_child, code, signal) => void this.#onExit(code, signal),
      });
    } catch (error) {
      this.#close();
      throw error;
    } finally {
      if (theirs !== undefined) fs.closeSync(theirs);
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  tell(command: WorkerCommand): void {
    try {
      this.#child.send(envelope(command));
    } catch {
      // It has ended, which is reported separately.
    }
  }

  /** Lets it accept from the sockets of another slot too. @returns false when they do not get there. */
  adopt(slot: number, sockets: readonly number[]): boolean {
    if (this.#channel === undefined) return false;
    try {
      sendDescriptors(this.#channel, sockets);
    } catch {
      return false; // it has ended, or takes nothing at the moment
    }
    this.tell({ type: "adopt", slot });
    return true;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #onMessage(message: unknown): void {
    const report = readReport(message);
    if (report === undefined || report.type === "starting") return;
    if (report.type === "failed") {
      this.#said = report.text;
      return;
    }
    if (report.type === "measured") {
      this.#events.onSamples(report.round, report.samples);
      return;
    }
    if (report.type === "beat") this.connections = report.connections;
    this.#events.onReport(report);
  }

  async #onExit(code: number | null, signal: string | number | null): Promise<void> {
    await Promise.race([this.#disconnected.promise, Bun.sleep(LAST_WORDS)]);
    const isOutOfMemory = outOfMemoryKills() > this.#outOfMemoryKills;
    const exit = { code, signal: signal === null ? null : String(this.#child.signalCode ?? signal) };
    const ran = this.#journal === undefined ? "" : describeRunning(readJournal(this.#journal));
    this.#close();
    const how = describeExit(exit, this.#said, isOutOfMemory);
    this.#events.onExit({ how, ran, isClean: code === 0, isCrash: !ORDERLY_CODES.includes(code) });
  }

  #close(): void {
    for (const fd of [this.#journal, this.#channel]) if (fd !== undefined) fs.closeSync(fd);
  }
}

/** What a worker serves without all the same. */
function orNone<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
