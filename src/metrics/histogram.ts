/** Upper bounds of the buckets, in seconds: from what an event loop takes for a turn to what a client has patience for. */
export const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** How often a duration was how long. */
export class Histogram {
  /** One more than there are bounds: the last is for what is above all of them. */
  readonly #counts: number[] = [...BOUNDS, Infinity].map(() => 0);
  #sum = 0;

  observe(seconds: number): void {
    let at = 0;
    while (seconds > (BOUNDS[at] ?? Infinity)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += seconds;
  }

  /** The samples of a histogram called `name`: buckets that hold those before them, their sum and their number. */
  samples(name: string): Record<string, number> {
    const samples: Record<string, number> = {};
    let count = 0;
    for (const [at, each] of this.#counts.entries()) {
      count += each;
      samples[`${name}_bucket{le="${BOUNDS[at] ?? "+Inf"}"}`] = count;
    }
    samples[`${name}_sum`] = this.#sum;
    samples[`${name}_count`] = count;
    return samples;
  }
}
