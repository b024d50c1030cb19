import { describe, expect, test } from "bun:test";
import { constants, inflateRawSync } from "node:zlib";

import { PING, agreedDeflate, outgoingFrame, pongHeader } from "../../src/websocket/outgoing-frame.ts";
import type { Deflate, OutgoingFrame } from "../../src/websocket/outgoing-frame.ts";
import { random } from "../support/http1-rows.ts";

/** From here on messages are compressed where that was agreed on; shorter ones never are. */
const THRESHOLD = 1024;

const TEXT = 0x81;
const BINARY = 0x82;
const RSV1 = 0x40;
const FLUSH_TAIL = Buffer.from([0, 0, 0xff, 0xff]);

const bytesOf = (payload: Uint8Array | string): Buffer => Buffer.from(payload);
const headerOf = ({ header }: OutgoingFrame): string => Buffer.from(header, "latin1").toString("hex");

/** What a client makes of a compressed payload with a window of so many bits. */
function inflated(frame: OutgoingFrame, windowBits = 15): Buffer {
  return inflateRawSync(Buffer.concat([bytesOf(frame.payload), FLUSH_TAIL]), {
    windowBits,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
}

/** Bytes that no deflate makes shorter. */
function noise(length: number, seed = length): Uint8Array {
  const next = random(seed);
  return Uint8Array.from({ length }, () => Math.floor(next() * 256));
}

// ── frames: RFC 6455 section 5.2 ────────────────────────────────────────────────────────────────────────────────────

describe("a message goes out as one frame without a mask, its length in the shortest form", () => {
  const LENGTHS: [length: number, form: string][] = [
    [0, "00"],
    [1, "01"],
    [125, "7d"],
    [126, "7e007e"],
    [127, "7e007f"],
    [255, "7e00ff"],
    [256, "7e0100"],
    [65_535, "7effff"],
    [65_536, "7f0000000000010000"],
    [65_537, "7f0000000000010001"],
    [0x123_4567, "7f0000000001234567"],
  ];
  test.each(LENGTHS)("of %d bytes: %s", (length, form) => {
    const bytes = new Uint8Array(length);
    const binary = outgoingFrame(bytes, undefined);
    expect(headerOf(binary)).toBe(`82${form}`);
    expect(binary.payload).toBe(bytes);
    expect(binary.length).toBe(length);
    const letters = "t".repeat(length);
    const text = outgoingFrame(letters, undefined);
    expect(headerOf(text)).toBe(`81${form}`);
    expect(text.payload).toBe(letters);
    expect(text.length).toBe(length);
  });

  test("over 4 GiB: by the 64-bit length of a message that only says how long it is", () => {
    class Huge extends Uint8Array {
      override get byteLength(): number {
        return 0x2345_6789_abcd;
      }
    }
    expect(headerOf(outgoingFrame(new Huge(0), undefined))).toBe("827f000023456789abcd");
  });

  const TEXTS: [text: string, length: number][] = [
    ["é", 2],
    ["☃", 3],
    ["😀", 4],
    ["\0", 1],
    ["é".repeat(62) + "a", 125],
    ["é".repeat(63), 126],
    ["😀".repeat(16_384), 65_536],
    ["\ud800", 3], // a lone surrogate goes out as U+FFFD
  ];
  test.each(TEXTS)("of text: its length is that of its UTF-8 (%#)", (text, length) => {
    const frame = outgoingFrame(text, undefined);
    expect(frame.length).toBe(length);
    expect(bytesOf(frame.payload).byteLength).toBe(length);
    const shortest = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    expect(frame.header.length).toBe(shortest);
  });

  test("a view of a larger buffer is as long as the view", () => {
    const frame = outgoingFrame(new Uint8Array(1000).subarray(10, 210), undefined);
    expect(headerOf(frame)).toBe("827e00c8");
    expect(frame.payload.length).toBe(200);
  });
});

test("a Ping has no payload, a Pong that of its Ping: RFC 6455 section 5.5", () => {
  expect(Buffer.from(PING, "latin1").toString("hex")).toBe("8900");
  for (const [length, hex] of [
    [0, "8a00"],
    [1, "8a01"],
    [125, "8a7d"],
  ] as const)
    expect(Buffer.from(pongHeader(new Uint8Array(length)), "latin1").toString("hex")).toBe(hex);
});

// ── compression: RFC 7692 ───────────────────────────────────────────────────────────────────────────────────────────

describe("where compression was agreed on", () => {
  const deflate: Deflate = { windowBits: 15 };

  test.each([0, 1, 125, 126, THRESHOLD - 1])("a message of %d bytes goes out as it is", (length) => {
    const bytes = new Uint8Array(length);
    expect(outgoingFrame(bytes, deflate)).toEqual(outgoingFrame(bytes, undefined));
    const text = "t".repeat(length);
    expect(outgoingFrame(text, deflate)).toEqual(outgoingFrame(text, undefined));
  });

  test("the length that counts is that of the UTF-8", () => {
    expect(outgoingFrame("é".repeat(THRESHOLD / 2 - 1), deflate).header.charCodeAt(0)).toBe(TEXT);
    expect(outgoingFrame("é".repeat(THRESHOLD / 2), deflate).header.charCodeAt(0)).toBe(TEXT | RSV1);
  });

  const MESSAGES: [about: string, message: Uint8Array | string][] = [
    ["zeros, from the threshold on", new Uint8Array(THRESHOLD)],
    ["text, from the threshold on", "t".repeat(THRESHOLD)],
    ["text of several bytes a char", "räume ☃ 😀 ".repeat(300)],
    ["noise", noise(5000)],
    ["noise of 64 KiB", noise(65_536)],
    ["much", new Uint8Array(3_000_000)],
  ];
  test.each(MESSAGES)("%s: RSV1 is set, and what is inflated is the message", (_about, message) => {
    const frame = outgoingFrame(message, deflate);
    const [first, second = 0] = Buffer.from(frame.header, "latin1");
    expect(first).toBe((typeof message === "string" ? TEXT : BINARY) | RSV1);
    expect(frame.length).toBe(bytesOf(frame.payload).byteLength);
    const { length } = frame;
    expect(second).toBe(length < 126 ? length : length < 65_536 ? 126 : 127);
    expect(inflated(frame).equals(bytesOf(message))).toBe(true);
  });

  test("the tail of every flush is left out, whatever the length", () => {
    const next = random(7692);
    for (let round = 0; round < 400; round++) {
      // Around the size of zlib's own pieces of output too.
      const length =
        round % 2 === 0 ? THRESHOLD + Math.floor(next() * 4000) : 16_300 + Math.floor(next() * 200);
      const message = noise(length, round);
      const frame = outgoingFrame(message, deflate);
      expect(inflated(frame).equals(message)).toBe(true);
      expect(bytesOf(frame.payload).subarray(-4).equals(FLUSH_TAIL)).toBe(false);
    }
  });

  test("each message can be read without those before it", () => {
    const message = "the same again and again, ".repeat(100);
    expect(outgoingFrame(message, deflate)).toEqual(outgoingFrame(message, deflate));
  });

  test.each([9, 10, 11, 12, 13, 14, 15])("a window of %d bits is kept to", (windowBits) => {
    // The second half is that of the first, further back than a smaller window reaches.
    const half = noise(2 ** windowBits - 1000 > THRESHOLD ? 2 ** windowBits - 1000 : THRESHOLD);
    const message = Buffer.concat([half, half, half]);
    const frame = outgoingFrame(message, { windowBits });
    expect(inflated(frame, windowBits).equals(message)).toBe(true);
  });
});

describe("what the handshake agreed on", () => {
  const ROWS: [extensions: string, deflate: Deflate | undefined][] = [
    ["", undefined],
    ["x-none", undefined],
    ["x-permessage-deflate", undefined],
    ["permessage-deflates", undefined],
    ["permessage-deflate", { windowBits: 15 }],
    ["Permessage-Deflate", { windowBits: 15 }],
    [" permessage-deflate; server_no_context_takeover; client_no_context_takeover", { windowBits: 15 }],
    ["permessage-deflate; server_max_window_bits=15", { windowBits: 15 }],
    ["permessage-deflate; server_max_window_bits=10; server_no_context_takeover", { windowBits: 10 }],
    ["permessage-deflate;server_no_context_takeover;server_max_window_bits=9", { windowBits: 9 }],
    ['permessage-deflate; server_max_window_bits="12"', { windowBits: 12 }],
    ["permessage-deflate; server_max_window_bits = 11", { windowBits: 11 }],
    ["permessage-deflate; client_max_window_bits=9", { windowBits: 15 }],
    ["permessage-deflate; client_max_window_bits=9; server_max_window_bits=14", { windowBits: 14 }],
    ["permessage-deflate; server_max_window_bits=8", undefined], // no zlib makes that
  ];
  test.each(ROWS)("%j", (extensions, deflate) => {
    expect(agreedDeflate(extensions)).toEqual(deflate);
  });
});
