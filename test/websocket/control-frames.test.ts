import { describe, expect, test } from "bun:test";

import { ControlFrames } from "../../src/websocket/control-frames.ts";
import { chunkings, random } from "../support/http1-rows.ts";
import { closePayload, frame } from "../support/websocket.ts";
import type { FrameOptions } from "../support/websocket.ts";

/** What a server sends has no mask. */
const control = (options: FrameOptions): Buffer => Buffer.from(frame({ ...options, mask: false }));

const PING = control({ opcode: "ping" });
const PONG = control({ opcode: "pong", payload: "pong" });
const LONGEST = control({ opcode: "pong", payload: new Uint8Array(125).fill(0x88) });

interface Row {
  about: string;
  frames: Buffer[];
  code?: number;
}

const ROWS: Row[] = [
  { about: "an empty Ping", frames: [PING] },
  { about: "a Pong", frames: [PONG] },
  { about: "the longest Pong, whose payload looks like Close frames", frames: [LONGEST] },
  { about: "many of them", frames: [PING, LONGEST, PONG, PING, PING, LONGEST] },
  { about: "a Close frame", frames: [control({ opcode: "close", payload: closePayload(1002) })], code: 1002 },
  {
    about: "the longest Close frame, behind others",
    frames: [PONG, LONGEST, control({ opcode: "close", payload: closePayload(4999, "r".repeat(123)) })],
    code: 4999,
  },
  { about: "a Close frame without a code", frames: [PONG, control({ opcode: "close" })] },
  {
    about: "a Pong whose payload looks like a code",
    frames: [control({ opcode: "pong", payload: closePayload(1002) })],
  },
];

describe("control frames of a server", () => {
  test.each(ROWS)("$about: come out whole, in order, however they come in", ({ frames, code }) => {
    const input = Buffer.concat(frames);
    const ends = frames.map((_, at) => Buffer.concat(frames.slice(0, at + 1)).byteLength);
    for (const pieces of chunkings(input.toString("latin1"), random(input.byteLength), 20)) {
      const controls = new ControlFrames();
      let taken = 0;
      let given = 0;
      for (const piece of pieces) {
        taken += piece.byteLength;
        const out = controls.take(piece);
        expect(Buffer.from(out).equals(input.subarray(given, given + out.byteLength))).toBe(true);
        given += out.byteLength;
        // All that are complete, and nothing of one that is not.
        expect(given).toBe(ends.findLast((end) => end <= taken) ?? 0);
        expect(controls.closeCode).toBe(given === input.byteLength ? code : undefined);
      }
      expect(given).toBe(input.byteLength);
    }
  });

  test("nothing makes nothing", () => {
    const controls = new ControlFrames();
    expect(controls.take(new Uint8Array(0)).byteLength).toBe(0);
    expect(controls.take(PING.subarray(0, 1)).byteLength).toBe(0);
    expect(controls.take(new Uint8Array(0)).byteLength).toBe(0);
    expect(controls.take(PING.subarray(1))).toEqual(new Uint8Array(PING));
  });

  test("a rest is kept when the bytes that it came in are used for others", () => {
    const controls = new ControlFrames();
    const piece = Buffer.from(PONG.subarray(0, 4));
    expect(controls.take(piece).byteLength).toBe(0);
    piece.fill(0);
    expect(Buffer.from(controls.take(PONG.subarray(4))).equals(PONG)).toBe(true);
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
