import { messageOf, UnsupportedScopeError } from "../../errors.ts";
import type { Application } from "../../spec/application.ts";
import type { Answer } from "../shared/call.ts";
import { giveAnswer } from "../shared/call.ts";
import { chain } from "../middleware.ts";
import type { PathParams } from "../router/path-params.ts";
import type { Returned } from "./answer.ts";
import { toAnswer } from "./answer.ts";
import type { SimpleApp } from "./app.ts";
import { declineNotFound } from "../router/routed-application.ts";
import { SimpleContext } from "./context.ts";
import type { ErrorHandlers } from "./errors.ts";
import type { Step } from "./step.ts";

/** Answers a request of one route. */
export type SimpleHandler<Params extends PathParams = PathParams> = (
  c: SimpleContext<Params>,
) => Returned | Promise<Returned>;

/** Runs before the handler; what it returns is the answer then, and the handler is not called. */
export type BeforeHook = (
  c: SimpleContext,
) => Returned | undefined | void | Promise<Returned | undefined | void>;

/** How a request ended. */
export interface Outcome {
  /** What was thrown on the way; absent when nothing was. */
  readonly error?: unknown;
}

/** Runs when the request is over, however it ended. */
export type AfterHook = (c: SimpleContext, outcome: Outcome) => void | Promise<void>;

/** What goes around every http handler of an application. */
export interface Surrounding {
  readonly app: SimpleApp;
  readonly before: readonly BeforeHook[];
  readonly after: readonly AfterHook[];
  readonly errors: ErrorHandlers;
}

/**
 * The application of one handler: hooks, steps, the handler, what it returned, errors.
 *
 * @param who the handler, for messages: `GET /users/:id`.
 */
export function handled<Params extends PathParams>(
  around: Surrounding,
  steps: readonly Step[],
  handler: SimpleHandler<Params>,
  who: string,
): Application {
  const produce = withSteps(steps, handler, who);
  return async (scope, receive, send) => {
    if (scope.type !== "http") throw new UnsupportedScopeError(scope.type);
    const c = new SimpleContext<Params>(around.app, scope, receive, send);
    await answerRequest(around, c, () => produce(c), who);
  };
}

/** An application that answers event streams and WebSockets with 404, where `app` is for http. */
export function httpOnly(app: Application): Application {
  return (scope, receive, send) =>
    scope.type === "sse" || scope.type === "websocket"
      ? declineNotFound(scope, send)
      : app(scope, receive, send);
}

function withSteps<Params extends PathParams>(
  steps: readonly Step[],
  handler: SimpleHandler<Params>,
  who: string,
): (c: SimpleContext<Params>) => Promise<Answer> {
  const last = async (c: SimpleContext<Params>): Promise<Answer> => {
    const returned = await handler(c);
    // It has sent its answer itself, with c.respond() or c.send().
    if (returned === undefined && c.isAnswered()) return SENT;
    return toAnswer(returned, c, `The handler of ${who}`);
  };
  const links = steps.map(
    ({ run }) =>
      async (c: SimpleContext<Params>, next: () => Promise<Answer>): Promise<Answer> =>
        toAnswer(
          await run(c, next),
          c,
          `The step ${run.name === "" ? "" : `'${run.name}' `}of ${who}`,
          "is there a return missing? Return next() to go on, or an answer",
        ),
  );
  return chain<SimpleContext<Params>, Answer>(links, last);
}

/** What has been sent already. */
const SENT: Answer = { respond: () => Promise.resolve() };

async function answerRequest(
  around: Surrounding,
  c: SimpleContext,
  produce: () => Promise<Answer>,
  who: string,
): Promise<void> {
  const failures: unknown[] = [];
  let outcome: Outcome = {};
  try {
    await giveAnswer((await firstOf(around.before, c)) ?? (await produce()), c, who);
  } catch (error) {
    outcome = { error };
    await answerError(around.errors, c, error, failures);
  }
  for (const hook of around.after) {
    try {
      await hook(c, outcome);
    } catch (error) {
      failures.push(error);
    }
  }
  // The client has its answer; the server is told, so that the error is logged, and a test client can show it.
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1)
    throw new AggregateError(failures, `${who}: ${failures.map(messageOf).join("; ")}`);
}

async function firstOf(hooks: readonly BeforeHook[], c: SimpleContext): Promise<Answer | undefined> {
  for (const hook of hooks) {
    const returned = await hook(c);
    if (returned !== undefined) return toAnswer(returned, c, `The hook 'before' ${hook.name}`.trimEnd());
    if (c.isAnswered()) return SENT;
  }
  return undefined;
}

/** Adds to `failures` what the application has to mend. */
async function answerError(
  errors: ErrorHandlers,
  c: SimpleContext,
  error: unknown,
  failures: unknown[],
): Promise<void> {
  if (hasStarted(c)) {
    // Nobody can be told any more: throwing has the server cut the response, so that the client sees that it is not whole.
    failures.push(error);
    return;
  }
  const isExpected = errors.isExpected(error);
  if (!isExpected) failures.push(error);
  forgetWhatDescribedTheAnswer(c);
  // A login that has failed half-way is none; where the handler says itself how it ends, its cookies are meant.
  if (!isExpected) c.responseHeaders.remove("set-cookie");
  try {
    await giveAnswer(await errors.answerFor(c, error), c, "An error handler");
  } catch (second) {
    failures.push(second);
    if (hasStarted(c)) return;
    await giveAnswer(errors.defaultAnswer(c, second), c, "The error page").catch((third: unknown) => {
      // Mostly the same again, as where nothing can be sent.
      if (third !== second) failures.push(third);
    });
  }
}

function hasStarted(c: SimpleContext): boolean {
  return c.scope["pagi.connection"].responseStarted();
}

/** What was set for the answer that there is not, above all that it may be kept in caches. */
function forgetWhatDescribedTheAnswer({ responseHeaders }: SimpleContext): void {
  responseHeaders.removeContentHeaders();
  for (const name of ["cache-control", "etag", "expires", "last-modified", "location"])
    responseHeaders.remove(name);
}
