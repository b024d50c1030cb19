import { expect, test } from "bun:test";

import { giveBack, takeBlock } from "../../../src/server/connection/hold-blocks.ts";

const KIB = 1024;

test.each([
  [1, 2 * KIB],
  [2 * KIB, 2 * KIB],
  [2 * KIB + 1, 16 * KIB],
  [16 * KIB + 1, 64 * KIB],
  [64 * KIB, 64 * KIB],
])("%d bytes get a block of %d", (size, expected) => {
  const block = takeBlock(size);
  expect(block.length).toBe(expected);
  giveBack(block);
});

test("there is none for more than 64 KiB", () => {
  expect(() => takeBlock(64 * KIB + 1)).toThrow(RangeError);
});

test("a block that was given back serves the next one, and none serves two at once", () => {
  const first = takeBlock(100);
  const second = takeBlock(100);
  expect(second.buffer).not.toBe(first.buffer);
  giveBack(first);
  expect(takeBlock(100)).toBe(first);
  giveBack(first);
  giveBack(second);
});

test("at most 1 MiB of each size is kept", () => {
  const blocks = Array.from({ length: 20 }, () => takeBlock(64 * KIB));
  for (const block of blocks) giveBack(block);
  const again = Array.from({ length: 20 }, () => takeBlock(64 * KIB));
  expect(again.filter((block) => blocks.includes(block)).length).toBe(16);
  for (const block of again) giveBack(block);
});

test("a buffer of another size is not taken", () => {
  const strange = Buffer.alloc(3000);
  giveBack(strange);
  const block = takeBlock(3000);
  expect(block).not.toBe(strange);
  giveBack(block);
});
