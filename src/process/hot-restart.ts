import { messageOf } from "../errors.ts";
import type { Notifier } from "../system/service-manager.ts";
import { setInherited } from "../listening/listening-socket.ts";
import { flushLogs } from "../logging/log-stream.ts";
import type { Logger } from "../logging/logger.ts";
import { startChild } from "./child-start.ts";
import { envelope } from "./messages.ts";
import type { StartingReport, SuccessorReport } from "./messages.ts";
import { spawnProblem, thisProgram } from "./program.ts";
import { environmentFor } from "./role.ts";
import type { InheritedSocket } from "./inherited-socket.ts";
import { execute, ignoreSignal } from "../system/process-calls.ts";
import { FIRST_DESCRIPTOR } from "../supervisor/worker-process.ts";

/** What a program hands to the one that follows it. */
export interface Inheritance {
  readonly sockets: readonly InheritedSocket[];
  /** Variables of the service manager, which this program has removed from its own environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Signals that would end a program which has no handlers for them yet, and are meant for the one before. */
const ORDERS_OF_OPERATORS = { SIGHUP: 1, SIGUSR1: 10, SIGUSR2: 12, SIGTTIN: 21, SIGTTOU: 22 } as const;

/** Tells the process that has started this one, if there is one that waits for it. */
export function tellPredecessor(report: SuccessorReport | StartingReport): void {
  if (process.send === undefined || !process.connected) return;
  try {
    process.send(envelope(report));
  } catch {
    // It has gone meanwhile; then there is nobody to tell.
  }
}

/**
 * Tells the process that has started this one how it went, if there is one that waits for it, and lets go of it.
 */
export function reportToPredecessor(report: SuccessorReport): void {
  tellPredecessor(report);
  if (process.connected) process.disconnect?.();
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
 * Hands the sockets to a successor, and tells the service manager that it is the one to watch from now on: only this
 * process may say so.
 *
 * @param limit seconds for its start, import included; 0 is no limit.
 * @param givenUp aborted when this process is to end for another reason; a successor that does not serve yet ends too.
 * @returns whether it serves; what hinders it is logged.
 */
export async function handOver(
  { sockets, environment }: Inheritance,
  logger: Logger,
  notifier: Notifier | undefined,
  { limit, givenUp }: { readonly limit: number; readonly givenUp: AbortSignal },
): Promise<boolean> {
  if (process.pid === 1) {
    logger.error(
      "Process 1 cannot be followed by another one, for its end is the end of all; SIGHUP reloads it.",
    );
    return false;
  }
  logger.info("Restarting: a new server is started on the same sockets");
  const inherited = sockets.map((each, index) => ({ ...each, fd: FIRST_DESCRIPTOR + index }));
  const env = environmentFor({ type: "successor", sockets: inherited }, environment);
  const stdio = ["inherit", "inherit", "inherit", ...sockets.map(({ fd }) => fd)] as const;
  const became = await startChild({ env, stdio, limit, givenUp }).catch((error: unknown) => ({
    ...({ type: "failed", isSaid: false, code: 1 } as const),
    why: `could not be started: ${spawnProblem(error)}`,
  }));
  if (became.type === "failed") {
    const why = became.isSaid ? `said: ${became.why}` : became.why;
    logger.error(`The new server ${why.replace(/\.$/, "")}. Keeping the current one`);
    return false;
  }
  const { child } = became;
  child.unref();
  notifier?.send(`MAINPID=${child.pid}`);
  logger.info(`The new server serves (pid ${child.pid}); this one ends`);
  return true;
}
