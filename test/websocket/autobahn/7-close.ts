import { NORMAL, closeFrame, frame, hex, part, repeated, text } from "./case.ts";
import type { Case, Close, Step } from "./case.ts";

const HELLO = "Hello World!";
const ANSWERED: Close = { by: "steps", codes: [1000] };
const REFUSED: Close = { by: "server", codes: [1002] };

const VALID_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] as const;
const INVALID_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999] as const;
/** RFC 6455 section 7.4 says nothing of codes from 5000 up. */
const UNDEFINED_CODES = [5000, 65535] as const;

/** Section 7: the closing handshake. */
export const close: readonly Case[] = [
  {
    number: "7.1.1",
    title: "a text, then a close frame",
    steps: [frame("text", HELLO)],
    events: [text(HELLO)],
    close: NORMAL,
  },
  closes("7.1.2", "two close frames: the second is ignored", [closeFrame(1000), frame("close")], ANSWERED),
  closes("7.1.3", "a ping after the close frame: no pong", [closeFrame(1000), frame("ping")], ANSWERED),
  closes(
    "7.1.4",
    "a text after the close frame: no echo",
    [closeFrame(1000), frame("text", HELLO)],
    ANSWERED,
  ),
  closes(
    "7.1.5",
    "a close frame between two fragments: no echo",
    [part("text", "one, "), closeFrame(1000), frame("continuation", "two")],
    ANSWERED,
  ),
  ...beforeClose(),
  closes("7.3.1", "a close frame without a code", [frame("close")], { by: "steps", codes: [1000, 1005] }),
  closes("7.3.2", "a close frame with one byte", [frame("close", "a")], REFUSED),
  closes("7.3.3", "a close frame with a code", [closeFrame(1000)], ANSWERED),
  closes("7.3.4", "a close frame with a code and a reason", [closeFrame(1000, HELLO)], ANSWERED),
  closes("7.3.5", "a close frame with the longest reason", [closeFrame(1000, "*".repeat(123))], ANSWERED),
  closes("7.3.6", "a close frame with a reason too long", [closeFrame(1000, "*".repeat(124))], REFUSED),
  closes(
    "7.5.1",
    "a close frame whose reason is no UTF-8",
    [closeFrame(1000, hex("ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64 69 74 65 64"))],
    { by: "server", codes: [1002, 1007] },
  ),
  ...VALID_CODES.map((code, index) =>
    closes(`7.7.${index + 1}`, `the valid code ${code}`, [closeFrame(code)], {
      by: "steps",
      codes: [1000, code],
    }),
  ),
  ...INVALID_CODES.map((code, index) =>
    closes(`7.9.${index + 1}`, `the invalid code ${code}`, [closeFrame(code)], REFUSED),
  ),
  ...UNDEFINED_CODES.map((code, index) =>
    closes(`7.13.${index + 1}`, `the undefined code ${code}`, [closeFrame(code)], {
      by: "server",
      codes: [1000, 1002, code],
    }),
  ),
];

function closes(number: string, title: string, steps: Step[], end: Close): Case {
  return { number, title, steps, events: [], close: end };
}

/** Autobahn only reports what happens here. What was sent before the close frame is to be answered. */
function beforeClose(): Case[] {
  const long = Buffer.from(repeated(Buffer.from("BAsd7&jh23"), 256 * 1024)).toString();
  return [
    {
      number: "7.1.6",
      title: "a text of 256 KiB, a text, a close frame and a ping at once",
      steps: [frame("text", long), frame("text", HELLO), closeFrame(1000), frame("ping")],
      events: [text(long), text(HELLO)],
      nonStrict: [],
      close: ANSWERED,
    },
  ];
}
