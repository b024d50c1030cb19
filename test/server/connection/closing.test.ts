import { describe, expect, test } from "bun:test";

import { CLOSING } from "../../../src/server/connection/closing.ts";
import type { Closing, ClosingAction, ClosingEvent } from "../../../src/server/connection/closing.ts";

const STATES = Object.keys(CLOSING) as Closing[];
const EVENTS: readonly ClosingEvent[] = [
  ...(["close when flushed", "lingering close", "flushed", "fin", "deadline", "gone"] as const),
];

type Row = readonly [Closing, ClosingEvent, Closing, ClosingAction?];

const ROWS: readonly Row[] = [
  ["open", "close when flushed", "flushing", "flush"],
  ["open", "lingering close", "flushing, then lingering", "flush"],
  ["open", "fin", "open", "tell"],
  ["open", "deadline", "open", "tell"],
  ["open", "gone", "closed"],
  ["flushing", "flushed", "flushing", "close"],
  ["flushing", "gone", "closed"],
  ["flushing, then lingering", "flushed", "lingering", "fin"],
  ["flushing, then lingering", "fin", "flushing"],
  ["flushing, then lingering", "gone", "closed"],
  ["lingering", "fin", "lingering", "close"],
  ["lingering", "deadline", "lingering", "close"],
  ["lingering", "gone", "closed"],
];

describe("the way of a connection to its end", () => {
  for (const [from, event, to, action] of ROWS) {
    test(`${from}, ${event} → ${to}`, () => {
      expect(CLOSING[from][event]).toEqual(action === undefined ? { to } : { to, action });
    });
  }

  test("an event without a row changes nothing", () => {
    const rows = new Set(ROWS.map(([from, event]) => `${from}, ${event}`));
    for (const from of STATES)
      for (const event of EVENTS)
        if (!rows.has(`${from}, ${event}`))
          expect([from, event, CLOSING[from][event]]).toEqual([from, event, undefined]);
  });

  test("only an open connection lets its protocol decide", () => {
    for (const from of STATES)
      for (const event of EVENTS)
        expect(CLOSING[from][event]?.action === "tell" && from !== "open").toBe(false);
  });
});
