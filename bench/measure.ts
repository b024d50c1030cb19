import type { Series } from "./report.ts";
import { allSettled, endAll, type Contender, type Scenario, type Settings } from "./scenario.ts";
import type { ServerKind } from "./servers.ts";

/**
 * Measures all contenders in rounds. In each round all of them have their turn, so that the figures of a round were
 * taken within a second or two; every second round begins at the other end.
 */
export async function measureAll(
  scenario: Scenario,
  kinds: readonly ServerKind[],
  rounds: number,
  settings: Settings,
): Promise<Series[]> {
  progress(`${scenario.name}: starting`);
  const contenders = await scenario.prepare(kinds, settings);
  const series = contenders.map((contender) => ({ contender, kind: contender.kind, samples: [] }));
  try {
    for (let round = 1; round <= rounds; round++) {
      progress(`${scenario.name}: round ${round} of ${rounds}`);
      const order = round % 2 === 1 ? series : series.toReversed();
      // A quick run shows only that everything works, so that nobody waits for a turn.
      if (scenario.isTogether === true || settings.quick) await allSettled(order.map(measureOne));
      else for (const one of order) await measureOne(one);
    }
  } finally {
    await endAll(contenders);
    progress("");
  }
  return series;
}

async function measureOne({ contender, samples }: Series & { contender: Contender }): Promise<void> {
  samples.push(await contender.round());
}

/** On a terminal only, in a line that is overwritten. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
