import type { SignalTable } from "../process/signal-handlers.ts";

/** What signals ask of a supervisor. */
export const SUPERVISOR_SIGNALS = {
  SIGTERM: "stop",
  SIGINT: "stop",
  SIGQUIT: "cut",
  SIGHUP: "reload",
  SIGTTIN: "more",
  SIGTTOU: "fewer",
  SIGUSR1: "reopen",
  SIGUSR2: "restart",
} as const satisfies SignalTable;

/**
 * And of a worker. A terminal sends its signals to all processes alike; what becomes of the workers is then the
 * supervisor's decision. A worker that is told to end by itself asks for its replacement first.
 */
export const WORKER_SIGNALS = {
  SIGTERM: "retire",
  SIGINT: "ignore",
  SIGQUIT: "ignore",
  SIGHUP: "ignore",
  SIGTTIN: "ignore",
  SIGTTOU: "ignore",
  SIGUSR1: "reopen",
  SIGUSR2: "ignore",
} as const satisfies SignalTable;
