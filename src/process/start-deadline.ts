import { ptr } from "bun:ffi";

import { LoadError } from "../errors.ts";
import { loadFunctions } from "../system/c-library.ts";
import { onSignals } from "./signal-handlers.ts";
import type { SignalTable } from "./signal-handlers.ts";

/** Seconds beyond a limit until a process that cannot look at its clock, or does not end by itself, is killed. */
export const KILL_MARGIN = 2;

const FLAG = "--lifespan-startup-timeout";

/**
 * How a process that is still importing its application handles signals. Signals for a serving server are ignored;
 * without a handler they would end the process. SIGQUIT keeps its default action, since code that blocks the event loop
 * keeps handlers from being called.
 */
const IMPORT_SIGNALS = {
  SIGTERM: "stop",
  SIGINT: "stop",
  SIGHUP: "reload",
  SIGTTIN: "ignore",
  SIGTTOU: "ignore",
  SIGUSR1: "ignore",
  SIGUSR2: "ignore",
} as const satisfies SignalTable;

/** From when the time for import and startup counts, and how long it is. */
export interface StartTime {
  /** Milliseconds of `performance.now()`. */
  readonly startedAt: number;
  /** Seconds; 0 is no limit. */
  readonly limit: number;
}

/**
 * Waits for the import of an application, which may never end.
 *
 * @throws LoadError when the time is over.
 */
export async function inTime<T>(load: () => Promise<T> | T, { startedAt, limit }: StartTime): Promise<T> {
  if (limit === 0) return await load();
  const late = Promise.withResolvers<never>();
  const problem =
    `The application has not been imported within ${limit} s. A top-level await in it may wait for something ` +
    `that does not come; give it more time with ${FLAG}.`;
  const left = Math.max(0, startedAt + limit * 1000 - performance.now());
  const timer = setTimeout(() => late.reject(new LoadError(problem)), Math.min(left, LONGEST_TIMER_MS));
  // An import that has nothing left to wait for ends the process at once, which says so.
  timer.unref();
  try {
    return await Promise.race([load(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The longest time that a timer of the runtime can take; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The import and startup of an application in this process, while they may still hang. */
export interface StartGuard {
  /** When it began (`performance.now()`). */
  readonly startedAt: number;
  /**
   * Imports the application.
   *
   * @returns undefined when a signal has ended the import.
   * @throws LoadError when the limit is exceeded, or what `load` throws.
   */
  importing<T>(load: () => Promise<T>): Promise<T | undefined>;
  /** Whether a signal has ended the import, even after it was complete. */
  isStopped(): boolean;
  /** The server handles signals from now on. */
  signalsAreHandled(): void;
  /** The start is over. */
  end(): void;
}

/**
 * Begins a start that has a deadline, and that signals can end while the application is imported.
 *
 * @param limit seconds for import and startup together; 0 is no limit.
 * @param leavesInterrupt see {@link untilStopped}.
 */
export function guardStart(limit: number, leavesInterrupt: boolean): StartGuard {
  const startedAt = performance.now();
  const unguard = endIfBlocked(limit);
  const { stopped, isStopped, release } = untilStopped(leavesInterrupt);
  return {
    startedAt,
    isStopped,
    async importing(load) {
      const imported = await Promise.race([inTime(load, { startedAt, limit }), stopped]);
      return imported === "stopped" ? undefined : imported;
    },
    signalsAreHandled: release,
    end() {
      release();
      unguard();
    },
  };
}

/**
 * Lets signals end an import.
 *
 * @param leavesInterrupt Ctrl-C ends the process as the system does it, even when its event loop is blocked; for one
 *   that has nothing to clean up.
 * @returns what resolves with the first signal that ends it, whether there was one, and the end of all this.
 */
export function untilStopped(leavesInterrupt: boolean): {
  readonly stopped: Promise<"stopped">;
  readonly isStopped: () => boolean;
  readonly release: () => void;
} {
  const { promise: stopped, resolve } = Promise.withResolvers<"stopped">();
  let isStopped = false;
  const { SIGINT, ...others } = IMPORT_SIGNALS;
  // Process 1 is not ended by a signal that it has no handler for.
  const table: SignalTable = leavesInterrupt && process.pid !== 1 ? others : { SIGINT, ...others };
  const release = onSignals(table, (command) => {
    if (command !== "stop" && command !== "cut") return;
    isStopped = true;
    resolve("stopped");
  });
  return { stopped, isStopped: () => isStopped, release };
}

/**
 * Lets the kernel end this process by SIGALRM when a start that blocks the event loop, so that no timer fires, takes
 * longer than its limit. Source: alarm(2). Process 1 exits with the number of the signal, 14, as its code instead.
 *
 * @returns a function that ends this.
 */
export function endIfBlocked(limit: number): () => void {
  if (limit === 0) return () => {};
  try {
    const { alarm } = loadFunctions({ alarm: { args: ["u32"], returns: "u32" } });
    if (process.pid === 1) exitOnAlarm();
    alarm(Math.ceil(limit) + KILL_MARGIN);
    const clear = (): void => void alarm(0);
    // An event loop that turns by then is not blocked, and the process's own clock ends the start.
    const timer = setTimeout(clear, Math.min(limit * 1000, LONGEST_TIMER_MS)).unref();
    return () => {
      clearTimeout(timer);
      clear();
    };
  } catch {
    return () => {}; // no Linux
  }
}

const SIGALRM = 14;

/**
 * Makes the C library's `_exit` the handler of SIGALRM, and so the signal's number the exit code: the kernel drops signals
 * for process 1 that have no handler, and one of ours would never run while the event loop is blocked. Source:
 * pid_namespaces(7).
 */
function exitOnAlarm(): void {
  const { dlsym, signal } = loadFunctions({
    dlsym: { args: ["ptr", "ptr"], returns: "ptr" },
    signal: { args: ["i32", "ptr"], returns: "ptr" },
  });
  const exit = dlsym(null, ptr(Buffer.from("_exit\0")));
  if (exit !== null) signal(SIGALRM, exit);
}
