import type { AskedSocket } from "../listening/listening-socket.ts";
import type { Logger } from "../logging/logger.ts";
import { closeMetricsSocket } from "../metrics/endpoint.ts";
import type { ServerOptions } from "../options/resolve.ts";
import type { ServerPlace } from "../server/server.ts";
import { reportToPredecessor, tellPredecessor } from "./hot-restart.ts";
import { takeMetricsSocket } from "./metrics-socket.ts";
import { PidFile } from "./pid-file.ts";
import { dropPrivileges } from "./process-settings.ts";
import { checkTargetUser } from "./requirements.ts";
import type { Role } from "./role.ts";
import type { Sockets } from "./sockets.ts";
import { openSockets } from "../supervisor/supervise.ts";

/** What a process that serves alone has to do besides. */
export interface Standalone {
  readonly place: ServerPlace;
  /** The server accepts. */
  ready(): void;
  /** The server has ended, or could not start. */
  end(): void;
}

/**
 * Opens or takes over the sockets, then gives up privileges, all before the application is loaded.
 *
 * @param application what the command line serves, whose file the user must be able to read.
 * @throws OptionError, ListenError
 */
export async function prepare(
  options: ServerOptions,
  role: Role,
  logger: Logger,
  application?: string,
): Promise<Standalone> {
  tellPredecessor({ type: "starting", limit: options.lifespanStartupTimeout });
  const predecessor = "predecessor" in role ? role.predecessor : undefined;
  const pidFile = options.pid === "" ? undefined : new PidFile(options.pid, predecessor);
  let sockets: Sockets | undefined;
  let metricsSocket: AskedSocket | undefined;
  try {
    sockets = openSockets({ ...options, workers: 1 }, role);
    metricsSocket = takeMetricsSocket(options, role);
    for (const warning of await checkTargetUser(options, application)) logger.warn(warning);
    dropPrivileges(options, pidFile?.fd);
  } catch (error) {
    pidFile?.end();
    sockets?.close();
    closeMetricsSocket(metricsSocket, role.type === "successor");
    throw error;
  }
  let isOver = false;
  return {
    place: { sockets: sockets.release(), metricsSocket, isFollowing: role.type === "successor" },
    ready() {
      pidFile?.write();
      reportToPredecessor({ type: "ready" });
    },
    end() {
      if (isOver) return;
      isOver = true;
      pidFile?.end();
    },
  };
}
