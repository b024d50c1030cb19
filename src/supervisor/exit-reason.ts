import fs from "node:fs";

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Processes that the kernel has killed since it started because there was no memory left; 0 if it does not say. */
export function outOfMemoryKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(fs.readFileSync("/proc/vmstat", "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/**
 * How a process ended, as a part of a sentence.
 *
 * @param said what it said of its end itself.
 * @param isOutOfMemory whether the kernel has killed processes meanwhile for want of memory.
 */
export function describeExit(
  { code, signal }: Exit,
  said: string | undefined,
  isOutOfMemory: boolean,
): string {
  if (said !== undefined) return `said: ${said}`;
  if (signal === null) return `exited with code ${code ?? "unknown"}`;
  if (signal !== "SIGKILL") return `was killed by ${signal}`;
  return isOutOfMemory ? "was killed by SIGKILL: out of memory" : "was killed by SIGKILL";
}
