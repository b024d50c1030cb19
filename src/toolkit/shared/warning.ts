import { messageOf } from "../../errors.ts";

/** Which callbacks a warning is about: its `name`, for whoever listens to `process.on("warning")`. */
type WarningName = "PagiCallbackWarning" | "PagiContextWarning" | "PagiOnCloseWarning";

/** Makes a warning of the process of an error that has nobody else to go to. */
export function warnOf(error: unknown, name: WarningName): void {
  process.emitWarning(error instanceof Error ? error : messageOf(error), name);
}
