import { toApplication } from "../adapters/application-value.ts";
import { OptionError } from "../src/errors.ts";
import { isCommandLineOption } from "../src/options/groups/command-line.ts";
import type { CommandLineOption } from "../src/options/groups/command-line.ts";
import { embeddedApplication } from "../src/loading/embedded-application.ts";
import { serverLogger } from "../src/logging/logger.ts";
import type { Logger } from "../src/logging/logger.ts";
import { checkWorkers, resolveOptions } from "../src/options/resolve.ts";
import type { PartialOptions, ServerOptions } from "../src/options/resolve.ts";
import type { Server } from "../src/server/server.ts";
import { takeRole } from "../src/process/role.ts";
import type { Role } from "../src/process/role.ts";
import { serveAlone } from "../src/process/serve-alone.ts";
import type { Serving } from "../src/process/serve-alone.ts";
import type { Application } from "../src/spec/application.ts";
import { checkOptions, either, FLAG, OBJECT, TEXTS, type OptionRules } from "../src/spec/option-rules.ts";

/** The server's options, and what `serve` itself does with the process. */
export interface ServeOptions extends Omit<PartialOptions, CommandLineOption> {
  /**
   * Whether the server handles signals, and logs errors outside of requests instead of letting them end the process.
   * SIGTERM and SIGINT finish running requests and then end the process, with exit code 0, or 1 if requests were cut off;
   * SIGQUIT ends it at once; SIGHUP restarts the program in this process, SIGUSR2 in a new one; SIGUSR1 reopens the
   * access log. Default true; with false the server changes nothing in the process.
   */
  signals?: boolean;
  /**
   * Whether SIGHUP first starts the program in a separate process, which runs the application's startup and shutdown
   * but does not listen. If that fails, the running server stays. Set it to false for a program that must not run twice
   * at the same time, for example because code before `serve()` listens on another port; if the new code then fails to
   * start, nothing serves any more. Applies to servers without workers. Default true.
   */
  trialStart?: boolean;
  /**
   * Command-line words to read as `pagi-server` does: their flags, and then environment variables, take precedence over
   * the options given here; errors are printed and end the process with exit code 2. `true` reads the words of this
   * process. Default: true for the first server of a program compiled with `bun build --compile`, otherwise false.
   */
  commandLine?: boolean | readonly string[];
  /** Where the server's messages go. Default: standard error. */
  logger?: Logger;
}

const PROGRAM_RULES: OptionRules<{
  signals: boolean;
  trialStart: boolean;
  logger: unknown;
  commandLine: unknown;
}> = {
  signals: FLAG,
  trialStart: FLAG,
  logger: OBJECT,
  commandLine: either(FLAG, TEXTS),
};

/**
 * The applications that `serve` accepts: a PAGI application, an object with `toApp()` such as a `Simple` or a router, or
 * an object with `fetch(request)` such as a Hono application.
 */
export type Servable =
  Application | { toApp(): Application } | { fetch(request: Request): Response | Promise<Response> };

/** A server that serves: a {@link Server} in this process, or with workers their supervisor. */
export type RunningServer = Pick<
  Server,
  "options" | "stop" | "url" | "urls" | "listeners" | "connectionCount" | "whenStopped"
> &
  AsyncDisposable;

type Banner = Pick<Server, "connectionLimitNote">;

/** Servers that a signal ends; it reaches all of them, and the process ends with the last. */
let underSignals = 0;
/** 1 once one of them had to cut something. */
let exitCode: 0 | 1 = 0;
/** The role of this process, until a server has taken it. */
let ownRole: Role | undefined;
let isSupervising = false;
/** No server has been started yet. */
let isFirst = true;

/**
 * Starts a server for an application and resolves once it accepts connections.
 *
 *     const server = await serve(app, { port: 8080 });
 *     console.log(server.url);
 *
 * With `workers`, the program runs once more for each worker, where this call serves as the worker with the supervisor's
 * options. Code before the call runs in the supervisor and in every worker.
 *
 * @throws LoadError if the argument is not an application.
 * @throws OptionError for an unknown option or a wrong value.
 * @throws LifespanError when the application refuses to start.
 * @throws ListenError when the server cannot listen on the address.
 * @throws WorkerError when no worker could start.
 */
export async function serve(servable: Servable, options: ServeOptions = {}): Promise<RunningServer> {
  const { signals = true, trialStart = true, logger, commandLine = isCompiledProgram(), ...given } = options;
  checkOptions("serve", PROGRAM_RULES, { signals, trialStart, logger, commandLine });
  isFirst = false;
  const misplaced = Object.keys(given).find(isCommandLineOption);
  if (misplaced !== undefined)
    throw new OptionError(misplaced, "is for the command line; a program does this itself.");
  const words = commandLine === true ? process.argv.slice(2) : commandLine;
  const resolved =
    words === false
      ? await resolveOptions(given)
      : await (await import("./program.ts")).programOptions(words, given);
  if (words === false) checkWorkers(resolved, given);
  const app = await toApplication(servable, "what serve() was given");
  const role = roleFor(resolved);
  if (role.type === "worker") {
    const { runWorker } = await import("../src/supervisor/worker.ts");
    return await runWorker(() => app, logger);
  }
  const log = logger ?? serverLogger(resolved);
  try {
    if (resolved.daemonize && words !== false && role.type === "main")
      process.exit(await (await import("./serve.ts")).serveInBackground(resolved));
    if (resolved.daemonize && words === false)
      throw new OptionError("daemonize", "is for the command line; a program decides itself where it runs.");
    // Reading the words has changed the directory already, since paths among them are relative to it.
    const { umask } = resolved;
    const chdir = words === false ? resolved.chdir : "";
    if (chdir !== "" || umask !== "")
      (await import("../src/process/process-settings.ts")).applySettings({ chdir, umask });
    if (role.type === "probe")
      process.exit(await (await import("./serve.ts")).probe(resolved, undefined, () => app));
    const { running, started, ended } = await serving(app, resolved, role, log, { signals, trialStart });
    if (signals) endWith(ended);
    await started;
    // The command line shows it in its banner.
    if (running.connectionLimitNote !== undefined) log.warn(running.connectionLimitNote);
    return running;
  } catch (error) {
    if (role.type !== "main") {
      const { reportFailure } = await import("../src/process/hot-restart.ts");
      reportFailure(error);
    }
    // The process is there for nothing else, whatever the program does about the error.
    if (role.type === "probe") process.exit(1);
    throw error;
  }
}

/** Whether this is the server that a compiled program is there for. One that was built in with an application has its own. */
function isCompiledProgram(): boolean {
  return Bun.isStandaloneExecutable && isFirst && embeddedApplication() === undefined;
}

/** Serves in this process, or with workers: only one server of a program can have them, since each worker serves that one. */
async function serving(
  app: Application,
  options: ServerOptions,
  role: Role,
  logger: Logger,
  how: { readonly signals: boolean; readonly trialStart: boolean },
): Promise<Serving<RunningServer & Banner>> {
  if (options.workers === 1) {
    const alone = await serveAlone({ options, role, logger, app, ...how });
    if (alone === undefined) throw new Error("The server was stopped before it was made.");
    return alone;
  }
  if (isSupervising)
    throw new OptionError(
      "workers",
      "can be more than 1 for one server of a program only; a worker serves that one.",
    );
  isSupervising = true;
  const { supervise } = await import("../src/supervisor/supervise.ts");
  return await supervise({ options, role, logger, load: () => app, signals: how.signals });
}

/** Ends the process with the last server that a signal has ended. */
function endWith(ended: Promise<0 | 1 | undefined>): void {
  underSignals++;
  void ended.then((code) => {
    underSignals--;
    if (code === 1) exitCode = 1;
    if (code !== undefined && underSignals === 0) process.exit(exitCode);
  });
}

/** The server that has workers takes the role of a worker; the first server of the program takes every other role. */
function roleFor({ workers }: ServerOptions): Role {
  ownRole ??= takeRole();
  const role = ownRole;
  if (role.type === "main" || (role.type === "worker" && workers === 1)) return { type: "main" };
  ownRole = { type: "main" };
  return role;
}
