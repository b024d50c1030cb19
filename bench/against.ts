import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { BenchFailure } from "./failure.ts";
import type { Scenario } from "./scenario.ts";
import { ROOT, SERVERS, type ServerKind } from "./servers.ts";

/**
 * The scenario with two servers only: pagi-server of this checkout, and of another one as the baseline.
 * `undefined` where both would run the same program.
 */
export function againstCheckout(scenario: Scenario, folder: string): Scenario | undefined {
  const kind = (scenario.contenders ?? SERVERS).find(({ name }) => name === "pagi");
  if (kind === undefined || scenario.isWithoutServer === true) return undefined;
  const title = scenario.titles?.pagi ?? kind.title;
  const own = { ...kind, title };
  const other = {
    ...kind,
    title: `${title} in ${basename(resolve(folder))}`,
    command: commandIn(folder, kind),
  };
  if (Bun.deepEquals(own.command("hello", 0), other.command("hello", 0))) return undefined;
  const { titles: _titles, aims: _aims, ...rest } = scenario;
  // Without other servers there is room for a ratio of the time outside the kernel, which is ours to change.
  const metrics = scenario.metrics.map((one) => (one.key === "user" ? { ...one, isCompared: true } : one));
  return { ...rest, metrics, contenders: [own, other], baseline: other.title };
}

/** @throws BenchFailure when the folder is not a checkout with its dependencies. */
export function checkCheckout(folder: string): void {
  for (const part of ["cli/main.ts", "node_modules"]) {
    if (existsSync(join(folder, part))) continue;
    throw new BenchFailure(
      `--against needs a checkout with its dependencies; there is no ${join(folder, part)}.`,
    );
  }
}

/** The command with the other checkout's files; an application that it does not have is this checkout's. */
function commandIn(folder: string, kind: ServerKind): ServerKind["command"] {
  const moved = (word: string): string => {
    if (!word.startsWith(ROOT)) return word;
    const file = join(resolve(folder), word.slice(ROOT.length));
    return existsSync(file) ? file : word;
  };
  return (scenario, port) => kind.command(scenario, port).map(moved);
}
