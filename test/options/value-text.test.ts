import { describe, expect, test } from "bun:test";

import { formatDuration, formatSize, parseDuration, parseSize } from "../../src/options/value-text.ts";

describe("parseDuration gives seconds", () => {
  const rows: [string, number | undefined][] = [
    ["30", 30],
    ["30s", 30],
    ["0", 0],
    ["0.5", 0.5],
    [".5s", 0.5],
    ["500ms", 0.5],
    ["1001ms", 1.001],
    ["2m", 120],
    ["2M", 120],
    ["1.5h", 5400],
    ["1d", 86_400],
    [" 5s ", 5],
    ["", undefined],
    ["s", undefined],
    ["-1", undefined],
    ["5 s", undefined],
    ["1e3", undefined],
    ["5sec", undefined],
    ["1m30s", undefined],
  ];
  test.each(rows)("%p", (text, seconds) => expect(parseDuration(text)).toBe(seconds));
});

describe("parseSize gives bytes", () => {
  const rows: [string, number | undefined][] = [
    ["8192", 8192],
    ["0", 0],
    ["64k", 65_536],
    ["64K", 65_536],
    ["64kb", 65_536],
    ["64KiB", 65_536],
    ["10m", 10_485_760],
    ["1.5m", 1_572_864],
    ["1g", 1_073_741_824],
    ["", undefined],
    ["k", undefined],
    ["-1k", undefined],
    ["64 k", undefined],
    ["64t", undefined],
    ["64b", undefined],
  ];
  test.each(rows)("%p", (text, bytes) => expect(parseSize(text)).toBe(bytes));
});

test("formatDuration writes what parseDuration reads", () => {
  const rows: [number, string][] = [
    [0, "0"],
    [0.5, "500ms"],
    [0.0005, "0.5ms"],
    [1, "1s"],
    [1.5, "1.5s"],
    [90, "90s"],
    [120, "2m"],
    [3600, "60m"],
  ];
  for (const [seconds, text] of rows) {
    expect(formatDuration(seconds)).toBe(text);
    expect(parseDuration(text)).toBe(seconds);
  }
});

test("formatSize writes what parseSize reads", () => {
  const rows: [number, string][] = [
    [0, "0"],
    [1000, "1000"],
    [1024, "1k"],
    [10_000_000, "10000000"],
    [10_485_760, "10m"],
    [2 ** 30, "1g"],
  ];
  for (const [bytes, text] of rows) {
    expect(formatSize(bytes)).toBe(text);
    expect(parseSize(text)).toBe(bytes);
  }
});
