import { LogStream } from "./log-stream.ts";
import { inheritedOutlet } from "./outlet.ts";

let stream: LogStream | undefined;
let reportLoss = (lines: number): void => standardError().writeText(`pagi-server: ${lossText(lines)}`);

/** The log on standard error: one for everything that this process writes there, so that lines stay in order. */
export function standardError(): LogStream {
  return (stream ??= new LogStream(() => inheritedOutlet(2), { ended: (lines) => reportLoss(lines) }));
}

/** Lets a logger say in its own way what was lost; without, it is a line of text. */
export function reportLossOfStandardError(report: (message: string) => void): void {
  reportLoss = (lines) => report(lossText(lines));
}

function lossText(lines: number): string {
  return `Standard error could not be written to for a while: ${lines} log ${lines === 1 ? "line was" : "lines were"} lost here`;
}
