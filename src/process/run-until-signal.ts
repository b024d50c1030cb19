import { requestOf } from "../exchange/error-origin.ts";
import type { Logger } from "../logging/logger.ts";
import type { Server } from "../server/server.ts";
import { onSignals } from "./signal-handlers.ts";
import type { SignalTable } from "./signal-handlers.ts";

/** What signals ask of a process that serves by itself. SIGTTIN and SIGTTOU would stop it, and mean the number of workers. */
const SINGLE_SIGNALS = {
  SIGTERM: "stop",
  SIGINT: "stop",
  SIGQUIT: "cut",
  SIGHUP: "reload",
  SIGTTIN: "ignore",
  SIGTTOU: "ignore",
  SIGUSR1: "reopen",
  SIGUSR2: "restart",
} as const satisfies SignalTable;

/** How a process is followed by a new start of its program; see `src/supervisor`. */
export interface Succession {
  /**
   * Prepares to replace the program of this process.
   *
   * @param givenUp aborted when the server is to end for another reason.
   * @returns what does it once the server has stopped, and never returns; undefined when it cannot be, which is logged.
   */
  prepareReload(givenUp: AbortSignal): Promise<(() => never) | undefined>;
  /**
   * Starts another process on the same sockets.
   *
   * @param givenUp aborted when the server is to end before the other one serves, which then ends too.
   * @returns whether it serves; if not, it is logged.
   */
  restart(givenUp: AbortSignal): Promise<boolean>;
}

/**
 * Lets signals end a server, which may be still to be started: SIGTERM and SIGINT drain it, a second one and SIGQUIT
 * cut. SIGUSR1 opens its logs anew; SIGHUP and SIGUSR2 let it be followed by a new start of the program, if that is
 * given. Until it has stopped, nothing that an application throws behind the server's back ends the process; it is
 * logged.
 *
 * @returns the exit code when a signal ended it: 0 when everything came to its end, 1 when something was cut or the
 *   application's shutdown failed; `undefined` when the program itself called `stop`.
 */
export async function runUntilSignal(
  server: Server,
  logger: Logger,
  succession?: Succession,
): Promise<0 | 1 | undefined> {
  let isSignalled = false;
  let isSucceeding = false;
  /** What was ordered meanwhile, with code that is perhaps newer. */
  let next: "reload" | "restart" | undefined;
  let continueAsNew: (() => never) | undefined;
  const givenUp = new AbortController();
  const succeed = async (how: "reload" | "restart"): Promise<void> => {
    if (succession === undefined || isSignalled) return;
    if (isSucceeding) {
      next = how;
      return;
    }
    isSucceeding = true;
    let program: (() => never) | undefined;
    let isFollowed = false;
    try {
      if (how === "reload") program = await succession.prepareReload(givenUp.signal);
      isFollowed = program !== undefined || (how === "restart" && (await succession.restart(givenUp.signal)));
    } catch (error) {
      logger.error(`The ${how} has failed. Keeping the current server`, error);
    }
    isSucceeding = false;
    if (isSignalled) return;
    if (!isFollowed) {
      const again = next;
      next = undefined;
      if (again !== undefined) await succeed(again);
      return;
    }
    isSignalled = true;
    continueAsNew = program;
    void server.stop({ isFollowed: true });
  };
  const off = onSignals(SINGLE_SIGNALS, (order) => {
    switch (order) {
      case "stop":
        if (!isSignalled)
          logger.info("Stopping: finishing running requests. Press Ctrl-C again to stop at once.");
        isSignalled = true;
        continueAsNew = undefined;
        givenUp.abort();
        void server.stop();
        break;
      case "cut":
        isSignalled = true;
        continueAsNew = undefined;
        givenUp.abort();
        void server.stop({ force: true });
        break;
      case "reopen":
        server.reopenLogs();
        break;
      case "reload":
      case "restart":
        void succeed(order);
    }
  });
  const release = surviveErrors(logger);
  const isClean = await server.whenStopped;
  givenUp.abort();
  off();
  release();
  if (!isSignalled) return undefined;
  continueAsNew?.();
  return isClean ? 0 : 1;
}

/**
 * Logs what an application throws behind the server's back, instead of letting it end the process.
 *
 * @returns a function that ends this.
 */
export function surviveErrors(logger: Logger): () => void {
  const handlers: readonly [event: string, handler: (argument: unknown) => void][] = [
    [
      "uncaughtException",
      (error) => logger.error(`${originOf(error)}the application let an exception escape`, error),
    ],
    [
      "unhandledRejection",
      (error) => logger.error(`${originOf(error)}the application left a rejected promise unhandled`, error),
    ],
  ];
  for (const [event, handler] of handlers) process.on(event, handler);
  return () => {
    for (const [event, handler] of handlers) process.off(event, handler);
  };
}

/** The request that an error came from, as far as it can be known. */
function originOf(error: unknown): string {
  const request = requestOf(error);
  return request === undefined ? "" : `${request}: `;
}
