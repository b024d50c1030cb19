import { Lifespan } from "../exchange/lifespan.ts";
import type { Logger } from "../logging/logger.ts";
import type { ServerOptions } from "../options/resolve.ts";
import { inTime, KILL_MARGIN, untilStopped } from "./start-deadline.ts";
import type { Application } from "../spec/application.ts";
import { startChild } from "./child-start.ts";
import { reportToPredecessor, tellPredecessor } from "./hot-restart.ts";
import { spawnProblem } from "./program.ts";
import { environmentFor } from "./role-environment.ts";
import { dieWithParent } from "../system/process-calls.ts";

// Finds out in a separate process whether a new start of this program would serve. The process reports success only
// after the application's startup.

/**
 * Asks a new start of this program. It has no sockets: it imports the application, runs its startup, says that it could
 * serve, runs its shutdown, and ends.
 *
 * @param givenUp aborted when it does not matter any more.
 * @returns why it could not serve, as a sentence without its full stop, or undefined.
 */
export async function whyNotServing(
  { lifespanStartupTimeout: limit, shutdownTimeout }: ServerOptions,
  givenUp: AbortSignal,
): Promise<string | undefined> {
  try {
    const env = environmentFor({ type: "probe" });
    const became = await startChild({ env, stdio: ["ignore", "ignore", "inherit"], limit, givenUp });
    if (became.type === "failed")
      return became.isSaid
        ? `It said: ${became.why.replace(/\.$/, "")}`
        : `It ${became.why}, without reporting that it can serve`;
    const { child } = became;
    // What it has opened is closed before the new program opens it.
    const timer = setTimeout(() => child.kill("SIGKILL"), (shutdownTimeout + KILL_MARGIN) * 1000);
    const end = (): void => child.kill("SIGKILL");
    givenUp.addEventListener("abort", end);
    if (givenUp.aborted) end();
    await child.exited;
    clearTimeout(timer);
    givenUp.removeEventListener("abort", end);
    return undefined;
  } catch (error) {
    // The runtime, or the compiled program, is missing.
    return `It could not be started: ${spawnProblem(error)}`;
  }
}

/**
 * Is such a process. Resolves with its exit code.
 *
 * @throws LoadError, LifespanError, OptionError: what would keep the program from serving.
 */
export async function probe(
  load: () => Promise<Application> | Application,
  options: ServerOptions,
  logger: Logger,
): Promise<number> {
  dieWithParent();
  const { lifespanStartupTimeout: limit, shutdownTimeout } = options;
  const startedAt = performance.now();
  tellPredecessor({ type: "starting", limit });
  const { stopped, release } = untilStopped(false);
  const app = await Promise.race([inTime(load, { startedAt, limit }), stopped]);
  if (app === "stopped") return 1;
  if (options.sslCert.length > 0) (await import("../server/tls/tls-context.ts")).createTlsGate(options);
  const times = { startupTimeout: limit, startedAt, shutdownTimeout };
  const lifespan = new Lifespan(app, { mode: options.lifespan, role: "single", ...times }, logger);
  const started = await Promise.race([lifespan.start(), stopped]);
  if (started !== "stopped") reportToPredecessor({ type: "ready" });
  await lifespan.stop();
  release();
  return started === "stopped" ? 1 : 0;
}
