import { expect, test } from "bun:test";

import { Batch } from "../../../src/server/connection/batch.ts";

for (const [name, schedule] of [
  ["setImmediate", setImmediate],
  ["queueMicrotask", queueMicrotask],
] as const) {
  test(`${name}: an action that throws is reported and keeps no other from its turn`, async () => {
    const done: string[] = [];
    const errors: unknown[] = [];
    const later = new Batch<string>(
      schedule,
      (item) => {
        if (item === "b") throw new Error(`no ${item}`);
        done.push(item);
      },
      (error) => errors.push(error),
    );
    for (const item of ["a", "b", "c"]) later.add(item);
    expect(done).toEqual([]);
    await new Promise(schedule === queueMicrotask ? queueMicrotask : setImmediate);
    expect(done).toEqual(["a", "c"]);
    expect(errors).toEqual([new Error("no b")]);
    // What comes after has a turn of its own.
    later.add("d");
    expect(done).toEqual(["a", "c"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual(["a", "c", "d"]);
  });
}

test("one callback for all that come until then; what an action adds waits for the next", () => {
  const callbacks: (() => void)[] = [];
  const done: number[] = [];
  const later = new Batch<number>(
    (run) => callbacks.push(run),
    (item) => {
      done.push(item);
      if (item === 1) later.add(3);
    },
    (error) => {
      throw error;
    },
  );
  later.add(1);
  later.add(2);
  expect(callbacks).toHaveLength(1);
  callbacks[0]?.();
  expect(done).toEqual([1, 2]);
  expect(callbacks).toHaveLength(2);
  callbacks[1]?.();
  expect(done).toEqual([1, 2, 3]);
});

test("an item that is withdrawn has no action, unless something was added since", () => {
  const callbacks: (() => void)[] = [];
  const done: string[] = [];
  const batch = new Batch<string>(
    (run) => callbacks.push(run),
    (item) => done.push(item),
    () => {},
  );
  batch.add("a");
  batch.withdraw("a");
  batch.withdraw("a");
  batch.add("b");
  batch.add("c");
  batch.withdraw("b");
  expect(callbacks.length).toBe(1);
  callbacks[0]?.();
  expect(done).toEqual(["b", "c"]);
  batch.add("d");
  expect(callbacks.length).toBe(2);
  callbacks[1]?.();
  expect(done).toEqual(["b", "c", "d"]);
});
