import type { ServerOptions } from "../src/options/table.ts";
import type { Server } from "../src/server/server.ts";
import { writeLine } from "../src/logging/terminal.ts";
import type { Application } from "../src/spec/application.ts";
import type { Role } from "../src/process/role.ts";
import type { Decided } from "./report.ts";

// What a process of the command line does when it serves: alone, as a supervisor of workers, or as one of these.
// Everything is imported where it is needed, for a start is short, and modules are most of it.

/** Serves in this process until a signal ends it. Resolves with the exit code. */
export async function serveAlone(
  application: string | undefined,
  options: ServerOptions,
  role: Role,
  decided: Decided,
): Promise<number> {
  const isOrdinary =
    role.type === "main" && options.pid === "" && options.user === "" && options.group === "";
  const { serverLogger } = await import("../src/logging/logger.ts");
  const logger = serverLogger(options);
  const standalone = isOrdinary
    ? undefined
    : await (await import("../src/process/standalone.ts")).prepare(options, role, logger, application);
  const { loadApplication } = await import("./load-application.ts");
  const { endIfBlocked, inTime, untilStopped } = await import("../src/process/start-deadline.ts");
  const limit = options.lifespanStartupTimeout;
  const startedAt = performance.now();
  const unguard = endIfBlocked(limit);
  const { stopped, isStopped, release } = untilStopped(isOrdinary);
  const load = (): Promise<Application> =>
    loadApplication(application, { ...options, reportFactory: (message) => logger.error(message) });
  const app = await Promise.race([inTime(load, { startedAt, limit }), stopped]).catch((error: unknown) => {
    standalone?.end();
    throw error;
  });
  const { Server } = await import("../src/server/server.ts");
  const { runUntilSignal } = await import("../src/process/run-until-signal.ts");
  if (app === "stopped" || isStopped()) {
    logger.info("Stopped before the application was imported");
    standalone?.end();
    return 0;
  }
  const server = new Server(app, options, logger, { ...standalone?.place, startedAt });
  // Before the start, so that a signal during a long startup of the application is not lost on it.
  const ended = runUntilSignal(server, logger, {
    prepareReload: async (givenUp) => {
      const { prepareReload } = await import("../src/process/replace-program.ts");
      return await prepareReload(server, logger, { probes: true, givenUp });
    },
    restart: async (givenUp) => {
      const { restart } = await import("../src/process/replace-program.ts");
      return await restart(server, logger, givenUp);
    },
  });
  release();
  try {
    await server.start();
    standalone?.ready();
  } catch (error) {
    standalone?.end();
    const code = await ended;
    if (code !== undefined) return code;
    throw error;
  } finally {
    unguard();
  }
  await announce(application, options, server, decided);
  const code = (await ended) ?? 0;
  standalone?.end();
  return code;
}

/** Serves with worker processes until a signal ends it. Resolves with the exit code. */
export async function serveWithWorkers(
  application: string | undefined,
  options: ServerOptions,
  role: Role,
  decided: Decided,
): Promise<number> {
  const { supervise } = await import("../src/supervisor/supervise.ts");
  const { serverLogger } = await import("../src/logging/logger.ts");
  const logger = serverLogger(options);
  const { supervisor, started, ended } = await supervise({
    options,
    role,
    application,
    load: async () => {
      const { loadApplication } = await import("./load-application.ts");
      return await loadApplication(application, {
        ...options,
        reportFactory: (message) => logger.error(message),
      });
    },
    logger,
    signals: true,
  });
  try {
    await started;
  } catch (error) {
    const code = await ended;
    if (code !== undefined) return code;
    throw error;
  }
  await announce(application, options, supervisor, decided);
  return (await ended) ?? 0;
}

/** Lets another process serve, which no terminal can reach. Resolves with the exit code, once that one serves or cannot. */
export async function serveInBackground({ lifespanStartupTimeout }: ServerOptions): Promise<number> {
  const { startInBackground } = await import("../src/process/daemon.ts");
  const became = await startInBackground(lifespanStartupTimeout);
  if (became.type === "ready") {
    writeLine(2, `Serving in the background: process ${became.child.pid}`);
    return 0;
  }
  const { printable } = await import("../src/system/escape-controls.ts");
  writeLine(
    2,
    `pagi-server: ${became.isSaid ? printable(became.why) : `The server in the background ${became.why}.`}`,
  );
  return became.code;
}

/** Finds out whether this program would serve, for the server that has started it. Resolves with the exit code. */
export async function probe(application: string | undefined, options: ServerOptions): Promise<number> {
  const { loadApplication } = await import("./load-application.ts");
  const { serverLogger } = await import("../src/logging/logger.ts");
  const { probe: run } = await import("../src/process/probe.ts");
  const { checkStart } = await import("../src/process/requirements.ts");
  const { dropPrivileges } = await import("../src/process/process-settings.ts");
  // The server that asks keeps its sockets open.
  const warnings = await checkStart(options, application, { opensSockets: false });
  for (const warning of warnings) writeLine(2, `pagi-server: ${warning}`);
  dropPrivileges(options);
  // Only what goes wrong: everything else is logged when the program serves.
  const logger = serverLogger({ ...options, quiet: true });
  return await run(() => loadApplication(application, options), options, logger);
}

/** Serves as a worker; its supervisor tells it everything else. Never resolves. */
export async function work(): Promise<never> {
  const { runWorker } = await import("../src/supervisor/worker.ts");
  await runWorker(async (options, application, { workerNumber, logger }) => {
    const { loadApplication } = await import("./load-application.ts");
    const { speaksForAll } = await import("../src/server/spokesman.ts");
    // Without lifespan only requests can show it, and which worker gets the first one is not known.
    const speaks = options.lifespan === "off" || speaksForAll(options, workerNumber);
    const reportFactory = speaks ? (message: string) => logger.error(message) : undefined;
    return await loadApplication(application, { ...options, reportFactory });
  });
  return await new Promise<never>(() => {});
}

async function announce(
  application: string | undefined,
  options: ServerOptions,
  { urls, connectionLimitNote }: Pick<Server, "urls" | "connectionLimitNote">,
  decided: Decided,
): Promise<void> {
  if (options.quiet) return;
  const { reportServing } = await import("./report.ts");
  reportServing(application, options, urls, decided, connectionLimitNote);
}
