import { findInternals, type Internals } from "./internals.ts";
import { byConnection, byInternals } from "./mechanisms.ts";
import type { Mechanism } from "./node-application.ts";
import { isAsExpected } from "./probe.ts";

/**
 * The mechanism for this Bun: that of its internals where they are those that `exchange.ts` was written for, else the
 * connection in memory.
 */
export async function chooseMechanism(find: () => Internals | undefined = findInternals): Promise<Mechanism> {
  const internals = find();
  return internals !== undefined && (await isAsExpected(internals)) ? byInternals(internals) : byConnection;
}

/** One that is still being chosen: requests wait until it is, which takes two turns of the event loop. */
export function chosenLater(choice: Promise<Mechanism>): Mechanism {
  let chosen: Mechanism | undefined;
  void choice.then((mechanism) => (chosen = mechanism));
  return (listener) => {
    let answer: ReturnType<Mechanism> | undefined;
    return (scope, receive, events) => {
      if (answer === undefined && chosen !== undefined) answer = chosen(listener);
      if (answer !== undefined) return answer(scope, receive, events);
      return choice.then((mechanism) => (answer ??= mechanism(listener))(scope, receive, events));
    };
  };
}
