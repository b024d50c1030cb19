import { checkAnswer } from "../check.ts";
import type { LoadRequest } from "../load/request-text.ts";
import { runWrk, type WrkLoad, type WrkResult } from "../load/wrk.ts";
import { METRICS } from "../metrics.ts";
import { cpuTimeBetween, cpuTimeOf, memoryOf } from "../process-stats.ts";
import { keptRunning, type Scenario } from "../scenario.ts";
import { startServer, type RunningServer } from "../servers.ts";

/** A scenario in which wrk asks as fast as it gets answers. */
export interface WrkScenario extends Pick<
  Scenario,
  "about" | "aims" | "baseline" | "contenders" | "duration" | "name" | "rounds" | "titles" | "without"
> {
  /** The application's name. Default: the scenario's. */
  readonly serves?: string;
  readonly connections: number;
  /** Default: a GET of `/`. */
  readonly request?: LoadRequest;
  /** Requests in one write. Default 1. */
  readonly depth?: number;
  readonly metrics?: Scenario["metrics"];
  readonly aimsAt?: string;
  /** Environment of the servers. */
  environment?(): Promise<Record<string, string>>;
  /** The body of the right answer. */
  readonly answer: () => string | Uint8Array;
  /** Proves that the server does what the scenario is about. Default: sends the request, compares with `answer`. */
  check?(server: RunningServer): Promise<void>;
}

/** Seconds of load before the first round: as long as JavaScriptCore's compiler threads are busy with a new server. */
const WARM_UP = 4;

const BASIC = [METRICS.requests, METRICS.cpu, METRICS.user, METRICS.system];
const TIMES = [METRICS.p50, METRICS.p99];

export function wrkScenario(row: WrkScenario): Scenario {
  const { serves, connections, request = {}, depth = 1, metrics, environment, answer, check, ...rest } = row;
  return {
    ...rest,
    needsWrk: true,
    // wrk takes the time between two requests of a connection, which means nothing within a batch.
    metrics: metrics ?? [...BASIC, ...(depth === 1 ? TIMES : []), METRICS.peak],
    prepare: keptRunning(async (kind, settings) => {
      const server = await startServer(
        kind,
        serves ?? row.name,
        (await environment?.()) ?? {},
        settings.cores.server,
      );
      const load: WrkLoad = {
        request,
        depth,
        connections: settings.connections ?? (settings.quick ? Math.min(connections, 8) : connections),
        seconds: settings.duration,
      };
      try {
        await server.during(check?.(server) ?? checkAnswer(server, answer(), request));
        if (!settings.quick)
          await server.during(runWrk(server, { ...load, seconds: WARM_UP }, settings.cores));
      } catch (error) {
        await server.end();
        throw error;
      }
      return {
        kind,
        async round() {
          const before = cpuTimeOf(server.pid);
          const result = await server.during(runWrk(server, load, settings.cores));
          const spent = cpuTimeBetween(before, cpuTimeOf(server.pid));
          return figuresOf(result, spent, memoryOf(server.pid).peak);
        },
        end: () => server.end(),
      };
    }),
  };
}

function figuresOf(
  { requests, microseconds, p50, p99 }: WrkResult,
  { total, user, system }: ReturnType<typeof cpuTimeOf>,
  peak: number,
): Record<string, number> {
  return {
    requests: requests / (microseconds / 1e6),
    cpu: total / requests,
    user: user / requests,
    system: system / requests,
    p50,
    p99,
    peak,
  };
}
