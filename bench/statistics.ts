/** The middle of the values, and the middle of each half. */
export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Median and quartiles. */
export function spreadOf(values: readonly number[]): Spread {
  return {
    median: quantile(values, 0.5),
    lower: quantile(values, 0.25),
    upper: quantile(values, 0.75),
  };
}

/**
 * The ratio to the baseline within each round, where both were measured one right after the other: a machine that
 * slows down from round to round changes both. A round without a figure above 0 for the baseline counts for nothing.
 */
export function pairedRatios(values: readonly number[], baseline: readonly number[]): number[] {
  return values.flatMap((value, round) => {
    const other = baseline[round] ?? 0;
    return other > 0 ? [value / other] : [];
  });
}

/** Interpolated between the two nearest values; NaN without any. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [below = Number.NaN, above = below] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at % 1);
}
