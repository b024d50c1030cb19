import type { Logger } from "../logging/logger.ts";
import { takeNotifier } from "../system/service-manager.ts";
import type { Notifier } from "../system/service-manager.ts";
import type { ServerOptions } from "../options/resolve.ts";
import { claimProcess } from "../process/claim-process.ts";
import { hotRestart } from "../process/hot-restart.ts";
import { metricsInheritance } from "../process/metrics-socket.ts";
import type { Role } from "../process/role.ts";
import { runUntilSignal } from "../process/run-until-signal.ts";
import type { Controlled } from "../process/run-until-signal.ts";
import type { Serving } from "../process/serve-alone.ts";
import { workerCount } from "../process/sockets.ts";
import type { Application } from "../spec/application.ts";
import type { ReloadOnChange } from "./reload-on-change.ts";
import { SUPERVISOR_SIGNALS } from "./signal-tables.ts";
import { Supervisor } from "./supervisor.ts";

export interface Supervision {
  readonly options: ServerOptions;
  readonly role: Role;
  readonly logger: Logger;
  /** What the command line serves. */
  readonly file?: string | undefined;
  /** Loads the application for the supervisor's own lifespan; it is not called where that is switched off. */
  readonly load: () => Promise<Application> | Application;
  /** Whether signals control it. */
  readonly signals: boolean;
}

/**
 * Makes this process a supervisor: claims what options and role ask for, then runs the application's startup and starts
 * the workers. If the workers end after they have served, the exit code is 1.
 *
 * @throws OptionError, ListenError
 */
export async function supervise(supervision: Supervision): Promise<Serving<Supervisor>> {
  const { options, role, file: application, logger, signals } = supervision;
  // Its own lifespan has as much time as its workers.
  const startLimit = 2 * options.lifespanStartupTimeout;
  const claim = await claimProcess({ options, role, logger, application, startLimit });
  const { sockets, metricsSocket, isFollowing } = claim;
  let supervisor: Supervisor;
  let watch: ReloadOnChange | undefined;
  let notifier: Notifier | undefined;
  try {
    notifier = takeNotifier();
    // One worker alone stands for a process that has no supervisor, and so no further lifespan.
    const hasLifespan = options.supervisorLifespan && options.workers !== 1;
    const onReloaded = (): void => {
      notifier?.ready();
      // Not from within, for what else it has decided is still being carried out.
      setImmediate(() => watch?.reloaded());
    };
    // A process that waits for this one must hear when it cannot become ready.
    const waitsForReload = options.reload && role.type !== "successor" && role.type !== "daemon";
    supervisor = new Supervisor({
      ...{ options, application, sockets, metricsSocket, logger },
      load: hasLifespan ? supervision.load : undefined,
      ...{ waitsForReload, isFollowing, onReloaded },
    });
    const reload = (): void => supervisor.handle("reload");
    if (options.reload) {
      const { ReloadOnChange: Watch } = await import("./reload-on-change.ts");
      watch = new Watch({ options, application, logger, reload });
    }
  } catch (error) {
    claim.abandon();
    throw error;
  }
  const progress = { isServing: false };
  // Before the start, so that a signal during it is not lost.
  const ended = runUntilSignal(controlSupervisor(supervisor, logger, notifier, signals)).then(
    ({ isSignaled, isClean }) => {
      watch?.close();
      notifier?.close();
      claim.end();
      if (isSignaled) return isClean ? 0 : 1;
      return !isClean && progress.isServing ? 1 : undefined;
    },
  );
  const start = async (): Promise<void> => {
    await supervisor.start();
    sockets.ownsFiles = true;
    notifier?.ready(`${workerCount(options)} workers`);
    try {
      claim.ready();
    } catch (error) {
      // The pid file cannot be written, for example because the disk is full.
      await supervisor.stop({ force: true });
      throw error;
    }
    progress.isServing = true;
  };
  return { running: supervisor, started: start(), ended };
}

/** A supervisor in the hands of signals. A reload replaces its workers; a hot restart replaces the supervisor too. */
function controlSupervisor(
  supervisor: Supervisor,
  logger: Logger,
  notifier: Notifier | undefined,
  signals: boolean,
): Controlled {
  return {
    logger,
    signals: signals ? SUPERVISOR_SIGNALS : undefined,
    stopText: "Stopping: the workers finish running requests",
    stop(how) {
      notifier?.stopping();
      void supervisor.stop(how);
    },
    whenStopped: supervisor.whenStopped,
    commands: {
      reload() {
        notifier?.reloading();
        supervisor.handle("reload");
      },
      more: () => supervisor.handle("more"),
      fewer: () => supervisor.handle("fewer"),
      reopen: () => supervisor.reopenLogs(),
    },
    follows: {
      async restart(givenUp) {
        supervisor.remakeSocketFiles();
        const sockets = [...supervisor.sockets.all, ...metricsInheritance(supervisor.metricsSocket)];
        const environment = notifier?.environment ?? {};
        const { lifespanStartupTimeout: limit } = supervisor.options;
        const isServing = await hotRestart({ sockets, environment }, logger, notifier, { limit, givenUp });
        if (!isServing) return undefined;
        return {
          stop() {
            supervisor.sockets.ownsFiles = false;
            supervisor.handle("hot-restart");
          },
        };
      },
    },
  };
}
