import { CompositionError, RouteError } from "../errors.ts";
import type { Application } from "../spec/application.ts";
import type { Component } from "./shared/component.ts";
import type { CookieSigner } from "./values/cookies.ts";
import type { LifespanHooks } from "./lifespan.ts";
import { Lifespan } from "./lifespan.ts";
import type { MiddlewareLike } from "./middleware.ts";
import { compose } from "./middleware.ts";
import type { OutboxOptions } from "./simple/outbox.ts";
import type { Message, PublishOptions, PubSub } from "./simple/pub-sub.ts";
import type { PathValue } from "./router/route-pattern.ts";
import type { QueryValues, RouteName } from "./router/route-table.ts";
import type { Router } from "./router.ts";
import type { SafeHtml } from "./simple/safe-html.ts";
import type { SimpleApp, ViewData } from "./simple/app.ts";
import type { SimpleOptions } from "./simple/core.ts";
import { SimpleCore } from "./simple/core.ts";
import type { ErrorClass, ErrorHandler } from "./simple/errors.ts";
import { SimpleGroup } from "./simple/group.ts";
import type { AfterHook, BeforeHook } from "./simple/pipeline.ts";
import { surroundingsOf } from "./simple/step.ts";

export { HttpError } from "./simple/http-error.ts";
export type { OutboxOptions, SlowConsumerPolicy } from "./simple/outbox.ts";
export type { Message, PublishOptions, PubSub, Subscriber } from "./simple/pub-sub.ts";
export { MemoryPubSub } from "./simple/pub-sub.ts";
export type { HtmlValue } from "./simple/safe-html.ts";
export { escapeHtml, html, raw, SafeHtml } from "./simple/safe-html.ts";
export type { Returned } from "./simple/answer.ts";
export type { SimpleApp, ViewData, Views } from "./simple/app.ts";
export type { Offers } from "./simple/context.ts";
export { SimpleContext } from "./simple/context.ts";
export type { SimpleOptions } from "./simple/core.ts";
export type { ErrorClass, ErrorHandler } from "./simple/errors.ts";
export type { Handled } from "./simple/group.ts";
export { SimpleGroup } from "./simple/group.ts";
export type { AfterHook, BeforeHook, Outcome, SimpleHandler } from "./simple/pipeline.ts";
export type { SseHandler } from "./simple/sse.ts";
export { SimpleSse } from "./simple/sse.ts";
export type { StaticOptions } from "./simple/static.ts";
export type { Before, StepFunction } from "./simple/step.ts";
export { Step, step } from "./simple/step.ts";
export type { Listener } from "./simple/listener.ts";
export type { WebSocketHandler } from "./simple/websocket.ts";
export { SimpleWebSocket } from "./simple/websocket.ts";

/**
 * A small framework: routes whose handlers return their answer, WebSockets with rooms, event streams with channels, on
 * one router. It is a component: export it, and the server serves it; a router or another Simple mounts it.
 *
 *     const app = new Simple();
 *     app.get("/hello/:name", (c) => `Hello, ${c.params.name}!`);
 *     export default app;
 *
 * Everything is registered before `toApp()`; from then on it takes no more.
 */
export class Simple extends SimpleGroup implements Component, SimpleApp {
  readonly #core: SimpleCore;
  readonly #middleware: MiddlewareLike[] = [];
  readonly #lifespan: LifespanHooks[] = [];
  #app: Application | undefined;

  /** @throws TypeError for a secret that is too short; RangeError for limits that are none. */
  constructor(options: SimpleOptions = {}) {
    const core = new SimpleCore(options);
    super({ around: core.around, routes: core.router, prefix: "", steps: [] });
    this.#core = core;
  }

  /** As `name` of the options. */
  get appName(): string {
    return this.#core.appName;
  }

  /** The channels and rooms of this application. */
  get pubsub(): PubSub {
    return this.#core.pubsub;
  }

  /** Its routes; a router that mounts it takes over their names by `as()`. */
  get router(): Router {
    return this.#core.router;
  }

  /** Signs cookies with the secret. @throws CompositionError without one. */
  get signer(): CookieSigner {
    return this.#core.signer;
  }

  /** As `slowClients` of the options, complete. */
  get slowClients(): OutboxOptions {
    return this.#core.slowClients;
  }

  /** As `maxChannels` of the options. */
  get maxChannels(): number {
    return this.#core.maxChannels;
  }

  /** Messages of rooms and channels that were left out for connections that do not keep up, since the start. */
  get dropped(): number {
    return this.#core.dropped;
  }

  /** Called by connections of this application for each message that is left out. */
  countDropped(): void {
    this.#core.countDropped();
  }

  // ── around all requests ─────────────────────────────────────────────────────────────────────────────────────

  /**
   * Puts middleware around the whole application, the first one outermost: all scope types, what has no route, mounts and
   * lifespan too.
   *
   * @throws CompositionError for what is no middleware; RouteError once the application has been made.
   */
  use(...middleware: readonly MiddlewareLike[]): this {
    this.#assertOpen();
    const found = surroundingsOf(middleware, "use()");
    // The types refuse it; without this, untyped code would have a guard that guards nothing.
    if (found.steps.length > 0) {
      throw new CompositionError(
        "use(): a step is for http routes and stands in the list before a handler or in group(); for all scope types " +
          "write it as a middleware, and for every http request as hook('before', ...).",
      );
    }
    this.#middleware.push(...found.middleware);
    return this;
  }

  /**
   * `before`: runs before the handler of every http request that this application answers itself, files and errors too;
   * what it returns is the answer then. `after`: runs when the request is over, however it ended, with what was thrown.
   * Several run in order. WebSockets, event streams and mounted applications have no hooks: use middleware for them.
   */
  hook(when: "before", hook: BeforeHook): this;
  hook(when: "after", hook: AfterHook): this;
  hook(...[when, hook]: [when: "before", hook: BeforeHook] | [when: "after", hook: AfterHook]): this {
    this.#assertOpen();
    if (typeof hook !== "function") throw new RouteError(`hook('${String(when)}') takes a function.`);
    switch (when) {
      case "before":
        this.#core.before.push(hook);
        return this;
      case "after":
        this.#core.after.push(hook);
        return this;
      default:
        throw new RouteError(`There is no hook '${String(when)}'; there are before and after.`);
    }
  }

  /**
   * Says what is answered for errors: of a class, those of its subclasses too unless they have their own, or with a status
   * (that of an `HttpError` or a `RequestError`, else 500). The class goes before the status. `c` has the status already.
   * Without a handler the client gets a problem document, a page or a line of text, whichever it takes.
   *
   * @throws RouteError for a class or status that has a handler already.
   */
  error(status: number, handler: ErrorHandler<unknown>): this;
  error<E extends Error>(kind: ErrorClass<E>, handler: ErrorHandler<E>): this;
  error(kind: number | ErrorClass<Error>, handler: ErrorHandler<never>): this {
    this.#assertOpen();
    this.#core.errors.add(kind, handler);
    return this;
  }

  /** As `error(404, handler)`. */
  notFound(handler: ErrorHandler<unknown>): this {
    return this.error(404, handler);
  }

  // ── its life ────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Runs before the first request, in every worker; requests find the state that it fills in `c.state`. If it throws, the
   * server does not start.
   */
  onStart(startup: NonNullable<LifespanHooks["startup"]>): this {
    this.#assertOpen();
    this.#lifespan.push({ startup });
    return this;
  }

  /** Runs after the last request, in every worker; the last one registered first. */
  onShutdown(shutdown: NonNullable<LifespanHooks["shutdown"]>): this {
    this.#assertOpen();
    this.#lifespan.push({ shutdown });
    return this;
  }

  /** Runs once, before any worker is started; without workers, before `onStart`. See {@link LifespanHooks}. */
  beforeWorkers(beforeWorkers: NonNullable<LifespanHooks["beforeWorkers"]>): this {
    this.#assertOpen();
    this.#lifespan.push({ beforeWorkers });
    return this;
  }

  /** Runs once, when the last worker has ended; without workers, after `onShutdown`. */
  afterWorkers(afterWorkers: NonNullable<LifespanHooks["afterWorkers"]>): this {
    this.#assertOpen();
    this.#lifespan.push({ afterWorkers });
    return this;
  }

  // ── what it has ─────────────────────────────────────────────────────────────────────────────────────────────

  /** The address of a named route, from this application's own root. @throws RouteError as `Router.uriFor`. */
  uriFor(
    name: string,
    parameters?: Readonly<Record<string, PathValue | undefined>>,
    query?: QueryValues,
  ): string {
    return this.#core.uriFor(name, parameters, query);
  }

  /** All names, with what they stand for. */
  namedRoutes(): Record<string, RouteName> {
    return this.#core.router.namedRoutes();
  }

  /** What a view makes of the data. @throws as {@link SimpleApp.render}. */
  render(name: string, data?: ViewData): Promise<SafeHtml> {
    return this.#core.render(name, data);
  }

  /** Gives a message to all in a room or channel; resolves with their number. */
  publish(channel: string, message: Message, options?: PublishOptions): Promise<number> {
    return this.#core.publish(channel, message, options);
  }

  /**
   * Gives a message to every WebSocket of the application that is open. Resolves with their number.
   *
   * @throws TypeError (as a rejection) for a message without JSON.
   */
  broadcast(message: Message, options?: PublishOptions): Promise<number> {
    return this.#core.broadcast(message, options);
  }

  /**
   * The application. Everything is put in order now, once.
   *
   * @throws RouteError for two routes that match the same.
   */
  toApp(): Application {
    if (this.#app !== undefined) return this.#app;
    const lifespan = new Lifespan({ app: this.#core.router });
    for (const hooks of this.#lifespan) lifespan.register(hooks);
    const app = compose(this.#middleware)(lifespan.toApp());
    this.#app = (scope, receive, send) => {
      if (scope.type === "lifespan") this.#core.started(scope);
      return app(scope, receive, send);
    };
    return this.#app;
  }

  #assertOpen(): void {
    if (this.#app === undefined) return;
    throw new RouteError(
      "The application has been made, and takes nothing more. Register everything before toApp() or serving.",
    );
  }
}
