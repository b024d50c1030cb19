import { blamedRequest } from "../exchange/blame.ts";
import type { Logger } from "./logger.ts";
import type { Server } from "./server.ts";

/**
 * Lets signals end a server, which may be still to be started: SIGTERM and SIGINT drain it, a second one cuts. Until
 * it has stopped, nothing that an application throws behind the server's back ends the process; it is logged.
 *
 * @returns the exit code when a signal ended it: 0 when everything came to its end, 1 when something was cut or the
 *   application's shutdown failed; `undefined` when the program itself called `stop`.
 */
export async function runUntilSignal(server: Server, logger: Logger): Promise<0 | 1 | undefined> {
  let signals = 0;
  const onSignal = (): void => {
    signals++;
    if (signals === 1) logger.info("Stopping: finishing what runs. Press Ctrl-C again to cut it short.");
    void server.stop({ force: signals > 1 });
  };
  const names = ["SIGTERM", "SIGINT"] as const;
  for (const name of names) process.on(name, onSignal);
  const release = surviveErrors(logger);
  const isClean = await server.whenStopped;
  for (const name of names) process.off(name, onSignal);
  release();
  if (signals === 0) return undefined;
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
  const request = blamedRequest(error);
  return request === undefined ? "" : `${request}: `;
}
