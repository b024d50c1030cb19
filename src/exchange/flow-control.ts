import type { TransportState } from "../spec/transport-state.ts";
import type { Environment } from "./environment.ts";
import type { Reporter } from "./request-state.ts";

/** What a `send` that need not wait resolves with; one for all, since it carries nothing. */
export const RESOLVED: Promise<void> = Promise.resolve();

/** Who waits for the buffer; most requests have nobody. */
interface Waiters {
  readonly highWater: (() => void)[];
  readonly drain: (() => void)[];
  sends: (() => void)[];
}

/** What bytes go through. */
export interface Buffered {
  /** Bytes taken and not yet handed to the operating system. */
  bufferedAmount(): number;
}

/**
 * `pagi.transport`, and the waiting of `send` that it describes: one hysteresis for both. At the high-water mark the
 * callbacks run and `send` waits; at the low one the other callbacks run and `send` goes on.
 */
export class FlowControl implements TransportState {
  readonly #transport: Buffered;
  readonly #host: Environment;
  readonly #reporter: Reporter;
  #isHigh = false;
  #ended = false;
  #waiters: Waiters | undefined;

  constructor(transport: Buffered, host: Environment, reporter: Reporter) {
    this.#transport = transport;
    this.#host = host;
    this.#reporter = reporter;
  }

  get #lists(): Waiters {
    return (this.#waiters ??= { highWater: [], drain: [], sends: [] });
  }

  bufferedAmount(): number {
    // After the end of the request the connection may already carry another one's bytes.
    return this.#ended ? 0 : this.#transport.bufferedAmount();
  }

  highWaterMark(): number {
    return this.#host.highWaterMark;
  }

  lowWaterMark(): number {
    return this.#host.lowWaterMark;
  }

  onHighWater(callback: () => void): void {
    this.#lists.highWater.push(callback);
    if (this.bufferedAmount() >= this.#host.highWaterMark) this.#run([callback]);
  }

  onDrain(callback: () => void): void {
    this.#lists.drain.push(callback);
  }

  /**
   * What a `send` returns once its event is taken: resolved, or pending until the buffer has drained. `taking` is
   * still to be waited for before that, as with a file.
   */
  after(taking?: Promise<void>): Promise<void> {
    if (taking !== undefined) return taking.then(() => this.after());
    if (this.#ended) return RESOLVED;
    if (!this.#isHigh) {
      if (this.#transport.bufferedAmount() < this.#host.highWaterMark) return RESOLVED;
      this.#isHigh = true;
      this.#run(this.#waiters?.highWater);
      if (this.#ended) return RESOLVED; // a callback has closed the stream of a client that is too slow
    }
    return new Promise((resolve) => this.#lists.sends.push(resolve));
  }

  /** Bytes have left the buffer. */
  drained(): void {
    if (!this.#isHigh || this.#transport.bufferedAmount() > this.#host.lowWaterMark) return;
    this.#isHigh = false;
    this.#release();
    this.#run(this.#waiters?.drain);
  }

  /** The request is over: nothing waits any more. */
  end(): void {
    this.#ended = true;
    this.#release();
  }

  #release(): void {
    if (this.#waiters === undefined) return;
    const { sends } = this.#waiters;
    this.#waiters.sends = [];
    for (const resolve of sends) resolve();
  }

  #run(callbacks: readonly (() => void)[] | undefined): void {
    if (callbacks === undefined) return;
    for (const callback of callbacks) {
      try {
        callback();
      } catch (error) {
        this.#reporter.report("a pagi.transport callback threw", error);
      }
    }
  }
}
