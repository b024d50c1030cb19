import { describe, expect, test } from "bun:test";

import { WriteBuffer } from "../../../src/server/connection/write-buffer.ts";

/** A socket that takes as many bytes as it has room for. */
class Sink {
  room = Infinity;
  isGone = false;
  writes = 0;
  blocked = 0;
  held = 0;
  readonly output: WriteBuffer;
  #received: Buffer[] = [];

  constructor() {
    const owner = { onBlocked: () => void this.blocked++, onHeld: () => void this.held++ };
    this.output = new WriteBuffer(this, owner);
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.isGone) return -1;
    this.writes++;
    const taken = Math.min(length, this.room);
    this.#received.push(Buffer.from(bytes.slice(offset, offset + taken)));
    this.room -= taken;
    return taken;
  }

  /** The socket can take more. */
  drain(room = Infinity): void {
    this.room = room;
    this.output.resume();
  }

  get text(): string {
    return Buffer.concat(this.#received).toString("latin1");
  }
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

describe("bytes that may wait", () => {
  test("text and bytes leave together, in order, on release", () => {
    const sink = new Sink();
    sink.output.write("head ", "text ", 5, "", true);
    sink.output.write("", "more ", 5, "", true);
    expect([sink.writes, sink.output.size, sink.held]).toEqual([0, 15, 1]);
    sink.output.release();
    expect([sink.text, sink.writes, sink.output.size]).toEqual(["head text more ", 1, 0]);
  });

  test("bytes behind text leave behind it", () => {
    const sink = new Sink();
    sink.output.write("a", "b", 1, "c", true);
    sink.output.write("d", bytes("e"), 1, "f", true);
    sink.output.write("g", "h", 1, "i", true);
    sink.output.release();
    expect([sink.text, sink.output.size]).toEqual(["abcdefghi", 0]);
  });

  test("what must not wait takes what waits with it", () => {
    const sink = new Sink();
    sink.output.write("", "waits ", 6, "", true);
    sink.output.write("", "leaves", 6, "");
    expect([sink.text, sink.writes]).toEqual(["waits leaves", 1]);
  });

  test("frames of many connections by turns leave in one piece each: their headers are no ASCII", () => {
    const sinks = [new Sink(), new Sink(), new Sink()];
    for (let round = 0; round < 4; round++)
      for (const { output } of sinks) output.write("\x81\x04", `txt${round}`, 4, "", true);
    for (const { output } of sinks) output.release();
    const frames = "\x81\x04txt0\x81\x04txt1\x81\x04txt2\x81\x04txt3";
    expect(sinks.map(({ text, writes }) => [text, writes])).toEqual(Array(3).fill([frames, 1]));
  });

  test.each([
    [
      "Latin-1 behind UTF-8",
      [
        ["", "\xe9"],
        ["\x81\x01", "a"],
      ],
      "\xc3\xa9\x81\x01a",
    ],
    [
      "UTF-8 behind Latin-1",
      [
        ["\x81\x01", "a"],
        ["", "\xe9"],
      ],
      "\x81\x01a\xc3\xa9",
    ],
    [
      "both in one",
      [
        ["", "a"],
        ["\x81\x02", "\xe9"],
        ["", "b"],
      ],
      "a\x81\x02\xc3\xa9b",
    ],
    [
      "ASCII among Latin-1",
      [
        ["", "a"],
        ["\x81\x01", "b"],
        ["", "c"],
      ],
      "a\x81\x01bc",
    ],
    [
      "ASCII among UTF-8",
      [
        ["", "a"],
        ["", "\xe9"],
        ["", "c"],
      ],
      "a\xc3\xa9c",
    ],
  ] as const)("%s keeps its order and its bytes", (_about, writes, expected) => {
    const sink = new Sink();
    for (const [prefix, body] of writes) sink.output.write(prefix, body, Buffer.byteLength(body), "", true);
    expect(sink.output.size).toBeLessThanOrEqual(expected.length);
    sink.output.release();
    expect(sink.text).toBe(expected);
    expect(sink.output.size).toBe(0);
  });

  test("text is UTF-8, and what stands around it Latin-1", () => {
    const sink = new Sink();
    sink.output.write("\xe9", "é", 2, "\xe9", true);
    sink.output.write("", "é", 2, "", true);
    sink.output.release();
    expect(sink.text).toBe("\xe9\xc3\xa9\xe9\xc3\xa9");
  });

  test("two connections that take turns never get each other's bytes", () => {
    const [first, second] = [new Sink(), new Sink()];
    for (let i = 0; i < 100; i++) {
      first.output.write("1", bytes("1"), 1, "1", true);
      second.output.write("2", i % 2 === 0 ? bytes("2") : "2", 1, "2", true);
    }
    first.output.release();
    second.output.release();
    expect([first.text, second.text]).toEqual(["1".repeat(300), "2".repeat(300)]);
  });

  test("a connection that holds bytes keeps them when another's queue needs the buffer", () => {
    const [slow, holder] = [new Sink(), new Sink()];
    slow.room = 0;
    for (let i = 0; i < 4; i++) slow.output.write("", bytes(`slow${i} `), 6, "");
    holder.output.write("", bytes("held"), 4, "", true);
    slow.drain();
    holder.output.release();
    expect([slow.text, holder.text]).toEqual(["slow0 slow1 slow2 slow3 ", "held"]);
  });

  test.each([
    [3, 3],
    [3000, 1],
    [9000, 1],
  ])("a block grows with what is held back: %d bytes, then one more", (length, writes) => {
    const sink = new Sink();
    const body = "x".repeat(length);
    for (let i = 0; i < writes; i++) sink.output.write("", body, length, "", true);
    sink.output.write("", "!", 1, "", true);
    expect([sink.writes, sink.output.size]).toEqual([0, length * writes + 1]);
    sink.output.release();
    expect(sink.text).toBe(`${body.repeat(writes)}!`);
  });

  test("text leaves once 16 KiB have come together, and anything once 64 KiB have", () => {
    const text = new Sink();
    for (let i = 0; i < 40; i++) text.output.write("", "x".repeat(1024), 1024, "", true);
    expect([text.writes, text.output.size]).toEqual([2, 8 * 1024]);
    const anything = new Sink();
    for (let i = 0; i < 100; i++) anything.output.write("", bytes("x".repeat(1024)), 1024, "", true);
    expect([anything.writes, anything.output.size]).toEqual([1, 36 * 1024]);
  });

  test("a thousand connections that hold a few events each take 2 KiB each", () => {
    const sinks = Array.from({ length: 1000 }, () => new Sink());
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 10; i++)
      for (const { output } of sinks) output.write("", "data: 0123456789\n\n", 18, "", true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThanOrEqual(1000 * 2048);
    for (const { output } of sinks) output.release();
    expect(sinks.every(({ text }) => text === "data: 0123456789\n\n".repeat(10))).toBe(true);
  });

  test("what the kernel leaves of held bytes stays whole while others hold theirs", () => {
    const sinks = Array.from({ length: 50 }, () => new Sink());
    for (const [i, { output }] of sinks.entries())
      output.write("", `first ${i};`, `first ${i};`.length, "", true);
    for (const sink of sinks) {
      sink.room = 3;
      sink.output.release();
    }
    for (const [i, { output }] of sinks.entries())
      output.write("", `second ${i}`, `second ${i}`.length, "", true);
    for (const sink of sinks) {
      sink.drain();
      sink.output.release();
    }
    expect(sinks.map(({ text }) => text)).toEqual(sinks.map((_, i) => `first ${i};second ${i}`));
  });

  test("a large body leaves behind what waits", () => {
    const sink = new Sink();
    const large = "x".repeat(300_000);
    sink.output.write("", bytes("waits "), 6, "", true);
    sink.output.write("<", bytes(large), large.length, ">", true);
    expect(sink.text).toBe(`waits <${large}>`);
  });

  test("a file's bytes leave behind what waits", () => {
    const sink = new Sink();
    sink.output.write("head", "", 0, "", true);
    expect(sink.output.writeSome(bytes("file"), 4)).toBe(4);
    expect(sink.text).toBe("headfile");
  });

  test("close drops them, and another connection goes on", () => {
    const [closed, other] = [new Sink(), new Sink()];
    closed.output.write("", bytes("lost"), 4, "", true);
    closed.output.close();
    other.output.write("", bytes("kept"), 4, "", true);
    closed.output.release();
    other.output.release();
    expect([closed.text, closed.output.size, other.text]).toEqual(["", 0, "kept"]);
  });
});

describe("bytes that the kernel leaves", () => {
  test("they are queued in order and go with the drains", () => {
    const sink = new Sink();
    sink.room = 5;
    sink.output.write("head ", bytes("body "), 5, "tail ");
    sink.output.write("", "text ", 5, "", true);
    sink.output.write("", bytes("last"), 4, "");
    expect([sink.text, sink.output.size, sink.output.isBlocked, sink.blocked]).toEqual([
      "head ",
      19,
      true,
      1,
    ]);
    sink.drain(7);
    expect(sink.text).toBe("head body ta");
    sink.drain();
    expect([sink.text, sink.output.size]).toEqual(["head body tail text last", 0]);
  });

  test("a small rest is copied at once, so that its owner may reuse the memory", () => {
    const sink = new Sink();
    sink.room = 0;
    const body = bytes("before");
    sink.output.write("", body, 6, "");
    body.fill(0x21);
    sink.drain();
    expect(sink.text).toBe("before");
  });

  test("a large rest is copied by detach", () => {
    const sink = new Sink();
    sink.room = 10;
    const body = bytes("x".repeat(300_000));
    sink.output.write("", body, body.byteLength, "");
    sink.output.detach();
    body.fill(0x21);
    sink.drain();
    expect(sink.text).toBe("x".repeat(300_000));
  });

  test("whenWritable resolves when all has left, and when the connection is lost", async () => {
    const sink = new Sink();
    sink.room = 0;
    sink.output.write("", "abc", 3, "");
    let isWritable = false;
    const writable = sink.output.whenWritable().then(() => (isWritable = true));
    sink.drain(2);
    await Promise.resolve();
    expect(isWritable).toBe(false);
    sink.drain();
    await writable;
    sink.room = 0;
    sink.output.write("", "abc", 3, "");
    const lost = sink.output.whenWritable();
    sink.output.close();
    await lost;
  });

  test("a socket that is closed takes nothing and keeps nothing", () => {
    const sink = new Sink();
    sink.isGone = true;
    sink.output.write("", "abc", 3, "");
    sink.output.write("", bytes("x".repeat(300_000)), 300_000, "");
    expect([sink.output.isClosed, sink.output.size, sink.text]).toEqual([true, 0, ""]);
  });
});

test("whatever the sizes and turns, each connection gets its own bytes in order", () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const sinks = Array.from({ length: 4 }, () => ({ sink: new Sink(), expected: "" }));
  for (let step = 0; step < 4000; step++) {
    const each = sinks[random(sinks.length)]!;
    const { sink } = each;
    const action = random(10);
    if (action === 0) sink.output.release();
    else if (action === 1) sink.room = random(100_000);
    else if (action === 2) sink.drain(random(400_000));
    else {
      const length = random(20) === 0 ? random(200_000) : random(300);
      const body = String(step % 10).repeat(length);
      const suffix = random(2) === 0 ? "" : "\r\n";
      sink.output.write("[", random(2) === 0 ? body : bytes(body), length, suffix, random(3) > 0);
      sink.output.detach();
      each.expected += `[${body}${suffix}`;
    }
  }
  for (const { sink, expected } of sinks) {
    sink.output.release();
    sink.drain();
    expect(sink.text === expected).toBe(true);
    expect(sink.output.size).toBe(0);
  }
});

test("halves of a surrogate pair that come apart are counted as they leave", () => {
  const sink = new Sink();
  sink.output.write("", "\ud83d", 3, "", true);
  sink.output.write("", "\ude00", 3, "", true);
  expect(sink.output.size).toBe(sink.text.length === 0 ? 6 : 3);
  sink.output.release();
  expect(sink.text.length).toBe(6);
});
