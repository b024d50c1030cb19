import { variablesFor } from "./file-variables.ts";
import { ROLE_VARIABLE } from "./role.ts";
import type { WrittenRole } from "./role.ts";

/**
 * The environment of a process that is to have a role; this process writes it.
 *
 * @param more variables that this process has removed from its own.
 */
export function environmentFor(
  role: WrittenRole,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const text = JSON.stringify({ ...role, writer: process.pid });
  // A worker reads no files of settings; every other one does.
  return { ...variablesFor({ isNewStart: role.type !== "worker" }), ...more, [ROLE_VARIABLE]: text };
}
