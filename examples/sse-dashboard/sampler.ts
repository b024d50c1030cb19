import { monitorEventLoopDelay } from "node:perf_hooks";

/** What the process was doing, as it is sent to the page. */
export interface Sample {
  /** Milliseconds since 1970. Each sample has another, in order, after a restart too: it is the event's id. */
  readonly at: number;
  /** Seconds since the process was started. */
  readonly uptime: number;
  /** Bytes of memory that the process has. */
  readonly memory: number;
  /** Bytes in use in the heap of JavaScript. */
  readonly heap: number;
  /** Time of processors that was used, in percent of one processor. */
  readonly cpu: number;
  /** How late timers were: the mean and the longest delay since the sample before, in milliseconds. */
  readonly delay: { readonly mean: number; readonly max: number };
  /** Requests since the start, and those of each second since the sample before. */
  readonly requests: { readonly total: number; readonly rate: number };
  /** Event streams that are open. */
  readonly streams: number;
}

/** How many samples are kept, for charts to begin with and for streams that come back. */
const HISTORY = 300;

/**
 * Measures the process at an interval. A reader only keeps its place among the samples, so a slow one needs no queue of
 * its own and holds nobody up.
 */
export class Sampler {
  requests = 0;
  readonly #samples: Sample[] = [];
  readonly #readers = new Set<() => void>();
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  #timer: Timer | undefined;
  #before = { at: 0, cpu: process.cpuUsage(), requests: 0 };

  /** `interval` is in milliseconds. */
  start(interval: number): void {
    this.#delay.enable();
    this.#before = { at: Date.now(), cpu: process.cpuUsage(), requests: this.requests };
    this.#timer = setInterval(() => this.#sample(), interval);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  get latestId(): number {
    return this.#samples.at(-1)?.at ?? 0;
  }

  /** The id after which only `count` samples have come. */
  before(count: number): number {
    return this.#samples.at(-1 - count)?.at ?? 0;
  }

  /** The oldest kept sample after an id. */
  after(id: number): Sample | undefined {
    return this.#samples.find(({ at }) => at > id);
  }

  /** Calls `wake` after each sample; returns the function that ends this. */
  watch(wake: () => void): () => void {
    this.#readers.add(wake);
    return () => this.#readers.delete(wake);
  }

  get streams(): number {
    return this.#readers.size;
  }

  #sample(): void {
    const before = this.#before;
    const now = { at: Math.max(Date.now(), before.at + 1), cpu: process.cpuUsage(), requests: this.requests };
    const seconds = (now.at - before.at) / 1000;
    const used = now.cpu.user + now.cpu.system - before.cpu.user - before.cpu.system;
    const { rss, heapUsed } = process.memoryUsage();
    this.#samples.push({
      at: now.at,
      uptime: process.uptime(),
      memory: rss,
      heap: heapUsed,
      cpu: used / 10_000 / seconds,
      delay: this.#delays(),
      requests: { total: now.requests, rate: (now.requests - before.requests) / seconds },
      streams: this.#readers.size,
    });
    if (this.#samples.length > HISTORY) this.#samples.shift();
    this.#delay.reset();
    this.#before = now;
    for (const wake of this.#readers) wake();
  }

  #delays(): Sample["delay"] {
    const [mean, max] = [milliseconds(this.#delay.mean), milliseconds(this.#delay.max)];
    // The histogram rounds its values, so that the mean of one value can be above it.
    return { mean, max: Math.max(mean, max) };
  }
}

/** An empty histogram has a mean that is no number, and a maximum of 0. */
function milliseconds(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) ? nanoseconds / 1e6 : 0;
}
