import { PROTOCOL_ERROR, frame, hex, text } from "./case.ts";
import type { Case } from "./case.ts";

const HELLO = "Hello, world!";

/** Section 3: the reserved bits mean nothing without an extension. */
export const reservedBits: readonly Case[] = [
  {
    number: "3.1",
    title: "a text with RSV 1",
    steps: [frame("text", HELLO, { rsv: 1 })],
    events: [],
    close: PROTOCOL_ERROR,
  },
  afterText("3.2", 2),
  { ...afterText("3.3", 3), chop: "frame" },
  { ...afterText("3.4", 4), chop: 1 },
  {
    number: "3.5",
    title: "a binary message with RSV 5",
    steps: [frame("binary", hex("00 ff fe fd fc fb 00 ff"), { rsv: 5 })],
    events: [],
    close: PROTOCOL_ERROR,
  },
  {
    number: "3.6",
    title: "a ping with RSV 6",
    steps: [frame("ping", HELLO, { rsv: 6 })],
    events: [],
    close: PROTOCOL_ERROR,
  },
  {
    number: "3.7",
    title: "a close frame with RSV 7",
    steps: [frame("close", "", { rsv: 7 })],
    events: [],
    close: PROTOCOL_ERROR,
  },
];

function afterText(number: string, rsv: number): Case {
  return {
    number,
    title: `a text, a text with RSV ${rsv}, a ping: only the first is answered`,
    steps: [frame("text", HELLO), frame("text", HELLO, { rsv }), frame("ping")],
    events: [text(HELLO)],
    nonStrict: [],
    close: PROTOCOL_ERROR,
  };
}
