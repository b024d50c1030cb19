import fs from "node:fs";

import { Folder, Program } from "./program.ts";
import { get, request } from "./wire.ts";

/**
 * An application that tells who serves: `/` answers with the process, its parent and the text of `version.ts`. It
 * tells of its life in the file `marks`.
 */
const APP = `
import fs, { appendFileSync } from "node:fs";
import { version } from "./version.ts";
const mark = (text) => appendFileSync("marks", text + "\\n");
const hoard = [];
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    const { role, is_worker, worker_num } = scope.pagi;
    const who = [role, is_worker, worker_num ?? "-"].join(" ");
    await receive();
    if (process.env.FAIL === role) return send({ type: "lifespan.startup.failed", message: "no database" });
    if (fs.existsSync("fail")) process.exit(9);
    mark("startup " + who);
    await send({ type: "lifespan.startup.complete" });
    await receive();
    mark("shutdown " + who);
    return send({ type: "lifespan.shutdown.complete" });
  }
  if (scope.type !== "http") throw new Error(scope.type);
  const { path } = scope;
  if (path === "/block") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (path.startsWith("/exit")) process.exit(7);
  if (path.startsWith("/kill/")) process.kill(process.pid, path.slice(6));
  if (path === "/grow") hoard.push(new Uint8Array(256 * 2 ** 20).fill(1));
  if (path === "/wait") {
    mark("waiting");
    while (!fs.existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (path === "/identity") {
    const status = fs.readFileSync("/proc/self/status", "utf8");
    let back = "none";
    try { process.setuid(0); back = "root"; } catch {}
    const body = ["Uid", "Gid", "Groups", "CapEff"].map((name) => new RegExp("^" + name + ":.*$", "m").exec(status)[0]).join("\\n") + "\\nback: " + back;
    await send({ type: "http.response.start", status: 200, headers: [["content-length", String(body.length)]] });
    return send({ type: "http.response.body", body });
  }
  const body = process.pid + " " + process.ppid + " " + version;
  await send({ type: "http.response.start", status: 200, headers: [["content-length", String(body.length)]] });
  await send({ type: "http.response.body", body });
};
`;

/** A folder with the application and its first version. */
export function workersFolder(): Folder {
  return new Folder({ "app.ts": APP, "version.ts": version("one") });
}

export function version(text: string): string {
  return `export const version = ${JSON.stringify(text)};\n`;
}

/** `pagi-server app.ts` on a free port, in production, with these words. */
export function start(
  folder: Folder,
  words: readonly string[],
  environment?: Record<string, string>,
): Program {
  return Program.serve(folder, ["app.ts", "-p", "0", "-E", "production", ...words], environment);
}

/** Who answers. */
export async function whoServes(address: {
  host: string;
  port: number;
}): Promise<{ pid: number; parent: number; version: string }> {
  const { body } = await request(address, get("/", "Connection: close"));
  const [pid = "", parent = "", text = ""] = body.split(" ");
  return { pid: Number(pid), parent: Number(parent), version: text };
}

/** The live children of a process. */
export function childrenOf(pid: number): number[] {
  const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

/** Whether a process runs; one that has ended and was not asked after yet does not. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** The log of a program: waits for its lines one after the other. */
export class Log {
  readonly #program: Program;
  #from = 0;

  constructor(program: Program) {
    this.#program = program;
  }

  /** Waits for a match behind the last one. The test's own time is the limit. */
  async until(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.#program.stderr.slice(this.#from).match(pattern);
      if (match !== null) {
        this.#from += (match.index ?? 0) + match[0].length;
        return match;
      }
      await this.#program.news();
    }
  }
}
