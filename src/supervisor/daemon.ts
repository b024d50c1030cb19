import fs from "node:fs";

import { describeExit } from "./exit-reason.ts";
import { readReport } from "./messages.ts";
import { spawnCommand } from "./program.ts";
import { environmentFor } from "./role.ts";

/** What became of a process in the background. */
export type Background =
  | { readonly type: "ready"; readonly pid: number }
  /** `why` is a part of a sentence where `said` is false, else a message. */
  | { readonly type: "failed"; readonly why: string; readonly said: boolean; readonly code: number };

/** Milliseconds that the last words of a process that has ended may take to arrive. */
const LAST_WORDS = 100;

/**
 * Starts this program once more, in a session of its own: without a terminal, so that none can interrupt it or keep
 * it. What it prints goes on to a file, if that is where it goes, and is dropped otherwise.
 *
 * @returns once it serves, or has ended without.
 */
export async function startInBackground(): Promise<Background> {
  const { command, options } = spawnCommand();
  const outcome = Promise.withResolvers<Background>();
  let said: string | undefined;
  const child = Bun.spawn(command, {
    ...options,
    env: environmentFor({ type: "daemon" }),
    stdio: ["ignore", keptOnlyAsFile(1), keptOnlyAsFile(2)],
    detached: true,
    serialization: "json",
    ipc(message) {
      const report = readReport(message);
      if (report?.type === "ready") outcome.resolve({ type: "ready", pid: child.pid });
      if (report?.type === "failed") said = report.text;
    },
    onExit: (_child, code, signal) => {
      setTimeout(() => {
        const how = describeExit({ code, signal: signal === null ? null : String(signal) }, undefined, false);
        const why = said ?? how;
        outcome.resolve({
          type: "failed",
          why,
          said: said !== undefined,
          code: code === 0 ? 1 : (code ?? 1),
        });
      }, LAST_WORDS);
    },
  });
  const became = await outcome.promise;
  child.unref();
  return became;
}

function keptOnlyAsFile(fd: number): "inherit" | "ignore" {
  try {
    return fs.fstatSync(fd).isFile() ? "inherit" : "ignore";
  } catch {
    return "ignore";
  }
}
