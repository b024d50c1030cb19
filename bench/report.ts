import type { Metric } from "./metrics.ts";
import type { Aim, Sample, Scenario } from "./scenario.ts";
import type { ServerKind } from "./servers.ts";
import { median, pairedRatios, spreadOf } from "./statistics.ts";

/** All rounds of one server. */
export interface Series {
  readonly kind: ServerKind;
  readonly samples: Sample[];
}

/**
 * The scenario's figures: a row for each server with the medians of its rounds. Where a metric is compared, its ratio to
 * the baseline follows: the median of the ratios within each round, and their quartiles in brackets.
 */
export function tableOf(scenario: Scenario, series: readonly Series[]): string[][] {
  const baseline = baselineOf(scenario, series);
  const isCompared = (metric: Metric): boolean =>
    baseline !== undefined && series.length > 1 && metric.isCompared;
  const header = ["server"];
  for (const metric of scenario.metrics) header.push(metric.title, ...(isCompared(metric) ? ["ratio"] : []));
  const rows = series.map((one) => {
    const row = [titleOf(scenario, one)];
    for (const metric of scenario.metrics) {
      row.push(metric.show(median(valuesOf(metric, one))));
      if (baseline !== undefined && isCompared(metric)) {
        row.push(one === baseline ? "1" : ratioText(metric, one, baseline));
      }
    }
    return row;
  });
  return [header, ...rows];
}

export const SUMMARY_HEADER = ["scenario", "figure", "pagi-server", "baseline", "ratio", "aim", "outcome"];

/** A row for each aim of the scenario: both figures, the paired ratio, the aim, and whether it is reached. */
export function summaryOf(scenario: Scenario, series: readonly Series[]): string[][] {
  const baseline = baselineOf(scenario, series);
  const row = series.find((one) =>
    scenario.aimsAt === undefined ? one.kind.name === "pagi" : one.kind.title === scenario.aimsAt,
  );
  if (baseline === undefined || row === undefined || row === baseline) return [];
  return (scenario.aims ?? []).map((aim) => {
    const { metric } = aim;
    const [own, other] = [valuesOf(metric, row), valuesOf(metric, baseline)];
    return [
      scenario.name,
      metric.title,
      ...[metric.show(median(own)), metric.show(median(other)), ratioText(metric, row, baseline)],
      aim.atLeast === undefined ? `≤ ${aim.atMost}` : `≥ ${aim.atLeast}`,
      isReached(aim, median(pairedRatios(own, other))) ? "reached" : "not reached",
    ];
  });
}

function isReached({ atLeast = -Infinity, atMost = Infinity }: Aim, ratio: number): boolean {
  // As it is printed: with two decimals.
  const shown = Number(ratio.toFixed(2));
  return shown >= atLeast && shown <= atMost;
}

function baselineOf(scenario: Scenario, series: readonly Series[]): Series | undefined {
  return series.find(({ kind }) =>
    scenario.baseline === undefined ? kind.name === "bun" : kind.title === scenario.baseline,
  );
}

function titleOf(scenario: Scenario, { kind }: Series): string {
  return scenario.titles?.[kind.name] ?? kind.title;
}

function valuesOf(metric: Metric, { samples }: Series): number[] {
  return samples.map((sample) => sample[metric.key] ?? Number.NaN);
}

function ratioText(metric: Metric, one: Series, baseline: Series): string {
  const ratios = pairedRatios(valuesOf(metric, one), valuesOf(metric, baseline));
  const { median: middle, lower, upper } = spreadOf(ratios);
  if (ratios.length === 0) return "-";
  if (ratios.length === 1) return middle.toFixed(2);
  return `${middle.toFixed(2)} (${lower.toFixed(2)}–${upper.toFixed(2)})`;
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
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`,
  );
  return [lines[0], `|${rule.join("|")}|`, ...lines.slice(1)].join("\n");
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
