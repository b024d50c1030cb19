import type { Cores } from "./machine.ts";
import type { Metric } from "./metrics.ts";
import type { ServerKind, ServerName } from "./servers.ts";

/** Settings of a run, from the command line. */
export interface Settings {
  readonly cores: Cores;
  /** Seconds of load in a round. */
  readonly duration: number;
  /** `undefined`: the scenario's own. */
  readonly connections: number | undefined;
  /** Whether the run only proves that the benchmark works; its figures mean nothing. */
  readonly quick: boolean;
}

/** Figures of one round, by the metric's key. */
export type Sample = Record<string, number>;

/** A server that takes part in a scenario, ready to be measured. */
export interface Contender {
  readonly kind: ServerKind;
  /**
   * Measures one round.
   *
   * @throws BenchFailure for a failed request.
   */
  round(): Promise<Sample>;
  /** Ends the server. */
  end(): Promise<void>;
}

/** A ratio to the baseline that pagi-server should reach. */
export interface Aim {
  readonly metric: Metric;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Scenario {
  readonly name: string;
  /** One line: the request and the response. */
  readonly about: string;
  readonly needsWrk: boolean;
  readonly metrics: readonly Metric[];
  /** Rounds, unless the command line gives a number. Default 9. */
  readonly rounds?: number;
  /** Seconds of load in a round, unless the command line gives a number. Default 0.4. */
  readonly duration?: number;
  /** Whether rounds of all contenders run at the same time, because each of them waits most of it. */
  readonly isTogether?: boolean;
  /** Whether it measures a part of pagi-server by itself. */
  readonly isWithoutServer?: boolean;
  /** Servers that take no part. Default none. */
  readonly without?: readonly ServerName[];
  /** The servers that take part, unless it is each server once. */
  readonly contenders?: readonly ServerKind[];
  /** The title of the row that ratios compare with. Default: that of `Bun.serve`. */
  readonly baseline?: string;
  /** Titles of the rows in this scenario, by server. Default: the server's title. */
  readonly titles?: Partial<Record<ServerName, string>>;
  readonly aims?: readonly Aim[];
  /** The row that the aims are about. Default: that of pagi-server. */
  readonly aimsAt?: string;
  /**
   * Starts the servers and proves that their answers are right.
   *
   * @throws BenchFailure for a wrong answer, or a server that does not start.
   */
  prepare(kinds: readonly ServerKind[], settings: Settings): Promise<readonly Contender[]>;
}

type Prepare = Scenario["prepare"];

/** Each round starts a separate server, as memory and start-up times need. */
export function freshEachRound(measure: (kind: ServerKind, settings: Settings) => Promise<Sample>): Prepare {
  return (kinds, settings) =>
    Promise.resolve(
      kinds.map((kind) => ({
        kind,
        round: () => measure(kind, settings),
        end: () => Promise.resolve(),
      })),
    );
}

/** All servers run throughout the scenario, and the rounds alternate between them. */
export function keptRunning(open: (kind: ServerKind, settings: Settings) => Promise<Contender>): Prepare {
  return async (kinds, settings) => {
    const ready: Contender[] = [];
    const start = async (kind: ServerKind): Promise<void> => {
      ready.push(await open(kind, settings));
    };
    try {
      if (settings.quick) await allSettled(kinds.map(start));
      else for (const kind of kinds) await start(kind);
    } catch (error) {
      await endAll(ready);
      throw error;
    }
    return kinds.flatMap((kind) => ready.filter((one) => one.kind === kind));
  };
}

export async function endAll(contenders: readonly Contender[]): Promise<void> {
  await allSettled(contenders.map((one) => one.end()));
}

/** Waits for every promise, then throws the first failure: nothing is left running behind it. */
export async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
