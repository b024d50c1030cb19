import { expect, test } from "bun:test";

import { PagiResponse } from "../../src/toolkit/response.ts";
import { stackFrames } from "../../src/spec/stack-frames.ts";

function userFunction(): PagiResponse {
  // Something after the call, since a tail call leaves no frame.
  return PagiResponse.text("", { status: 99 }).header("x-after", "1");
}

function thrownBy(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it did not throw an Error");
}

test("the frames of the caller come first, and those of the package below a heading", () => {
  const error = thrownBy(userFunction);
  const frames = stackFrames(error);
  expect(error.stack).toMatch(/^\s+at .*\/src\/toolkit\/.*\n[^]*userFunction/m);
  expect(frames[0]).toMatch(/^at userFunction \(.*stack-frames\.test\.ts:\d+:\d+\)$/);
  const heading = frames.indexOf("in pagi-server:");
  expect(heading).toBeGreaterThan(0);
  expect(frames.slice(0, heading).filter((frame) => frame.includes("/src/toolkit/"))).toEqual([]);
  expect(frames.slice(heading + 1).filter((frame) => frame.includes(".test.ts"))).toEqual([]);
  expect(frames.slice(heading + 1).join("\n")).toContain("/src/toolkit/");
});

test("a stack of one kind keeps its order and has no heading", () => {
  const frames = stackFrames(new Error("mine"));
  expect(frames.length).toBeGreaterThan(0);
  expect(frames).not.toContain("in pagi-server:");
});

test("a message that looks like a frame is not taken for one, and an error without a stack has none", () => {
  expect(stackFrames(new Error("first\n    at forged (/etc/passwd:1:1)"))).not.toContain(
    "at forged (/etc/passwd:1:1)",
  );
  const bare = new Error("bare");
  delete bare.stack;
  expect(stackFrames(bare)).toEqual([]);
});
