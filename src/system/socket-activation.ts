/** A listening socket that a service manager has passed. */
export interface ActivatedSocket {
  readonly fd: number;
  /** From `LISTEN_FDNAMES`; systemd's default is the name of the socket unit. */
  readonly name: string;
}

/** The first descriptor that is passed (sd_listen_fds(3), SD_LISTEN_FDS_START). */
const FIRST_FD = 3;
/** More than anybody passes; a number beyond it is nonsense. */
const MOST_FDS = 4096;

/** Whether a service manager has passed something to this process. */
export function isActivated(
  environment: Readonly<NodeJS.ProcessEnv> = process.env,
  pid = process.pid,
): boolean {
  return environment["LISTEN_PID"] === String(pid) && environment["LISTEN_FDS"] !== undefined;
}

/**
 * The sockets that a service manager has passed to this process, by the protocol of sd_listen_fds(3). The variables
 * are removed, so that no child takes them for its own; a second call finds nothing.
 */
export function takeActivatedSockets(
  environment: NodeJS.ProcessEnv = process.env,
  pid = process.pid,
): ActivatedSocket[] {
  if (!isActivated(environment, pid)) return [];
  const count = Number(environment["LISTEN_FDS"]);
  const names = (environment["LISTEN_FDNAMES"] ?? "").split(":");
  for (const name of ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]) delete environment[name];
  if (!Number.isInteger(count) || count < 1 || count > MOST_FDS) return [];
  return Array.from({ length: count }, (_, i) => ({ fd: FIRST_FD + i, name: names[i] ?? "" }));
}
