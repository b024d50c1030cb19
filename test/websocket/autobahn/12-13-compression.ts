import { NORMAL, binary, text } from "./case.ts";
import type { Case, Event, Step } from "./case.ts";

/** The length of a message, and the size of its fragments: Autobahn's eighteen, 1000 messages of each there. */
const SIZES: readonly (readonly [length: number, fragmentSize?: number])[] = [
  ...[16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072].map((length) => [length] as const),
  ...[8192, 16384, 32768, 65536, 131072].map((length) => [length, 256] as const),
  ...[1024, 4096, 32768].map((fragmentSize) => [131072, fragmentSize] as const),
];

/** How many characters of each kind there are: enough for the longest message from any start. */
const LENGTH = 131072 + 4096;

/** How many of each length: enough that a context which is kept by mistake shows. */
function countOf(length: number): number {
  return length <= 4096 ? 8 : 2;
}

/** Of the kinds of Autobahn's files, in its order. Binary ones stand here as Latin-1. */
const DATA = [
  { title: "JSON", type: "text", source: json() },
  { title: "a bitmap", type: "binary", source: bitmap() },
  { title: "prose", type: "binary", source: prose() },
  { title: "HTML", type: "text", source: html() },
  { title: "what is compressed already", type: "binary", source: noise() },
] as const;

/** What Autobahn's client offers when it asks for nothing (RFC 7692 section 7.1). */
const PLAIN = "permessage-deflate; client_no_context_takeover; client_max_window_bits";

/** The offers of section 13, in Autobahn's order. */
const OFFERS = [
  PLAIN,
  `${PLAIN}; server_no_context_takeover`,
  `${PLAIN}; server_max_window_bits=9`,
  `${PLAIN}; server_max_window_bits=15`,
  `${PLAIN}; server_no_context_takeover; server_max_window_bits=9`,
  `${PLAIN}; server_no_context_takeover; server_max_window_bits=15`,
  `${PLAIN}; server_no_context_takeover; server_max_window_bits=9, ${PLAIN}; server_no_context_takeover, ${PLAIN}`,
] as const;

/** Section 12: data of several kinds with the plain offer. Section 13: the JSON with other offers. */
export const compression: readonly Case[] = [
  ...DATA.flatMap((data, index) =>
    SIZES.map((size, at) => compressed(`12.${index + 1}.${at + 1}`, data, PLAIN, ...size)),
  ),
  ...OFFERS.flatMap((offer, index) =>
    SIZES.map((size, at) => compressed(`13.${index + 1}.${at + 1}`, DATA[0], offer, ...size)),
  ),
];

function compressed(
  number: string,
  { title, type, source }: (typeof DATA)[number],
  offer: string,
  length: number,
  fragmentSize?: number,
): Case {
  const count = countOf(length);
  const steps: Step[] = [];
  const events: Event[] = [];
  for (let index = 0; index < count; index++) {
    const start = (index * length) % 4096;
    const part = source.slice(start, start + length);
    const payload = Buffer.from(part, type === "text" ? "utf8" : "latin1");
    events.push(type === "text" ? text(part) : binary(new Uint8Array(payload)));
    steps.push(
      {
        message: { type, payload, compressed: true, ...(fragmentSize === undefined ? {} : { fragmentSize }) },
      },
      { received: index + 1 },
    );
  }
  const cut = fragmentSize === undefined ? "" : ` in fragments of ${fragmentSize}`;
  return {
    number,
    title: `${count} messages of ${title}, ${length} characters each${cut}; ${offer.replaceAll(PLAIN, "…")}`,
    steps,
    offer,
    events,
    close: NORMAL,
  };
}

/** The same numbers in every run (Numerical Recipes' generator). */
function* numbers(): Generator<number, never> {
  for (let state = 1; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

function build(line: (random: () => number) => string): string {
  const source = numbers();
  const lines: string[] = [];
  for (let length = 0; length < LENGTH;) {
    const next = line(() => source.next().value);
    lines.push(next);
    length += next.length;
  }
  return lines.join("").slice(0, LENGTH);
}

function json(): string {
  const CITIES = ["Zürich", "Αθήνα", "Québec", "東京", "Kraków", "Oslo"] as const;
  return build((random) => {
    const city = CITIES[random() % CITIES.length] ?? "Oslo";
    return JSON.stringify({
      id: random() % 100000,
      city,
      open: random() % 2 === 0,
      score: (random() % 1000) / 10,
    });
  });
}

function bitmap(): string {
  return build((random) => {
    const start = random() % 128;
    return Array.from({ length: 64 }, (_, x) => String.fromCharCode(start + x + (random() % 4))).join("");
  });
}

function prose(): string {
  const WORDS = [
    "the",
    "devil",
    "doctor",
    "a",
    "poodle",
    "night",
    "study",
    "of",
    "and",
    "learns",
    "asks",
    "bargain",
  ] as const;
  return build((random) => `${WORDS[random() % WORDS.length] ?? "the"}${random() % 9 === 0 ? ".\n" : " "}`);
}

function html(): string {
  return build(
    (random) =>
      `<li class="item-${random() % 7}"><a href="/söme/${random() % 5000}">№ ${random() % 99}</a></li>\n`,
  );
}

function noise(): string {
  return build((random) => String.fromCharCode(random() & 0xff));
}
