import type { AskedSocket } from "../listening/listening-socket.ts";
import type { Logger } from "../logging/logger.ts";
import { closeMetricsSocket } from "../metrics/endpoint.ts";
import type { ServerOptions } from "../options/resolve.ts";
import { reportToPredecessor, tellPredecessor } from "./hot-restart.ts";
import { takeMetricsSocket } from "./metrics-socket.ts";
import { PidFile } from "./pid-file.ts";
import { dropPrivileges } from "./process-settings.ts";
import { checkTargetUser } from "./requirements.ts";
import type { Role } from "./role.ts";
import { openSockets } from "./sockets.ts";
import type { Sockets } from "./sockets.ts";

export interface ClaimOptions {
  readonly options: ServerOptions;
  readonly role: Role;
  readonly logger: Logger;
  /** The file that the command line serves, which the user must be able to read. */
  readonly application: string | undefined;
  /** Seconds until this process is ready or has failed, for the process that started it; 0 is no limit. */
  readonly startLimit: number;
}

/** Everything that a process takes hold of before it runs any code of an application. */
export interface ProcessClaim {
  readonly sockets: Sockets;
  readonly metricsSocket: AskedSocket | undefined;
  /** Another server serves until this one is ready. */
  readonly isFollowing: boolean;
  /** Writes the pid file, and reports to the process that started this one: the server accepts. */
  ready(): void;
  /** Removes the pid file: the server has ended, or could not start. The sockets belong to the server. */
  end(): void;
  /** Lets go of everything, the sockets included: no server is going to be made. */
  abandon(): void;
}

/**
 * Claims the pid file, opens or inherits the sockets, checks what the user of `--user` may do, and then drops privileges,
 * in this order. A start that fails leaves nothing behind.
 *
 * @throws OptionError, ListenError
 */
export async function claimProcess(claim: ClaimOptions): Promise<ProcessClaim> {
  const { options, role, logger, application, startLimit } = claim;
  tellPredecessor({ type: "starting", limit: startLimit });
  const isFollowing = role.type === "successor";
  const pidFile =
    options.pid === ""
      ? undefined
      : new PidFile(options.pid, "predecessor" in role ? role.predecessor : undefined);
  let sockets: Sockets | undefined;
  let metricsSocket: AskedSocket | undefined;
  let isOver = false;
  const end = (): void => {
    if (!isOver) pidFile?.end();
    isOver = true;
  };
  const abandon = (): void => {
    end();
    sockets?.close();
    closeMetricsSocket(metricsSocket, isFollowing);
  };
  try {
    sockets = openSockets(options, role);
    metricsSocket = takeMetricsSocket(options, role);
    for (const warning of await checkTargetUser(options, application)) logger.warn(warning);
    dropPrivileges(options, pidFile?.fd);
  } catch (error) {
    abandon();
    throw error;
  }
  const ready = (): void => {
    pidFile?.write();
    reportToPredecessor({ type: "ready" });
  };
  return { sockets, metricsSocket, isFollowing, ready, end, abandon };
}
