import { describe, expect, test } from "bun:test";
import { METRICS } from "../../bench/metrics.ts";
import { aligned, markdown, summaryOf, tableOf, type Series } from "../../bench/report.ts";
import type { Sample, Scenario } from "../../bench/scenario.ts";
import { SERVERS, type ServerName } from "../../bench/servers.ts";
import { median, pairedRatios, spreadOf } from "../../bench/statistics.ts";

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[7], 7],
])("the median of %j is %d", (values, middle) => {
  expect(median(values)).toBe(middle);
});

test("quartiles lie between the values", () => {
  expect(spreadOf([5, 1, 2, 4, 3])).toEqual({ lower: 2, median: 3, upper: 4 });
  expect(spreadOf([1, 2])).toEqual({ lower: 1.25, median: 1.5, upper: 1.75 });
});

test("a paired ratio compares within each round", () => {
  expect(pairedRatios([50, 10, 4], [100, 20, 8])).toEqual([0.5, 0.5, 0.5]);
  expect(pairedRatios([1, 2, 3], [0, 4])).toEqual([0.5]);
});

const scenario: Scenario = {
  name: "hello",
  about: "",
  needsWrk: false,
  metrics: [METRICS.requests, METRICS.p50],
  prepare: () => Promise.reject(new Error("not measured here")),
};

function series(name: ServerName, ...requests: number[]): Series {
  const kind = SERVERS.find((one) => one.name === name);
  if (kind === undefined) throw new Error(name);
  return { kind, samples: requests.map((value): Sample => ({ requests: value, p50: 1500 })) };
}

describe("the table", () => {
  test("has medians, and behind a compared figure the median and quartiles of its ratios", () => {
    // The machine slows down: the medians' ratio would be 0.8, that within each round is not.
    const table = tableOf(scenario, [series("pagi", 90, 80, 30), series("bun", 100, 100, 50)]);
    expect(aligned(table)).toBe(
      [
        "server       requests/s             ratio  p50 ms",
        "pagi-server          80  0.80 (0.70–0.85)    1.50",
        "Bun.serve           100                 1    1.50",
      ].join("\n"),
    );
    expect(markdown(table).split("\n").slice(0, 2)).toEqual([
      "| server      | requests/s |            ratio | p50 ms |",
      "|-------------|-----------:|-----------------:|-------:|",
    ]);
  });

  test("has a ratio without a spread for one round, and none without the baseline", () => {
    expect(tableOf(scenario, [series("pagi", 50), series("bun", 100)])[1]).toEqual([
      ...["pagi-server", "50", "0.50", "1.50"],
    ]);
    expect(tableOf(scenario, [series("pagi", 50), series("node", 100)])[0]).toEqual([
      ...["server", "requests/s", "p50 ms"],
    ]);
    expect(tableOf(scenario, [series("bun", 100)])[0]).toEqual(["server", "requests/s", "p50 ms"]);
  });

  test("has a scenario's own title for a server", () => {
    const busy = { ...scenario, titles: { node: "ws on Node" }, metrics: [METRICS.busy] };
    const [node, bun] = [series("node"), series("bun")];
    node.samples.push({ busy: 99 });
    bun.samples.push({ busy: 50 });
    expect(tableOf(busy, [node, bun])).toEqual([
      ["server", "server busy %"],
      ["ws on Node", "99"],
      ["Bun.serve", "50"],
    ]);
  });

  test("compares with the row that the scenario names", () => {
    const [kind] = SERVERS;
    if (kind === undefined) throw new Error("there is no server");
    const rows = [100, 50].map((requests) => ({
      kind: { ...kind, title: `row ${requests}` },
      samples: [{ requests, p50: 1500 }],
    }));
    const table = tableOf({ ...scenario, metrics: [METRICS.requests], baseline: "row 50" }, rows);
    expect(table.slice(1)).toEqual([
      ["row 100", "100", "2.00"],
      ["row 50", "50", "1"],
    ]);
  });
});

test.each([
  [{ atLeast: 0.8 }, "≥ 0.8", "reached"],
  [{ atLeast: 0.81 }, "≥ 0.81", "not reached"],
  [{ atMost: 0.8 }, "≤ 0.8", "reached"],
  [{ atMost: 0.79 }, "≤ 0.79", "not reached"],
])("an aim of %j", (aim, shown, outcome) => {
  const aims = [{ metric: METRICS.requests, ...aim }];
  const rows = [series("pagi", 90, 80, 30), series("bun", 100, 100, 50)];
  expect(summaryOf({ ...scenario, aims }, rows)).toEqual([
    ["hello", "requests/s", "80", "100", "0.80 (0.70–0.85)", shown, outcome],
  ]);
  expect(summaryOf({ ...scenario, aims }, rows.slice(0, 1))).toEqual([]);
});
