import { NORMAL, binary, frame, repeated, text } from "./case.ts";
import type { Case, Event, Step } from "./case.ts";

const KIB = 1024;

/** A sixteenth of Autobahn's sizes, up to 16 MiB there: the last is the default limit of a message here. */
const MESSAGE_SIZES = [4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, 512 * KIB, 1024 * KIB] as const;

/** A sixteenth of Autobahn's 4 MiB, in fragments of a sixteenth of its sizes. */
const FRAGMENTED_SIZE = 256 * KIB;
const FRAGMENT_SIZES = [4, 16, 64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB] as const;

/** A sixteenth of Autobahn's 1 MiB, in chops of its own sizes. */
const CHOPPED_SIZE = 64 * KIB;
const CHOP_SIZES = [64, 128, 256, 512, 1024, 2048] as const;

/** Round trips, 1000 in Autobahn. */
const ROUND_TRIPS = 50;
const ROUND_TRIP_SIZES = [0, 16, 64, 256, 1024, 4096] as const;

const KINDS = [
  { opcode: "text", pattern: Buffer.from("BAsd7&jh23") },
  { opcode: "binary", pattern: Uint8Array.of(0x00, 0xfe, 0x23, 0xfa, 0xf0) },
] as const;

type Kind = (typeof KINDS)[number];

/** Section 9: large messages, many fragments, small chops, many messages. */
export const limits: readonly Case[] = KINDS.flatMap((kind, index) => [
  ...MESSAGE_SIZES.map((size, at) => oneFrame(`9.${1 + index}.${at + 1}`, kind, size)),
  ...FRAGMENT_SIZES.map((size, at) => fragments(`9.${3 + index}.${at + 1}`, kind, size)),
  ...CHOP_SIZES.map((size, at) => chopped(`9.${5 + index}.${at + 1}`, kind, size)),
  ...ROUND_TRIP_SIZES.map((size, at) => roundTrips(`9.${7 + index}.${at + 1}`, kind, size)),
]);

function event(kind: Kind, bytes: Uint8Array): Event {
  return kind.opcode === "text" ? text(Buffer.from(bytes).toString()) : binary(bytes);
}

function oneFrame(number: string, kind: Kind, size: number): Case {
  const payload = repeated(kind.pattern, size);
  return {
    number,
    title: `a ${kind.opcode} message of ${size} bytes`,
    steps: [frame(kind.opcode, payload)],
    events: [event(kind, payload)],
    close: NORMAL,
  };
}

function fragments(number: string, kind: Kind, fragmentSize: number): Case {
  const payload = repeated(kind.pattern, FRAGMENTED_SIZE);
  return {
    number,
    title: `a ${kind.opcode} message of ${FRAGMENTED_SIZE} bytes in fragments of ${fragmentSize}`,
    steps: [{ message: { type: kind.opcode, payload, fragmentSize } }],
    events: [event(kind, payload)],
    close: NORMAL,
  };
}

function chopped(number: string, kind: Kind, chop: number): Case {
  return {
    ...oneFrame(number, kind, CHOPPED_SIZE),
    title: `64 KiB of ${kind.opcode} in chops of ${chop}`,
    chop,
  };
}

function roundTrips(number: string, kind: Kind, size: number): Case {
  const payload = repeated(kind.pattern, size);
  return {
    number,
    title: `${ROUND_TRIPS} ${kind.opcode} messages of ${size} bytes, one after the other`,
    steps: Array.from({ length: ROUND_TRIPS }, (_, index): Step[] => [
      frame(kind.opcode, payload),
      { received: index + 1 },
    ]).flat(),
    events: Array.from({ length: ROUND_TRIPS }, () => event(kind, payload)),
    close: NORMAL,
  };
}
