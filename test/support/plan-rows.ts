import { expect } from "bun:test";

import { advance, createPlan } from "../../src/supervisor/plan.ts";
import type { Plan, PlanCommand, PlanEvent, Policy } from "../../src/supervisor/plan.ts";

// Rows of tests for the supervisor's policy: what happens, and what is to be done about it.

/** Milliseconds. */
export const POLICY = { heartbeatTimeout: 50_000, finishLimit: 60_000 };

/** `"at what [worker [text]]"`, such as `"100 ready 1"` or `"5 exited 2 was killed"`; `crashed` is an exit too. */
export function eventOf(row: string): PlanEvent {
  const [, at = "", what = "", worker = "", text = ""] = /^(\d+) ([\w-]+) ?(\d*) ?(.*)$/.exec(row) ?? [];
  const parts = { at: Number(at), worker: Number(worker) };
  switch (what) {
    case "start":
    case "tick":
    case "reload":
    case "more":
    case "fewer":
    case "stop":
    case "cut":
    case "hot-restart":
      return { type: what, at: parts.at };
    case "ready":
    case "beat":
      return { type: what, ...parts };
    case "expiring":
      return { type: "expiring", ...parts, why: text };
    case "exited":
    case "crashed": {
      const isClean = text === "exited with code 0";
      return { type: "exited", ...parts, how: text, isClean, isCrash: what === "crashed" };
    }
    default:
      throw new Error(`no event: ${row}`);
  }
}

/** A command in a few words. */
export function wordsOf(command: PlanCommand): string {
  switch (command.type) {
    case "spawn":
      return `spawn ${command.worker} in ${command.slot}`;
    case "finish":
      return `finish ${command.worker}${command.isFollowed ? "" : " alone"}${command.isLast ? " last" : ""}`;
    case "cut":
    case "kill":
      return `${command.type} ${command.worker}`;
    case "close-slot":
      return `close-slot ${command.slot}`;
    case "reloaded":
      return command.isComplete ? "reloaded" : "not reloaded";
    case "log":
      return `${command.level}${command.worker === undefined ? "" : ` ${command.worker}`}: ${command.text}`;
    case "end":
      return `end ${command.code}`;
    case "serving":
      return "serving";
  }
}

/** Runs rows; those with a list are checked for exactly these commands, log lines left out unless `logs`. */
export function run(
  target: number,
  rows: readonly (string | readonly [string, ...string[]])[],
  logs = false,
  policy: Policy = POLICY,
): Plan {
  let plan = createPlan(target, policy);
  for (const row of rows) {
    const [words, ...expected] = typeof row === "string" ? [row] : row;
    const before = JSON.stringify(plan);
    const outcome = advance(plan, eventOf(words));
    expect(JSON.stringify(plan)).toBe(before); // a plan is never changed
    plan = outcome.plan;
    const commands = outcome.commands.filter((each) => logs || each.type !== "log").map(wordsOf);
    if (typeof row !== "string") expect([words, ...commands]).toEqual([words, ...expected]);
  }
  return plan;
}

/** Two workers that serve. */
export const TWO = ["0 start", "10 ready 1", "10 ready 2"] as const;
