import type { Logger } from "../logging/logger.ts";

// A process may have only so many descriptors open (RLIMIT_NOFILE, `ulimit -n`). Where none is left, nothing can be
// accepted, opened or imported any more, and Bun tries to accept again at once, without end. So connections leave some.

/** Descriptors that connections leave for files, modules, logs and other processes: a part of all, within bounds. */
const SHARE_KEPT = 1 / 16;
const LEAST_KEPT = 24;
const MOST_KEPT = 256;
/** Of these, so many are left when accepting pauses. */
const LAST = 8;
/** Where this part of the descriptors is in use, listeners take the one that they need for a pause. */
const SHARE_PREPARED = 1 / 4;
/** With so few in all they take it at once: one turn of the event loop may use up the rest. */
const FEW = 1024;
/** Descriptors that a WebSocket takes beside that of its connection: both ends of the bridge to Bun's WebSocket. */
export const OF_WEB_SOCKET = 2;

const AF_UNIX = 1;
const SOCK_STREAM = 1;

/** Milliseconds between two looks at whether descriptors are left, and while accepting pauses. */
const INTERVAL = 1000;
const PAUSED_INTERVAL = 100;
/** Milliseconds between two lines that say that accepting pauses. */
const LOG_INTERVAL = 60_000;

/** How many files this process may have open; infinity where the system does not say. Source: proc_pid_limits(5). */
export async function openFilesLimit(): Promise<number> {
  try {
    const limits = await Bun.file("/proc/self/limits").text();
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}

/** How many descriptors connections may take of so many. */
export function connectionBudget(openFiles: number): number {
  const kept = Math.min(MOST_KEPT, Math.max(LEAST_KEPT, Math.floor(openFiles * SHARE_KEPT)));
  return Math.max(1, openFiles - kept);
}

/** Why fewer connections are accepted than were asked for. */
export function loweredText(budget: number, maxConnections: number, openFiles: number): string {
  return (
    `At most ${budget} connections at a time, not ${maxConnections} (--max-connections): this process may have ` +
    `${openFiles} files open (ulimit -n). A WebSocket counts as ${OF_WEB_SOCKET + 1}`
  );
}

/** A listener that can stop accepting for a while; see `Listener`. */
export interface Pausable {
  /** @throws SystemError when no descriptor is left. */
  prepareToPause(): void;
  pause(): void;
  resume(): void;
}

/** Pauses accepting while hardly any descriptors are left, no matter what holds them. */
export class DescriptorGuard {
  /** A connection with this descriptor, or a higher one, is one of the last that there is room for. */
  readonly ceiling: number;
  readonly #openFiles: number;
  readonly #listeners: readonly Pausable[];
  readonly #logger: Logger;
  readonly #onResumed: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isPaused = false;
  #loggedAt = -Infinity;
  #isClosed = false;

  /** @param onResumed the listeners accept again. */
  constructor(openFiles: number, listeners: readonly Pausable[], logger: Logger, onResumed: () => void) {
    this.#onResumed = onResumed;
    this.#openFiles = openFiles;
    this.ceiling = openFiles - LAST;
    this.#listeners = listeners;
    this.#logger = logger;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Looks from now on whether something else has taken the descriptors. */
  watch(): void {
    if (this.#openFiles === Infinity || this.#isClosed) return;
    if (this.#openFiles <= FEW) this.#prepare();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), this.#isPaused ? PAUSED_INTERVAL : INTERVAL);
    // While accepting pauses and the last connection has closed, nothing else keeps the process alive.
    if (!this.#isPaused) this.#timer.unref();
  }

  /** The system gives the lowest descriptor that is free, so a high one is one of the last. */
  onAccepted(fd: number): void {
    if (fd >= this.ceiling) this.#pause();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  #look(): void {
    if (!this.#isPaused) {
      // With so few in use, nothing below applies.
      if (openDescriptors() < this.#openFiles * SHARE_PREPARED) return;
      const [lowest = Infinity, ...others] = freeDescriptors(LAST);
      if (lowest >= this.#openFiles * SHARE_PREPARED) this.#prepare();
      if (others.length < LAST - 1) this.#pause();
    } else if (freeDescriptors(2 * LAST).length === 2 * LAST) this.#resume();
    else for (const each of this.#listeners) each.pause();
  }

  #prepare(): void {
    try {
      for (const each of this.#listeners) each.prepareToPause();
    } catch {
      // None is left, or the system has no such thing; the pause itself tries again.
    }
  }

  #pause(): void {
    if (this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    const now = performance.now();
    if (now - this.#loggedAt >= LOG_INTERVAL) {
      this.#loggedAt = now;
      this.#logger.warn(
        `No connections are accepted for now: this process may have ${this.#openFiles} files open (ulimit -n, ` +
          "RLIMIT_NOFILE), and nearly all are. New connections wait until some are closed",
      );
    }
    // Not from within the accepting of one.
    setImmediate(() => {
      if (!this.#isPaused || this.#isClosed) return;
      for (const each of this.#listeners) each.pause();
      this.watch();
    });
  }

  #resume(): void {
    this.#isPaused = false;
    for (const each of this.#listeners) each.resume();
    this.#onResumed();
    this.watch();
  }
}

/** How many descriptors are in use; infinity where the system does not say (it does from Linux 6.2 on). */
function openDescriptors(): number {
  const { statSync }: typeof import("node:fs") = require("node:fs");
  const size = statSync("/proc/self/fd", { throwIfNoEntry: false })?.size;
  return size === undefined || size === 0 ? Infinity : size;
}

/** So many descriptors that the system would give, the lowest first, or as many as it has. */
function freeDescriptors(count: number): number[] {
  const { socket, dup, close } = lateLibc();
  const got: number[] = [];
  while (got.length < count) {
    // Any will do to take a number; standard input may be closed.
    const fd = got[0] === undefined ? socket(AF_UNIX, SOCK_STREAM, 0) : dup(got[0]);
    if (fd === -1) break;
    got.push(fd);
  }
  for (const fd of got) close(fd);
  return got;
}

/** Loaded soon after the start, which it would make longer. */
function lateLibc(): ReturnType<typeof import("../system/libc.ts").libc> {
  const { libc }: typeof import("../system/libc.ts") = require("../system/libc.ts");
  return libc();
}
