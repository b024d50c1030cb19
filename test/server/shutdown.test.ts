import { describe, expect, test } from "bun:test";

import { advance, NEW } from "../../src/server/shutdown.ts";
import type { ShutdownEvent, ShutdownState } from "../../src/server/shutdown.ts";

/** An event, and what follows: the phase, then what it waits for, then what is done; nothing where nothing changes. */
type Row = readonly [event: ShutdownEvent, ...follows: string[]];

function run(rows: readonly Row[], from: ShutdownState = NEW): ShutdownState {
  let state = from;
  for (const [event, ...expected] of rows) {
    const step = advance(state, event);
    if (step === undefined) {
      expect([event, ...expected]).toEqual([event]);
      continue;
    }
    state = step.state;
    const { wait } = step;
    const waiting = wait === undefined ? [] : [typeof wait === "string" ? wait : `${wait.turns} turns`];
    const shown = [`${state.phase}${state.isClean ? "" : " unclean"}`, ...waiting, ...step.actions];
    expect([event, ...shown]).toEqual([event, ...expected]);
  }
  return state;
}

const RUNNING = run([
  ["start", "starting"],
  ["started", "running"],
]);

describe("the start", () => {
  test("one that fails shuts the application down", () => {
    run([
      ["start", "starting"],
      ["failed", "closing", "closeApplication"],
      ["closed", "releasing", "release"],
      ["released", "stopped", "resolve"],
    ]);
  });

  test("a server that is stopped before it was started has nothing to end", () => {
    run([["stop", "stopped", "resolve"], ["start"], ["stop"], ["force"]]);
  });

  test("a stop during the startup waits for the application, and the end of the startup changes nothing", () => {
    run([
      ["start", "starting"],
      ["force"],
      ["stop", "closing", "stopAccepting", "closeApplication"],
      ["failed"],
      ["stop"],
      ["closed", "releasing", "release"],
      ["failed"],
      ["released", "stopped", "resolve"],
    ]);
  });

  test("force ends a startup that hangs", () => {
    run([
      ["start", "starting"],
      ["stop", "closing", "stopAccepting", "closeApplication"],
      ["force", "releasing unclean", "release"],
      ["unclosed"],
      ["released", "stopped unclean", "resolve"],
    ]);
  });
});

describe("the end", () => {
  test("requests that have arrived are read, connections finish, and then the application", () => {
    run(
      [
        ["idle"], // each connection that closes says so
        ["stop", "reading", "3 turns", "stopAccepting"],
        ["idle"], // there may be unread requests
        ["stop"],
        ["turned", "finishing", "shutdownTimeout", "finishConnections"],
        ["stop"],
        ["idle", "closing", "closeApplication"],
        ["idle"],
        ["late"],
        ["closed", "releasing", "release"],
        ["force"],
        ["released", "stopped", "resolve"],
        ["idle"],
      ],
      RUNNING,
    );
  });

  test("what has not finished in its time is cut; applications have a turn to return", () => {
    const cut = run(
      [
        ["stop", "reading", "3 turns", "stopAccepting"],
        ["turned", "finishing", "shutdownTimeout", "finishConnections"],
        ["late", "cutting unclean", "1 turns", "cutConnections"],
      ],
      RUNNING,
    );
    const end: Row[] = [
      ["closed", "releasing unclean", "release"],
      ["released", "stopped unclean", "resolve"],
    ];
    run([["idle", "closing unclean", "closeApplication"], ["turned"], ...end], cut);
    run([["turned", "closing unclean", "reportUnreturned", "closeApplication"], ["idle"], ...end], cut);
    // A stop by force ends one wait: here that for the requests.
    run([["force"], ["idle", "closing unclean", "closeApplication"]], cut);
  });

  test("the first stop by force cuts requests, the second one ends the application's shutdown", () => {
    run(
      [
        ["stop", "reading", "3 turns", "stopAccepting"],
        ["turned", "finishing", "shutdownTimeout", "finishConnections"],
        ["force", "cutting unclean", "1 turns", "cutConnections"],
        ["turned", "closing unclean", "reportUnreturned", "closeApplication"],
        ["force", "releasing unclean", "release"],
        ["closed"],
        ["released", "stopped unclean", "resolve"],
      ],
      RUNNING,
    );
  });

  test("by force at once: connections are notified before they are cut", () => {
    run(
      [
        ["stop", "reading", "3 turns", "stopAccepting"],
        ["force", "cutting unclean", "1 turns", "finishConnections", "cutConnections"],
        ["idle", "closing unclean", "closeApplication"],
      ],
      RUNNING,
    );
  });

  test("an application whose shutdown fails makes the end an unclean one", () => {
    run(
      [
        ["stop", "reading", "3 turns", "stopAccepting"],
        ["turned", "finishing", "shutdownTimeout", "finishConnections"],
        ["idle", "closing", "closeApplication"],
        ["unclosed", "releasing unclean", "release"],
        ["released", "stopped unclean", "resolve"],
      ],
      RUNNING,
    );
  });
});

test("from every phase, whatever happens meanwhile, a stop comes to its end", () => {
  const events: ShutdownEvent[] = [
    "start",
    "started",
    "failed",
    "stop",
    "force",
    "turned",
    "idle",
    "late",
    "closed",
    "unclosed",
    "released",
  ];
  const seen = new Map<string, ShutdownState>();
  const visit = (state: ShutdownState): void => {
    const key = `${state.phase} ${state.isClean}`;
    if (seen.has(key)) return;
    seen.set(key, state);
    for (const event of events) {
      const step = advance(state, event);
      if (step !== undefined) visit(step.state);
    }
  };
  visit(NEW);
  expect([...new Set([...seen.values()].map(({ phase }) => phase))].length).toBe(9);
  for (const state of seen.values()) {
    // What nobody has to wait for, once it is stopped and each wait has ended.
    let end = state;
    for (const event of ["started", "stop", "turned", "late", "turned", "unclosed", "released"] as const)
      end = advance(end, event)?.state ?? end;
    expect(end.phase).toBe("stopped");
    // What was cut stays cut.
    if (!state.isClean) expect(end.isClean).toBe(false);
  }
});
