import { parseArgs } from "node:util";
import { similarName } from "../src/spec/nearest-name.ts";
import { BenchFailure } from "./failure.ts";
import { SERVER_NAMES, SERVERS, type ServerKind } from "./servers.ts";
import type { Scenario } from "./scenario.ts";

export interface CommandLine {
  readonly help: boolean;
  readonly list: boolean;
  readonly scenarios: readonly Scenario[];
  readonly servers: readonly ServerKind[];
  /** Whether the servers were named, so that one that is missing is a failure. */
  readonly serversNamed: boolean;
  /** `undefined`: the scenario's own. */
  readonly rounds: number | undefined;
  readonly duration: number | undefined;
  readonly connections: number | undefined;
  /** Another checkout, to compare with instead of other servers. */
  readonly against: string | undefined;
  readonly markdown: boolean;
  readonly quick: boolean;
}

const QUICK_SECONDS = 0.05;

const HELP = `Usage: bun run bench [scenario...] [options]

  --rounds N       rounds of each scenario (default 9; fewer where a round is long). In a round every server has its turn
  --duration S     seconds of load in a round (default 0.4; longer where a request is)
  --connections N  connections of the load (default: the scenario's own)
  --only NAMES     servers to measure, with commas: ${SERVER_NAMES.join(",")} (also --servers)
  --against PATH   compare with pagi-server of another checkout, instead of other servers
  --markdown       tables as in docs/benchmarks.md
  --quick          one short round: shows that the benchmark works; its figures mean nothing
  --list           list the scenarios and groups
  --help
`;

export function helpText(all: readonly Scenario[]): string {
  return `${HELP}\n${listText(all)}`;
}

/** The scenarios, and which words choose several of them. */
export function listText(all: readonly Scenario[]): string {
  const width = Math.max(...all.map(({ name }) => name.length));
  const groups = groupNames(all).map((group) => `'${group}'`);
  return [
    "Scenarios (default: all):",
    ...all.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`),
    `Groups, of all scenarios whose names begin so: ${groups.join(", ")}.`,
  ].join("\n");
}

/** @throws BenchFailure for an unknown option, scenario or server, and for an invalid number. */
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
        against: { type: "string" },
        list: { type: "boolean" },
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
  const chosen = new Set(positionals.flatMap((name) => scenariosNamed(name, all)));
  return {
    help: values.help === true,
    list: values.list === true,
    scenarios: chosen.size === 0 ? all : all.filter((scenario) => chosen.has(scenario)),
    servers: only === undefined ? SERVERS : only.split(",").map((name) => serverNamed(name.trim())),
    serversNamed: only !== undefined,
    rounds: count("--rounds", values.rounds) ?? (quick ? 1 : undefined),
    duration: seconds("--duration", values.duration) ?? (quick ? QUICK_SECONDS : undefined),
    connections: count("--connections", values.connections),
    against: values.against,
    markdown: values.markdown === true,
    quick,
  };
}

function scenariosNamed(name: string, all: readonly Scenario[]): readonly Scenario[] {
  const chosen = all.filter((one) => one.name === name || one.name.startsWith(`${name}-`));
  if (chosen.length > 0) return chosen;
  const names = [...all.map((one) => one.name), ...groupNames(all)];
  throw new BenchFailure(`There is no scenario '${name}'.${hint(name, names)} See --list.`);
}

/** The first words of names that several scenarios share. */
function groupNames(all: readonly Scenario[]): string[] {
  const first = all.map(({ name }) => name.split("-")[0] ?? "");
  return [...new Set(first.filter((word, index) => first.indexOf(word) !== index))];
}

function serverNamed(name: string): ServerKind {
  const found = SERVERS.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new BenchFailure(
    `There is no server '${name}'.${hint(name, SERVER_NAMES)} Servers: ${SERVER_NAMES.join(", ")}.`,
  );
}

function hint(name: string, known: readonly string[]): string {
  const nearest = similarName(name, known);
  return nearest === undefined ? "" : ` Did you mean '${nearest}'?`;
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new BenchFailure(`${option} must be a whole number above 0, not '${text}'.`);
}

function seconds(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 3600) return value;
  throw new BenchFailure(`${option} must be a number of seconds above 0 and up to 3600, not '${text}'.`);
}
