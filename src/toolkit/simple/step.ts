import { CompositionError } from "../../errors.ts";
import type { Answer } from "../shared/call.ts";
import { nameOf } from "../shared/component.ts";
import type { MiddlewareLike } from "../middleware.ts";
import { assertMiddleware } from "../middleware.ts";
import type { Returned } from "./answer.ts";
import type { SimpleContext } from "./context.ts";

/** What a step does: it returns what `next()` gives, or another answer. */
export type StepFunction = (c: SimpleContext, next: () => Promise<Answer>) => Returned | Promise<Returned>;

/** Something that happens before the handler of a route, and sees its answer; made by {@link step}. */
export class Step {
  /** The function that {@link step} was given. */
  readonly run: StepFunction;

  constructor(run: StepFunction) {
    this.run = run;
  }
}

/**
 * Makes a step for the list before a handler. It has the context, unlike a middleware, and is for http only:
 *
 *     const requireLogin = step((c, next) => (c.session.has("user") ? next() : c.redirectTo("login")));
 *     app.get("/me", [requireLogin], (c) => ...);
 */
export function step(run: StepFunction): Step {
  if (typeof run !== "function")
    throw new CompositionError(`step() takes a function (c, next); this is ${nameOf(run)}.`);
  return new Step(run);
}

/** What may stand in the list before a handler. */
export type Before = MiddlewareLike | Step;

/** The two kinds of what stands in a list. Middleware goes around, whatever the order; steps go next to the handler. */
export interface Surroundings {
  readonly middleware: readonly MiddlewareLike[];
  readonly steps: readonly Step[];
}

/**
 * @param where the route, for the message of the error.
 * @throws CompositionError for what is neither middleware nor step.
 */
export function surroundingsOf(list: readonly Before[], where: string): Surroundings {
  const middleware: MiddlewareLike[] = [];
  const steps: Step[] = [];
  for (const each of list) {
    if (each instanceof Step) {
      steps.push(each);
      continue;
    }
    if (typeof each === "function" && each.length > 1) {
      throw new CompositionError(
        `${where}: a function with ${each.length} parameters is no middleware, which takes an application and returns ` +
          "one. For a function (c, next) write step((c, next) => ...).",
      );
    }
    assertMiddleware(each);
    middleware.push(each);
  }
  return { middleware, steps };
}
