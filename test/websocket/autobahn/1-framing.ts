import { NORMAL, binary, frame, repeated, text } from "./case.ts";
import type { Case } from "./case.ts";

/** The lengths on both sides of each form of the length field. */
const LENGTHS = [0, 125, 126, 127, 128, 65535, 65536] as const;

/** Section 1: messages in one frame, of all forms of length. */
export const framing: readonly Case[] = [
  ...LENGTHS.map((length, index) => textCase(index + 1, length)),
  textCase(8, 65536, 997),
  ...LENGTHS.map((length, index) => binaryCase(index + 1, length)),
  binaryCase(8, 65536, 997),
];

function textCase(index: number, length: number, chop?: number): Case {
  const payload = "*".repeat(length);
  return {
    number: `1.1.${index}`,
    title: `a text of ${length} bytes${chop === undefined ? "" : ` in chops of ${chop}`}`,
    steps: [frame("text", payload)],
    ...(chop === undefined ? {} : { chop }),
    events: [text(payload)],
    close: NORMAL,
  };
}

function binaryCase(index: number, length: number, chop?: number): Case {
  const payload = repeated(Uint8Array.of(0xfe), length);
  return {
    number: `1.2.${index}`,
    title: `a binary message of ${length} bytes${chop === undefined ? "" : ` in chops of ${chop}`}`,
    steps: [frame("binary", payload)],
    ...(chop === undefined ? {} : { chop }),
    events: [binary(payload)],
    close: NORMAL,
  };
}
