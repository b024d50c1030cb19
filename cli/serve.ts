import type { ServerOptions } from "../src/server/option-table.ts";
import type { Server } from "../src/server/server.ts";
import { writeLine } from "../src/server/terminal.ts";
import type { Application } from "../src/spec/application.ts";
import type { Role } from "../src/supervisor/role.ts";

// What a process of the command line does when it serves: alone, as a supervisor of workers, or as one of these.
// Everything is imported where it is needed, for a start is short, and modules are most of it.

/** Serves in this process until a signal ends it. Resolves with the exit code. */
export async function serveAlone(
  application: string | undefined,
  options: ServerOptions,
  role: Role,
): Promise<number> {
  const isOrdinary =
    role.type === "main" && options.pid === "" && options.user === "" && options.group === "";
  const standing = isOrdinary
    ? undefined
    : await (await import("../src/supervisor/standing.ts")).prepare(options, role);
  const { loadApplication } = await import("../src/server/load-app.ts");
  const { endIfBlocked, inTime, untilStopped } = await import("../src/server/start-deadline.ts");
  const limit = options.lifespanStartupTimeout;
  const startedAt = performance.now();
  const unguard = endIfBlocked(limit);
  const { stopped, isStopped, release } = untilStopped(isOrdinary);
  const load = (): Promise<Application> => loadApplication(application, options);
  const app = await Promise.race([inTime(load, { startedAt, limit }), stopped]).catch((error: unknown) => {
    standing?.end();
    throw error;
  });
  const { Server } = await import("../src/server/server.ts");
  const { createLogger } = await import("../src/server/logger.ts");
  const { runUntilSignal } = await import("../src/server/signals.ts");
  const logger = createLogger(options.logLevel, options.quiet);
  if (app === "stopped" || isStopped()) {
    logger.info("Stopped before the application was imported");
    standing?.end();
    return 0;
  }
  const server = new Server(app, options, logger, { ...standing?.place, startedAt });
  // Before the start, so that a signal during a long startup of the application is not lost on it.
  const ended = runUntilSignal(server, logger, {
    prepareReload: async (givenUp) => {
      const { prepareReload } = await import("../src/supervisor/succession.ts");
      return await prepareReload(server, logger, { probes: true, givenUp });
    },
    restart: async (givenUp) => {
      const { restart } = await import("../src/supervisor/succession.ts");
      return await restart(server, logger, givenUp);
    },
  });
  release();
  try {
    await server.start();
    standing?.ready();
  } catch (error) {
    standing?.end();
    const code = await ended;
    if (code !== undefined) return code;
    throw error;
  } finally {
    unguard();
  }
  await announce(application, options, server);
  const code = (await ended) ?? 0;
  standing?.end();
  return code;
}

/** Serves with worker processes until a signal ends it. Resolves with the exit code. */
export async function serveWithWorkers(
  application: string | undefined,
  options: ServerOptions,
  role: Role,
): Promise<number> {
  const { supervise } = await import("../src/supervisor/supervise.ts");
  const { createLogger } = await import("../src/server/logger.ts");
  const { supervisor, started, ended } = await supervise({
    options,
    role,
    application,
    load: async () => {
      const { loadApplication } = await import("../src/server/load-app.ts");
      return await loadApplication(application, options);
    },
    logger: createLogger(options.logLevel, options.quiet),
    signals: true,
  });
  try {
    await started;
  } catch (error) {
    const code = await ended;
    if (code !== undefined) return code;
    throw error;
  }
  await announce(application, options, supervisor);
  return (await ended) ?? 0;
}

/** Lets another process serve, which no terminal can reach. Resolves with the exit code, once that one serves or cannot. */
export async function serveInBackground({ lifespanStartupTimeout }: ServerOptions): Promise<number> {
  const { startInBackground } = await import("../src/supervisor/daemon.ts");
  const became = await startInBackground(lifespanStartupTimeout);
  if (became.type === "ready") {
    writeLine(2, `Serving in the background: process ${became.child.pid}`);
    return 0;
  }
  const { printable } = await import("../src/server/printable.ts");
  writeLine(
    2,
    `pagi-server: ${became.isSaid ? printable(became.why) : `The server in the background ${became.why}.`}`,
  );
  return became.code;
}

/** Finds out whether this program would serve, for the server that has started it. Resolves with the exit code. */
export async function probe(application: string | undefined, options: ServerOptions): Promise<number> {
  const { loadApplication } = await import("../src/server/load-app.ts");
  const { probe: run } = await import("../src/supervisor/probe.ts");
  return await run(() => loadApplication(application, options), options);
}

/** Serves as a worker; its supervisor tells it everything else. Never resolves. */
export async function work(): Promise<never> {
  const { runWorker } = await import("../src/supervisor/worker.ts");
  await runWorker(async (options, application) => {
    const { loadApplication } = await import("../src/server/load-app.ts");
    return await loadApplication(application, options);
  });
  return await new Promise<never>(() => {});
}

async function announce(
  application: string | undefined,
  options: ServerOptions,
  { urls, connectionLimitNote }: Pick<Server, "urls" | "connectionLimitNote">,
): Promise<void> {
  if (options.quiet) return;
  const { bannerText } = await import("./report.ts");
  writeLine(2, bannerText(application, options, urls, connectionLimitNote));
}
