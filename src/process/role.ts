import { WorkerError } from "../errors.ts";
import type { InheritedSocket } from "./inherited-socket.ts";
import { inheritedSockets } from "./inherited-socket.ts";

/** The variable in which a process that starts another one writes the role of that process. */
export const ROLE_VARIABLE = "PAGI_SERVER_PROCESS";

/**
 * The role of this process, by who started it:
 * - `main`: a person or a service manager;
 * - `worker`: a supervisor, which sends it everything else over IPC;
 * - `successor`: a server, which serves until this one is ready, and from which it inherits the listening sockets;
 * - `continued`: the same process, which has executed its program again and kept its listening sockets;
 * - `daemon`: a command in a terminal, which ends as soon as this one is ready;
 * - `probe`: a server that wants to know whether a new start would serve.
 */
export type Role =
  | { readonly type: "main" | "worker" | "daemon" | "probe" }
  | {
      readonly type: "successor" | "continued";
      readonly sockets: readonly InheritedSocket[];
      /** The process that was there before; for `continued` it is this one. */
      readonly predecessor: number;
    };

/** A role as it is written for another process; the writer is added. */
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
  const text = process.env[ROLE_VARIABLE];
  if (text === undefined) return MAIN;
  delete process.env[ROLE_VARIABLE];
  const given = parse(text);
  if (given === undefined) return MAIN;
  const { type, writer } = given;
  if (typeof writer !== "number" || !isType(type)) return MAIN;
  // A part of a server that does not know its role would become another server, with workers of its own, unnoticed.
  if (writer !== (type === "continued" ? process.pid : process.ppid))
    throw new WorkerError(
      isAncestor(writer)
        ? "A process that was to be a part of this server was started through another program. Start the server with bun itself, or with the pagi-server command."
        : `This process was to be a part of the server with process id ${writer}, which has ended meanwhile.`,
    );
  if (type === "worker" || type === "daemon" || type === "probe") return { type };
  return { type, sockets: inheritedSockets(given.sockets), predecessor: writer };
}

function isType(type: unknown): type is WrittenRole["type"] {
  return WRITTEN.some((each) => each === type);
}

/** Whether a process is an ancestor of this one. */
function isAncestor(pid: number): boolean {
  // Ordinary starts have no role, and need no files.
  const fs: typeof import("node:fs") = require("node:fs");
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
