import { NORMAL, text } from "./case.ts";
import type { Case } from "./case.ts";

const LONG = "*".repeat(65536);

/** Section 10: a message that the client's library has cut. */
export const autoFragmentation: readonly Case[] = [
  {
    number: "10.1.1",
    title: "a text of 65536 bytes in fragments of 1300",
    steps: [{ message: { type: "text", payload: LONG, fragmentSize: 1300 } }],
    events: [text(LONG)],
    close: NORMAL,
  },
];
