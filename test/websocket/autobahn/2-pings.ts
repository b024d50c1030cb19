import { NORMAL, PROTOCOL_ERROR, closeFrame, frame, hex, pong, repeated } from "./case.ts";
import type { Case } from "./case.ts";

const LONGEST = repeated(Uint8Array.of(0xfe), 125);
const TEN = Array.from({ length: 10 }, (_, index) => `ping number ${index}`);

/** Section 2: a ping is answered with its own payload, an unasked pong with nothing. */
export const pings: readonly Case[] = [
  answered("2.1", "a ping without payload", ""),
  answered("2.2", "a ping with a text", "Hello, world!"),
  answered("2.3", "a ping with bytes that are no UTF-8", hex("00 ff fe fd fc fb 00 ff")),
  answered("2.4", "a ping with 125 bytes", LONGEST),
  {
    number: "2.5",
    title: "a ping with 126 bytes is too long for a control frame",
    steps: [frame("ping", repeated(Uint8Array.of(0xfe), 126))],
    events: [],
    close: PROTOCOL_ERROR,
  },
  { ...answered("2.6", "a ping with 125 bytes, byte by byte", LONGEST), chop: 1 },
  {
    number: "2.7",
    title: "an unasked pong without payload",
    steps: [frame("pong"), closeFrame(1000)],
    events: [],
    close: { by: "steps", codes: [1000] },
  },
  {
    number: "2.8",
    title: "an unasked pong with a payload",
    steps: [frame("pong", "nobody has asked"), closeFrame(1000)],
    events: [],
    close: { by: "steps", codes: [1000] },
  },
  {
    number: "2.9",
    title: "an unasked pong, then a ping",
    steps: [frame("pong", "nobody has asked"), frame("ping", "but now")],
    events: [pong("but now")],
    close: NORMAL,
  },
  {
    number: "2.10",
    title: "ten pings at once",
    steps: TEN.map((payload) => frame("ping", payload)),
    events: TEN.map((payload) => pong(payload)),
    close: NORMAL,
  },
  {
    number: "2.11",
    title: "ten pings, byte by byte",
    steps: TEN.map((payload) => frame("ping", payload)),
    chop: 1,
    events: TEN.map((payload) => pong(payload)),
    close: NORMAL,
  },
];

function answered(number: string, title: string, payload: string | Uint8Array): Case {
  return { number, title, steps: [frame("ping", payload)], events: [pong(payload)], close: NORMAL };
}
