import { toApplication } from "../adapters/application-value.ts";
import { OptionError } from "../src/errors.ts";
import { isCommandLineOption } from "../src/options/groups/command-line.ts";
import type { CommandLineOption } from "../src/options/groups/command-line.ts";
import { embeddedApplication } from "../src/loading/embedded-application.ts";
import { serverLogger } from "../src/logging/logger.ts";
import type { Logger } from "../src/logging/logger.ts";
import { checkWorkers, resolveOptions } from "../src/options/resolve.ts";
import type { PartialOptions, ServerOptions } from "../src/options/resolve.ts";
import { Server } from "../src/server/server.ts";
import { runUntilSignal, type Succession } from "../src/process/run-until-signal.ts";
import type { Application } from "../src/spec/application.ts";
import { checkOptions, either, FLAG, OBJECT, TEXTS, type OptionRules } from "../src/spec/option-rules.ts";
import type { Role } from "../src/process/role.ts";
import type { Standalone } from "../src/process/standalone.ts";

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
   * Command-line words to read as `pagi-server` does: their flags, and then environment variables, take precedence over
   * the options given here; errors are printed and end the process with exit code 2. `true` reads the words of this
   * process. Default: true for the first server of a program compiled with `bun build --compile`, otherwise false.
   */
  commandLine?: boolean | readonly string[];
  /** Where the server's messages go. Default: standard error. */
  logger?: Logger;
}

const PROGRAM_RULES: OptionRules<{ signals: boolean; logger: unknown; commandLine: unknown }> = {
  signals: FLAG,
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

/** Servers that a signal ends; it reaches all of them, and the process ends with the last. */
let underSignals = 0;
/** 1 once one of them had to cut something. */
let exitCode: 0 | 1 = 0;
/** What this process was started for, until a server has taken it. */
let ownRole: Promise<Role> | undefined;
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
  const { signals = true, logger, commandLine = isCompiledProgram(), ...given } = options;
  checkOptions("serve", PROGRAM_RULES, { signals, logger, commandLine });
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
  const role = await takeRole(resolved);
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
    // Whoever has read the words has gone to the folder, for paths among them are meant from there.
    const { umask } = resolved;
    const chdir = words === false ? resolved.chdir : "";
    if (chdir !== "" || umask !== "")
      (await import("../src/process/process-settings.ts")).applySettings({ chdir, umask });
    return resolved.workers === 1
      ? await serveAlone(app, resolved, role, log, signals)
      : await serveWithWorkers(app, resolved, role, log, signals);
  } catch (error) {
    if (role.type !== "main") {
      const { reportFailure } = await import("../src/process/hot-restart.ts");
      reportFailure(error);
    }
    throw error;
  }
}

/** Whether this is the server that a compiled program is there for. One that was built in with an application has its own. */
function isCompiledProgram(): boolean {
  return Bun.isStandaloneExecutable && isFirst && embeddedApplication() === undefined;
}

async function serveAlone(
  app: Application,
  options: ServerOptions,
  role: Role,
  logger: Logger,
  signals: boolean,
): Promise<Server> {
  const isOrdinary =
    role.type === "main" && options.pid === "" && options.user === "" && options.group === "";
  const standalone: Standalone | undefined = isOrdinary
    ? undefined
    : await (await import("../src/process/standalone.ts")).prepare(options, role, logger);
  const server = new Server(app, options, logger, standalone?.place);
  // Before the start, so that a signal during a long startup of the application is not lost on it.
  if (signals) endWith(runUntilSignal(server, logger, successionOf(server, logger)));
  if (standalone !== undefined) void server.whenStopped.then(() => standalone.end());
  await server.start();
  standalone?.ready();
  noteLimit(server, logger);
  return server;
}

async function serveWithWorkers(
  app: Application,
  options: ServerOptions,
  role: Role,
  logger: Logger,
  signals: boolean,
): Promise<RunningServer> {
  if (isSupervising)
    throw new OptionError(
      "workers",
      "can be more than 1 for one server of a program only; a worker serves that one.",
    );
  isSupervising = true;
  const { supervise } = await import("../src/supervisor/supervise.ts");
  const { supervisor, started, ended } = await supervise({
    options,
    role,
    application: undefined,
    load: () => app,
    logger,
    signals,
  });
  if (signals) endWith(ended);
  await started;
  noteLimit(supervisor, logger);
  return supervisor;
}

/** Where the command line has its banner, a program has its log. */
function noteLimit({ connectionLimitNote }: Pick<Server, "connectionLimitNote">, logger: Logger): void {
  if (connectionLimitNote !== undefined) logger.warn(connectionLimitNote);
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

/** A worker's role is taken by the server that has workers, every other one by the first server of the program. */
async function takeRole({ workers }: ServerOptions): Promise<Role> {
  if (process.env["PAGI_SERVER_PROCESS"] !== undefined)
    ownRole ??= import("../src/process/role.ts").then((module) => module.takeRole());
  const role = (await ownRole) ?? { type: "main" };
  if (role.type === "main" || (role.type === "worker" && workers === 1)) return { type: "main" };
  ownRole = Promise.resolve({ type: "main" });
  return role;
}

function successionOf(server: Server, logger: Logger): Succession {
  return {
    prepareReload: async (givenUp) => {
      const { prepareReload } = await import("../src/process/replace-program.ts");
      return await prepareReload(server, logger, { probes: false, givenUp });
    },
    restart: async (givenUp) => {
      const { restart } = await import("../src/process/replace-program.ts");
      return await restart(server, logger, givenUp);
    },
  };
}
