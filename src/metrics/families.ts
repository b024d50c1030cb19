import { BOUNDS } from "./histogram.ts";

/** Values by the names of their samples, labels included: `pagi_connections{protocol="sse"}`. */
export type Samples = Readonly<Record<string, number>>;

interface Family {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** A label, and the values that it can have; there is a sample for each. */
  readonly label?: { readonly name: string; readonly values: readonly string[] };
}

/** The classes that a status can have; `none` is a request that ended before any response had left. */
export const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"] as const;
export const PROTOCOLS = ["http/1.1", "websocket", "sse"] as const;

/** All families, in the order of the output. Names end with their unit, counters with `_total`. */
export const FAMILIES = {
  pagi_http_requests_total: {
    type: "counter",
    help: "Requests that were answered or have ended, by the class of their status. A WebSocket counts when it opens, an event stream when it ends.",
    label: { name: "status", values: STATUS_CLASSES },
  },
  pagi_http_requests_in_flight: {
    type: "gauge",
    help: "Requests that have begun and have not been answered, event streams included.",
  },
  pagi_http_request_duration_seconds: {
    type: "histogram",
    help: "Seconds from the head of a request to the end of its response. Event streams and WebSockets are left out.",
  },
  pagi_connections: {
    type: "gauge",
    help: "Open connections, by what they are used for now.",
    label: { name: "protocol", values: PROTOCOLS },
  },
  pagi_connections_accepted_total: { type: "counter", help: "Connections that were accepted." },
  pagi_connections_rejected_total: {
    type: "counter",
    help: "Connections that were turned away with 503, for there were too many.",
  },
  pagi_received_bytes_total: { type: "counter", help: "Bytes from clients, without those of TLS." },
  pagi_sent_bytes_total: { type: "counter", help: "Bytes to clients, without those of TLS." },
  pagi_event_loop_lag_seconds: {
    type: "histogram",
    help: "Seconds that the event loop came late to a timer, which is asked ten times a second.",
  },
  pagi_workers: { type: "gauge", help: "Worker processes that run; 0 without a supervisor." },
  pagi_worker_restarts_total: {
    type: "counter",
    help: "Worker processes that were started in place of another, for whatever reason.",
  },
  process_cpu_seconds_total: { type: "counter", help: "User and system time of all processes, in seconds." },
  process_resident_memory_bytes: { type: "gauge", help: "Resident memory of all processes, in bytes." },
  process_open_fds: { type: "gauge", help: "Open file descriptors of all processes." },
  process_start_time_seconds: { type: "gauge", help: "When the server started, in seconds since 1970." },
} as const satisfies Record<string, Family>;

/** The content type of what `renderMetrics` writes. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The name of a sample. The values of labels are this module's own, and need no escapes. */
export function sampleName(family: keyof typeof FAMILIES, labelValue: string): string {
  const { label }: Family = FAMILIES[family];
  return label === undefined ? family : `${family}{${label.name}="${labelValue}"}`;
}

/** Writes samples in the text format of Prometheus, version 0.0.4. What is missing is 0; what is unknown is left out. */
export function renderMetrics(samples: Samples): string {
  let text = "";
  for (const [name, family] of families()) {
    text += `# HELP ${name} ${family.help}\n# TYPE ${name} ${family.type}\n`;
    for (const sample of samplesOf(name, family)) text += `${sample} ${samples[sample] ?? 0}\n`;
  }
  return text;
}

/** Adds up what several processes tell. */
export function addSamples(all: Iterable<Samples>): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const samples of all) {
    for (const [name, value] of Object.entries(samples)) sum[name] = (sum[name] ?? 0) + value;
  }
  return sum;
}

/** What stays of a process that has ended: what only grows. */
export function lastingSamples(samples: Samples): Record<string, number> {
  const lasting: Record<string, number> = {};
  for (const [name, family] of families()) {
    if (family.type === "gauge") continue;
    for (const sample of samplesOf(name, family)) {
      const value = samples[sample];
      if (value !== undefined) lasting[sample] = value;
    }
  }
  return lasting;
}

function families(): [name: string, family: Family][] {
  return Object.entries(FAMILIES);
}

function samplesOf(name: string, { type, label }: Family): string[] {
  if (type === "histogram") {
    const buckets = [...BOUNDS, "+Inf"].map((bound) => `${name}_bucket{le="${bound}"}`);
    return [...buckets, `${name}_sum`, `${name}_count`];
  }
  return label === undefined ? [name] : label.values.map((value) => `${name}{${label.name}="${value}"}`);
}
