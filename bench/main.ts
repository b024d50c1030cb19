// `bun run bench [scenario...]`: pagi-server beside Bun.serve and others. See --help.
import { resolve } from "node:path";
import { againstCheckout, checkCheckout } from "./against.ts";
import { helpText, listText, parseCommandLine, type CommandLine } from "./command-line.ts";
import { BenchFailure } from "./failure.ts";
import { WRK_MISSING } from "./load/wrk.ts";
import { coresOf, describeMachine } from "./machine.ts";
import { measureAll } from "./measure.ts";
import { aligned, markdown, SUMMARY_HEADER, summaryOf, tableOf } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { buildPackage, killServers, type ServerKind, type ServerName } from "./servers.ts";

async function main(): Promise<void> {
  const line = parseCommandLine(process.argv.slice(2), SCENARIOS);
  if (line.help || line.list) {
    console.log(line.help ? helpText(SCENARIOS) : listText(SCENARIOS));
    return;
  }
  if (process.platform !== "linux") throw new BenchFailure("The benchmark reads /proc and needs Linux.");
  if (line.scenarios.some(({ needsWrk }) => needsWrk) && Bun.which("wrk") === null) {
    throw new BenchFailure(WRK_MISSING);
  }
  const common = line.servers.filter(
    ({ name }) => line.against === undefined && line.scenarios.some((one) => isCommonTo(one, name)),
  );
  const servers = presentServers(common, line.serversNamed);
  if (line.against !== undefined) {
    checkCheckout(line.against);
    buildPackage(`${resolve(line.against)}/`);
  }
  if (line.servers.some(({ name }) => name === "pagi")) buildPackage();
  const settings = {
    quick: line.quick,
    connections: line.connections,
    // A quick run starts many servers at once.
    cores: line.quick ? { server: undefined, load: undefined } : coresOf(),
  };
  const machine = describeMachine(settings.cores);
  if (line.markdown) console.log(`## The run\n\n${machine.map((text) => `- ${text}`).join("\n")}`);
  else console.log(machine.join("\n"));
  const summary: string[][] = [];
  const figures: string[] = [];
  for (const chosen of line.scenarios) {
    const scenario = line.against === undefined ? chosen : againstCheckout(chosen, line.against);
    if (scenario === undefined) {
      console.error(`Left out: ${chosen.name} (it runs no server of a checkout).`);
      continue;
    }
    const taking = takingPart(scenario, servers, line);
    if (taking.length === 0) {
      console.error(`Left out: ${scenario.name} (none of the chosen servers takes part).`);
      continue;
    }
    const rounds = line.rounds ?? scenario.rounds ?? 9;
    const duration = line.duration ?? scenario.duration ?? 0.4;
    let series;
    try {
      series = await measureAll(scenario, taking, rounds, { ...settings, duration });
    } catch (error) {
      if (!(error instanceof BenchFailure)) throw error;
      // The other scenarios' figures are worth as much as before.
      console.error(`${scenario.name} failed: ${error.message}`);
      process.exitCode = 1;
      continue;
    }
    const table = tableOf(scenario, series);
    const measured = rounds === 1 ? "One round" : `Medians of ${rounds} rounds`;
    // In Markdown the aims come first, and they are known at the end.
    if (line.markdown) {
      figures.push(`### ${scenario.name}\n\n${capital(scenario.about)}. ${measured}.\n\n${markdown(table)}`);
    } else console.log(`\n${scenario.name}: ${scenario.about}. ${measured}.\n${aligned(table)}`);
    summary.push(...summaryOf(scenario, series));
  }
  if (summary.length > 0 && !line.quick) {
    const table = [SUMMARY_HEADER, ...summary];
    console.log(line.markdown ? `\n## Aims\n\n${markdown(table)}` : `\nAims\n${aligned(table)}`);
  }
  if (line.markdown) console.log(`\n## Figures\n\n${figures.join("\n\n")}`);
  if (line.quick) console.log("\nA quick run shows that the benchmark works; its figures mean nothing.");
}

/** Reports which servers are left out; one that was asked for by name must be there. */
function presentServers(wanted: readonly ServerKind[], isNamed: boolean): ServerKind[] {
  return wanted.filter((kind) => {
    const missing = kind.missing();
    if (missing === undefined) return true;
    if (isNamed) throw new BenchFailure(`${kind.title} cannot be measured: ${missing}.`);
    console.error(`Left out: ${kind.title} (${missing}).`);
    return false;
  });
}

/** Whether a scenario measures that server once, under its own name. */
function isCommonTo({ contenders, without }: Scenario, name: ServerName): boolean {
  return contenders === undefined && without?.includes(name) !== true;
}

/** The servers of a scenario, of those that are present. */
function takingPart(
  scenario: Scenario,
  servers: readonly ServerKind[],
  line: CommandLine,
): readonly ServerKind[] {
  if (scenario.contenders === undefined) return servers.filter(({ name }) => isCommonTo(scenario, name));
  const isWanted = ({ name }: ServerKind): boolean => line.servers.some((one) => one.name === name);
  return presentServers(scenario.contenders.filter(isWanted), line.serversNamed);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

process.once("exit", killServers);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
try {
  await main();
} catch (error) {
  if (!(error instanceof BenchFailure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
