import { expect, test } from "bun:test";
import { AsyncLocalStorage } from "node:async_hooks";
import { TimerWheel, type Deadline } from "../../../src/server/connection/timer-wheel.ts";

/** A wheel whose clock is moved by hand; its own interval is too slow to interfere. */
function byHand(startsAt = 1_000_000) {
  let now = startsAt;
  const errors: unknown[] = [];
  const wheel = new TimerWheel({ resolution: 100, now: () => now, onError: (thrown) => errors.push(thrown) });
  return {
    wheel,
    errors,
    advance(milliseconds: number) {
      now += milliseconds;
      wheel.tick();
    },
    /** Ticks once a resolution, as the interval does; returns how long it took until `done`. */
    run(done: () => boolean, limit = 1_000_000): number {
      const from = now;
      while (!done() && now - from < limit) this.advance(100);
      return now - from;
    },
    get now() {
      return now;
    },
  };
}

test.each([1, 50, 99, 100, 101, 1000, 15_000, 60_000, 102_300, 102_400, 102_401, 500_000])(
  "%d ms: never early, at most one resolution late",
  (milliseconds) => {
    for (const phase of [0, 1, 50, 99]) {
      const clock = byHand(1_000_000 + phase);
      let expired = 0;
      clock.wheel.deadline(() => expired++).set(milliseconds);
      const took = clock.run(() => expired > 0);
      expect(took).toBeGreaterThanOrEqual(milliseconds);
      expect(took).toBeLessThanOrEqual(milliseconds + 100);
      clock.run(() => false, 300_000);
      expect(expired).toBe(1);
      clock.wheel.close();
    }
  },
);

test.each([0, 1, 50, 99])(
  "a deadline that is moved on expires only after its last time, at most two resolutions late (%d ms into a slot)",
  (phase) => {
    const clock = byHand(1_000_000 + phase);
    const at: number[] = [];
    const deadline = clock.wheel.deadline(() => at.push(clock.now));
    let last = 0;
    for (let i = 0; i < 50; i++) {
      deadline.set(1000);
      last = clock.now + 1000;
      clock.run(() => false, 900);
    }
    expect(at).toEqual([]);
    clock.run(() => at.length > 0);
    expect(at[0]!).toBeGreaterThanOrEqual(last);
    expect(at[0]! - last).toBeLessThanOrEqual(200);
    clock.wheel.close();
  },
);

test("a busy deadline takes no look at the clock", () => {
  let looks = 0;
  let now = 1_000_000;
  const wheel = new TimerWheel({
    now: () => {
      looks++;
      return now;
    },
  });
  const deadline = wheel.deadline(() => {});
  deadline.set(60_000);
  now += 100;
  wheel.tick();
  deadline.set(60_000);
  const before = looks;
  for (let i = 0; i < 1000; i++) deadline.set(60_000);
  expect(looks).toBe(before);
  wheel.close();
});

test("remaining counts from the tick that follows a move", () => {
  const clock = byHand();
  const deadline = clock.wheel.deadline(() => {});
  deadline.set(60_000);
  clock.advance(100);
  clock.advance(100);
  deadline.set(60_000);
  expect(deadline.remaining).toBe(60_000);
  clock.advance(30);
  expect(deadline.remaining).toBe(60_000);
  clock.advance(100);
  expect(deadline.remaining).toBe(59_900);
  clock.wheel.close();
});

test("deadlines that are moved and armed by turns: never early, at most two ticks late", () => {
  let seed = 11;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const clock = byHand();
  const due = Array.from({ length: 20 }, () => Infinity);
  const wrong: string[] = [];
  const deadlines = due.map((_, i) =>
    clock.wheel.deadline(() => {
      const late = clock.now - due[i]!;
      if (!(late >= 0 && late <= 200)) wrong.push(`deadline ${i}: ${late} ms late`);
      due[i] = Infinity;
    }),
  );
  for (let step = 0; step < 30_000; step++) {
    for (let moves = random(4); moves > 0; moves--) {
      const i = random(20);
      const milliseconds = 500 + random(2000);
      deadlines[i]!.set(milliseconds);
      due[i] = clock.now + milliseconds;
    }
    clock.advance(random(100));
  }
  expect(wrong).toEqual([]);
  clock.run(() => false, 10_000);
  expect(due.every((time) => time === Infinity)).toBe(true);
});

test("an earlier time replaces a later one", () => {
  const clock = byHand();
  let expired = 0;
  const deadline = clock.wheel.deadline(() => expired++);
  deadline.set(60_000);
  deadline.set(300);
  expect(clock.wheel.size).toBe(1);
  expect(clock.run(() => expired > 0)).toBe(300);
  clock.run(() => false, 70_000);
  expect(expired).toBe(1);
});

test("clear, 0 and Infinity disarm", () => {
  const clock = byHand();
  let expired = 0;
  const deadline = clock.wheel.deadline(() => expired++);
  for (const disarm of [() => deadline.clear(), () => deadline.set(0), () => deadline.set(Infinity)]) {
    deadline.set(200);
    expect([deadline.armed, deadline.remaining, clock.wheel.size]).toEqual([true, 200, 1]);
    disarm();
    disarm();
    expect([deadline.armed, deadline.remaining, clock.wheel.size]).toEqual([false, Infinity, 0]);
    clock.run(() => false, 1000);
  }
  expect(expired).toBe(0);
});

test("a negative time expires at the next tick, and NaN is refused", () => {
  const clock = byHand();
  let expired = 0;
  const deadline = clock.wheel.deadline(() => expired++);
  deadline.set(-5);
  expect(deadline.remaining).toBe(0);
  clock.advance(1);
  expect(expired).toBe(1);
  expect(() => deadline.set(NaN)).toThrow(RangeError);
  clock.wheel.close();
});

test("onExpire may arm and clear its own and other deadlines", () => {
  const clock = byHand();
  const log: string[] = [];
  const second: Deadline = clock.wheel.deadline(() => log.push("second"));
  const third: Deadline = clock.wheel.deadline(() => log.push("third"));
  let rounds = 0;
  const first: Deadline = clock.wheel.deadline(() => {
    log.push("first");
    second.clear();
    third.set(500);
    if (++rounds < 3) first.set(100);
  });
  for (const deadline of [first, second, third]) deadline.set(100);
  clock.advance(100);
  expect(log).toEqual(["first"]);
  clock.run(() => log.includes("third"));
  expect(log).toEqual(["first", "first", "first", "third"]);
  expect(clock.wheel.size).toBe(0);
  clock.wheel.close();
});

test("a deadline that arms itself in the past does not hold up its tick", () => {
  const clock = byHand();
  let expired = 0;
  const deadline: Deadline = clock.wheel.deadline(() => {
    expired++;
    deadline.set(-1);
  });
  deadline.set(100);
  clock.advance(100);
  expect(expired).toBe(1);
  clock.advance(100);
  expect(expired).toBe(2);
  clock.wheel.close();
});

test("an onExpire that throws is reported, and the others still run", () => {
  const clock = byHand();
  let expired = 0;
  clock.wheel
    .deadline(() => {
      throw new Error("from onExpire");
    })
    .set(100);
  clock.wheel.deadline(() => expired++).set(100);
  clock.advance(100);
  expect(expired).toBe(1);
  expect(clock.errors.map(String)).toEqual(["Error: from onExpire"]);
  clock.wheel.close();
});

test.each([102_300, 102_400, 250_000, 10_000_000])(
  "a gap of %d ms between two ticks loses nothing",
  (gap) => {
    const clock = byHand();
    let expired = 0;
    const times = [100, gap - 1, gap, gap + 1, gap + 150, gap + 102_400, gap + 400_000];
    for (const time of times) clock.wheel.deadline(() => expired++).set(time);
    clock.advance(gap);
    expect(expired).toBe(3);
    clock.run(() => expired === times.length);
    expect(expired).toBe(times.length);
    expect(clock.wheel.size).toBe(0);
    clock.wheel.close();
  },
);

test("seeded runs agree with a plain list of times", () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const clock = byHand();
  const due = new Map<number, number>();
  const wrong: string[] = [];
  const deadlines = Array.from({ length: 50 }, (_, i) =>
    clock.wheel.deadline(() => {
      const expected = due.get(i);
      if (expected === undefined || clock.now < expected || clock.now > expected + 1000) {
        wrong.push(`deadline ${i} at ${clock.now}, due ${expected}`);
      }
      due.delete(i);
    }),
  );
  for (let step = 0; step < 20_000; step++) {
    const i = random(50);
    if (random(10) === 0) {
      deadlines[i]!.clear();
      due.delete(i);
    } else {
      const milliseconds = 1 + random(random(4) === 0 ? 300_000 : 3000);
      deadlines[i]!.set(milliseconds);
      due.set(i, clock.now + milliseconds);
    }
    clock.advance(random(500));
    expect(clock.wheel.size).toBe(due.size);
  }
  expect(wrong).toEqual([]);
  clock.wheel.close();
});

test("the interval runs only while something is armed", () => {
  const clock = byHand();
  expect(clock.wheel.running).toBe(false);
  const deadline = clock.wheel.deadline(() => {});
  expect(clock.wheel.running).toBe(false);
  deadline.set(1000);
  expect(clock.wheel.running).toBe(true);
  deadline.clear();
  clock.advance(100);
  expect(clock.wheel.running).toBe(false);
  deadline.set(1000);
  clock.run(() => !deadline.armed);
  clock.advance(100);
  expect(clock.wheel.running).toBe(false);
});

test("idle deadlines cost no ticks: the timer sleeps until the first of them", async () => {
  let ticks = 0;
  const wheel = new TimerWheel({ resolution: 5 });
  const tick = wheel.tick.bind(wheel);
  wheel.tick = (...args) => {
    ticks++;
    tick(...args);
  };
  const started = performance.now();
  const deadlines = Array.from({ length: 100 }, () => wheel.deadline(() => {}));
  for (const deadline of deadlines) deadline.set(60_000);
  const took = await new Promise<number>((resolve) =>
    wheel.deadline(() => resolve(performance.now() - started)).set(200),
  );
  expect(took).toBeGreaterThanOrEqual(200);
  expect(ticks).toBeLessThanOrEqual(3);
  wheel.close();
});

test("an earlier deadline wakes a timer that sleeps", async () => {
  const wheel = new TimerWheel({ resolution: 5 });
  wheel.deadline(() => {}).set(60_000);
  const early = await new Promise<number>((resolve) => {
    const started = performance.now();
    wheel.deadline(() => resolve(performance.now() - started)).set(30);
  });
  expect(early).toBeGreaterThanOrEqual(30);
  wheel.close();
});

test("a wheel on which nothing was armed for hours takes up where it is now", () => {
  let now = 1_000_000;
  let expired = 0;
  const wheel = new TimerWheel({ now: () => now });
  const first = wheel.deadline(() => {});
  first.set(100);
  first.clear();
  expect(wheel.running).toBe(false);
  now += 3 * 3_600_000;
  wheel.deadline(() => expired++).set(300);
  now += 299;
  wheel.tick();
  expect(expired).toBe(0);
  now += 1;
  wheel.tick();
  expect(expired).toBe(1);
  wheel.close();
});

test("an onError that throws does not stop the wheel", () => {
  let now = 1_000_000;
  let expired = 0;
  const wheel = new TimerWheel({
    now: () => now,
    onError: (thrown) => {
      throw thrown;
    },
  });
  wheel
    .deadline(() => {
      throw new Error("from onExpire");
    })
    .set(100);
  wheel.deadline(() => expired++).set(300);
  now += 200;
  expect(() => wheel.tick()).toThrow("from onExpire");
  now += 200;
  wheel.tick();
  expect(expired).toBe(1);
  wheel.close();
});

test("after close nothing runs and nothing can be armed", () => {
  const clock = byHand();
  let expired = 0;
  const deadlines = Array.from({ length: 3 }, () =>
    clock.wheel.deadline(() => {
      expired++;
      clock.wheel.close();
    }),
  );
  for (const deadline of deadlines) deadline.set(100);
  clock.advance(100);
  expect(expired).toBe(1);
  deadlines[0]!.set(100);
  expect(deadlines.map((deadline) => deadline.armed)).toEqual([false, false, false]);
  expect([clock.wheel.size, clock.wheel.running]).toEqual([0, false]);
});

test("by its own interval and clock, outside the async context of the caller", async () => {
  const context = new AsyncLocalStorage<string>();
  const wheel = new TimerWheel({ resolution: 5 });
  const started = performance.now();
  const seen = await new Promise<string | undefined>((resolve) => {
    context.run("request", () => wheel.deadline(() => resolve(context.getStore())).set(20));
  });
  expect(performance.now() - started).toBeGreaterThanOrEqual(20);
  expect(seen).toBeUndefined();
  wheel.close();
});
