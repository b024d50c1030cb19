import { checkAnswer } from "../check.ts";
import { runLoad } from "../load/run.ts";
import { runWrk } from "../load/wrk.ts";
import { METRICS } from "../metrics.ts";
import { allSettled, type Scenario } from "../scenario.ts";
import { startServer, type RunningServer } from "../servers.ts";
import { HELLO } from "./requests.ts";

const CONNECTIONS = 64;

/** Latency at a rate that the load sets and not the server. */
const openLoop = (percent: number): Scenario => ({
  name: `open-${percent}`,
  about:
    `GET, 13 bytes of text, at a constant rate: ${percent} % of what the slower server reaches; ` +
    "times count from when a request is due",
  needsWrk: true,
  rounds: 7,
  duration: 1.2,
  without: ["node", "uvicorn"],
  metrics: [METRICS.rate, METRICS.median, METRICS.tail, METRICS.late],
  aims: [{ metric: METRICS.tail, atMost: 1.1 }],
  async prepare(kinds, settings) {
    const connections = settings.connections ?? (settings.quick ? 4 : CONNECTIONS);
    const servers: RunningServer[] = [];
    try {
      const capacities: number[] = [];
      for (const kind of kinds) {
        const server = await startServer(kind, "hello", {}, settings.cores.server);
        servers.push(server);
        await server.during(checkAnswer(server, HELLO));
        const load = { request: {}, connections, depth: 1, seconds: settings.quick ? 0.05 : 1 };
        // The first requests run code that is not compiled yet.
        if (!settings.quick) await server.during(runWrk(server, load, settings.cores));
        const { requests, microseconds } = await server.during(runWrk(server, load, settings.cores));
        capacities.push(requests / (microseconds / 1e6));
      }
      const rate = (Math.min(...capacities) * percent) / 100;
      return servers.map((server) => ({
        kind: server.kind,
        async round() {
          const parameters = [server.port, connections, rate, settings.duration, settings.quick ? 0 : 0.2];
          const run = runLoad("open-loop", parameters, settings.cores);
          const { p50 = Number.NaN, p99 = Number.NaN, p999 = Number.NaN } = await server.during(run);
          return { rate, median: p50, tail: p99, late: p999 };
        },
        end: () => server.end(),
      }));
    } catch (error) {
      await allSettled(servers.map((server) => server.end()));
      throw error;
    }
  },
});

export const OPEN_LOOP_SCENARIOS: readonly Scenario[] = [openLoop(50), openLoop(80)];
