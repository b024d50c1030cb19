import type { Logger } from "../logging/logger.ts";
import type { Server } from "../server/server.ts";
import type { Controlled } from "./run-until-signal.ts";
import type { SignalTable } from "./signal-handlers.ts";

/**
 * The commands that signals give to a process that serves alone. SIGTTIN and SIGTTOU change the number of workers
 * elsewhere; without a handler they would suspend the process.
 */
const SERVER_SIGNALS = {
  SIGTERM: "stop",
  SIGINT: "stop",
  SIGQUIT: "cut",
  SIGHUP: "reload",
  SIGTTIN: "ignore",
  SIGTTOU: "ignore",
  SIGUSR1: "reopen",
  SIGUSR2: "restart",
} as const satisfies SignalTable;

/** A server in the hands of signals: how it stops, and how another start of the program follows it. */
export function controlServer(
  server: Server,
  logger: Logger,
  { signals, trialStart }: { readonly signals: boolean; readonly trialStart: boolean },
): Controlled {
  const stop = (): void => void server.stop({ isFollowed: true });
  return {
    logger,
    signals: signals ? SERVER_SIGNALS : undefined,
    stopText: "Stopping: finishing running requests",
    stop: (how) => void server.stop(how),
    whenStopped: server.whenStopped,
    commands: { reopen: () => server.reopenLogs() },
    follows: {
      reload: async (givenUp) => {
        const { prepareReload } = await import("./replace-program.ts");
        const replace = await prepareReload(server, logger, { trialStart, givenUp });
        return replace === undefined ? undefined : { stop, replace };
      },
      restart: async (givenUp) => {
        const { restart } = await import("./replace-program.ts");
        return (await restart(server, logger, givenUp)) ? { stop } : undefined;
      },
    },
  };
}
