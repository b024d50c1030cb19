import { requestOf } from "../exchange/error-origin.ts";
import type { Logger } from "../logging/logger.ts";

/**
 * Logs errors that an application throws outside of a request, instead of letting them end the process.
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

/** The request that an error came from, as far as it is known. */
function originOf(error: unknown): string {
  const request = requestOf(error);
  return request === undefined ? "" : `${request}: `;
}
