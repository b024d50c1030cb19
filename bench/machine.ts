import { existsSync, readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import manifest from "../package.json";

/** The core of the server and the core of the load, where the machine has two and can pin. */
export interface Cores {
  readonly server: number | undefined;
  readonly load: number | undefined;
}

/** Servers run on core 0 and the load on core 1, so that neither takes the other's time. */
export function coresOf(): Cores {
  if (cpus().length < 2 || Bun.which("taskset") === null) return { server: undefined, load: undefined };
  return { server: 0, load: 1 };
}

/** A command that runs on one core only. */
export function pinned(core: number | undefined, command: string[]): string[] {
  return core === undefined ? command : ["taskset", "-c", String(core), ...command];
}

/** The machine and the versions, in lines that belong beside every figure. */
export function describeMachine(cores: Cores): string[] {
  const all = cpus();
  const pinning =
    cores.server === undefined
      ? "not pinned: server and load share the cores"
      : `server on core ${cores.server}, load on core ${cores.load}`;
  return [
    `Date: ${new Date().toISOString().slice(0, 10)}, load average before the run: ${loadavg()[0]?.toFixed(2)}`,
    `CPU: ${all[0]?.model ?? "unknown"}, ${all.length} cores (${pinning})`,
    `Memory: ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    `Kernel: ${process.platform} ${release()} ${process.arch}`,
    `Bun: ${Bun.version} (${Bun.revision.slice(0, 9)})`,
    `pagi-server: ${manifest.version}${commit()}`,
    `Others: ${[...programs(), ...packages()].join(", ")}`,
  ];
}

/** The commit that is measured, where this is a clone. */
function commit(): string {
  const git = (...words: string[]): string | undefined =>
    output(["git", "-C", import.meta.dir, ...words])?.trim();
  const hash = git("rev-parse", "--short=9", "HEAD");
  if (hash === undefined) return "";
  return ` (${hash}${git("status", "--porcelain", "--untracked-files=no") === "" ? "" : ", changed"})`;
}

function programs(): string[] {
  const node = output(["node", "--version"])?.trim().slice(1);
  const wrk = /^wrk \S*?(\d\S*)/.exec(output(["wrk", "-v"]) ?? "")?.[1];
  return [...(node === undefined ? [] : [`Node ${node}`]), ...(wrk === undefined ? [] : [`wrk ${wrk}`])];
}

/** The packages that are measured, as they are installed. */
function packages(): string[] {
  return ["hono", "@hono/node-server", "elysia", "express", "fastify", "ws"].flatMap((name) => {
    const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    const version = existsSync(file) && /"version": "([^"]+)"/.exec(readFileSync(file, "utf8"))?.[1];
    return version ? [`${name} ${version}`] : [];
  });
}

/** What a program prints; `undefined` where it is not installed, or prints nothing. */
function output(command: string[]): string | undefined {
  if (Bun.which(command[0] ?? "") === null) return undefined;
  const { stdout, exitCode } = Bun.spawnSync(command, { stderr: "ignore" });
  // `wrk -v` prints its version and fails.
  return exitCode === 0 || stdout.length > 0 ? stdout.toString() : undefined;
}
