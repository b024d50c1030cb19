import { describe, expect, test } from "bun:test";

import { ControlFrames } from "../../src/websocket/control-frames.ts";
import { chunkings, random } from "../support/http1-rows.ts";
import { closePayload, frame } from "../support/websocket.ts";
import type { FrameOptions } from "../support/websocket.ts";

/** What a server sends has no mask. */
const control = (options: FrameOptions): Buffer => Buffer.from(frame({ ...options, mask: false }));

const PING = control({ opcode: "ping" });
const LONG_PING = control({ opcode: "ping", payload: new Uint8Array(125).fill(0x8a) });
const PONG = control({ opcode: "pong", payload: "pong" });
const LONGEST = control({ opcode: "pong", payload: new Uint8Array(125).fill(0x88) });

interface Row {
  about: string;
  frames: Buffer[];
  /** Of those, the ones that come out. Default: all. */
  out?: Buffer[];
  code?: number;
}

const CLOSE = control({ opcode: "close", payload: closePayload(1002) });
const LONG_CLOSE = control({ opcode: "close", payload: closePayload(4999, "r".repeat(123)) });
const BARE_CLOSE = control({ opcode: "close" });

const ROWS: Row[] = [
  { about: "an empty Ping", frames: [PING] },
  { about: "several Pings", frames: [PING, LONG_PING, PING, LONG_PING, LONG_PING] },
  { about: "a Pong", frames: [PONG], out: [] },
  { about: "the longest Pong, whose payload looks like Close frames", frames: [LONGEST], out: [] },
  {
    about: "many of both",
    frames: [PING, LONGEST, PONG, PING, LONG_PING, LONGEST, PING],
    out: [PING, PING, LONG_PING, PING],
  },
  { about: "a Close frame", frames: [CLOSE], code: 1002 },
  {
    about: "a long Close frame behind Pongs",
    frames: [PONG, LONGEST, LONG_CLOSE],
    out: [LONG_CLOSE],
    code: 4999,
  },
  { about: "a Close frame without a code", frames: [PONG, BARE_CLOSE], out: [BARE_CLOSE] },
  {
    about: "a Pong whose payload looks like a code",
    frames: [control({ opcode: "pong", payload: closePayload(1002) })],
    out: [],
  },
];

describe("control frames of a server", () => {
  test.each(ROWS)("$about: all but Pongs come out whole, in order, however they come in", (row) => {
    const { frames, out = frames, code } = row;
    const input = Buffer.concat(frames);
    const ends = frames.map((_, at) => Buffer.concat(frames.slice(0, at + 1)).byteLength);
    for (const pieces of chunkings(input.toString("latin1"), random(input.byteLength), 20)) {
      const controls = new ControlFrames();
      const given: Uint8Array[] = [];
      let taken = 0;
      for (const piece of pieces) {
        taken += piece.byteLength;
        given.push(controls.take(piece));
        // All that are complete, and nothing of one that is not.
        const complete = frames.filter((_, at) => (ends[at] ?? 0) <= taken);
        const wanted = out.slice(0, complete.filter((each) => out.includes(each)).length);
        expect(Buffer.concat(given).toString("hex")).toBe(Buffer.concat(wanted).toString("hex"));
        expect(controls.closeCode).toBe(taken === input.byteLength ? code : undefined);
      }
    }
  });

  test("nothing makes nothing", () => {
    const controls = new ControlFrames();
    expect(controls.take(new Uint8Array(0)).byteLength).toBe(0);
    expect(controls.take(PING.subarray(0, 1)).byteLength).toBe(0);
    expect(controls.take(new Uint8Array(0)).byteLength).toBe(0);
    expect(Buffer.from(controls.take(PING.subarray(1))).equals(PING)).toBe(true);
  });

  test("a rest is kept when the bytes that it came in are used for others", () => {
    const controls = new ControlFrames();
    const piece = Buffer.from(LONG_PING.subarray(0, 4));
    expect(controls.take(piece).byteLength).toBe(0);
    piece.fill(0);
    expect(Buffer.from(controls.take(LONG_PING.subarray(4))).equals(LONG_PING)).toBe(true);
  });

  test("the code of a Close frame is known with its last byte only", () => {
    const controls = new ControlFrames();
    const close = control({ opcode: "close", payload: closePayload(1009, "big") });
    controls.take(close.subarray(0, -1));
    expect(controls.closeCode).toBeUndefined();
    controls.take(close.subarray(-1));
    expect(controls.closeCode).toBe(1009);
  });
});
