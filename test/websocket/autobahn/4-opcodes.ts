import { PROTOCOL_ERROR, frame, text } from "./case.ts";
import type { Case } from "./case.ts";

const HELLO = "Hello, world!";

/** Section 4: reserved opcodes, of data (3 to 7) and of control (11 to 15). */
export const opcodes: readonly Case[] = [
  ...[3, 11].flatMap((first, kind): Case[] => [
    alone(`4.${kind + 1}.1`, first, ""),
    alone(`4.${kind + 1}.2`, first + 1, "reserved"),
    afterText(`4.${kind + 1}.3`, first + 2, ""),
    afterText(`4.${kind + 1}.4`, first + 3, HELLO),
    { ...afterText(`4.${kind + 1}.5`, first + 4, HELLO), chop: 1 },
  ]),
];

function alone(number: string, opcode: number, payload: string): Case {
  return {
    number,
    title: `a frame of opcode ${opcode} with ${payload.length} bytes`,
    steps: [frame(opcode, payload)],
    events: [],
    close: PROTOCOL_ERROR,
  };
}

function afterText(number: string, opcode: number, payload: string): Case {
  return {
    number,
    title: `a text, a frame of opcode ${opcode} with ${payload.length} bytes, a ping: only the first is answered`,
    steps: [frame("text", HELLO), frame(opcode, payload), frame("ping")],
    events: [text(HELLO)],
    nonStrict: [],
    close: PROTOCOL_ERROR,
  };
}
