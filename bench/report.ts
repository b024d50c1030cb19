import type { Metric, Sample, Scenario } from "./scenario.ts";
import type { ServerKind } from "./servers.ts";

/** All rounds of one server. */
export interface Series {
  readonly kind: ServerKind;
  readonly samples: Sample[];
}

/** The middle of the rounds: one round that was disturbed does not move it. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The scenario's figures: a row for each server, and behind each figure its ratio to the baseline, which is `Bun.serve` unless the
 *  scenario names another. */
export function tableOf(scenario: Scenario, series: readonly Series[]): string[][] {
  const isBaseline = (kind: ServerKind): boolean =>
    scenario.baseline === undefined ? kind.name === "bun" : kind.title === scenario.baseline;
  const baseline = series.find(({ kind }) => isBaseline(kind));
  const hasRatio = (metric: Metric): boolean => baseline !== undefined && metric.hasNoRatio !== true;
  const header = ["server"];
  for (const metric of scenario.metrics) header.push(metric.title, ...(hasRatio(metric) ? ["ratio"] : []));
  const rows = series.map(({ kind, samples }) => {
    const row = [scenario.titles?.[kind.name] ?? kind.title];
    for (const metric of scenario.metrics) {
      const value = middleOf(metric, samples);
      row.push(metric.show(value));
      if (baseline !== undefined && hasRatio(metric)) {
        row.push(ratio(value, middleOf(metric, baseline.samples)));
      }
    }
    return row;
  });
  return [header, ...rows];
}

function middleOf(metric: Metric, samples: readonly Sample[]): number {
  return median(samples.map((sample) => sample[metric.key] ?? Number.NaN));
}

function ratio(value: number, baseline: number): string {
  return baseline > 0 ? (value / baseline).toFixed(2) : "-";
}

/** Columns in line, names to the left and figures to the right. */
export function aligned(table: readonly string[][]): string {
  const widths = widthsOf(table);
  return table
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0, column))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The same as a table in Markdown. */
export function markdown(table: readonly string[][]): string {
  const widths = widthsOf(table);
  const lines = table.map(
    (row) => `| ${row.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(" | ")} |`,
  );
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

function widthsOf(table: readonly string[][]): number[] {
  return (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => Bun.stringWidth(row[column] ?? ""))),
  );
}

function pad(cell: string, width: number, column: number): string {
  const space = " ".repeat(Math.max(0, width - Bun.stringWidth(cell)));
  return column === 0 ? cell + space : space + cell;
}
