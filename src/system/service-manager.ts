import { AF, checked, libc, ptr, SOCK, unixAddress } from "./libc.ts";

/** The clock that `MONOTONIC_USEC` is of. */
const CLOCK_MONOTONIC = 1;

/** The variables of the protocol, which no child is to find. */
const VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/**
 * Tells a service manager how the service is, by the protocol of sd_notify(3): datagrams to the Unix socket
 * `NOTIFY_SOCKET`. A manager that cannot be reached is nobody's concern; what it is told is lost.
 */
export class Notifier {
  /** The variables that it was made from, for a program that takes this one's place. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #address: Uint8Array;
  readonly #fd: number;
  readonly #watchdogMs: number;
  #watchdog: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  /**
   * @param socket a path, or an abstract name after `@`.
   * @param watchdogMs how often the manager wants a sign of life at least; 0 is never.
   * @throws SystemError when the name is too long, or no socket can be made.
   */
  constructor(socket: string, watchdogMs = 0, environment: Readonly<Record<string, string>> = {}) {
    this.environment = environment;
    this.#address = unixAddress(socket.replace(/^@/, "\0"));
    this.#watchdogMs = watchdogMs;
    this.#fd = checked(libc().socket(AF.unix, SOCK.datagram | SOCK.nonblock | SOCK.cloexec, 0), "socket");
  }

  /** The service is ready, or has loaded its configuration anew; signs of life begin. */
  ready(status = "serving"): void {
    this.send(`READY=1\nSTATUS=${status}`);
    if (this.#watchdogMs === 0 || this.#isClosed) return;
    // Half of the time, as sd_watchdog_enabled(3) recommends. It comes from the event loop, so one that hangs is found.
    this.#watchdog ??= setInterval(() => this.send("WATCHDOG=1"), this.#watchdogMs / 2);
    this.#watchdog.unref();
  }

  /** The service loads its configuration anew; `ready` ends that. */
  reloading(): void {
    this.send(`RELOADING=1\nMONOTONIC_USEC=${monotonicMicroseconds()}\nSTATUS=reloading`);
  }

  stopping(): void {
    this.send("STOPPING=1\nSTATUS=stopping");
  }

  /** Sends assignments, one a line, such as `MAINPID=123`. */
  send(assignments: string): void {
    if (this.#isClosed) return;
    const bytes = Buffer.from(assignments);
    libc().sendto(this.#fd, ptr(bytes), bytes.length, 0, ptr(this.#address), this.#address.length);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#watchdog);
    libc().close(this.#fd);
  }
}

/**
 * The notifier for this process, if a service manager wants to be notified. The variables are removed, so that
 * neither a child nor a second call gets one.
 */
export function takeNotifier(
  environment: NodeJS.ProcessEnv = process.env,
  pid = process.pid,
): Notifier | undefined {
  const found: Record<string, string> = {};
  for (const name of VARIABLES) {
    const value = environment[name];
    if (value !== undefined) found[name] = value;
    delete environment[name];
  }
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: watched } = found;
  // Of the other transports (vsock:), none is a Unix socket.
  if (socket === undefined || !/^[/@]./.test(socket)) return undefined;
  const isWatched = watched === undefined || watched === String(pid);
  const watchdogMs = isWatched ? Number(microseconds ?? 0) / 1000 : 0;
  return new Notifier(socket, watchdogMs > 0 ? watchdogMs : 0, found);
}

/** Bun's own clocks go on while the machine sleeps; this one does not. */
function monotonicMicroseconds(): bigint {
  const time = new BigInt64Array(2);
  libc().clock_gettime(CLOCK_MONOTONIC, ptr(time));
  const [seconds = 0n, nanoseconds = 0n] = time;
  return seconds * 1_000_000n + nanoseconds / 1000n;
}
