import { checkAnswer } from "../check.ts";
import { runLoad } from "../load/run.ts";
import { settledMemoryOf } from "../process-stats.ts";
import { METRICS } from "../metrics.ts";
import { freshEachRound, type Scenario } from "../scenario.ts";
import { withServer } from "../servers.ts";

const CONNECTIONS = 10_000;

/** Memory of connections that have asked once and wait. */
export const idle: Scenario = {
  name: "idle",
  about: `${CONNECTIONS} keep-alive connections that wait after one request each`,
  needsWrk: false,
  metrics: [METRICS.perConnection, METRICS.idle, METRICS.full],
  rounds: 3,
  prepare: freshEachRound(async (kind, settings) => {
    const connections = settings.quick ? 100 : (settings.connections ?? CONNECTIONS);
    return withServer(kind, "hello", {}, settings.cores, async (server) => {
      // What the first requests load and compile belongs to no connection.
      for (let asked = 0; asked < 100; asked++) {
        await checkAnswer(server, "Hello, World!");
      }
      const before = await settledMemoryOf(server.pid);
      let full = 0;
      await runLoad("idle-client", [server.port, connections], settings.cores, async () => {
        full = await settledMemoryOf(server.pid);
      });
      return { perConnection: (full - before) / connections, idle: before, full };
    });
  }),
};
