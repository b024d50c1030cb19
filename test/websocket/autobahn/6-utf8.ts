import { frame as encode } from "../../support/websocket.ts";
import { INVALID_PAYLOAD, NORMAL, frame, hex, part, pong, text } from "./case.ts";
import type { Case, Step } from "./case.ts";

const MIXED = "Hello-µ@ßöäüàá-UTF-8!!";
/** The omicron with its accent as U+1F79, in three bytes. */
const KOSME = "κ\u{1f79}σμε";
const KOSME_BYTES = Buffer.from(KOSME);

/** Valid up to its twelfth byte: a surrogate. */
const SURROGATE = Buffer.concat([KOSME_BYTES, hex("ed a0 80"), Buffer.from("edited")]);
/** Valid up to the second byte after the Greek: a code point above U+10FFFF. */
const TOO_HIGH = Buffer.concat([KOSME_BYTES, hex("f4 90 80 80"), Buffer.from("edited")]);

/**
 * Section 6: texts are UTF-8. From 6.5 on: the sequences of Markus Kuhn's "UTF-8 decoder capability and stress test",
 * each in a frame of its own.
 */
export const utf8: readonly Case[] = [
  echoes("6.1.1", "an empty text", [frame("text")], ""),
  echoes("6.1.2", "three empty fragments", [part("text"), part("continuation"), frame("continuation")], ""),
  echoes(
    "6.1.3",
    "three fragments, of which only the second has bytes",
    [part("text"), part("continuation", "middle"), frame("continuation")],
    "middle",
  ),
  echoes("6.2.1", "a text of several scripts", [frame("text", MIXED)], MIXED),
  echoes(
    "6.2.2",
    "two fragments, cut between characters",
    [part("text", "Hello-µ@ßöä"), frame("continuation", "üàá-UTF-8!!")],
    MIXED,
  ),
  echoes("6.2.3", "fragments of one byte, cut within characters", byByte(Buffer.from(MIXED)), MIXED),
  echoes("6.2.4", "fragments of one byte of Greek", byByte(KOSME_BYTES), KOSME),
  refuses("6.3.1", "a surrogate in one frame", [frame("text", SURROGATE)]),
  refuses("6.3.2", "a surrogate in fragments of one byte", byByte(SURROGATE)),
  ...failsFast(),
  ...group(5, "valid sequences", {
    valid: [
      "68656c6c6f 24 776f726c64",
      "68656c6c6f c2a2 776f726c64",
      "68656c6c6f e282ac 776f726c64",
      "68656c6c6f f0a4ada2 776f726c64",
      KOSME_BYTES.toHex(),
    ],
  }),
  ...prefixes(),
  ...group(7, "the first sequence of a length", { valid: ["00", "c280", "e0a080", "f0908080"] }),
  ...group(8, "the first sequence of a length above 4", { invalid: ["f888808080", "fc8480808080"] }),
  ...group(9, "the last sequence of a length", { valid: ["7f", "dfbf", "efbfbf", "f48fbfbf"] }),
  ...group(10, "the last sequence of a length above U+10FFFF", {
    invalid: ["f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"],
  }),
  ...group(11, "other boundaries", {
    valid: ["ed9fbf", "ee8080", "efbfbd", "f48fbfbf"],
    invalid: ["f4908080"],
  }),
  ...group(12, "continuation bytes of nothing", {
    invalid: [
      ...["80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf"],
      bytesFrom(0x80, 0xbe, ""),
    ],
  }),
  ...group(13, "lonely first bytes", {
    invalid: [
      bytesFrom(0xc0, 0xde, "20"),
      bytesFrom(0xe0, 0xee, "20"),
      bytesFrom(0xf0, 0xf6, "20"),
      bytesFrom(0xf8, 0xfa, "20"),
      bytesFrom(0xfc, 0xfc, "20"),
    ],
  }),
  ...group(14, "the last byte is missing", { invalid: lastByteMissing() }),
  ...group(15, "incomplete sequences in a row", { invalid: [lastByteMissing().join("")] }),
  ...group(16, "impossible bytes", { invalid: ["fe", "ff", "fefeffff"] }),
  ...group(17, "overlong slashes", { invalid: ["c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"] }),
  ...group(18, "the longest overlong sequences", {
    invalid: ["c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"],
  }),
  ...group(19, "overlong NUL", { invalid: ["c080", "e08080", "f0808080", "f880808080", "fc8080808080"] }),
  ...group(20, "single surrogates", {
    invalid: ["eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"],
  }),
  ...group(21, "pairs of surrogates", {
    invalid: ["eda080", "edadbf", "edae80", "edafbf"].flatMap((high) => [`${high}edb080`, `${high}edbfbf`]),
  }),
  ...group(22, "code points that are no characters", { valid: nonCharacters() }),
  ...group(23, "specials, such as the replacement character", {
    valid: ["efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd", "efbfbe", "efbfbf"],
  }),
];

function echoes(number: string, title: string, steps: Step[], value: string): Case {
  return { number, title, steps, events: [text(value)], close: NORMAL };
}

function refuses(number: string, title: string, steps: Step[]): Case {
  return { number, title, steps, events: [], close: INVALID_PAYLOAD };
}

function byByte(bytes: Uint8Array): Step[] {
  return [{ message: { type: "text", payload: bytes, fragmentSize: 1 } }];
}

/**
 * Autobahn waits for a second after the first two parts and sees which of them ends the connection. Here a ping after
 * each fragment asks; its pong says that the connection lives. Within a frame nothing can be asked, so the last two
 * cases only demand that the connection fails.
 */
function failsFast(): Case[] {
  const CUTS = [
    { title: "the whole code point", start: KOSME_BYTES.length, at: KOSME_BYTES.length + 4 },
    { title: "its first wrong byte", start: KOSME_BYTES.length + 1, at: KOSME_BYTES.length + 2 },
  ] as const;
  return [
    ...CUTS.map(({ title, start, at }, index): Case => ({
      number: `6.4.${1 + index}`,
      title: `a code point too high in three fragments, the second with ${title}: it is refused at once`,
      steps: [
        part("text", TOO_HIGH.subarray(0, start)),
        frame("ping", "after the first"),
        { received: 1 },
        part("continuation", TOO_HIGH.subarray(start, at)),
        frame("ping", "after the second"),
        { received: 2 },
        frame("continuation", TOO_HIGH.subarray(at)),
      ],
      events: [pong("after the first")],
      nonStrict: [pong("after the first"), pong("after the second")],
      close: INVALID_PAYLOAD,
    })),
    ...CUTS.map(({ title, start, at }, index): Case => {
      const bytes = encode({ opcode: "text", payload: TOO_HIGH });
      const head = bytes.length - TOO_HIGH.length;
      const chops = [
        bytes.subarray(0, head + start),
        bytes.subarray(head + start, head + at),
        bytes.subarray(head + at),
      ];
      return {
        ...refuses(
          `6.4.${3 + index}`,
          `a code point too high in three chops of one frame, the second with ${title}`,
          chops.map((chop) => ({ bytes: chop })),
        ),
        chop: "frame",
      };
    }),
  ];
}

/** Section 6.6: every prefix of a text is a text if it ends where a character ends. */
function prefixes(): Case[] {
  const ends = new Set([2, 5, 7, 9, 11]);
  return Array.from(KOSME_BYTES, (_, index): Case => {
    const bytes = KOSME_BYTES.subarray(0, index + 1);
    const steps = [frame("text", bytes)];
    return ends.has(bytes.length)
      ? echoes(`6.6.${bytes.length}`, `a prefix of ${bytes.length} bytes`, steps, bytes.toString())
      : refuses(`6.6.${bytes.length}`, `a prefix of ${bytes.length} bytes, cut within a character`, steps);
  });
}

function group(
  section: number,
  title: string,
  { valid = [], invalid = [] }: { valid?: readonly string[]; invalid?: readonly string[] },
): Case[] {
  return [...valid, ...invalid].map((digits, index) => {
    const bytes = hex(digits);
    const number = `6.${section}.${index + 1}`;
    const name = `${title}: ${bytes.toHex().slice(0, 40)}`;
    const steps = [frame("text", bytes)];
    return index < valid.length
      ? echoes(number, name, steps, new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))
      : refuses(number, name, steps);
  });
}

/** The digits of a range of bytes, each with `after` behind it. */
function bytesFrom(first: number, last: number, after: string): string {
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index).toString(16) + after).join(
    "",
  );
}

function lastByteMissing(): string[] {
  return ["c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"];
}

/** The last two code points of every plane. */
function nonCharacters(): string[] {
  return Array.from({ length: 17 }, (_, plane) => [0xfffe, 0xffff].map((low) => plane * 0x10000 + low))
    .flat()
    .map((point) => Buffer.from(String.fromCodePoint(point)).toHex());
}
