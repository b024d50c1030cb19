import type { ServerOptions } from "../server/options.ts";
import type { ServerPlace } from "../server/server.ts";
import { reportToPredecessor, tellPredecessor } from "./handover.ts";
import { PidFile } from "./pid-file.ts";
import { dropPrivileges } from "./process-settings.ts";
import type { Role } from "./role.ts";
import type { Sockets } from "./sockets.ts";
import { openSockets } from "./supervise.ts";

/** What a process that serves alone has to do besides. */
export interface Standing {
  readonly place: ServerPlace;
  /** The server accepts. */
  ready(): void;
  /** The server has ended, or could not start. */
  end(): void;
}

/**
 * Opens or takes over the sockets, then gives up privileges, all before the application is loaded.
 *
 * @throws OptionError, ListenError
 */
export function prepare(options: ServerOptions, role: Role): Standing {
  tellPredecessor({ type: "starting", limit: options.lifespanStartupTimeout });
  const predecessor = "predecessor" in role ? role.predecessor : undefined;
  const pidFile = options.pid === "" ? undefined : new PidFile(options.pid, predecessor);
  let sockets: Sockets | undefined;
  try {
    sockets = openSockets({ ...options, workers: 1 }, role);
    dropPrivileges(options, pidFile?.fd);
  } catch (error) {
    pidFile?.end();
    sockets?.close();
    throw error;
  }
  let isOver = false;
  return {
    place: { sockets: sockets.release(), isFollowing: role.type === "successor" },
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
