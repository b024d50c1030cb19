import type { ServerOptions } from "../src/options/table.ts";
import { writeLine } from "../src/logging/terminal.ts";
import type { Application } from "../src/spec/application.ts";
import type { Role } from "../src/process/role.ts";
import type { Serving } from "../src/process/serve-alone.ts";
import type { Server } from "../src/server/server.ts";
import type { Logger } from "../src/logging/logger.ts";
import type { Decided } from "./report.ts";

type Banner = Pick<Server, "urls" | "connectionLimitNote">;

// What a process of the command line does when it serves: alone, as a supervisor of workers, or as one of these.
// Modules are imported where they are needed: loading them dominates start-up time (decision 0004).

/** Serves in this process until a signal ends it. Resolves with the exit code. */
export async function serveAlone(
  application: string | undefined,
  options: ServerOptions,
  role: Role,
  decided: Decided,
): Promise<number> {
  const { serverLogger } = await import("../src/logging/logger.ts");
  const { serveAlone: serve } = await import("../src/process/serve-alone.ts");
  const logger = serverLogger(options);
  const load = loaderOf(application, options, logger);
  const how = { signals: true, trialStart: true };
  const serving = await serve({ options, role, logger, file: application, app: { load }, ...how });
  return serving === undefined ? 0 : await untilEnded(serving, application, options, decided);
}

/** Serves with worker processes until a signal ends it. Resolves with the exit code. */
export async function serveWithWorkers(
  application: string | undefined,
  options: ServerOptions,
  role: Role,
  decided: Decided,
): Promise<number> {
  const { serverLogger } = await import("../src/logging/logger.ts");
  const { supervise } = await import("../src/supervisor/supervise.ts");
  const logger = serverLogger(options);
  const load = loaderOf(application, options, logger);
  const serving = await supervise({ options, role, logger, file: application, load, signals: true });
  return await untilEnded(serving, application, options, decided);
}

/** Shows the banner once it serves. Resolves with the exit code. */
async function untilEnded(
  { running, started, ended }: Serving<Banner>,
  application: string | undefined,
  options: ServerOptions,
  decided: Decided,
): Promise<number> {
  try {
    await started;
  } catch (error) {
    const code = await ended;
    if (code !== undefined) return code;
    throw error;
  }
  if (!options.quiet) {
    const { reportServing } = await import("./report.ts");
    reportServing(application, options, running.urls, decided, running.connectionLimitNote);
  }
  return (await ended) ?? 0;
}

/** Loads what the command line names. `logger` gets a note about a factory that was exported without `--factory`. */
export function loaderOf(
  application: string | undefined,
  options: ServerOptions,
  logger?: Logger,
): () => Promise<Application> {
  const reportFactory = logger === undefined ? undefined : (message: string) => logger.error(message);
  return async () => {
    const { loadApplication } = await import("./load-application.ts");
    return await loadApplication(application, { ...options, reportFactory });
  };
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

/**
 * Finds out whether this program would serve, for the server that has started it. Resolves with the exit code.
 *
 * @param application what the command line serves, whose file must be readable for the user of `--user`.
 */
export async function probe(
  options: ServerOptions,
  application: string | undefined,
  load: () => Promise<Application> | Application,
): Promise<number> {
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
  return await run(load, options, logger);
}

/** Serves as a worker; its supervisor tells it everything else. Never resolves. */
export async function work(): Promise<never> {
  const { runWorker } = await import("../src/supervisor/worker.ts");
  await runWorker(async (options, application, { workerNumber, logger }) => {
    const { speaksForAll } = await import("../src/server/spokesman.ts");
    // Without lifespan only requests can show it, and which worker gets the first one is not known.
    const speaks = options.lifespan === "off" || speaksForAll(options, workerNumber);
    return await loaderOf(application, options, speaks ? logger : undefined)();
  });
  return await new Promise<never>(() => {});
}
