import { checkAnswer } from "../check.ts";
import { runLoad } from "../load/run.ts";
import { runWrk } from "../load/wrk.ts";
import { METRICS } from "../metrics.ts";
import { cpuTimeOf, settledMemoryOf } from "../process-stats.ts";
import { freshEachRound, keptRunning, type Scenario, type Settings } from "../scenario.ts";
import { startServer, withServer, type RunningServer } from "../servers.ts";
import { HELLO } from "./requests.ts";

const CONNECTIONS = 10_000;
/** Time for which their CPU time is measured, in seconds. */
const WAIT = 20;

const connectionsOf = (settings: Settings): number =>
  settings.quick ? 100 : (settings.connections ?? CONNECTIONS);

/** What the first requests load and compile belongs to no connection. */
async function warmUp(server: RunningServer, settings: Settings): Promise<void> {
  await checkAnswer(server, HELLO);
  const load = { request: {}, connections: 64, depth: 1, seconds: 2 };
  if (!settings.quick) await runWrk(server, load, settings.cores);
}

const memory: Scenario = {
  name: "idle-memory",
  about: `${CONNECTIONS} keep-alive connections that wait after one request each, on a server that has served before`,
  needsWrk: true,
  rounds: 3,
  metrics: [METRICS.perConnection, METRICS.idle, METRICS.full],
  aims: [{ metric: METRICS.perConnection, atMost: 1.3 }],
  without: ["node", "uvicorn"],
  prepare: freshEachRound((kind, settings) =>
    withServer(kind, "hello", {}, settings.cores, async (server) => {
      await warmUp(server, settings);
      const before = await settledMemoryOf(server.pid);
      let full = 0;
      const connections = connectionsOf(settings);
      await runLoad("idle-client", [server.port, connections], settings.cores, async () => {
        full = await settledMemoryOf(server.pid);
      });
      return { perConnection: (full - before) / connections, idle: before, full };
    }),
  ),
};

const cpu: Scenario = {
  name: "idle-cpu",
  about: `CPU time of ${CONNECTIONS} idle keep-alive connections in ${WAIT} seconds`,
  needsWrk: true,
  rounds: 3,
  duration: WAIT,
  isTogether: true,
  metrics: [METRICS.waiting],
  aims: [{ metric: METRICS.waiting, atMost: 2 }],
  without: ["node", "uvicorn"],
  prepare: keptRunning(async (kind, settings) => {
    const server = await startServer(kind, "hello", {}, settings.cores.server);
    const opened = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    try {
      await server.during(warmUp(server, settings));
      const parameters = [server.port, connectionsOf(settings)];
      const load = runLoad("idle-client", parameters, settings.cores, () => {
        opened.resolve();
        return over.promise;
      });
      await server.during(Promise.race([opened.promise, load]));
      return {
        kind,
        async round() {
          const before = cpuTimeOf(server.pid);
          await server.during(Promise.race([Bun.sleep(settings.duration * 1000), load]));
          return { waiting: (cpuTimeOf(server.pid).total - before.total) / 1000 };
        },
        async end() {
          over.resolve();
          try {
            await load;
          } finally {
            await server.end();
          }
        },
      };
    } catch (error) {
      await server.end();
      throw error;
    }
  }),
};

export const IDLE_SCENARIOS: readonly Scenario[] = [memory, cpu];
