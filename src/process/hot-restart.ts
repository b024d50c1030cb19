import { messageOf } from "../errors.ts";
import type { Notifier } from "../system/service-manager.ts";
import { setInherited } from "../listening/listening-socket.ts";
import { flushLogs } from "../logging/log-stream.ts";
import type { Logger } from "../logging/logger.ts";
import { startChild } from "./child-start.ts";
import { envelope } from "./messages.ts";
import type { StartingReport, SuccessorReport } from "./messages.ts";
import { spawnProblem, thisProgram } from "./program.ts";
import { environmentFor } from "./role-environment.ts";
import { FIRST_DESCRIPTOR } from "./inherited-socket.ts";
import type { InheritedSocket } from "./inherited-socket.ts";
import { execute, ignoreSignal } from "../system/process-calls.ts";

/** The sockets and variables that a new start of the program inherits. */
export interface Inheritance {
  readonly sockets: readonly InheritedSocket[];
  /** Variables of the service manager, which this program has removed from its own environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Signals for the running server that would end its successor, which has no handlers for them yet. */
const OPERATOR_SIGNALS = { SIGHUP: 1, SIGUSR1: 10, SIGUSR2: 12, SIGTTIN: 21, SIGTTOU: 22 } as const;

/** Reports to the process that started this one, if one waits for it. */
export function tellPredecessor(report: SuccessorReport | StartingReport): void {
  if (process.send === undefined || !process.connected) return;
  try {
    process.send(envelope(report));
  } catch {
    // It has ended meanwhile.
  }
}

/** Reports the outcome of the start to the process that started this one, if one waits for it, and disconnects from it. */
export function reportToPredecessor(report: SuccessorReport): void {
  tellPredecessor(report);
  if (process.connected) process.disconnect?.();
}

/** Reports a start that has failed; see {@link reportToPredecessor}. */
export function reportFailure(error: unknown): void {
  reportToPredecessor({ type: "failed", text: messageOf(error) });
}

/**
 * Executes this program again in the same process, which keeps its id and the listening sockets. New connections wait in
 * the sockets meanwhile. Returns only by throwing.
 */
export function reExecute({ sockets, environment }: Inheritance): never {
  const { file, words, directory } = thisProgram();
  process.chdir(directory);
  const variables = environmentFor({ type: "continued", sockets }, environment);
  for (const { fd } of sockets) setInherited(fd, true);
  for (const number of Object.values(OPERATOR_SIGNALS)) ignoreSignal(number);
  flushLogs();
  execute(file, words, variables);
}

/**
 * Starts a successor on the same sockets. Once it serves, the service manager is notified that it is now the main process;
 * only this process may send that notification.
 *
 * @param limit seconds for its start, import included; 0 is no limit.
 * @param givenUp aborted when this process is to end for another reason; a successor that does not serve yet ends too.
 * @returns whether it serves; if it does not, the reason is logged.
 */
export async function hotRestart(
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
