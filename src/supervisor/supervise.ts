import { parseListenAddress } from "../options/listen-address.ts";
import { planListening } from "../listening/listen-plan.ts";
import type { AskedSocket } from "../listening/listening-socket.ts";
import type { Logger } from "../logging/logger.ts";
import { closeMetricsSocket } from "../metrics/endpoint.ts";
import { takeNotifier } from "../system/service-manager.ts";
import type { Notifier } from "../system/service-manager.ts";
import type { ServerOptions } from "../options/resolve.ts";
import { onSignals } from "../process/signal-handlers.ts";
import { surviveErrors } from "../process/run-until-signal.ts";
import type { Application } from "../spec/application.ts";
import { handOver, reportToPredecessor, tellPredecessor } from "../process/hot-restart.ts";
import { metricsInheritance, takeMetricsSocket } from "../process/metrics-socket.ts";
import { PidFile } from "../process/pid-file.ts";
import { dropPrivileges } from "../process/process-settings.ts";
import { checkTargetUser } from "../process/requirements.ts";
import type { ReloadOnChange } from "./reload-on-change.ts";
import type { Role } from "../process/role.ts";
import { SUPERVISOR_SIGNALS } from "./signal-tables.ts";
import { Sockets } from "../process/sockets.ts";
import { Supervisor, workerCount } from "./supervisor.ts";

export interface Supervision {
  readonly options: ServerOptions;
  readonly role: Role;
  /** What the command line serves. */
  readonly application: string | undefined;
  /** Loads the application for the supervisor's own lifespan; it is not called where that is switched off. */
  readonly load: () => Promise<Application> | Application;
  readonly logger: Logger;
  /** Whether signals order it. */
  readonly signals: boolean;
}

/** A supervisor that is about to serve, and what its process ends with. */
export interface Supervised {
  readonly supervisor: Supervisor;
  /**
   * Resolves once all workers accept.
   *
   * @throws LoadError, LifespanError, WorkerError
   */
  readonly started: Promise<void>;
  /**
   * The exit code once a signal has ended it, or the end of its workers after it had served; undefined when the program
   * has, or it has never served.
   */
  readonly ended: Promise<0 | 1 | undefined>;
}

/**
 * Makes this process a supervisor: opens the sockets, gives up privileges, then runs the application's startup and
 * starts the workers.
 *
 * @throws OptionError, ListenError
 */
export async function supervise(supervision: Supervision): Promise<Supervised> {
  const { options, role, application, logger, signals } = supervision;
  // One time is for its own lifespan, and one for its workers.
  tellPredecessor({ type: "starting", limit: 2 * options.lifespanStartupTimeout });
  const predecessor = "predecessor" in role ? role.predecessor : undefined;
  const pidFile = options.pid === "" ? undefined : new PidFile(options.pid, predecessor);
  const notifier = takeNotifier();
  let sockets: Sockets | undefined;
  let metricsSocket: AskedSocket | undefined;
  let supervisor: Supervisor;
  let watch: ReloadOnChange | undefined;
  try {
    sockets = openSockets(options, role);
    metricsSocket = takeMetricsSocket(options, role);
    for (const warning of await checkTargetUser(options, application)) logger.warn(warning);
    dropPrivileges(options, pidFile?.fd);
    // One worker alone stands for a process that has no supervisor, and so no further lifespan.
    const hasLifespan = options.supervisorLifespan && options.workers !== 1;
    const onReloaded = (): void => {
      notifier?.ready();
      // Not from within, for what else it has decided is still being carried out.
      setImmediate(() => watch?.reloaded());
    };
    // Whoever waits for this one to be ready is to hear when it cannot be.
    const waitsForReload = options.reload && role.type !== "successor" && role.type !== "daemon";
    supervisor = new Supervisor({
      ...{ options, application, sockets, metricsSocket, logger },
      load: hasLifespan ? supervision.load : undefined,
      ...{ waitsForReload, isFollowing: role.type === "successor", onReloaded },
    });
    const reload = (): void => supervisor.obey("reload");
    if (options.reload) {
      const { ReloadOnChange: Watch } = await import("./reload-on-change.ts");
      watch = new Watch({ options, application, logger, reload });
    }
  } catch (error) {
    pidFile?.end();
    sockets?.close();
    closeMetricsSocket(metricsSocket, role.type === "successor");
    throw error;
  }
  const progress = { isServing: false };
  // Before the start, so that a signal during it is not lost.
  const ended = runUntilEnd(supervisor, logger, signals, notifier).then((code) => {
    watch?.close();
    notifier?.close();
    pidFile?.end();
    return code === "failed" ? (progress.isServing ? 1 : undefined) : code;
  });
  const start = async (): Promise<void> => {
    await supervisor.start();
    progress.isServing = true;
    supervisor.sockets.ownsFiles = true;
    pidFile?.write();
    notifier?.ready(`${workerCount(options)} workers`);
    reportToPredecessor({ type: "ready" });
  };
  return { supervisor, started: start(), ended };
}

/**
 * Takes the sockets that were handed down, which say where to listen, or opens what the options ask for: those of
 * every worker slot, for without privileges it may not be possible later.
 *
 * @throws ListenError, OptionError
 */
export function openSockets(options: ServerOptions, role: Role): Sockets {
  const inherited = "sockets" in role ? role.sockets.filter((each) => each.isForMetrics !== true) : [];
  const count = workerCount(options);
  const reusePort = options.reuseport && count > 1;
  const flags = options.listen.length > 0 ? { host: "--listen", port: "--listen" } : undefined;
  const asked = [...new Set(inherited.map((each) => each.asked))];
  const known = asked.flatMap((text) => {
    const address = parseListenAddress(text);
    return address === undefined || address.type === "named" ? [] : [address];
  });
  const { addresses, settings } =
    asked.length === 0
      ? planListening(options)
      : { ...planListening({ ...options, listen: [] }, []), addresses: known };
  const sockets = new Sockets({ addresses, settings, reusePort, flags }, inherited);
  try {
    for (let slot = 1; slot <= count; slot++) sockets.forSlot(slot, count);
  } catch (error) {
    sockets.close();
    throw error;
  }
  return sockets;
}

async function runUntilEnd(
  supervisor: Supervisor,
  logger: Logger,
  signals: boolean,
  notifier: Notifier | undefined,
): Promise<0 | 1 | undefined | "failed"> {
  let isSignalled = false;
  let isHandingOver = false;
  /** It was ordered once more meanwhile, with code that is perhaps newer. */
  let isOrderedAgain = false;
  const givenUp = new AbortController();
  const restart = async (): Promise<void> => {
    if (isSignalled) return;
    if (isHandingOver) {
      isOrderedAgain = true;
      return;
    }
    isHandingOver = true;
    isOrderedAgain = false;
    supervisor.remakeSocketFiles();
    const sockets = [...supervisor.sockets.all, ...metricsInheritance(supervisor.metricsSocket)];
    const environment = notifier?.environment ?? {};
    const { lifespanStartupTimeout: limit } = supervisor.options;
    const start = { limit, givenUp: givenUp.signal };
    const isFollowed = await handOver({ sockets, environment }, logger, notifier, start);
    isHandingOver = false;
    if (isSignalled) return;
    if (!isFollowed) {
      if (isOrderedAgain) await restart();
      return;
    }
    isSignalled = true;
    supervisor.sockets.ownsFiles = false;
    supervisor.obey("hand-over");
  };
  const stop = (force: boolean): void => {
    if (!isSignalled && !force)
      logger.info("Stopping: the workers finish running requests. Press Ctrl-C again to stop at once.");
    isSignalled = true;
    givenUp.abort();
    notifier?.stopping();
    void supervisor.stop({ force });
  };
  const listen = (): (() => void) =>
    onSignals(SUPERVISOR_SIGNALS, (order) => {
      switch (order) {
        case "stop":
        case "cut":
          stop(order === "cut");
          break;
        case "reopen":
          supervisor.reopenLogs();
          break;
        case "restart":
          void restart();
          break;
        case "reload":
          notifier?.reloading();
          supervisor.obey(order);
          break;
        case "more":
        case "fewer":
          supervisor.obey(order);
      }
    });
  const releases = signals ? [surviveErrors(logger), listen()] : [];
  const isClean = await supervisor.whenStopped;
  givenUp.abort();
  for (const release of releases) release();
  if (isSignalled) return isClean ? 0 : 1;
  return isClean ? undefined : "failed";
}
