import { unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLoad } from "../load/run.ts";
import { METRICS } from "../metrics.ts";
import { freshEachRound, type Scenario } from "../scenario.ts";
import { unusedPort } from "../servers.ts";

/** From the start of the process to its first whole response. */
export const cold: Scenario = {
  name: "cold",
  about: "from the start of the process to its first whole response, 13 bytes of text",
  needsWrk: false,
  metrics: [METRICS.cold],
  rounds: 15,
  aims: [{ metric: METRICS.cold, atMost: 1.8 }],
  prepare: freshEachRound(async (kind, settings) => {
    const port = await unusedPort();
    const order = join(tmpdir(), `pagi-bench-cold-${port}.json`);
    await Bun.write(order, JSON.stringify(kind.command("hello", port)));
    try {
      const core = settings.cores.server ?? -1;
      const { milliseconds } = await runLoad(
        "cold-client",
        [port, order, core, settings.cores.load ?? -1],
        settings.cores,
      );
      return { cold: milliseconds ?? Number.NaN };
    } finally {
      unlinkSync(order);
    }
  }),
};
