import fs from "node:fs";

/** What a signal asks for. */
export type SignalOrder =
  "stop" | "cut" | "reload" | "more" | "fewer" | "reopen" | "restart" | "retire" | "ignore";

type SignalTable = Readonly<Partial<Record<NodeJS.Signals, SignalOrder>>>;

/** Each signal in each kind of process. A second `stop` is a `cut`. */
export const SIGNALS = {
  supervisor: {
    SIGTERM: "stop",
    SIGINT: "stop",
    SIGQUIT: "cut",
    SIGHUP: "reload",
    SIGTTIN: "more",
    SIGTTOU: "fewer",
    SIGUSR1: "reopen",
    SIGUSR2: "restart",
  },
  single: {
    SIGTERM: "stop",
    SIGINT: "stop",
    SIGQUIT: "cut",
    SIGHUP: "reload",
    SIGTTIN: "ignore",
    SIGTTOU: "ignore",
    SIGUSR1: "reopen",
    SIGUSR2: "restart",
  },
  // A terminal sends its signals to all processes alike; what becomes of the workers is the supervisor's decision.
  worker: {
    SIGTERM: "retire",
    SIGINT: "ignore",
    SIGQUIT: "ignore",
    SIGHUP: "ignore",
    SIGTTIN: "ignore",
    SIGTTOU: "ignore",
    SIGUSR1: "reopen",
    SIGUSR2: "ignore",
  },
} as const satisfies Record<string, SignalTable>;

export type SignalledProcess = keyof typeof SIGNALS;

/**
 * Tells `obey` what signals ask for, until the function that it returns is called.
 *
 * SIGHUP has two meanings: it is the order to reload, and it is what a terminal sends that is closed. The second is
 * an end, as it is for every program, unless the process was started to outlive its terminal (`nohup`).
 */
export function onSignals(
  kind: SignalledProcess,
  obey: (order: Exclude<SignalOrder, "ignore">, signal: NodeJS.Signals) => void,
): () => void {
  const hadTerminal = hasTerminal();
  const outlivesTerminal = hadTerminal && ignoresHangup();
  let stops = 0;
  const table: SignalTable = SIGNALS[kind];
  const handlers = Object.entries(table).map(([signal, order]) => {
    const handler = (name: NodeJS.Signals): void => {
      const isHangup = order === "reload" && hadTerminal && !hasTerminal();
      if (order === "ignore" || (isHangup && outlivesTerminal)) return;
      const meant = isHangup ? "stop" : order;
      if (meant === "stop") stops++;
      obey(meant === "stop" && stops > 1 ? "cut" : meant, name);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}

/** Whether this process has a terminal that it can be interrupted from. */
function hasTerminal(): boolean {
  try {
    fs.closeSync(fs.openSync("/dev/tty", fs.constants.O_RDWR | fs.constants.O_NOCTTY));
    return true;
  } catch {
    return false;
  }
}

/** Asked before the first handler is set. */
function ignoresHangup(): boolean {
  try {
    const [, mask = "0"] = /^SigIgn:\s*([\da-f]+)$/m.exec(fs.readFileSync("/proc/self/status", "utf8")) ?? [];
    return (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false;
  }
}
