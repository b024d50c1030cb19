import { describe, expect, test } from "bun:test";

import { advance, createPlan, wakeAt } from "../../src/supervisor/plan.ts";
import { eventOf, POLICY, run, TWO, wordsOf } from "../support/plan-rows.ts";

// The policy, row by row: what happens, and what is to be done about it. Workers are known by their ids, in the order
// in which they are started. No process runs here and no time passes.

describe("start", () => {
  test("every worker is started at once, and serving begins with the last one that is ready", () => {
    run(3, [
      ["0 start", "spawn 1 in 1", "spawn 2 in 2", "spawn 3 in 3"],
      ["5 ready 2"],
      ["6 beat 1"],
      ["7 ready 1"],
      ["8 ready 3", "serving"],
      ["9 ready 3"],
    ]);
  });

  test("one of several that fails is tried again; serving begins with all of them", () => {
    run(2, [
      "0 start",
      ["5 exited 2 exited with code 1", "spawn 3 in 2"],
      ["6 ready 1"],
      ["7 ready 3", "serving"],
    ]);
  });

  test("every worker failing its start-up ends the supervisor with code 1", () => {
    run(
      2,
      [
        "0 start",
        [
          "5 exited 1 said: no",
          "error 1: could not start: it said: no; another is started at once",
          "spawn 3 in 1",
        ],
        [
          "6 exited 2 said: no",
          "error 2: could not start: it said: no",
          "error: No worker could start; the server ends",
          "finish 3 alone",
        ],
        ["7 exited 3 was killed by SIGTERM", "end 1"],
        ["8 start"],
        ["9 more"],
      ],
      true,
    );
  });

  test("a lone worker that fails its start-up ends it at once", () => {
    run(1, ["0 start", ["5 exited 1 exited with code 1", "end 1"]]);
  });

  test("a stop before the workers are ready tells them all", () => {
    run(2, [
      "0 start",
      "5 ready 1",
      ["6 stop", "finish 1 alone", "finish 2 alone"],
      ["7 ready 2"],
      "8 exited 1 exited with code 0",
      ["9 exited 2 exited with code 0", "end 0"],
    ]);
  });
});

describe("where a reload is waited for", () => {
  const PATIENT = { ...POLICY, waitsForReload: true };

  test("a worker that cannot start is started again by a reload, and by nothing else", () => {
    const rows = [
      "0 start",
      [
        "5 exited 1 said: no",
        "error 1: could not start: it said: no",
        "info: It is started again when a file has changed",
      ],
    ] as const;
    expect(wakeAt(run(1, rows, true, PATIENT))).toBeUndefined();
    run(
      1,
      [
        "0 start",
        ["5 exited 1 said: no"],
        ["90000 tick"],
        ["90001 reload", "reloaded", "spawn 2 in 1"],
        ["90002 exited 2 said: no"],
        ["90003 reload", "reloaded", "spawn 3 in 1"],
        ["90004 ready 3", "serving"],
        ["90005 stop", "finish 3 alone"],
        ["90006 exited 3 exited with code 0", "end 0"],
      ],
      false,
      PATIENT,
    );
  });

  test("a reload that comes while it starts counts for its code: it is started once more", () => {
    run(
      1,
      [
        "0 start",
        ["5 reload"],
        ["6 exited 1 said: no", "spawn 2 in 1", "reloaded"],
        ["7 exited 2 said: no"],
        ["8 stop", "end 0"],
      ],
      false,
      PATIENT,
    );
  });

  test("the fifth failed start within ten seconds ends nothing", () => {
    run(
      2,
      [
        ...TWO,
        "100 exited 1 x",
        "110 exited 3 x",
        "360 tick",
        "370 exited 4 x",
        "870 tick",
        "880 exited 5 x",
        ["1880 tick", "spawn 6 in 1"],
        ["1890 exited 6 x"],
        ["3890 tick", "spawn 7 in 1"],
        ["3900 exited 7 x"],
        ["20000 tick"],
        ["20001 reload", "spawn 8 in 1"],
        ["20002 ready 8", "spawn 9 in 2"],
        ["20003 ready 9", "finish 2", "reloaded"],
      ],
      false,
      { ...PATIENT, heartbeatTimeout: 0 },
    );
  });
});

describe("heartbeats", () => {
  const ticks = (from: number, to: number, beating: number): string[] => {
    const rows: string[] = [];
    for (let at = from; at < to; at += 1000) rows.push(`${at} beat ${beating}`, `${at} tick`);
    return rows;
  };

  test("a worker that is silent is killed, and its place filled when it is gone", () => {
    run(2, [
      ...TWO,
      ...ticks(1000, 50_000, 2),
      "50010 beat 2",
      ["50010 tick", "kill 1"],
      ["50020 tick"],
      ["50021 ready 1"],
      ["50030 exited 1 was killed by SIGKILL", "spawn 3 in 1"],
    ]);
  });

  test("one that is silent while it starts is killed too", () => {
    run(2, ["0 start", "10 ready 2", ...ticks(1000, 50_000, 2), "50000 beat 2", ["50000 tick", "kill 1"]]);
  });

  test("one that is silent while it finishes is killed, and that is all", () => {
    run(2, [
      ...TWO,
      "11 fewer",
      ...ticks(1000, 50_000, 1),
      "50010 beat 1",
      ["50010 tick", "kill 2"],
      ["50011 exited 2 was killed by SIGKILL"],
    ]);
  });

  test("one that beats and does not end in its time is killed", () => {
    const rows: string[] = [];
    for (let at = 1000; at < 60_000; at += 1000) rows.push(`${at} beat 1`, `${at} beat 2`, `${at} tick`);
    run(2, [...TWO, "20 stop", ...rows, "60020 beat 1", "60020 beat 2", ["60020 tick", "kill 1", "kill 2"]]);
  });

  test("a supervisor that stood still itself kills nobody for what it has not heard", () => {
    run(2, [...TWO, "1000 tick", ["90000 tick"], ["91000 tick"]]);
  });

  test("0 never kills", () => {
    const plan = createPlan(1, { ...POLICY, heartbeatTimeout: 0 });
    const started = advance(advance(plan, eventOf("0 start")).plan, eventOf("1 ready 1"));
    expect(advance(started.plan, eventOf("900000 tick")).commands).toEqual([]);
  });

  test("a killed one that is also one too many is not replaced", () => {
    run(2, [
      ...TWO,
      ...ticks(1000, 50_000, 1),
      "50010 beat 1",
      ["50010 tick", "kill 2"],
      ["50011 fewer", "close-slot 2"],
      ["50012 exited 2 was killed by SIGKILL"],
    ]);
  });
});

describe("reload", () => {
  test("one by one, each ready before its predecessor finishes", () => {
    run(2, [
      ...TWO,
      ["100 reload", "spawn 3 in 1"],
      ["110 beat 1"],
      ["120 ready 3", "finish 1", "spawn 4 in 2"],
      ["125 exited 1 exited with code 0"],
      ["130 ready 4", "finish 2", "reloaded"],
      ["140 exited 2 exited with code 1"],
    ]);
  });

  test("a replacement that fails gives the reload up; the old ones go on", () => {
    run(
      2,
      [
        ...TWO,
        ["100 reload", "info: Reloading: each worker is replaced by a new one", "spawn 3 in 1"],
        [
          "120 exited 3 said: no",
          "error 3: could not start: it said: no. The reload is canceled; the running workers stay",
          "not reloaded",
        ],
        ["130 tick"],
        ["140 reload", "info: Reloading: each worker is replaced by a new one", "spawn 4 in 1"],
      ],
      true,
    );
  });

  test("twenty reloads that fail do not end the server", () => {
    let plan = run(2, TWO);
    for (let turn = 0; turn < 20; turn++) {
      plan = advance(plan, { type: "reload", at: 100 + turn }).plan;
      plan = advance(plan, {
        type: "exited",
        at: 100 + turn,
        worker: plan.nextId - 1,
        how: "x",
        isClean: false,
      }).plan;
    }
    expect(plan.phase).toBe("running");
    expect(plan.workers.map((each) => [each.id, each.state])).toEqual([
      [1, "ready"],
      [2, "ready"],
    ]);
  });

  test("an old one that dies meanwhile needs no other successor", () => {
    run(2, [
      ...TWO,
      "100 reload",
      ["110 exited 1 was killed by SIGKILL"],
      ["120 ready 3", "spawn 4 in 2"],
      ["130 ready 4", "finish 2", "reloaded"],
    ]);
  });

  test("when both the old one and its successor die, another is started", () => {
    run(2, [...TWO, "100 reload", "110 exited 1 x", ["120 exited 3 x", "spawn 4 in 1"]]);
    run(2, [...TWO, "100 reload", "110 exited 3 x", ["120 exited 1 x", "spawn 4 in 1"]]);
  });

  test("a second one during the first replaces all once more, the new ones too", () => {
    run(2, [
      ...TWO,
      ["100 reload", "spawn 3 in 1"],
      ["110 reload"],
      ["120 ready 3", "finish 1", "spawn 4 in 2"],
      ["130 ready 4", "finish 2", "spawn 5 in 1"],
      ["140 ready 5", "finish 3", "reloaded"],
    ]);
  });

  test("while a worker is starting, no other one is replaced; then it is replaced too", () => {
    run(2, [
      "0 start",
      "1 ready 1",
      ["2 reload"],
      ["3 ready 2", "spawn 3 in 1", "serving"],
      ["4 ready 3", "finish 1", "spawn 4 in 2"],
      ["5 ready 4", "finish 2", "reloaded"],
    ]);
  });
});

describe("workers that expire", () => {
  test("the replacement is ready before the old one stops accepting", () => {
    run(
      2,
      [
        ...TWO,
        [
          "100 expiring 2 has served 1000 requests",
          "info 2: is replaced: it has served 1000 requests",
          "spawn 3 in 2",
        ],
        ["101 expiring 2 has served 1000 requests"],
        ["110 ready 3", "finish 2"],
        ["120 exited 2 exited with code 0"],
      ],
      true,
    );
  });

  test("several at once go one after the other", () => {
    run(2, [
      ...TWO,
      ["100 expiring 1 x", "spawn 3 in 1"],
      ["100 expiring 2 x"],
      ["110 ready 3", "finish 1", "spawn 4 in 2"],
      ["120 ready 4", "finish 2"],
    ]);
  });

  test("a replacement that fails is tried again a second later; the old one goes on", () => {
    const plan = run(2, [...TWO, "100 expiring 1 x", ["110 exited 3 exited with code 1"], ["1109 tick"]]);
    expect(wakeAt(plan)).toBe(1110);
    const { commands } = advance(plan, eventOf("1110 tick"));
    expect(commands.map(wordsOf)).toEqual(["spawn 4 in 1"]);
  });
});

describe("more and fewer", () => {
  test("one more is started in the next slot", () => {
    run(2, [...TWO, ["100 more", "spawn 3 in 3"], ["110 ready 3"]]);
  });

  test("one less: the sockets of the last slot are the worker's alone, and it finishes", () => {
    run(3, [
      ...["0 start", "1 ready 1", "1 ready 2", "1 ready 3"],
      ["100 fewer", "close-slot 3", "finish 3 last"],
      ["110 exited 3 exited with code 0"],
      ["120 more", "spawn 4 in 3"],
    ]);
  });

  test("never under 1, and the log says so", () => {
    run(1, ["0 start", "1 ready 1", ["2 fewer", "warn: There is only one worker, and never less"]], true);
  });

  test("one less and one more while it still finishes: a new worker in the same slot", () => {
    run(2, [
      ...TWO,
      ["100 fewer", "close-slot 2", "finish 2 last"],
      ["101 more", "spawn 3 in 2"],
      ["110 exited 2 exited with code 0"],
      ["120 ready 3"],
    ]);
  });

  test("one less during a reload: both processes of the slot finish", () => {
    run(2, [
      ...TWO,
      "100 reload",
      ["110 ready 3", "finish 1", "spawn 4 in 2"],
      ["120 fewer", "close-slot 2", "finish 2 last", "finish 4 last", "reloaded"],
      ["130 exited 4 exited with code 0"],
      ["140 exited 2 exited with code 0"],
    ]);
  });

  test("one less than are still to become ready lets serving begin", () => {
    run(2, ["0 start", "5 ready 1", ["6 fewer", "close-slot 2", "finish 2 last", "serving"]]);
  });
});

describe("the end", () => {
  test("stop lets all finish, and ends with 0 when all have ended well", () => {
    run(2, [
      ...TWO,
      ["100 stop", "finish 1 alone", "finish 2 alone"],
      ["101 stop"],
      ["101 reload"],
      ["101 more"],
      ["110 exited 1 exited with code 0"],
      ["120 exited 2 exited with code 0", "end 0"],
      ["130 tick"],
    ]);
  });

  test("with 1 when one of them had to cut something or was killed", () => {
    run(2, [
      ...TWO,
      "100 stop",
      "110 exited 1 exited with code 1",
      ["120 exited 2 exited with code 0", "end 1"],
    ]);
  });

  test("cut cuts all, a second one kills", () => {
    run(2, [
      ...TWO,
      ["100 cut", "cut 1", "cut 2"],
      ["110 exited 1 exited with code 1"],
      ["120 cut", "kill 2"],
      ["130 exited 2 was killed by SIGKILL", "end 1"],
    ]);
  });

  test("cut after stop", () => {
    run(2, [...TWO, "100 stop", ["110 cut", "cut 1", "cut 2"]]);
  });

  test("nobody who waits to be started again is started after a stop", () => {
    const plan = run(2, [
      ...TWO,
      "20 exited 1 x",
      "30 exited 3 x",
      ["40 stop", "finish 2 alone"],
      ["500 tick"],
    ]);
    expect(wakeAt(plan)).toBeUndefined();
  });

  test("when another supervisor takes over, workers finish as those that are followed", () => {
    run(2, [
      ...TWO,
      ["100 hot-restart", "finish 1", "finish 2"],
      ["101 stop"],
      "110 exited 1 exited with code 0",
      ["120 exited 2 exited with code 0", "end 0"],
    ]);
  });
});
