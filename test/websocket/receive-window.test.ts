import { describe, expect, test } from "bun:test";

import { ReceiveWindow } from "../../src/websocket/receive-window.ts";
import { random } from "../support/http1-rows.ts";
import { frame } from "../support/websocket.ts";
import type { FrameOptions } from "../support/websocket.ts";

/** What may wait for the application. */
const MAX_MESSAGES = 64;
const MAX_BYTES = 1024 * 1024;

const MAX_MESSAGE_SIZE = 1024 * 1024;

const window = (isCompressed = false, maxMessageSize = MAX_MESSAGE_SIZE): ReceiveWindow =>
  new ReceiveWindow(maxMessageSize, isCompressed);
const zeros = (length: number): Uint8Array => new Uint8Array(length);
const joined = (...frames: FrameOptions[]): Uint8Array => Buffer.concat(frames.map(frame));
const repeated = (count: number, options: FrameOptions): Uint8Array =>
  Buffer.concat(Array<Uint8Array>(count).fill(frame(options)));

const TINY: FrameOptions = { opcode: "text", payload: "x" };
const TINY_SIZE = frame(TINY).byteLength;
/** The first frame of a message that goes on. */
const begun = (length: number, rsv = 0): FrameOptions => ({
  ...{ opcode: "binary", fin: false, rsv },
  payload: zeros(length),
});
const continued = (length: number, fin = false): FrameOptions => ({
  ...{ opcode: "continuation", fin },
  payload: zeros(length),
});

/** A window through which whole messages have gone that are not taken. */
function filled(messages: number, length: number, isCompressed = false): ReceiveWindow {
  const full = window(isCompressed);
  for (let i = 0; i < messages; i++) {
    const bytes = joined({ opcode: "binary", payload: zeros(length) });
    expect(full.admit(bytes, 0)).toBe(bytes.byteLength);
    full.delivered(length);
  }
  return full;
}

describe("messages", () => {
  test(`pass until ${MAX_MESSAGES} wait`, () => {
    const bytes = repeated(1000, TINY);
    expect(window().admit(bytes, 0)).toBe(MAX_MESSAGES * TINY_SIZE);
  });

  test("that are empty count too", () => {
    for (const opcode of ["text", "binary"] as const) {
      const bytes = repeated(100, { opcode });
      expect(window().admit(bytes, 0)).toBe(MAX_MESSAGES * 6);
    }
  });

  test(`pass until ${MAX_BYTES} bytes wait, of which the last may be more`, () => {
    const full = window();
    const large = frame({ opcode: "binary", payload: zeros(MAX_BYTES - 1) });
    expect(full.admit(large, 0)).toBe(large.byteLength);
    expect(full.admit(large, 0)).toBe(large.byteLength);
    expect(full.admit(large, 0)).toBe(0);
    expect(full.admit(joined(TINY), 0)).toBe(0);
  });

  test("one of the bound's size stops all others until it is taken", () => {
    const full = window();
    const large = frame({ opcode: "binary", payload: zeros(MAX_BYTES) });
    expect(full.admit(large, 0)).toBe(large.byteLength);
    expect(full.admit(joined(TINY), 0)).toBe(0);
    full.delivered(MAX_BYTES);
    expect(full.admit(joined(TINY), 0)).toBe(0);
    full.taken(MAX_BYTES);
    expect(full.admit(joined(TINY), 0)).toBe(TINY_SIZE);
  });

  test("that have been read wait as well as those that have not", () => {
    const full = window();
    const bytes = repeated(1000, TINY);
    let at = full.admit(bytes, 0);
    for (let i = 0; i < MAX_MESSAGES; i++) full.delivered(1);
    expect(full.admit(bytes, at)).toBe(at);
    full.taken(1);
    at = full.admit(bytes, at);
    expect(at).toBe((MAX_MESSAGES + 1) * TINY_SIZE);
    for (let i = 0; i < 10; i++) full.taken(1);
    expect(full.admit(bytes, at)).toBe(at + 10 * TINY_SIZE);
  });

  test("count what they turn out to be once they are read: text of 3 bytes a char is shorter", () => {
    const full = window();
    const text = "☃".repeat(MAX_BYTES / 3 + 1);
    const bytes = joined({ opcode: "text", payload: text });
    expect(full.admit(bytes, 0)).toBe(bytes.byteLength);
    expect(full.admit(joined(TINY), 0)).toBe(0);
    full.delivered(text.length);
    expect(full.admit(joined(TINY), 0)).toBe(TINY_SIZE);
  });

  test("are looked at from where it is said", () => {
    const bytes = Buffer.concat([Buffer.from("no frame at all"), repeated(100, TINY)]);
    expect(window().admit(bytes, 15)).toBe(15 + MAX_MESSAGES * TINY_SIZE);
    expect(window().admit(bytes, bytes.byteLength)).toBe(bytes.byteLength);
    expect(window().admit(zeros(0), 0)).toBe(0);
  });
});

describe("control frames", () => {
  test("pass when it is full, and stop at the next message", () => {
    const full = filled(MAX_MESSAGES, 1);
    const bytes = joined(
      { opcode: "ping", payload: zeros(125) },
      { opcode: "pong" },
      { opcode: "close", payload: "\x03\xe8" },
    );
    expect(full.admit(Buffer.concat([bytes, joined(TINY)]), 0)).toBe(bytes.byteLength);
  });

  test("are no messages", () => {
    const bytes = Buffer.concat([repeated(1000, { opcode: "ping", payload: "?" }), repeated(100, TINY)]);
    expect(window().admit(bytes, 0)).toBe(1000 * 7 + MAX_MESSAGES * TINY_SIZE);
  });

  test("between the frames of a message neither end it nor count for it", () => {
    const full = window();
    const parts = joined(begun(10), { opcode: "ping", payload: zeros(100) }, continued(10));
    expect(full.admit(parts, 0)).toBe(parts.byteLength);
    const bytes = Buffer.concat([joined(continued(10, true)), repeated(100, TINY)]);
    expect(full.admit(bytes, 0)).toBe(16 + (MAX_MESSAGES - 1) * TINY_SIZE);
  });

  test("are not among the bytes that count, however many", () => {
    const full = filled(1, 1);
    const pings = repeated(10_000, { opcode: "ping", payload: zeros(125) });
    const bytes = Buffer.concat([joined(begun(1)), pings, joined(continued(1, true)), pings, joined(TINY)]);
    expect(full.admit(bytes, 0)).toBe(bytes.byteLength);
  });
});

describe("a message in parts", () => {
  test("that is alone passes, even if it is larger than the bound", () => {
    const full = window();
    for (let i = 0; i < 30; i++) {
      const part = joined(i === 0 ? begun(100_000) : continued(100_000, i === 29));
      expect(full.admit(part, 0)).toBe(part.byteLength);
    }
    expect(full.admit(joined(TINY), 0)).toBe(0);
    full.delivered(3_000_000);
    expect(full.admit(joined(TINY), 0)).toBe(0);
    full.taken(3_000_000);
    expect(full.admit(joined(TINY), 0)).toBe(TINY_SIZE);
  });

  test("passes in parts of nothing", () => {
    const full = window();
    const parts = Buffer.concat([joined(begun(0)), repeated(1000, continued(0))]);
    expect(full.admit(parts, 0)).toBe(parts.byteLength);
    // All these were not one message yet.
    const rest = Buffer.concat([joined(continued(0, true)), repeated(100, TINY)]);
    expect(full.admit(rest, 0)).toBe(6 + (MAX_MESSAGES - 1) * TINY_SIZE);
  });

  test("waits, while others do, as soon as it makes too many bytes with them", () => {
    const full = filled(1, MAX_BYTES / 2);
    const first = joined(begun(MAX_BYTES / 2 - 1), continued(1));
    expect(full.admit(first, 0)).toBe(first.byteLength);
    const more = joined(continued(10), continued(10, true));
    expect(full.admit(more, 0)).toBe(0);
    full.taken(MAX_BYTES / 2);
    expect(full.admit(more, 0)).toBe(more.byteLength);
  });

  test("waits while too many messages do", () => {
    const full = filled(MAX_MESSAGES - 1, 1);
    const parts = joined(begun(1), continued(1, true));
    expect(full.admit(parts, 0)).toBe(parts.byteLength);
    expect(full.admit(parts, 0)).toBe(0);
    full.taken(1);
    expect(full.admit(parts, 0)).toBe(parts.byteLength);
  });
});

describe("a compressed message", () => {
  const compressed = (length: number, fin = true): FrameOptions => ({
    ...{ opcode: "binary", rsv: 4, fin },
    payload: zeros(length),
  });

  test("counts what it may become: 1032 times what it is", () => {
    // 102 KiB each, at the most, so the 11th is the one over 1 MiB.
    const bytes = repeated(100, compressed(102));
    expect(window(true).admit(bytes, 0)).toBe(10 * frame(compressed(102)).byteLength);
  });

  test("counts no more than a message may be long", () => {
    const bytes = repeated(100, compressed(5000));
    const size = frame(compressed(5000)).byteLength;
    expect(window(true).admit(bytes, 0)).toBe(size);
    expect(window(true, 200_000).admit(bytes, 0)).toBe(6 * size);
  });

  test("counts what it is once it has been read", () => {
    const full = window(true);
    const bytes = repeated(100, compressed(5000));
    const size = frame(compressed(5000)).byteLength;
    expect(full.admit(bytes, 0)).toBe(size);
    full.delivered(6000);
    expect(full.admit(bytes, size)).toBe(2 * size);
  });

  test("is compressed in all its parts", () => {
    const full = filled(1, 1, true);
    const parts = joined(compressed(600, false), continued(600));
    expect(full.admit(parts, 0)).toBe(parts.byteLength);
    expect(full.admit(joined(continued(1)), 0)).toBe(0);
    const plain = filled(1, 1, true);
    const rows = joined(begun(600), continued(600), continued(1));
    expect(plain.admit(rows, 0)).toBe(rows.byteLength);
  });

  test("does not make the next one compressed, nor a control frame within it", () => {
    const full = window(true);
    const ping: FrameOptions = { opcode: "ping", payload: zeros(100) };
    const bytes = joined(
      compressed(100, false),
      ping,
      continued(1, true),
      { opcode: "binary", payload: zeros(900_000) },
      TINY,
    );
    expect(full.admit(bytes, 0)).toBe(bytes.byteLength);
  });

  test("stays compressed behind a control frame between its parts", () => {
    const full = filled(1, 1, true);
    const parts = joined(compressed(500, false), { opcode: "ping", payload: zeros(9) }, continued(600));
    expect(full.admit(parts, 0)).toBe(parts.byteLength);
    expect(full.admit(joined(continued(1)), 0)).toBe(0);
  });

  test("is none where nothing was agreed on, and will be refused by who reads it", () => {
    const bytes = repeated(100, compressed(5000));
    expect(window().admit(bytes, 0)).toBe(MAX_MESSAGES * frame(compressed(5000)).byteLength);
  });
});

describe("a frame", () => {
  const FORMS: [about: string, options: FrameOptions][] = [
    ["of 7 bits of length", { opcode: "binary", payload: zeros(125) }],
    ["of 16 bits", { opcode: "binary", payload: zeros(126) }],
    ["of 16 bits, 65535", { opcode: "binary", payload: zeros(65_535) }],
    ["of 64 bits", { opcode: "binary", payload: zeros(65_536) }],
    ["of 16 bits, where 7 were enough", { opcode: "binary", payload: zeros(5), lengthForm: 16 }],
    ["of 64 bits, where 7 were enough", { opcode: "binary", payload: zeros(5), lengthForm: 64 }],
    ["of 64 bits, with nothing in it", { opcode: "binary", lengthForm: 64 }],
    ["without a mask", { opcode: "binary", payload: zeros(300), mask: false }],
    ["without a mask and with nothing in it", { opcode: "binary", mask: false }],
  ];
  test.each(FORMS)("%s ends where it ends, cut at whatever byte", (_about, options) => {
    const bytes = frame(options);
    const cuts = bytes.byteLength > 200 ? [...Array(20).keys(), bytes.byteLength - 1] : [...bytes.keys()];
    for (const cut of cuts) {
      // With it 64 messages are there, so that whatever begins behind it has to stop.
      const full = filled(MAX_MESSAGES - 1, 1);
      expect(full.admit(bytes.subarray(0, cut), 0)).toBe(cut);
      const rest = Buffer.concat([bytes.subarray(cut), joined(TINY)]);
      expect(full.admit(rest, 0)).toBe(bytes.byteLength - cut);
    }
  });

  test("is never stopped within itself", () => {
    const bytes = frame({ opcode: "binary", payload: zeros(2 * MAX_BYTES) });
    const full = filled(1, MAX_BYTES - 1);
    for (let at = 0; at < bytes.byteLength; at += 50_000) {
      const piece = bytes.subarray(at, at + 50_000);
      expect(full.admit(piece, 0)).toBe(piece.byteLength);
    }
    expect(full.admit(joined(TINY), 0)).toBe(0);
  });

  test.each([2 ** 32 + 7, 2 ** 53, 2n ** 63n, 2n ** 64n - 1n])(
    "of %d bytes passes as it comes: whoever reads it refuses it",
    (length) => {
      const full = window();
      const head = frame({ opcode: "binary", length });
      expect(full.admit(head, 0)).toBe(head.byteLength);
      const piece = repeated(200, TINY);
      for (let i = 0; i < 100; i++) expect(full.admit(piece, 0)).toBe(piece.byteLength);
    },
  );
});

// ── any frames, cut anywhere ────────────────────────────────────────────────────────────────────────────────────────

interface Sent {
  readonly end: number;
  readonly isControl: boolean;
  /** The length of the message that ends with this frame. */
  readonly message: number | undefined;
}

/** A client's talk: messages of all sizes, in parts and with control frames between them. */
function talk(next: () => number, messages: number, largest: number): { bytes: Buffer; frames: Sent[] } {
  const pieces: Uint8Array[] = [];
  const frames: Sent[] = [];
  let end = 0;
  const add = (options: FrameOptions, message?: number): void => {
    const bytes = frame({ ...options, maskKey: zeros(4) });
    pieces.push(bytes);
    end += bytes.byteLength;
    frames.push({ end, isControl: options.opcode === "ping", message });
  };
  const sizes = [0, 1, 125, 126, 1000, 65_535, 65_536, 300_000].filter((each) => each <= largest);
  for (let i = 0; i < messages; i++) {
    const size = sizes[Math.floor(next() ** 2 * sizes.length)] ?? 0;
    const parts = next() < 0.7 ? 1 : 1 + Math.floor(next() * 6);
    for (let part = 0; part < parts; part++) {
      const length =
        part === parts - 1 ? size - Math.floor(size / parts) * (parts - 1) : Math.floor(size / parts);
      const fin = part === parts - 1;
      const opcode = part === 0 ? "binary" : "continuation";
      add({ opcode, fin, payload: zeros(length) }, fin ? size : undefined);
      if (next() < 0.2) add({ opcode: "ping", payload: zeros(Math.floor(next() * 126)) });
    }
  }
  return { bytes: Buffer.concat(pieces), frames };
}

test("any frames, cut anywhere, with any reader: it stops at frames only, keeps the bounds and never stalls", () => {
  const next = random(6455);
  let stops = 0;
  for (let round = 0; round < 60; round++) {
    const longest = 10 ** (1 + Math.floor(next() * 6));
    const { bytes, frames } = talk(next, 150, longest * 100);
    const starts = new Set([0, ...frames.map(({ end }) => end)]);
    const full = window();
    const passed: number[] = []; // messages that are through and not delivered
    const waiting: number[] = []; // messages that are delivered and not taken
    let at = 0;
    let seen = 0;
    let arrived = 0;
    let begunBytes = 0;
    const room = (): { messages: number; bytes: number } => ({
      messages: passed.length + waiting.length,
      bytes: [...passed, ...waiting].reduce((sum, each) => sum + each, 0),
    });
    for (let turn = 0; at < bytes.byteLength; turn++) {
      if (turn > 1_000_000) throw new Error("it has stalled");
      arrived = Math.min(bytes.byteLength, Math.max(arrived, at + 1 + Math.floor(next() * longest)));
      const piece = bytes.subarray(0, arrived);
      const before = at;
      at = full.admit(piece, at);
      expect(at).toBeGreaterThanOrEqual(before);
      for (let each = frames[seen]; each !== undefined && each.end <= at; each = frames[++seen]) {
        if (each.message !== undefined) passed.push(each.message);
      }
      const { messages, bytes: held } = room();
      expect(messages).toBeLessThanOrEqual(MAX_MESSAGES);
      // Over the bound by the last one only, which was begun when there was room.
      expect(held - (passed.at(-1) ?? waiting.at(-1) ?? 0)).toBeLessThan(MAX_BYTES);
      if (at < arrived) {
        stops++;
        if (!starts.has(at)) throw new Error(`it stopped within a frame, at ${at}`);
        expect(frames[seen]?.isControl).toBe(false);
        const last = frames.findLastIndex(({ end, message }) => end <= at && message !== undefined);
        begunBytes = at - (frames[last]?.end ?? 0);
        // It stops for a reason: so many messages, or so many bytes with what is there of the next one.
        expect(messages === MAX_MESSAGES || held + begunBytes >= MAX_BYTES).toBe(true);
        expect(messages).toBeGreaterThan(0);
      }
      // The reader is sometimes ahead and sometimes behind, but it goes on when nothing else does.
      const isStuck = at === before;
      for (let i = Math.floor(next() * 20) + (isStuck ? 1 : 0); i > 0 && passed.length > 0; i--) {
        const length = passed.shift() ?? 0;
        full.delivered(length);
        waiting.push(length);
      }
      for (let i = Math.floor(next() * 12) + (isStuck ? 1 : 0); i > 0 && waiting.length > 0; i--)
        full.taken(waiting.shift() ?? 0);
    }
  }
  expect(stops).toBeGreaterThan(100);
});
