import { NORMAL, PROTOCOL_ERROR, frame, part, pong, text } from "./case.ts";
import type { Case, Step } from "./case.ts";

/** The three ways in which Autobahn puts the same frames on the wire. */
const CHOPS = [
  { title: "", chop: {} },
  { title: ", frame by frame", chop: { chop: "frame" } },
  { title: ", byte by byte", chop: { chop: 1 } },
] as const;

const WHOLE = [part("text", "one, "), frame("continuation", "two")];
const PINGED = [part("text", "one, "), frame("ping", "between"), frame("continuation", "two")];

/** Section 5: fragments, and control frames between them. */
export const fragmentation: readonly Case[] = [
  fails("5.1", "a ping in two fragments", [part("ping", "one, "), frame("continuation", "two")]),
  fails("5.2", "a pong in two fragments", [part("pong", "one, "), frame("continuation", "two")]),
  ...CHOPS.map(({ title, chop }, index): Case => ({
    number: `5.${3 + index}`,
    title: `a text in two fragments${title}`,
    steps: WHOLE,
    ...chop,
    events: [text("one, two")],
    close: NORMAL,
  })),
  ...CHOPS.map(({ title, chop }, index): Case => ({
    number: `5.${6 + index}`,
    title: `a text in two fragments with a ping between them${title}`,
    steps: PINGED,
    ...chop,
    events: [pong("between"), text("one, two")],
    close: NORMAL,
  })),
  ...[true, false].flatMap((fin, index) =>
    CHOPS.map(({ title, chop }, way): Case => ({
      ...fails(
        `5.${9 + 3 * index + way}`,
        `a continuation of nothing, ${fin ? "the last" : "not the last"}, then a text${title}`,
        [frame("continuation", "of nothing", { fin }), frame("text", "Hello, world!")],
      ),
      ...chop,
    })),
  ),
  {
    number: "5.15",
    title: "a text in two fragments, then a continuation of nothing, then a text",
    steps: [...WHOLE, part("continuation", "three"), frame("text", "four")],
    events: [text("one, two")],
    nonStrict: [],
    close: PROTOCOL_ERROR,
  },
  ...[false, true].map((fin, index): Case =>
    fails(
      `5.${16 + index}`,
      `twice: a continuation of nothing, ${fin ? "the last" : "not the last"}, then a text in two fragments`,
      [1, 2].flatMap(() => [frame("continuation", "of nothing", { fin }), ...WHOLE]),
    ),
  ),
  fails("5.18", "a text whose second fragment says text again", [
    part("text", "one, "),
    frame("text", "two"),
  ]),
  {
    number: "5.19",
    title: "a text in five fragments with two pings: the first is answered before the rest is sent",
    ...fiveFragments(),
  },
  {
    number: "5.20",
    title: "a text in five fragments with two pings, frame by frame",
    ...fiveFragments(),
    chop: "frame",
  },
];

function fails(number: string, title: string, steps: Step[]): Case {
  return { number, title, steps, events: [], close: PROTOCOL_ERROR };
}

function fiveFragments(): Pick<Case, "steps" | "events" | "close"> {
  return {
    steps: [
      part("text", "one, "),
      part("continuation", "two, "),
      frame("ping", "first"),
      { received: 1 },
      part("continuation", "three, "),
      part("continuation", "four, "),
      frame("ping", "second"),
      frame("continuation", "five"),
    ],
    events: [pong("first"), pong("second"), text("one, two, three, four, five")],
    close: NORMAL,
  };
}
