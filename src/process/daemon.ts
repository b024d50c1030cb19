import fs from "node:fs";

import { onSignals } from "./signal-handlers.ts";
import { startChild } from "./child-start.ts";
import type { ChildStart } from "./child-start.ts";
import { environmentFor } from "./role-environment.ts";

/**
 * Starts this program once more in a separate session, without a terminal that could interrupt it. Its output is kept if
 * it goes to a file, and dropped otherwise. A signal that ends this process meanwhile ends that one too.
 *
 * @param limit seconds for its start, import included; 0 is no limit.
 * @returns once it serves, or has ended before that.
 */
export async function startInBackground(limit: number): Promise<ChildStart> {
  const givenUp = new AbortController();
  const release = onSignals({ SIGTERM: "stop", SIGINT: "stop", SIGQUIT: "cut", SIGHUP: "reload" }, () =>
    givenUp.abort(),
  );
  try {
    const became = await startChild({
      env: environmentFor({ type: "daemon" }),
      stdio: ["ignore", keptOnlyAsFile(1), keptOnlyAsFile(2)],
      limit,
      givenUp: givenUp.signal,
      detached: true,
    });
    if (became.type === "ready") became.child.unref();
    return became;
  } finally {
    release();
  }
}

function keptOnlyAsFile(fd: number): "inherit" | "ignore" {
  try {
    return fs.fstatSync(fd).isFile() ? "inherit" : "ignore";
  } catch {
    return "ignore";
  }
}
