import { CompositionError } from "../errors.ts";
import type { Application, Receive, Send } from "../spec/application.ts";
import { Rereadable } from "../spec/rereadable.ts";
import type { Scope } from "../spec/scope.ts";
import { beginningNameOf, nameOf } from "./shared/component.ts";

export type { ApplicationLike, Component } from "./shared/component.ts";
export { isComponent, toApp } from "./shared/component.ts";

/** Puts something around an application. Called once, when the application is built, and not for each request. */
export type Middleware = (app: Application) => Application;

/** A middleware as an object. */
export interface Wrapper {
  wrap(app: Application): Application;
}

/** What is taken wherever a middleware is wanted. */
export type MiddlewareLike = Middleware | Wrapper;

/** One step around the rest of a chain; `next` runs the rest, once. */
export type Step<Context, Result> = (context: Context, next: () => Promise<Result>) => Promise<Result>;

/** What goes on to the next application; what is left out stays as it is. */
export interface Onward {
  readonly scope?: Scope;
  readonly receive?: Receive;
  readonly send?: Send;
}

/** The next application of a chain, to be called at most once for each scope. */
export type Next = (onward?: Onward) => Promise<void>;

/**
 * One middleware of several: the first sees a request first and its answer last. An empty list changes nothing.
 *
 * @throws CompositionError for what is no middleware.
 */
export function compose(middleware: readonly MiddlewareLike[]): Middleware {
  for (const each of middleware) assertMiddleware(each);
  const outermostFirst = [...middleware];
  return (app) => outermostFirst.reduceRight((inner, each) => applied(each, rereading(inner)), app);
}

/**
 * The `receive` for an application below: what was read whole through it, as by `PagiRequest.bytes()`, comes again. The
 * server's own has that already; others are wrapped.
 */
export function rereadable(scope: Scope, receive: Receive): Receive {
  if (scope.type !== "http" && scope.type !== "sse") return receive;
  return Rereadable.around(scope, receive).receive;
}

function rereading(app: Application): Application {
  return (scope, receive, send) => app(scope, rereadable(scope, receive), send);
}

/**
 * A middleware written as one function, with the rest of the chain as `next`. Not calling `next` ends the request
 * there.
 *
 * @throws CompositionError (as a rejection of `next`) when it is called a second time: the request's body has been read
 * and its answer begun.
 */
export function around(
  step: (scope: Scope, receive: Receive, send: Send, next: Next) => Promise<void>,
): Middleware {
  return (app) => async (scope, receive, send) => {
    const next = once(({ scope: to = scope, receive: from = receive, send: back = send }: Onward = {}) =>
      app(to, rereadable(to, from), back),
    );
    await step(scope, receive, send, next);
  };
}

/**
 * A chain of steps around `last`, for handlers that return a value: what each step returns is what the step before it
 * gets from `next()`.
 *
 * @throws CompositionError (as a rejection of `next`) when a step calls it a second time.
 */
export function chain<Context, Result>(
  steps: readonly Step<Context, Result>[],
  last: (context: Context) => Promise<Result>,
): (context: Context) => Promise<Result> {
  return steps.reduceRight<(context: Context) => Promise<Result>>(
    (inner, step) => (context) =>
      step(
        context,
        once(() => inner(context)),
      ),
    last,
  );
}

/** Throws CompositionError for what is no middleware, at the call that was given it. */
export function assertMiddleware(each: MiddlewareLike): void {
  if (typeof each === "function" || isWrapper(each)) return;
  throw new CompositionError(
    `${beginningNameOf(each)} is no middleware. A middleware is a function (app) => app, or an object with wrap(app).`,
  );
}

function applied(middleware: MiddlewareLike, inner: Application): Application {
  const app = isWrapper(middleware) ? middleware.wrap(inner) : middleware(inner);
  if (typeof app === "function") return app;
  throw new CompositionError(`A middleware returned ${nameOf(app)}; it must return an application.`);
}

function isWrapper(each: unknown): each is Wrapper {
  return typeof each === "object" && each !== null && "wrap" in each && typeof each.wrap === "function";
}

function once<Arguments extends unknown[], Result>(
  run: (...given: Arguments) => Promise<Result>,
): (...given: Arguments) => Promise<Result> {
  let isCalled = false;
  return async (...given) => {
    if (isCalled) throw new CompositionError("next() was called a second time; a middleware calls it once.");
    isCalled = true;
    return run(...given);
  };
}
