// `bun run bench [scenario...]`: pagi-server beside Bun.serve, node:http and uvicorn. See --help.
import { helpText, parseCommandLine, type CommandLine } from "./command-line.ts";
import { BenchFailure } from "./failure.ts";
import { WRK_MISSING } from "./load/wrk.ts";
import { coresOf, describeMachine } from "./machine.ts";
import { aligned, markdown, tableOf, type Series } from "./report.ts";
import type { Scenario, Settings } from "./scenario.ts";
import { cold } from "./scenarios/cold.ts";
import { idle } from "./scenarios/idle.ts";
import { REQUEST_SCENARIOS } from "./scenarios/requests.ts";
import { sse } from "./scenarios/sse.ts";
import { TOOLKIT_SCENARIOS } from "./scenarios/toolkit.ts";
import { WEBSOCKET_SCENARIOS } from "./scenarios/websocket.ts";
import { buildPackage, type ServerKind } from "./servers.ts";

const SCENARIOS: readonly Scenario[] = [
  ...REQUEST_SCENARIOS,
  sse,
  idle,
  cold,
  ...WEBSOCKET_SCENARIOS,
  ...TOOLKIT_SCENARIOS,
];

async function main(): Promise<void> {
  const line = parseCommandLine(process.argv.slice(2), SCENARIOS);
  if (line.help) {
    console.log(helpText(SCENARIOS));
    return;
  }
  if (process.platform !== "linux") throw new BenchFailure("The benchmark reads /proc and needs Linux.");
  if (line.scenarios.some(({ needsWrk }) => needsWrk) && Bun.which("wrk") === null) {
    throw new BenchFailure(WRK_MISSING);
  }
  const servers = presentServers(line.servers, line.serversNamed);
  if (servers.some(({ name }) => name === "pagi")) buildPackage();
  const cores = coresOf();
  console.log(
    describeMachine(cores)
      .map(line.markdown ? (text) => `- ${text}` : (text) => text)
      .join("\n"),
  );
  for (const scenario of line.scenarios) {
    const wanted = line.rounds ?? scenario.rounds ?? 5;
    const rounds = line.quick ? wanted : Math.max(wanted, scenario.minRounds ?? 1);
    const duration = line.duration ?? scenario.duration ?? 5;
    const settings: Settings = { ...line, cores, rounds, duration };
    const taking = takingPart(scenario, servers, line);
    if (taking.length === 0) {
      console.error(`Left out: ${scenario.name} (no server that is wanted takes part).`);
      continue;
    }
    const table = tableOf(scenario, await measureAll(scenario, taking, rounds, settings));
    const measured = rounds === 1 ? "One round" : `Medians of ${rounds} rounds`;
    console.log(
      line.markdown
        ? `\n### ${scenario.name}\n\n${capital(scenario.about)}. ${measured}.\n\n${markdown(table)}`
        : `\n${scenario.name}: ${scenario.about}. ${measured}.\n${aligned(table)}`,
    );
  }
  if (line.quick) console.log("\nA quick run shows that the benchmark works; its figures mean nothing.");
}

/** Says which servers are left out; one that was asked for by name must be there. */
function presentServers(wanted: readonly ServerKind[], isNamed: boolean): ServerKind[] {
  return wanted.filter((kind) => {
    const missing = kind.missing();
    if (missing === undefined) return true;
    if (isNamed) throw new BenchFailure(`${kind.title} cannot be measured: ${missing}.`);
    console.error(`Left out: ${kind.title} (${missing}).`);
    return false;
  });
}

/** Who is measured in a scenario, of the servers that are present. */
function takingPart(
  { contenders, without }: Scenario,
  servers: readonly ServerKind[],
  line: CommandLine,
): readonly ServerKind[] {
  if (contenders === undefined) return servers.filter(({ name }) => without?.includes(name) !== true);
  const isWanted = ({ name }: ServerKind): boolean => line.servers.some((one) => one.name === name);
  return presentServers(contenders.filter(isWanted), line.serversNamed);
}

/** Servers one at a time, in turn; every other round runs backwards, so that a drift of the machine evens out. */
async function measureAll(
  scenario: Scenario,
  servers: readonly ServerKind[],
  rounds: number,
  settings: Settings,
): Promise<Series[]> {
  const series: Series[] = servers.map((kind) => ({ kind, samples: [] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { kind, samples } of round % 2 === 1 ? series : series.toReversed()) {
      progress(`${scenario.name}: round ${round} of ${rounds}, ${kind.title}`);
      samples.push(await scenario.measure(kind, settings));
    }
  }
  progress("");
  return series;
}

/** On a terminal only, in a line that is overwritten. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof BenchFailure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
