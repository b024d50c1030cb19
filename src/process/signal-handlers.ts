import { isTerminalGone } from "../logging/terminal.ts";

/** What a signal asks for. */
export type SignalOrder =
  "stop" | "cut" | "reload" | "more" | "fewer" | "reopen" | "restart" | "retire" | "ignore";

export type SignalTable = Readonly<Partial<Record<NodeJS.Signals, SignalOrder>>>;

/**
 * Tells `obey` what signals ask for, until the function that it returns is called. A second `stop` is a `cut`.
 *
 * SIGHUP has two meanings: it is the order to reload, and it is what a terminal sends that is closed. The second is
 * an end, as it is for every program.
 */
export function onSignals(
  table: SignalTable,
  obey: (order: Exclude<SignalOrder, "ignore">, signal: string) => void,
): () => void {
  let stops = 0;
  const handlers = Object.entries(table).map(([signal, order]) => {
    const handler = (): void => {
      const meant = signal === "SIGHUP" && order === "reload" && isTerminalGone() ? "stop" : order;
      if (meant === "ignore") return;
      if (meant === "stop") stops++;
      obey(meant === "stop" && stops > 1 ? "cut" : meant, signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}
