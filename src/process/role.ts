import fs from "node:fs";

import { WorkerError } from "../errors.ts";
import type { InheritedSocket } from "./inherited-socket.ts";
import { inheritedSockets } from "./inherited-socket.ts";
import { variablesFor } from "./file-variables.ts";

/** The variable by which a process tells the one that it starts what it is to be. */
export const VARIABLE = "PAGI_SERVER_PROCESS";

/**
 * What this process is to be:
 * - `main`: somebody has started it;
 * - `worker`: a supervisor has, and will tell it everything over IPC;
 * - `successor`: a server has, which serves until this one is ready, and hands its listening sockets down;
 * - `continued`: it is the same process, which has replaced its own program and has kept its listening sockets;
 * - `daemon`: a terminal's process has, and ends as soon as this one is ready;
 * - `probe`: a server has, to find out whether this one could serve.
 */
export type Role =
  | { readonly type: "main" | "worker" | "daemon" | "probe" }
  | {
      readonly type: "successor" | "continued";
      readonly sockets: readonly InheritedSocket[];
      /** The process that was there before; for `continued` it is this one. */
      readonly predecessor: number;
    };

/** What is written down for the other process; the writer is added. */
export type WrittenRole =
  | { readonly type: "worker" | "daemon" | "probe" }
  | { readonly type: "successor" | "continued"; readonly sockets: readonly InheritedSocket[] };

const MAIN: Role = { type: "main" };
const WRITTEN = ["worker", "successor", "continued", "daemon", "probe"] as const;

/**
 * Takes the role from the environment, so that no process which this one starts finds it there. A role counts only
 * for the child, or for the process itself, that it was written for.
 *
 * @throws WorkerError when this process is not the child itself, but one of its children, or the writer has ended.
 */
export function takeRole(): Role {
  const text = process.env[VARIABLE];
  if (text === undefined) return MAIN;
  delete process.env[VARIABLE];
  const given = parse(text);
  if (given === undefined) return MAIN;
  const { type, writer } = given;
  if (typeof writer !== "number" || !isType(type)) return MAIN;
  // A part of a server that does not know itself would become a server of its own, with workers, that nobody knows of.
  if (writer !== (type === "continued" ? process.pid : process.ppid))
    throw new WorkerError(
      isAncestor(writer)
        ? "A process that was to be a part of this server was started through another program. Start the server with bun itself, or with the pagi-server command."
        : `This process was to be a part of the server with process id ${writer}, which has ended meanwhile.`,
    );
  if (type === "worker" || type === "daemon" || type === "probe") return { type };
  return { type, sockets: inheritedSockets(given.sockets), predecessor: writer };
}

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
  return { ...variablesFor({ isNewStart: role.type !== "worker" }), ...more, [VARIABLE]: text };
}

function isType(type: unknown): type is WrittenRole["type"] {
  return WRITTEN.some((each) => each === type);
}

/** Whether a process has started the one that has started this one, or is further up. */
function isAncestor(pid: number): boolean {
  for (let each = process.ppid; each > 1;) {
    if (each === pid) return true;
    try {
      each = Number(/^PPid:\s+(\d+)$/m.exec(fs.readFileSync(`/proc/${each}/status`, "utf8"))?.[1] ?? 0);
    } catch {
      return false;
    }
  }
  return false;
}

function parse(text: string): { type: unknown; writer: unknown; sockets: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    return { type: undefined, writer: undefined, sockets: undefined, ...value };
  } catch {
    return undefined;
  }
}
