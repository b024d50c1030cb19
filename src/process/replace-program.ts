import { duplicate } from "../listening/listening-socket.ts";
import type { Logger } from "../logging/logger.ts";
import type { Server } from "../server/server.ts";
import { reExecute, hotRestart } from "./hot-restart.ts";
import type { Inheritance } from "./hot-restart.ts";
import { metricsInheritance } from "./metrics-socket.ts";
import { whyNotServing } from "./probe.ts";
import { programProblem } from "./program.ts";

// How another start of the program follows a server without a supervisor.

/**
 * SIGHUP: once the server has stopped, this process executes its program again, so that it keeps its id and service
 * managers notice nothing. Duplicated descriptors keep the sockets open, in which new connections wait.
 *
 * @param trialStart whether to start the program in a separate process first: a process that has replaced its program
 *   cannot go back.
 * @param givenUp aborted when the server is to end for another reason.
 * @returns a function that executes it, or undefined when the new program could not serve, which is logged.
 */
export async function prepareReload(
  server: Server,
  logger: Logger,
  { trialStart, givenUp }: { trialStart: boolean; givenUp: AbortSignal },
): Promise<(() => never) | undefined> {
  logger.info("Reloading: the program starts again when running requests are finished");
  // The next program could not start with files that this one cannot read either.
  if (server.options.sslCert.length > 0 && !(await server.reloadCertificates())) {
    logger.error("The new program could not use the certificates. Keeping the current one");
    return undefined;
  }
  const obstacle = programProblem();
  if (obstacle !== undefined) {
    logger.error(`The program cannot be started again: ${obstacle}. Keeping the current one`);
    return undefined;
  }
  const problem = trialStart ? await whyNotServing(server.options, givenUp) : undefined;
  if (givenUp.aborted) return undefined;
  if (problem !== undefined) {
    logger.error(`The new program cannot be loaded. Keeping the current one. ${problem}`);
    return undefined;
  }
  await server.remakeSocketFiles();
  server.notifier?.reloading();
  const { sockets, environment } = inheritanceOf(server);
  const kept = sockets.map((each) => ({ ...each, fd: duplicate(each.fd) }));
  return () => reExecute({ sockets: kept, environment });
}

/** SIGUSR2: starts another process on the same sockets. @returns whether it serves. */
export async function restart(server: Server, logger: Logger, givenUp: AbortSignal): Promise<boolean> {
  const { lifespanStartupTimeout: limit } = server.options;
  await server.remakeSocketFiles();
  return await hotRestart(inheritanceOf(server), logger, server.notifier, { limit, givenUp });
}

function inheritanceOf(server: Server): Inheritance {
  const sockets = [
    ...server.sockets.map((each) => ({ ...each, slot: 0 })),
    ...metricsInheritance(server.metricsSocket),
  ];
  return { sockets, environment: server.notifier?.environment ?? {} };
}
