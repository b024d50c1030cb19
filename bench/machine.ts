import { cpus, release, totalmem } from "node:os";

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

/** The machine in lines that belong beside every figure. */
export function describeMachine(cores: Cores): string[] {
  const all = cpus();
  const pinning =
    cores.server === undefined
      ? "not pinned: server and load share the cores"
      : `server on core ${cores.server}, load on core ${cores.load}`;
  return [
    `CPU: ${all[0]?.model ?? "unknown"}, ${all.length} cores (${pinning})`,
    `Memory: ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    `Kernel: ${process.platform} ${release()} ${process.arch}`,
    `Bun: ${Bun.version} (${Bun.revision.slice(0, 9)})`,
  ];
}
