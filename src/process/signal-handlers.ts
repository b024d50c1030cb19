import { isTerminalGone } from "../logging/terminal.ts";

/** A command that a signal gives. `cut` ends at once; `retire` lets another worker take over first. */
export type SignalCommand =
  "stop" | "cut" | "reload" | "more" | "fewer" | "reopen" | "restart" | "retire" | "ignore";

export type SignalTable = Readonly<Partial<Record<NodeJS.Signals, SignalCommand>>>;

/**
 * Calls `handle` with the command of each signal, until the returned function is called. A second `stop` is a `cut`.
 *
 * SIGHUP has two meanings: a command to reload, and the notice of a closed terminal. The latter stops the process, as it
 * does every program.
 */
export function onSignals(
  table: SignalTable,
  handle: (command: Exclude<SignalCommand, "ignore">, signal: string) => void,
): () => void {
  let stops = 0;
  const handlers = Object.entries(table).map(([signal, command]) => {
    const handler = (): void => {
      const meant = signal === "SIGHUP" && command === "reload" && isTerminalGone() ? "stop" : command;
      if (meant === "ignore") return;
      if (meant === "stop") stops++;
      handle(meant === "stop" && stops > 1 ? "cut" : meant, signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}
