import { checkAnswer } from "../check.ts";
import { runWrk } from "../load/wrk.ts";
import { METRICS } from "../metrics.ts";
import { allSettled, keptRunning, type Scenario } from "../scenario.ts";
import { contender, startServer, type RunningServer, type ServerKind } from "../servers.ts";
import { work } from "../servers/work.ts";

/** The same server with two workers; `Bun.serve` reads the number from its environment. */
function withTwo(kind: ServerKind): ServerKind {
  const flags = kind.name === "pagi" ? ["--workers", "2"] : [];
  return { ...kind, command: (scenario, port) => [...kind.command(scenario, port), ...flags] };
}

/** How much a second worker brings. */
export const workers: Scenario = {
  name: "workers",
  about:
    "GET with some 40 µs of the application's own work, one worker and two; server and load share all cores",
  needsWrk: true,
  contenders: [contender("pagi", "pagi-server", "work"), contender("bun", "Bun.serve", "work")],
  metrics: [METRICS.one, METRICS.two, METRICS.scaling],
  aims: [{ metric: METRICS.scaling, atLeast: 1 }],
  prepare: keptRunning(async (kind, settings) => {
    const connections = settings.connections ?? (settings.quick ? 8 : 64);
    const cores = { server: undefined, load: undefined };
    const servers: RunningServer[] = [];
    const start = async (one: ServerKind, count: string): Promise<RunningServer> => {
      const server = await startServer(one, "work", count === "2" ? { BENCH_WORKERS: count } : {}, undefined);
      servers.push(server);
      await server.during(checkAnswer(server, work()));
      if (!settings.quick) await rate(server, 1);
      return server;
    };
    const rate = async (server: RunningServer, seconds: number): Promise<number> => {
      const load = { request: {}, connections, depth: 1, seconds };
      const { requests, microseconds } = await server.during(runWrk(server, load, cores));
      return requests / (microseconds / 1e6);
    };
    const end = async (): Promise<void> => {
      await allSettled(servers.map((server) => server.end()));
    };
    try {
      const single = await start(kind, "1");
      const double = await start(withTwo(kind), "2");
      return {
        kind,
        async round() {
          const one = await rate(single, settings.duration);
          const two = await rate(double, settings.duration);
          return { one, two, scaling: two / one };
        },
        end,
      };
    } catch (error) {
      await end();
      throw error;
    }
  }),
};
