import { LogStream } from "./log-stream.ts";

// node:fs, which it needs, takes 3 ms of a start, and a quiet server may never write a line.
const loadOutlet = (): typeof import("./outlet.ts") => require("./outlet.ts");

let stream: LogStream | undefined;
let reportLoss = (lines: number): void => standardError().writeText(`pagi-server: ${lossText(lines)}`);

/** The stream of standard error. Everything the server writes there goes through it, which keeps lines in order. */
export function standardError(): LogStream {
  return (stream ??= new LogStream(() => loadOutlet().inheritedOutlet(2), {
    ended: (lines) => reportLoss(lines),
  }));
}

/** Sets how lost lines are reported. Default: a line of plain text. */
export function reportLossOfStandardError(report: (message: string) => void): void {
  reportLoss = (lines) => report(lossText(lines));
}

function lossText(lines: number): string {
  return `Standard error could not be written to for a while: ${lines} log ${lines === 1 ? "line was" : "lines were"} lost here`;
}
