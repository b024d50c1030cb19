import { expect, test } from "bun:test";
import { isFulfilled, mapped, valueAtHand } from "../../src/spec/at-hand.ts";

const pending = new Promise<string>(() => {});
const rejected = Promise.reject<string>(new Error("no"));
rejected.catch(() => {});

test("a promise is fulfilled, or it is not", () => {
  expect([Promise.resolve("a"), pending, rejected].map(isFulfilled)).toEqual([true, false, false]);
});

test("the value is given where it is at hand, and the promise where it is not", () => {
  expect(valueAtHand(Promise.resolve("a"))).toBe("a");
  expect(valueAtHand(pending)).toBe(pending);
  // Not the reason, which would be taken for a value.
  expect(valueAtHand(rejected)).toBe(rejected);
});

const upper = (text: string): string => text.toUpperCase();

test("a value that stays the same costs no other promise", async () => {
  const same = Promise.resolve("A");
  expect(mapped(same, upper)).toBe(same);
  const changed = mapped(Promise.resolve("a"), upper);
  expect(isFulfilled(changed)).toBe(true);
  expect(await changed).toBe("A");
});

test("a value that comes later is changed when it comes", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const changed = mapped(promise, upper);
  expect(isFulfilled(changed)).toBe(false);
  resolve("a");
  expect(await changed).toBe("A");
});

test("a rejection stays one", () => {
  expect(mapped(rejected, upper)).rejects.toThrow("no");
});
