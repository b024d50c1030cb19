import type { Logger } from "../server/logger.ts";
import type { ServerOptions } from "../server/options.ts";
import { onSignals } from "../server/signal-orders.ts";
import { surviveErrors } from "../server/signals.ts";
import type { Application } from "../spec/application.ts";
import { handOver, reportToPredecessor } from "./handover.ts";
import { PidFile } from "./pid-file.ts";
import { dropPrivileges } from "./process-settings.ts";
import type { Role } from "./role.ts";
import { SUPERVISOR_SIGNALS } from "./signals.ts";
import { Sockets } from "./sockets.ts";
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

/** A supervisor that serves, and what its process ends with. */
export interface Supervised {
  readonly supervisor: Supervisor;
  /** The exit code once a signal, or a failure of the workers, has ended it; undefined when the program has. */
  readonly ended: Promise<0 | 1 | undefined>;
}

/**
 * Makes this process a supervisor: opens the sockets, gives up privileges, runs the application's startup, starts the
 * workers and waits until all of them accept.
 *
 * @throws OptionError, ListenError, LoadError, LifespanError, WorkerError
 */
export async function supervise(supervision: Supervision): Promise<Supervised> {
  const { options, role, application, logger } = supervision;
  const pidFile = options.pid === "" ? undefined : new PidFile(options.pid);
  pidFile?.check("predecessor" in role ? role.predecessor : undefined);
  const sockets = openSockets(options, role);
  let supervisor: Supervisor;
  let ended: Promise<0 | 1 | undefined>;
  try {
    dropPrivileges(options);
    const app = options.supervisorLifespan ? await supervision.load() : undefined;
    supervisor = new Supervisor({ options, application, app, sockets, logger });
    ended = runUntilEnd(supervisor, logger, supervision.signals).finally(() => pidFile?.remove());
  } catch (error) {
    sockets.close({ keepFiles: role.type === "successor" });
    throw error;
  }
  await supervisor.start();
  pidFile?.write();
  reportToPredecessor({ type: "ready" });
  return { supervisor, ended };
}

// TEMPORARY until the listeners branch is merged
function planListening({ host, port }: ServerOptions) {
  return { addresses: [{ type: "tcp", host, port } as const], settings: {} };
}

/** Opens what the options ask for; every worker slot's, for it may not be possible later. */
export function openSockets(options: ServerOptions, role: Role): Sockets {
  const { addresses, settings } = planListening(options);
  const inherited = "sockets" in role ? role.sockets : [];
  const count = workerCount(options);
  const sockets = new Sockets({ addresses, settings, reusePort: options.reuseport && count > 1 }, inherited);
  for (let slot = 1; slot <= count; slot++) sockets.forSlot(slot, count);
  return sockets;
}

async function runUntilEnd(
  supervisor: Supervisor,
  logger: Logger,
  signals: boolean,
): Promise<0 | 1 | undefined> {
  let isSignalled = false;
  let isHandingOver = false;
  const restart = async (): Promise<void> => {
    if (isHandingOver || isSignalled) return;
    isHandingOver = true;
    const isFollowed = await handOver(supervisor.sockets.all, logger);
    isHandingOver = false;
    if (!isFollowed) return;
    isSignalled = true;
    supervisor.obey("hand-over");
  };
  const off = !signals
    ? []
    : [
        surviveErrors(logger),
        onSignals(SUPERVISOR_SIGNALS, (order) => {
          switch (order) {
            case "stop":
              if (!isSignalled)
                logger.info("Stopping: the workers finish what runs. Press Ctrl-C again to cut it short.");
              isSignalled = true;
              void supervisor.stop();
              break;
            case "cut":
              isSignalled = true;
              void supervisor.stop({ force: true });
              break;
            case "reopen":
              supervisor.reopenLogs();
              break;
            case "restart":
              void restart();
              break;
            case "reload":
            case "more":
            case "fewer":
              supervisor.obey(order);
          }
        }),
      ];
  const isClean = await supervisor.whenStopped;
  for (const each of off) each();
  // Workers that have all failed end it too, and then there is nobody left to serve.
  if (!isSignalled && isClean) return undefined;
  return isClean ? 0 : 1;
}
