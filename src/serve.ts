import { createLogger } from "./server/logger.ts";
import type { Logger } from "./server/logger.ts";
import { resolveOptions } from "./server/options.ts";
import type { PartialOptions } from "./server/options.ts";
import { Server } from "./server/server.ts";
import { runUntilSignal } from "./server/signals.ts";
import type { Application } from "./spec/application.ts";

/** The server's options, and what `serve` itself does with the process. */
export interface ServeOptions extends PartialOptions {
  /**
   * Whether SIGTERM and SIGINT drain the server and then end the process, with exit code 0, or 1 when something had to
   * be cut; and errors outside of requests are logged instead of ending it. Default true; false leaves the process
   * alone.
   */
  signals?: boolean;
  /** Where the server's messages go. Default: standard error. */
  logger?: Logger;
}

/** Servers that a signal ends; it reaches all of them, and the process ends with the last. */
let underSignals = 0;
/** 1 once one of them had to cut something. */
let exitCode: 0 | 1 = 0;

/**
 * Starts a server for `app` and resolves once it accepts connections.
 *
 *     const server = await serve(app, { port: 8080 });
 *     console.log(server.url);
 *
 * @throws OptionError for an unknown option or a wrong value.
 * @throws LifespanError when the application refuses to start.
 * @throws ListenError when the address cannot be had.
 */
export async function serve(app: Application, options: ServeOptions = {}): Promise<Server> {
  const { signals = true, logger, ...given } = options;
  const resolved = await resolveOptions(given);
  const log = logger ?? createLogger(resolved.logLevel, resolved.quiet);
  const server = new Server(app, resolved, log);
  // Before the start, so that a signal during a long startup of the application is not lost on it.
  if (signals) {
    underSignals++;
    void runUntilSignal(server, log).then((code) => {
      underSignals--;
      if (code === 1) exitCode = 1;
      if (code !== undefined && underSignals === 0) process.exit(exitCode);
    });
  }
  await server.start();
  return server;
}
