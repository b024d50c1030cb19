import type { Cores } from "./machine.ts";
import type { ServerKind, ServerName } from "./servers.ts";

/** What the command line fixed for a run. */
export interface Settings {
  readonly cores: Cores;
  readonly rounds: number;
  /** Seconds of load in a round. */
  readonly duration: number;
  /** Given on the command line; else each scenario has its own. */
  readonly connections: number | undefined;
  /** Whether this only proves that the benchmark works; its figures mean nothing. */
  readonly quick: boolean;
}

/** A column of the table. */
export interface Metric {
  readonly key: string;
  readonly title: string;
  /** Whether a ratio to another server says nothing. */
  readonly hasNoRatio?: boolean;
  show(value: number): string;
}

/** Figures of one round, by the metric's key. */
export type Sample = Record<string, number>;

export interface Scenario {
  readonly name: string;
  /** One line: what is asked and answered. */
  readonly about: string;
  readonly needsWrk: boolean;
  readonly metrics: readonly Metric[];
  /** Rounds that this scenario needs at least, to mean something. Default 1. */
  readonly minRounds?: number;
  /** Rounds, where the command line names none. Default 5. */
  readonly rounds?: number;
  /** Seconds of load in a round, where the command line names none. Default 5. */
  readonly duration?: number;
  /** Servers that have no part in it. Default none. */
  readonly without?: readonly ServerName[];
  /** Who is measured, where that is not each server once. */
  readonly contenders?: readonly ServerKind[];
  /** The title of the row that ratios compare with. Default: that of `Bun.serve`. */
  readonly baseline?: string;
  /** What stands beside a server's figures, where it is not the server's own title. */
  readonly titles?: Partial<Record<ServerName, string>>;
  /**
   * Starts the server, proves that its answers are right, and measures one round.
   *
   * @throws BenchFailure for a wrong answer or a failed request.
   */
  measure(kind: ServerKind, settings: Settings): Promise<Sample>;
}

const whole = (value: number): string => Math.round(value).toLocaleString("en").replaceAll(",", " ");
const mebibytes = (value: number): string => (value / 2 ** 20).toFixed(1);

export const METRICS = {
  requests: { key: "requests", title: "requests/s", show: whole },
  cpu: { key: "cpu", title: "CPU µs/request", show: (value) => value.toFixed(1) },
  user: { key: "user", title: "user", show: (value) => value.toFixed(1) },
  system: { key: "system", title: "system", show: (value) => value.toFixed(1) },
  p50: { key: "p50", title: "p50 ms", show: (value) => (value / 1000).toFixed(2) },
  p99: { key: "p99", title: "p99 ms", show: (value) => (value / 1000).toFixed(2) },
  peak: { key: "peak", title: "peak MiB", show: mebibytes },
  after: { key: "after", title: "after MiB", show: mebibytes },
  events: { key: "events", title: "events/s", show: whole },
  cpuEvent: { key: "cpu", title: "CPU µs/event", show: (value) => value.toFixed(2) },
  userEvent: { key: "user", title: "user", show: (value) => value.toFixed(2) },
  systemEvent: { key: "system", title: "system", show: (value) => value.toFixed(2) },
  perConnection: { key: "perConnection", title: "bytes/connection", show: whole },
  idle: { key: "idle", title: "before MiB", show: mebibytes },
  full: { key: "full", title: "with all MiB", show: mebibytes },
  messages: { key: "messages", title: "messages/s", show: whole },
  cpuMessage: { key: "cpu", title: "CPU µs/message", show: (value) => value.toFixed(2) },
  userMessage: { key: "user", title: "user", show: (value) => value.toFixed(2) },
  systemMessage: { key: "system", title: "system", show: (value) => value.toFixed(2) },
  busy: { key: "busy", title: "server busy %", hasNoRatio: true, show: whole },
  perSecond: { key: "perSecond", title: "MiB/s", show: mebibytes },
  cpuMebibyte: { key: "cpu", title: "CPU µs/MiB", show: whole },
  userMebibyte: { key: "user", title: "user", show: whole },
  systemMebibyte: { key: "system", title: "system", show: whole },
  growth: { key: "growth", title: "growth MiB", hasNoRatio: true, show: mebibytes },
  nanoseconds: { key: "nanoseconds", title: "ns/request", show: whole },
  files: { key: "files", title: "files/connection", show: (value) => value.toFixed(2) },
  cold: { key: "cold", title: "ms to first response", show: (value) => value.toFixed(1) },
} satisfies Record<string, Metric>;
