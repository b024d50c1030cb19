import { Histogram } from "./histogram.ts";
import { sampleName, STATUS_CLASSES } from "./families.ts";
import type { Samples } from "./families.ts";
import { processSamples } from "./process-samples.ts";

/** Milliseconds between two looks at how late the event loop is. */
const LAG_INTERVAL = 100;

/** What a server counts, where it is asked to. */
export class Metrics {
  readonly #requests: number[] = STATUS_CLASSES.map(() => 0);
  readonly #durations = new Histogram();
  readonly #lag = new Histogram();
  readonly #timer: ReturnType<typeof setInterval>;
  #inFlight = 0;
  #streams = 0;
  #webSockets = 0;
  #accepted = 0;
  #rejected = 0;
  #sentOnClosed = 0;
  /** Bytes of all clients; whoever reads them adds. */
  receivedBytes = 0;

  constructor() {
    let due = performance.now() + LAG_INTERVAL;
    // Not the delay of node:perf_hooks: its quantiles cannot be added up over processes.
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#lag.observe(Math.max(0, now - due) / 1000);
      due = now + LAG_INTERVAL;
    }, LAG_INTERVAL);
    this.#timer.unref();
  }

  requestBegan(): void {
    this.#inFlight++;
  }

  /** `status` is 0 when no response has left. */
  requestEnded(status: number, durationMs: number): void {
    this.#inFlight--;
    this.#count(status);
    this.#durations.observe(durationMs / 1000);
  }

  streamBegan(): void {
    this.#inFlight++;
    this.#streams++;
  }

  streamEnded(status: number): void {
    this.#inFlight--;
    this.#streams--;
    this.#count(status);
  }

  /** A request that could not be read was answered by the server. */
  requestRefused(status: number): void {
    this.#count(status);
  }

  /** A handshake was answered with no, or has ended without an answer. */
  handshakeEnded(status: number): void {
    this.#inFlight--;
    this.#count(status);
  }

  /** The application takes a WebSocket. */
  webSocketBegan(): void {
    this.#inFlight--;
    this.#webSockets++;
  }

  /** The client has its 101. */
  webSocketOpened(): void {
    this.#count(101);
  }

  /** `status` is what the client was answered. */
  webSocketEnded(status: number): void {
    this.#webSockets--;
    if (status !== 101) this.#count(status);
  }

  connectionOpened(): void {
    this.#accepted++;
  }

  connectionRejected(): void {
    this.#rejected++;
  }

  connectionClosed(sentBytes: number): void {
    this.#sentOnClosed += sentBytes;
  }

  /** The samples of this process. `open` are the open connections, `sentBytes` what they have been sent. */
  samples({ open, sentBytes }: { open: number; sentBytes: number }): Samples {
    const samples: Record<string, number> = {
      pagi_http_requests_in_flight: this.#inFlight,
      [sampleName("pagi_connections", "http/1.1")]: open - this.#webSockets - this.#streams,
      [sampleName("pagi_connections", "websocket")]: this.#webSockets,
      [sampleName("pagi_connections", "sse")]: this.#streams,
      pagi_connections_accepted_total: this.#accepted,
      pagi_connections_rejected_total: this.#rejected,
      pagi_received_bytes_total: this.receivedBytes,
      pagi_sent_bytes_total: this.#sentOnClosed + sentBytes,
      ...this.#durations.samples("pagi_http_request_duration_seconds"),
      ...this.#lag.samples("pagi_event_loop_lag_seconds"),
      ...processSamples(),
    };
    for (const [at, name] of STATUS_CLASSES.entries())
      samples[sampleName("pagi_http_requests_total", name)] = this.#requests[at] ?? 0;
    return samples;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #count(status: number): void {
    // Clients take what is above 599 for a fault of the server (RFC 9110 section 15).
    const at = status === 0 ? STATUS_CLASSES.indexOf("none") : Math.min(Math.floor(status / 100), 5) - 1;
    this.#requests[at] = (this.#requests[at] ?? 0) + 1;
  }
}
