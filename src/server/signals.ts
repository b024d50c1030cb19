import { blamedRequest } from "../exchange/blame.ts";
import type { Logger } from "./logger.ts";
import type { Server } from "./server.ts";

/**
 * Lets signals end a server, which may be still to be started: SIGTERM and SIGINT drain it, a second one cuts. Until
 * it has stopped, nothing that an application throws behind the server's back ends the process; it is logged.
 *
 * @returns true when a signal ended it, false when the program itself called `stop`.
 */
export async function runUntilSignal(server: Server, logger: Logger): Promise<boolean> {
  let signals = 0;
  const onSignal = (): void => {
    signals++;
    if (signals === 1) logger.info("Stopping: finishing what runs. Press Ctrl-C again to cut it short.");
    void server.stop({ force: signals > 1 });
  };
  const handlers: readonly [event: string, handler: (argument: unknown) => void][] = [
    ["SIGTERM", onSignal],
    ["SIGINT", onSignal],
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
  await server.whenStopped;
  for (const [event, handler] of handlers) process.off(event, handler);
  return signals > 0;
}

/** The request that an error came from, as far as it can be known. */
function originOf(error: unknown): string {
  const request = blamedRequest(error);
  return request === undefined ? "" : `${request}: `;
}
