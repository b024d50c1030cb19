import { describe, expect, test } from "bun:test";

import { PHASES, READS, TRANSITIONS } from "../../../src/server/http1/phases.ts";
import type { Action, Phase, PhaseEvent, Wait } from "../../../src/server/http1/phases.ts";

const ALL_PHASES = Object.keys(TRANSITIONS) as Phase[];
const ALL_EVENTS = Object.keys(PHASES.idle.on) as PhaseEvent[];

/** Phase, event, then what follows: the next phase, what is waited for, what is done. */
type Row = readonly [Phase, PhaseEvent, Phase, (Wait | undefined)?, Action?];

const STEPS: readonly Row[] = [
  // between requests
  ["idle", "partial head", "head", "head"],
  ["idle", "request", "running", "nothing"],
  ["idle", "fault", "running", "nothing", "refuse"],
  ["idle", "fin", "over", undefined, "close"],
  ["idle", "deadline", "expiring"],
  ["idle", "shutdown", "over", undefined, "close"],
  ["idle", "shutdown, followed", "idle", "last request"],
  ["idle", "turned away", "running", "nothing"],
  ["idle", "lost", "over"],
  // a connection that was idle for too long
  ["expiring", "partial head", "head", "head"],
  ["expiring", "request", "running", "nothing"],
  ["expiring", "fault", "running", "nothing", "refuse"],
  ["expiring", "fin", "over", undefined, "close"],
  ["expiring", "quiet", "over", undefined, "close"],
  ["expiring", "shutdown", "over", undefined, "close"],
  ["expiring", "shutdown, followed", "idle", "last request"],
  ["expiring", "lost", "over"],
  // a head that has begun
  ["head", "request", "running", "nothing"],
  ["head", "fault", "running", "nothing", "refuse"],
  ["head", "fin", "over", undefined, "close"],
  ["head", "deadline", "running", "nothing", "late head"],
  ["head", "lost", "over"],
  // a response in the making
  ["running", "demand", "body", "body"],
  ["running", "delivered", "delivered"],
  ["running", "truncated", "over", undefined, "truncate"],
  ["running", "fault", "running", "nothing", "refuse"],
  ["running", "fin", "over", undefined, "lose"],
  ["running", "fin, answerable", "answer", "answer"],
  ["running", "shutdown", "running", undefined, "notify"],
  ["running", "shutdown, followed", "running", undefined, "notify"],
  ["running", "upgraded", "over", "nothing"],
  ["running", "lost", "over"],
  // an application that waits for its request body
  ["body", "piece", "running", "nothing"],
  ["body", "progress", "body", "body"],
  ["body", "deadline", "running", "nothing", "late body"],
  ["body", "delivered", "delivered"],
  ["body", "truncated", "over", undefined, "truncate"],
  ["body", "fault", "running", "nothing", "refuse"],
  ["body", "fin", "over", undefined, "lose"],
  ["body", "shutdown", "body", undefined, "notify"],
  ["body", "shutdown, followed", "body", undefined, "notify"],
  ["body", "lost", "over"],
  // a client that has ended its direction
  ["answer", "delivered", "delivered"],
  ["answer", "deadline", "over", undefined, "lose"],
  ["answer", "deadline, flowing", "answer", "answer"],
  ["answer", "truncated", "over", undefined, "truncate"],
  ["answer", "fault", "running", "nothing", "refuse"],
  ["answer", "shutdown", "answer", undefined, "notify"],
  ["answer", "shutdown, followed", "answer", undefined, "notify"],
  ["answer", "lost", "over"],
  // a response that is out
  ["delivered", "next", "idle", "next request"],
  ["delivered", "next, last", "idle", "last request"],
  ["delivered", "unread", "discard", "body"],
  ["delivered", "end", "over", undefined, "close"],
  ["delivered", "refused", "over", undefined, "linger"],
  ["delivered", "lost", "over"],
  // a request body that nobody wants
  ["discard", "next", "idle", "next request"],
  ["discard", "next, last", "idle", "last request"],
  ["discard", "end", "over", undefined, "close"],
  ["discard", "fault", "over", undefined, "close"],
  ["discard", "fin", "over", undefined, "close"],
  ["discard", "deadline", "over", undefined, "close"],
  ["discard", "shutdown", "over", undefined, "close"],
  ["discard", "lost", "over"],
];

describe("the phases of an HTTP/1.1 connection", () => {
  for (const [phase, event, to, wait, action] of STEPS) {
    test(`${phase}, ${event} → ${to}`, () => {
      const step = PHASES[phase].on[event];
      expect([step?.to.phase, step?.wait, step?.action]).toEqual([to, wait, action]);
    });
  }

  test("an event without a row changes nothing", () => {
    const rows = new Set(STEPS.map(([phase, event]) => `${phase}, ${event}`));
    for (const phase of ALL_PHASES)
      for (const event of ALL_EVENTS)
        if (!rows.has(`${phase}, ${event}`))
          expect([phase, event, PHASES[phase].on[event]]).toEqual([phase, event, undefined]);
  });

  test("the table and what the session walks through are the same", () => {
    for (const phase of ALL_PHASES) {
      for (const event of ALL_EVENTS) {
        const linked = PHASES[phase].on[event];
        const step = TRANSITIONS[phase][event];
        expect([linked?.to.phase, linked?.wait, linked?.action]).toEqual([
          step?.to,
          step?.wait,
          step?.action,
        ]);
      }
    }
  });

  test("every phase is reached, and the end is final", () => {
    const reached = new Set<Phase>(["idle"]);
    for (const phase of reached) {
      for (const event of ALL_EVENTS) {
        const step = PHASES[phase].on[event];
        if (step !== undefined) reached.add(step.to.phase);
      }
    }
    expect([...reached].sort()).toEqual([...ALL_PHASES].sort());
    expect(TRANSITIONS.over).toEqual({});
  });

  test("a connection that is lost is over in every phase", () => {
    for (const phase of ALL_PHASES)
      expect(PHASES[phase].on.lost?.to.phase).toBe(phase === "over" ? undefined : "over");
  });

  test("whatever reads can be at fault, and whatever waits has a deadline", () => {
    for (const phase of ALL_PHASES) {
      if (READS[phase] !== "nothing")
        expect([phase, PHASES[phase].on.fault === undefined]).toEqual([phase, false]);
      for (const event of ALL_EVENTS) {
        const step = PHASES[phase].on[event];
        const isTimed = step?.wait !== undefined && step.wait !== "nothing";
        if (isTimed)
          expect([step.to.phase, step.to.on.deadline === undefined]).toEqual([step.to.phase, false]);
      }
    }
  });
});
