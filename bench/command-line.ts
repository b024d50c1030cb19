import { parseArgs } from "node:util";
import { BenchFailure } from "./failure.ts";
import { SERVER_NAMES, SERVERS, type ServerKind } from "./servers.ts";
import type { Scenario } from "./scenario.ts";

export interface CommandLine {
  readonly help: boolean;
  readonly scenarios: readonly Scenario[];
  readonly servers: readonly ServerKind[];
  /** Whether the servers were named, so that one that is missing is a failure. */
  readonly serversNamed: boolean;
  /** `undefined`: the scenario's own. */
  readonly rounds: number | undefined;
  readonly duration: number | undefined;
  readonly connections: number | undefined;
  readonly markdown: boolean;
  readonly quick: boolean;
}

const HELP = `Usage: bun run bench [scenario...] [options]

  --rounds N       rounds of each scenario, servers in turn; medians are shown (default 5; ws-*, toolkit-routes, toolkit-stream: 3; ws-idle: 1)
  --duration S     seconds of load in a round (default 5; toolkit-*: 3; ws-*: 2)
  --connections N  connections of the load (default: the scenario's own)
  --only NAMES     servers to measure, with commas: ${SERVER_NAMES.join(",")} (also --servers)
  --markdown       tables for docs/benchmarks.md
  --quick          one round of one second: shows that the benchmark works, no figures to keep
  --help

Scenarios (default: all; ws, hono, toolkit: all whose names begin so):
`;

export function helpText(all: readonly Scenario[]): string {
  return HELP + all.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join("\n");
}

/** @throws BenchFailure for an unknown option, scenario or server, and for a number that is none. */
export function parseCommandLine(words: string[], all: readonly Scenario[]): CommandLine {
  let parsed;
  try {
    parsed = parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        rounds: { type: "string" },
        duration: { type: "string" },
        connections: { type: "string" },
        only: { type: "string" },
        servers: { type: "string" },
        markdown: { type: "boolean" },
        quick: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    // The first sentence says what is wrong; the rest explains the parser.
    const [problem] = (error instanceof Error ? error.message : String(error)).split(". ");
    throw new BenchFailure(`${problem}. See --help.`);
  }
  const { values, positionals } = parsed;
  const quick = values.quick === true;
  const only = values.only ?? values.servers;
  return {
    help: values.help === true,
    scenarios: positionals.length === 0 ? all : positionals.flatMap((name) => scenariosNamed(name, all)),
    servers:
      only === undefined ? SERVERS : only.split(",").map((name) => named("server", name.trim(), SERVERS)),
    serversNamed: only !== undefined,
    rounds: count("--rounds", values.rounds) ?? (quick ? 1 : undefined),
    duration: count("--duration", values.duration) ?? (quick ? 1 : undefined),
    connections: count("--connections", values.connections),
    markdown: values.markdown === true,
    quick,
  };
}

/** One by its name, or a group by what their names begin with. */
function scenariosNamed(name: string, all: readonly Scenario[]): readonly Scenario[] {
  const group = all.filter((one) => one.name.startsWith(`${name}-`));
  return group.length > 0 ? group : [named("scenario", name, all)];
}

function named<T extends { readonly name: string }>(what: string, name: string, all: readonly T[]): T {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new BenchFailure(
    `There is no ${what} '${name}'; there are ${all.map((one) => one.name).join(", ")}.`,
  );
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new BenchFailure(`${option} must be a whole number above 0, not '${text}'.`);
}
