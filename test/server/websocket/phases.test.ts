import { describe, expect, test } from "bun:test";

import { advance, isAnswered } from "../../../src/server/websocket/phases.ts";
import type { Phase, WebSocketEvent } from "../../../src/server/websocket/phases.ts";

/** An event, the phase that it leads to, and what is done; nothing where nothing changes. */
type Row = readonly [event: WebSocketEvent, ...follows: string[]];

function run(rows: readonly Row[], from: Phase = "opening"): Phase {
  let phase = from;
  for (const [event, ...expected] of rows) {
    const step = advance(phase, event);
    expect<readonly string[]>([event, ...(step === undefined ? [] : [step.to, ...step.actions])]).toEqual([
      event,
      ...expected,
    ]);
    phase = step?.to ?? phase;
  }
  return phase;
}

const READY: Row = ["ready", "open", "answer", "sendEarly", "read", "deliverDrain"];
const ENDED: Row = ["ended", "over", "deliverClose", "release", "closeConnection"];

describe("an ordinary life", () => {
  test("the application closes: a Close frame, and the client's end", () => {
    run([READY, ["ready"], ["close", "closing", "beginClose"], ["close"], ENDED, ["gone"], ["abort"]]);
  });

  test("the client closes: the application gets its code, and then the connection ends", () => {
    run([READY, ["close-frame", "closing", "deliverClose"], ["close"], ENDED]);
  });

  test("both close at once", () => {
    run([READY, ["close", "closing", "beginClose"], ["close-frame", "closing", "deliverClose"], ENDED]);
  });

  test("the end of a client without a Close frame: what was read whole is still delivered", () => {
    run([READY, ["gone", "open", "deliverLoss", "endInput"], ENDED, ["lost"]]);
  });
});

describe("before the client has its answer", () => {
  test("an application that closes at once: answer and messages first, then the Close frame, and no reading", () => {
    run([
      ["close", "closing-early"],
      ["close"],
      ["ready", "closing", "answer", "sendEarly", "beginClose", "deliverDrain"],
      ENDED,
    ]);
  });

  test.each(["opening", "closing-early"] as const)(
    "%s: frames that cannot be read refuse the handshake",
    (from) => {
      run(
        [
          ["failed", "over", "refuse", "deliverLoss", "deliverClose", "release", "closeConnection"],
          ["ready"],
          ["ended"],
        ],
        from,
      );
    },
  );

  test.each(["opening", "closing-early"] as const)("%s: the client disconnects", (from) => {
    run([["gone", from, "deliverLoss", "endInput"], ENDED], from);
    run(
      [
        ["gone", from, "deliverLoss", "endInput"],
        ["abort", "over", "release", "resetConnection"],
      ],
      from,
    );
  });
});

test("a connection that is reset ends it in every phase, and nothing is sent any more", () => {
  for (const phase of ["opening", "closing-early", "open", "closing"] as const) {
    run([["lost", "over", "deliverLoss", "deliverClose", "release"]], phase);
    run([["abort", "over", "release", "resetConnection"]], phase);
  }
});

test("from every phase and in every order, the end is reported once, and nothing happens behind it", () => {
  const events: WebSocketEvent[] = [
    "ready",
    "failed",
    "close-frame",
    "ended",
    "close",
    "abort",
    "gone",
    "lost",
  ];
  const seen = new Set<Phase>();
  const visit = (phase: Phase): void => {
    if (seen.has(phase)) return;
    seen.add(phase);
    for (const event of events) {
      const step = advance(phase, event);
      if (step === undefined) continue;
      expect([phase, event, step.actions.includes("release")]).toEqual([phase, event, step.to === "over"]);
      // An answer goes out exactly where the phase changes from one without to one with an answer.
      expect([phase, event, step.actions.includes("answer")]).toEqual([
        phase,
        event,
        !isAnswered(phase) && isAnswered(step.to),
      ]);
      visit(step.to);
    }
  };
  visit("opening");
  expect([...seen].sort()).toEqual(["closing", "closing-early", "open", "opening", "over"]);
  for (const event of events) expect(advance("over", event)).toBeUndefined();
});
