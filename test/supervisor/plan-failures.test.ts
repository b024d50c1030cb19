import { describe, expect, test } from "bun:test";

import { advance, createPlan, wakeAt } from "../../src/supervisor/plan.ts";
import type { PlanCommand } from "../../src/supervisor/plan.ts";
import { eventOf, POLICY, run, TWO } from "../support/plan-rows.ts";

// What the policy does about workers that end unasked, or cannot start: row by row, as in plan.test.ts.

describe("workers that die", () => {
  test("the first is replaced at once, with one line that says why", () => {
    run(
      2,
      [
        ...TWO,
        [
          "20000 exited 1 was killed by SIGSEGV",
          "error 1: was killed by SIGSEGV; another is started at once",
          "spawn 3 in 1",
        ],
        ["20001 ready 3"],
      ],
      true,
    );
  });

  test("further ones wait, longer each time: 250 ms, 500 ms, 1 s", () => {
    const plan = run(2, [
      ...TWO,
      ["100 exited 1 exited with code 3", "spawn 3 in 1"],
      "110 ready 3",
      ["120 exited 3 exited with code 3"],
      ["369 tick"],
      ["370 tick", "spawn 4 in 1"],
      ["380 exited 4 exited with code 3"],
      ["879 tick"],
      ["880 tick", "spawn 5 in 1"],
      ["890 exited 5 exited with code 3"],
    ]);
    expect(wakeAt(plan)).toBe(1890);
  });

  test("the fifth failed start of a slot within ten seconds ends everything, what died after its start does not count", () => {
    run(
      2,
      [
        ...TWO,
        "100 exited 1 x", // it was ready
        "110 exited 3 x",
        ["360 tick", "spawn 4 in 1"],
        "370 exited 4 x",
        ["870 tick", "spawn 5 in 1"],
        "880 exited 5 x",
        ["1880 tick", "spawn 6 in 1"],
        "1890 exited 6 x",
        ["3890 tick", "spawn 7 in 1"],
        [
          "3900 crashed 7 was killed by SIGSEGV",
          "error 7: could not start: it was killed by SIGSEGV",
          "error: Worker 1 has failed 5 times within 10 s; the server ends",
          "finish 2 alone",
        ],
        ["3910 exited 2 exited with code 0", "end 1"],
      ],
      true,
    );
  });

  test("a start that succeeds begins a new count of those that do not", () => {
    const plan = run(2, [
      ...TWO,
      ...["100 exited 1 x", "110 exited 3 x", "360 tick", "370 exited 4 x", "870 tick", "880 exited 5 x"],
      ...["1880 tick", "1890 exited 6 x", "3890 tick", "3900 ready 7"],
      ["3910 exited 7 x"],
      ["7910 tick", "spawn 8 in 1"],
      ["7911 exited 8 x"],
    ]);
    expect(plan.phase).toBe("running");
  });

  test("whatever requests do to workers that were ready, the server goes on, with delays of 30 s at most", () => {
    let plan = run(2, TWO);
    let at = 100;
    let victim = 1;
    let longest = 0;
    for (let turn = 0; turn < 50; turn++) {
      plan = advance(plan, eventOf(`${at} crashed ${victim} was killed by SIGSEGV`)).plan;
      expect(plan.phase).toBe("running");
      const due = wakeAt(plan) ?? at;
      longest = Math.max(longest, due - at);
      at = due;
      plan = advance(plan, eventOf(`${at} beat 2`)).plan;
      plan = advance(plan, eventOf(`${at} tick`)).plan;
      victim = plan.nextId - 1;
      plan = advance(plan, eventOf(`${++at} ready ${victim}`)).plan;
    }
    expect(longest).toBe(30_000);
  });

  test("while nobody serves, the next one is waited for at most a second", () => {
    let plan = run(2, TWO, false, { ...POLICY, heartbeatTimeout: 0 });
    let at = 100;
    for (let turn = 0; turn < 20; turn++) {
      for (const { id } of plan.workers) plan = advance(plan, eventOf(`${at} crashed ${id} x`)).plan;
      for (; !plan.workers.some((each) => each.state === "starting");) {
        const due = wakeAt(plan) ?? 0;
        expect(due - at).toBeLessThanOrEqual(1000);
        at = due;
        plan = advance(plan, eventOf(`${at} tick`)).plan;
      }
      at++;
      for (const { id } of plan.workers) plan = advance(plan, eventOf(`${at} ready ${id}`)).plan;
      at++;
    }
    expect(plan.phase).toBe("running");
  });

  test("one that crashes while it finishes is named", () => {
    run(
      2,
      [
        ...TWO,
        ["100 expiring 1 x", "info 1: is replaced: it x", "spawn 3 in 1"],
        ["110 ready 3", "finish 1"],
        [
          "120 crashed 1 was killed by SIGSEGV",
          "error 1: was killed by SIGSEGV before it had finished what ran",
        ],
        ["130 expiring 2 x", "info 2: is replaced: it x", "spawn 4 in 2"],
        ["140 ready 4", "finish 2"],
        ["150 exited 2 exited with code 1"],
      ],
      true,
    );
  });

  test("one that is not ready in its time is killed, and counts as a failed start", () => {
    run(
      2,
      [
        "0 start",
        "10 ready 1",
        "29000 beat 1",
        "29000 beat 2",
        ["29000 tick"],
        "30000 beat 1",
        "30000 beat 2",
        [
          "30000 tick",
          "error 2: was not ready 30 s after its start, the import of the application included; it is killed",
          "kill 2",
        ],
        [
          "30010 crashed 2 was killed by SIGKILL",
          "error 2: could not start: it was killed by SIGKILL; another is started at once",
          "spawn 3 in 2",
        ],
      ],
      true,
      { ...POLICY, heartbeatTimeout: 0, startLimit: 30_000 },
    );
  });

  test("before its first heartbeat only the time for a start counts", () => {
    const ticks = (from: number, to: number): string[] => {
      const rows: string[] = [];
      for (let at = from; at < to; at += 250) rows.push(`${at} beat 1`, `${at} tick`);
      return rows;
    };
    run(
      2,
      [
        ...["0 start", "10 ready 1"],
        ...ticks(250, 3000),
        ["3000 tick"], // nothing has been heard of 2 yet
        ...["3000 beat 1", "3100 beat 2"],
        ...ticks(3250, 4000),
        "4100 beat 1",
        ["4100 tick", "kill 2"], // and nothing more since
      ],
      false,
      { ...POLICY, heartbeatTimeout: 1000, startLimit: 30_000 },
    );
  });

  test("a replacement that is killed in its start gives the reload up too", () => {
    run(
      2,
      [...TWO, ["100 reload", "spawn 3 in 1"], "50100 beat 1", "50100 beat 2", ["50100 tick", "kill 3"]],
      false,
      {
        ...POLICY,
        heartbeatTimeout: 50_000,
      },
    );
    run(
      2,
      [
        ...TWO,
        ["100 reload", "spawn 3 in 1"],
        ["30100 tick", "kill 3"],
        ["30110 crashed 3 was killed by SIGKILL", "not reloaded"],
      ],
      false,
      { ...POLICY, heartbeatTimeout: 0, startLimit: 30_000 },
    );
  });

  test("a replacement that fails does not give up a reload that was ordered after its start", () => {
    run(2, [
      ...TWO,
      ["100 reload", "spawn 3 in 1"],
      ["200 reload"],
      ["300 exited 3 exited with code 1", "spawn 4 in 1"],
      ["400 ready 4", "finish 1", "spawn 5 in 2"],
      ["500 exited 5 exited with code 1", "not reloaded"],
    ]);
  });

  test("failures that are far apart wait at most 30 s and end nothing", () => {
    let plan = createPlan(2, POLICY);
    let at = 0;
    const tell = (row: string): readonly PlanCommand[] => {
      const outcome = advance(plan, eventOf(row));
      plan = outcome.plan;
      return outcome.commands;
    };
    for (const row of TWO) tell(row);
    let last = 1;
    let longest = 0;
    for (let failures = 0; failures < 20; failures++) {
      at += 2600;
      tell(`${at} beat 2`);
      const spawned = tell(`${at} exited ${last} exited with code 1`).find((each) => each.type === "spawn");
      const wake = wakeAt(plan) ?? at;
      longest = Math.max(longest, wake - at);
      at = wake;
      last = (spawned ?? tell(`${at} tick`).find((each) => each.type === "spawn"))?.worker ?? 0;
      expect(last).toBeGreaterThan(0);
    }
    expect(longest).toBe(30_000);
    expect(plan.phase).toBe("running");
  });

  test("five workers killed at once are no row of failures", () => {
    run(5, [
      ...["0 start", "1 ready 1", "1 ready 2", "1 ready 3", "1 ready 4", "1 ready 5"],
      ["50 exited 1 was killed", "spawn 6 in 1"],
      ["50 exited 2 was killed", "spawn 7 in 2"],
      ["50 exited 3 was killed", "spawn 8 in 3"],
      ["50 exited 4 was killed", "spawn 9 in 4"],
      ["50 exited 5 was killed", "spawn 10 in 5"],
    ]);
  });

  test("a worker that has held out for ten seconds begins a new row", () => {
    run(2, [
      ...TWO,
      "100 exited 1 x",
      "110 ready 3",
      ["10110 exited 3 x", "spawn 4 in 1"],
      ["10120 exited 4 x"],
      ["10370 tick", "spawn 5 in 1"],
    ]);
  });

  test("all have died and no successor starts: the end", () => {
    run(2, [
      ...TWO,
      "20000 exited 1 x",
      "20000 exited 2 x",
      "20010 exited 3 exited with code 1",
      ["20020 exited 4 exited with code 1", "end 1"],
    ]);
  });

  test("what is told of a worker that is gone, or was never there, is nothing", () => {
    run(2, [
      ...TWO,
      "20000 exited 1 x",
      ["20001 beat 1"],
      ["20001 ready 1"],
      ["20001 exited 1 x"],
      ["20002 expiring 99 x"],
    ]);
  });
});
