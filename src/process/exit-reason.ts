import fs from "node:fs";
import path from "node:path";

import type { RunningRequests } from "../server/request-journal.ts";

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * How many processes the kernel has killed for want of memory: in this process's control group, or where that does not
 * say on the whole machine; 0 if nothing says. Source: Documentation/admin-guide/cgroup-v2.rst, "memory.events".
 */
export function outOfMemoryKills(): number {
  const [, group = "/"] = /^0::(\/.*)$/m.exec(contentOf("/proc/self/cgroup")) ?? [];
  const events = contentOf(path.join("/sys/fs/cgroup", group, "memory.events"));
  const [, count] =
    /^oom_kill (\d+)$/m.exec(events) ?? /^oom_kill (\d+)$/m.exec(contentOf("/proc/vmstat")) ?? [];
  return Number(count ?? 0);
}

function contentOf(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
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
  // The log continues the sentence.
  if (said !== undefined) return `said: ${said.replace(/[.\s]+$/, "")}`;
  if (signal === null) return `exited with code ${code ?? "unknown"}`;
  if (signal !== "SIGKILL") return `was killed by ${signal}`;
  return isOutOfMemory ? "was killed by SIGKILL, probably for want of memory" : "was killed by SIGKILL";
}

/** Requests that a log line names. */
const MAX_NAMED = 5;

/** The requests that were running when a process ended, as a sentence; empty for none. Client-controlled, not escaped. */
export function describeRunning({ count, requests }: RunningRequests): string {
  if (count === 0) return "";
  const named = requests.slice(0, MAX_NAMED);
  const more = count - named.length;
  const unnamed = `${more}${named.length > 0 ? " more" : ""} ${more === 1 ? "request" : "requests"}`;
  const rest = more > 0 ? [unnamed] : [];
  const parts = [...named, ...rest];
  const last = parts.pop() ?? "";
  return `It was running ${parts.length === 0 ? last : `${parts.join(", ")} and ${last}`}`;
}
