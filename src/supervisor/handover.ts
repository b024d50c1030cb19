import { messageOf } from "../errors.ts";
import type { Notifier } from "../server/notify.ts";
import { setInherited } from "../server/listening-socket.ts";
import { flushLogs } from "../server/log-stream.ts";
import type { Logger } from "../server/logger.ts";
import { describeExit } from "./exit-reason.ts";
import { envelope, readReport } from "./messages.ts";
import type { SuccessorReport } from "./messages.ts";
import { spawnCommand, spawnProblem, thisProgram } from "./program.ts";
import { environmentFor } from "./role.ts";
import type { InheritedSocket } from "./inherited-socket.ts";
import { execute, ignoreSignal } from "./system-calls.ts";
import { FIRST_DESCRIPTOR } from "./worker-process.ts";

/** What a program hands to the one that follows it. */
export interface Inheritance {
  readonly sockets: readonly InheritedSocket[];
  /** Variables of the service manager, which this program has removed from its own environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Milliseconds that the last words of a process that has ended may take to arrive. */
const LAST_WORDS = 100;
/** Signals that would end a program which has no handlers for them yet, and are meant for the one before. */
const ORDERS_OF_OPERATORS = { SIGHUP: 1, SIGUSR1: 10, SIGUSR2: 12, SIGTTIN: 21, SIGTTOU: 22 } as const;

/**
 * Starts this program once more, as a process of its own that inherits the listening sockets. Both accept from then
 * on; the one before ends once it hears that the successor is ready.
 *
 * @returns its process id once it serves, else why it does not, as a part of a sentence.
 */
async function startSuccessor(
  { sockets, environment }: Inheritance,
  givenUp: AbortSignal,
): Promise<number | string> {
  const { command, options } = spawnCommand();
  const outcome = Promise.withResolvers<number | string>();
  let said: string | undefined;
  const child = Bun.spawn(command, {
    ...options,
    env: environmentFor(
      {
        type: "successor",
        sockets: sockets.map((each, index) => ({ ...each, fd: FIRST_DESCRIPTOR + index })),
      },
      environment,
    ),
    stdio: ["inherit", "inherit", "inherit", ...sockets.map(({ fd }) => fd)],
    serialization: "json",
    ipc(message) {
      const report = readReport(message);
      if (report?.type === "ready") outcome.resolve(child.pid);
      if (report?.type === "failed") said = report.text;
    },
    onExit: (_child, code, signal) => {
      // Its last words may still be on their way.
      setTimeout(() => {
        const name = signal === null ? null : String(signal);
        outcome.resolve(describeExit({ code, signal: name }, said, false));
      }, LAST_WORDS);
    },
  });
  const end = (): void => child.kill("SIGTERM");
  givenUp.addEventListener("abort", end);
  const became = await outcome.promise;
  givenUp.removeEventListener("abort", end);
  if (typeof became === "number") child.unref();
  return became;
}

/**
 * Tells the process that has started this one how it went, if there is one that waits for it, and lets go of it.
 */
export function reportToPredecessor(report: SuccessorReport): void {
  if (process.send === undefined || !process.connected) return;
  try {
    process.send(envelope(report));
    process.disconnect?.();
  } catch {
    // It has gone meanwhile; then there is nobody to tell.
  }
}

/** The same for a start that has failed. */
export function reportFailure(error: unknown): void {
  reportToPredecessor({ type: "failed", text: messageOf(error) });
}

/**
 * Replaces the program of this process by a new start of itself, which keeps the process id and the listening sockets.
 * Connections that come meanwhile wait in these. Returns only by throwing.
 */
export function continueAsNewProgram({ sockets, environment }: Inheritance): never {
  const { file, words, directory } = thisProgram();
  process.chdir(directory);
  const variables = environmentFor({ type: "continued", sockets }, environment);
  for (const { fd } of sockets) setInherited(fd, true);
  for (const number of Object.values(ORDERS_OF_OPERATORS)) ignoreSignal(number);
  flushLogs();
  execute(file, words, variables);
}

/**
 * Whether a new start of this program would load its application, as far as can be checked without serving. The probe
 * logs the reason to standard error if not.
 */
export async function canBeLoaded(logger: Logger): Promise<boolean> {
  const { command, options } = spawnCommand();
  try {
    const child = Bun.spawn(command, {
      ...options,
      env: environmentFor({ type: "probe" }),
      stdio: ["ignore", "ignore", "inherit"],
    });
    return (await child.exited) === 0;
  } catch (error) {
    // The runtime, or the compiled program, has gone.
    logger.error(spawnProblem(error));
    return false;
  }
}

/**
 * Hands the sockets to a successor, and tells the service manager that it is the one to watch from now on: only this
 * process may say so.
 *
 * @param givenUp aborted when this process is to end for another reason; a successor that does not serve yet ends too.
 * @returns whether it serves; what hinders it is logged.
 */
export async function handOver(
  inheritance: Inheritance,
  logger: Logger,
  notifier: Notifier | undefined,
  givenUp: AbortSignal,
): Promise<boolean> {
  if (process.pid === 1) {
    logger.error(
      "Process 1 cannot be followed by another one, for its end is the end of all; SIGHUP reloads it.",
    );
    return false;
  }
  logger.info("Restarting: a new server is started on the same sockets");
  const became = await startSuccessor(inheritance, givenUp).catch(
    (error: unknown) => `could not be started: ${spawnProblem(error)}`,
  );
  if (typeof became === "string") {
    logger.error(`The new server ${became.replace(/\.$/, "")}. This one goes on`);
    return false;
  }
  notifier?.send(`MAINPID=${became}`);
  logger.info(`The new server serves (pid ${became}); this one ends`);
  return true;
}
