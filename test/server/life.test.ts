import { expect, test } from "bun:test";

import { Life } from "../../src/server/life.ts";
import { eventually } from "../support/wire.ts";

/** A life that writes down its phases and actions; `on` is called with each action. */
function living(on: (action: string, life: Life) => void = () => {}, shutdownTimeout = 0) {
  const done: string[] = [];
  const errors: unknown[] = [];
  const perform = (action: string) => (): void => {
    done.push(`${life.phase}: ${action}`);
    on(action, life);
  };
  const life: Life = new Life(
    {
      stopAccepting: perform("stopAccepting"),
      finishConnections: perform("finishConnections"),
      cutConnections: perform("cutConnections"),
      reportUnreturned: perform("reportUnreturned"),
      closeApplication: perform("closeApplication"),
      release: perform("release"),
    },
    { shutdownTimeout, onError: (error) => errors.push(error) },
  );
  life.happen("start");
  life.happen("started");
  return { life, done, errors };
}

test("an event from within an action comes after all actions of the event that led to it", async () => {
  const { life, done } = living((action, within) => {
    if (action === "finishConnections") within.happen("idle");
    if (action === "closeApplication") within.happen("closed");
    if (action === "release") within.happen("released");
  });
  life.happen("stop");
  life.happen("force");
  expect(done).toEqual([
    "reading: stopAccepting",
    "cutting: finishConnections",
    "cutting: cutConnections",
    "closing: closeApplication",
    "releasing: release",
  ]);
  expect(await life.whenStopped).toBe(false);
});

test("turns of the event loop pass before connections finish, and the shutdown timeout before they are cut", async () => {
  let turns = 0;
  let turnsAtFinish = 0;
  let finishedAt = 0;
  let cutAt = 0;
  const count = (): void => {
    turns++;
    if (life.phase !== "cutting") setImmediate(count);
  };
  const { life } = living((action) => {
    if (action === "finishConnections") [turnsAtFinish, finishedAt] = [turns, performance.now()];
    if (action === "cutConnections") cutAt = performance.now();
  }, 50);
  setImmediate(count);
  life.happen("stop");
  await eventually("the time is over", () => cutAt > 0);
  expect(turnsAtFinish).toBeGreaterThanOrEqual(2);
  expect(cutAt - finishedAt).toBeGreaterThanOrEqual(49);
  await eventually("applications have had a turn", () => life.phase === "closing");
});

test("an action that throws is reported, and the others are carried out", async () => {
  const { life, done, errors } = living((action, within) => {
    if (action === "release") within.happen("released");
    if (action === "finishConnections") throw new Error("a fault");
    if (action === "closeApplication") within.happen("closed");
  });
  life.happen("stop");
  life.happen("force");
  expect(await life.whenStopped).toBe(false);
  expect(errors).toEqual([new Error("a fault")]);
  expect(done).toContain("cutting: cutConnections");
});
