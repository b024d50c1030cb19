import { expect, test } from "bun:test";
import fs from "node:fs";
import { againstCheckout } from "../../bench/against.ts";
import { METRICS } from "../../bench/metrics.ts";
import type { Scenario } from "../../bench/scenario.ts";
import { ROOT } from "../../bench/servers.ts";
import { Folder } from "../support/program.ts";

const scenario: Scenario = {
  name: "hello",
  about: "",
  needsWrk: false,
  metrics: [METRICS.requests, METRICS.user],
  aims: [{ metric: METRICS.requests, atLeast: 1 }],
  prepare: () => Promise.resolve([]),
};

test("another checkout runs its own files, and this checkout's applications that it does not have", () => {
  using other = new Folder();
  fs.mkdirSync(other.file("dist"));
  fs.writeFileSync(other.file("dist/pagi-server.js"), "");
  const against = againstCheckout(scenario, other.path);
  const [own, theirs] = against?.contenders ?? [];
  expect(own?.command("hello", 80)).toContain(`${ROOT}dist/pagi-server.js`);
  expect(theirs?.command("hello", 80)).toContain(other.file("dist/pagi-server.js"));
  expect(theirs?.command("hello", 80)).toContain(`${ROOT}bench/servers/pagi/hello.ts`);
  expect(against?.baseline).toBe(theirs?.title);
  expect(against?.aims).toBeUndefined();
  expect(against?.metrics.map(({ isCompared }) => isCompared)).toEqual([true, true]);
});

test("what runs no file of a checkout cannot be compared", () => {
  using other = new Folder();
  expect(againstCheckout(scenario, other.path)).toBeUndefined();
  expect(againstCheckout({ ...scenario, isWithoutServer: true }, ROOT)).toBeUndefined();
});
