import { KILL_MARGIN } from "./start-deadline.ts";
import { describeExit } from "./exit-reason.ts";
import { readReport } from "./messages.ts";
import { spawnCommand } from "./program.ts";

/** The outcome of starting a process that is to serve, or to find out whether it could. */
export type ChildStart =
  /** It has said so itself. */
  | { readonly type: "ready"; readonly child: Bun.Subprocess }
  /** `why` is a part of a sentence where `isSaid` is false, else the process's own message. */
  | { readonly type: "failed"; readonly why: string; readonly isSaid: boolean; readonly code: number };

export interface ChildStartOptions {
  readonly env: Record<string, string>;
  /** From 0 on. */
  readonly stdio: readonly ("inherit" | "ignore" | number)[];
  /** Seconds until it must be ready, unless it reports another limit itself; 0 waits indefinitely. */
  readonly limit: number;
  /** Aborted when nobody waits for it any more; it is asked to end. */
  readonly givenUp?: AbortSignal;
  /** In a separate session. Default false. */
  readonly detached?: boolean;
}

/** Milliseconds that the last words of a process that has ended may take to arrive. */
const LAST_WORDS = 100;
/** Milliseconds for a process that was asked to end while it was starting. */
const END_TIME = 3000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Starts this program once more and waits until it says that it is ready. However that ends otherwise, with an exit of
 * any code or with its time, is a failure.
 *
 * @throws when the system starts no process.
 */
export async function startChild(childOptions: ChildStartOptions): Promise<ChildStart> {
  const { env, stdio, givenUp, detached = false } = childOptions;
  const { command, options } = spawnCommand();
  const outcome = Promise.withResolvers<ChildStart>();
  let said: string | undefined;
  let isLate: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const setLimit = (seconds: number): void => {
    clearTimeout(timer);
    if (seconds === 0) return;
    // It looks at its own clock first, and says more than we can.
    const late = (): void => {
      isLate = seconds;
      child.kill("SIGKILL");
    };
    timer = setTimeout(late, Math.min((seconds + KILL_MARGIN) * 1000, LONGEST_TIMER_MS));
  };
  const child = Bun.spawn(command, {
    ...options,
    env,
    stdio: [stdio[0] ?? "ignore", stdio[1] ?? "ignore", stdio[2] ?? "ignore", ...stdio.slice(3)],
    detached,
    serialization: "json",
    ipc(message) {
      const report = readReport(message);
      if (report?.type === "starting") setLimit(report.limit);
      if (report?.type === "ready") outcome.resolve({ type: "ready", child });
      if (report?.type === "failed") said = report.text;
    },
    onExit: (_child, code, signal) => {
      setTimeout(() => {
        const exit = { code, signal: signal === null ? null : String(signal) };
        const how = isLate === undefined ? describeExit(exit, undefined, false) : lateText(isLate);
        const failure = code === 0 || code === null ? 1 : code;
        outcome.resolve({ type: "failed", why: said ?? how, isSaid: said !== undefined, code: failure });
      }, LAST_WORDS);
    },
  });
  setLimit(childOptions.limit);
  const end = (): void => {
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), END_TIME).unref();
  };
  givenUp?.addEventListener("abort", end);
  if (givenUp?.aborted === true) end();
  const became = await outcome.promise;
  clearTimeout(timer);
  givenUp?.removeEventListener("abort", end);
  return became;
}

function lateText(limit: number): string {
  return `was not ready ${limit} s after its start and was killed`;
}
