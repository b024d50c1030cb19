/** A column of the table. */
export interface Metric {
  readonly key: string;
  readonly title: string;
  /** Whether its ratio to the baseline stands beside it. */
  readonly isCompared: boolean;
  show(value: number): string;
}

const whole = (value: number): string => Math.round(value).toLocaleString("en").replaceAll(",", " ");
const mebibytes = (value: number): string => (value / 2 ** 20).toFixed(1);
const decimals =
  (count: number, unit = 1) =>
  (value: number): string =>
    (value / unit).toFixed(count);

type Show = Metric["show"];
const compared = (key: string, title: string, show: Show): Metric => ({ key, title, show, isCompared: true });
const alone = (key: string, title: string, show: Show): Metric => ({ key, title, show, isCompared: false });

export const METRICS = {
  requests: compared("requests", "requests/s", whole),
  cpu: compared("cpu", "CPU µs/request", decimals(1)),
  user: alone("user", "user", decimals(1)),
  system: alone("system", "system", decimals(1)),
  p50: alone("p50", "p50 ms", decimals(2, 1000)),
  p99: alone("p99", "p99 ms", decimals(2, 1000)),
  peak: alone("peak", "peak MiB", mebibytes),
  peakCompared: compared("peak", "peak MiB", mebibytes),
  rate: alone("rate", "requests/s", whole),
  median: compared("median", "p50 ms", decimals(3, 1000)),
  tail: compared("tail", "p99 ms", decimals(3, 1000)),
  late: alone("late", "p99.9 ms", decimals(3, 1000)),
  handshakes: compared("requests", "handshakes/s", whole),
  cpuHandshake: compared("cpu", "CPU µs/handshake", decimals(1)),
  events: compared("events", "events/s", whole),
  cpuEvent: compared("cpu", "CPU µs/event", decimals(2)),
  userEvent: alone("user", "user", decimals(2)),
  systemEvent: alone("system", "system", decimals(2)),
  perConnection: compared("perConnection", "bytes/connection", whole),
  idle: alone("idle", "before MiB", mebibytes),
  full: alone("full", "with all MiB", mebibytes),
  waiting: compared("waiting", "CPU ms", decimals(1)),
  one: alone("one", "requests/s, 1 worker", whole),
  two: compared("two", "requests/s, 2 workers", whole),
  scaling: compared("scaling", "2 workers to 1", decimals(2)),
  messages: compared("messages", "messages/s", whole),
  cpuMessage: compared("cpu", "CPU µs/message", decimals(2)),
  userMessage: alone("user", "user", decimals(2)),
  systemMessage: alone("system", "system", decimals(2)),
  busy: alone("busy", "server busy %", whole),
  perSecond: compared("perSecond", "MiB/s", mebibytes),
  cpuMebibyte: compared("cpu", "CPU µs/MiB", whole),
  userMebibyte: alone("user", "user", whole),
  systemMebibyte: alone("system", "system", whole),
  growth: alone("growth", "growth MiB", mebibytes),
  nanoseconds: compared("nanoseconds", "ns/request", whole),
  files: alone("files", "files/connection", decimals(2)),
  cold: compared("cold", "ms to first response", decimals(1)),
} satisfies Record<string, Metric>;
