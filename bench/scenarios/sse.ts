import { BenchFailure } from "../failure.ts";
import { runLoad } from "../load/run.ts";
import { METRICS } from "../metrics.ts";
import { cpuTimeBetween, cpuTimeOf, memoryOf } from "../process-stats.ts";
import { freshEachRound, type Scenario } from "../scenario.ts";
import { withServer, type RunningServer } from "../servers.ts";

const CLIENTS = 1000;
const EVENTS = 500;

/** SSE to many clients; all streams begin at once. */
export const sse: Scenario = {
  name: "sse",
  about: `${CLIENTS} event streams at once, ${EVENTS} events on each`,
  needsWrk: false,
  metrics: [METRICS.events, METRICS.cpuEvent, METRICS.userEvent, METRICS.systemEvent, METRICS.peakCompared],
  rounds: 5,
  aims: [
    { metric: METRICS.events, atLeast: 2 },
    { metric: METRICS.peakCompared, atMost: 2 },
  ],
  prepare: freshEachRound(async (kind, settings) => {
    const clients = settings.quick ? 20 : (settings.connections ?? CLIENTS);
    const environment = { BENCH_EVENTS: String(EVENTS) };
    return withServer(kind, "sse", environment, settings.cores, async (server) => {
      await checkStream(server);
      const before = cpuTimeOf(server.pid);
      const { seconds } = await runLoad("sse-client", [server.port, clients, EVENTS], settings.cores);
      const spent = cpuTimeBetween(before, cpuTimeOf(server.pid));
      const events = clients * EVENTS;
      return {
        events: events / (seconds ?? Number.NaN),
        cpu: spent.total / events,
        user: spent.user / events,
        system: spent.system / events,
        peak: memoryOf(server.pid).peak,
      };
    });
  }),
};

/** One client reads a whole stream, and every event in it must be right. */
async function checkStream(server: RunningServer): Promise<void> {
  const response = await fetch(`${server.url}events`, { headers: { accept: "text/event-stream" } });
  await fetch(`${server.url}go`);
  const events = (await response.text())
    .split("\n\n")
    .filter((event) => !event.startsWith(":") && event !== "");
  const type = response.headers.get("content-type") ?? "";
  const right = events.every((event, index) => {
    const lines = event.split("\n").toSorted();
    return Bun.deepEquals(lines, [
      "data: The quick brown fox jumps over the lazy dog",
      "event: tick",
      `id: ${index + 1}`,
    ]);
  });
  if (!type.startsWith("text/event-stream") || events.length !== EVENTS || !right) {
    throw new BenchFailure(
      `${server.kind.title} sends a wrong event stream: ${events.length} of ${EVENTS} events, content-type '${type}', ` +
        `first event ${JSON.stringify(events[0])}; nothing was measured.`,
    );
  }
}
