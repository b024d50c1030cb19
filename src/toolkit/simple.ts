import { CompositionError, RouteError } from "../errors.ts";
import type { Application } from "../spec/application.ts";
import type { State } from "../spec/scope.ts";
import type { Component } from "./component.ts";
import { CookieSigner } from "./cookies.ts";
import type { RequestScope } from "./decline.ts";
import { decline } from "./decline.ts";
import { HttpError } from "./http-error.ts";
import type { LifespanHooks } from "./lifespan.ts";
import { Lifespan } from "./lifespan.ts";
import { MAX_CHANNELS } from "./membership.ts";
import type { MiddlewareLike } from "./middleware.ts";
import { assertMiddleware, compose } from "./middleware.ts";
import type { OutboxOptions } from "./outbox.ts";
import type { Message, PublishOptions, PubSub } from "./pub-sub.ts";
import { MemoryPubSub } from "./pub-sub.ts";
import type { PathValue } from "./route-pattern.ts";
import type { QueryValues, RouteName } from "./route-table.ts";
import type { TrailingSlash } from "./router.ts";
import { Router } from "./router.ts";
import type { SafeHtml } from "./safe-html.ts";
import type { SimpleApp, ViewData, Views } from "./simple-app.ts";
import { renderView } from "./simple-app.ts";
import type { ErrorClass, ErrorHandler } from "./simple-errors.ts";
import { ErrorHandlers } from "./simple-errors.ts";
import { SimpleGroup } from "./simple-group.ts";
import type { AfterHook, BeforeHook, Surrounding } from "./simple-pipeline.ts";
import { handled } from "./simple-pipeline.ts";
import { surroundingsOf } from "./simple-step.ts";

export { HttpError } from "./http-error.ts";
export type { OutboxOptions, SlowConsumerPolicy } from "./outbox.ts";
export type { Message, PublishOptions, PubSub, Subscriber } from "./pub-sub.ts";
export { MemoryPubSub } from "./pub-sub.ts";
export type { HtmlValue } from "./safe-html.ts";
export { escapeHtml, html, raw, SafeHtml } from "./safe-html.ts";
export type { Returned } from "./simple-answer.ts";
export type { SimpleApp, ViewData, Views } from "./simple-app.ts";
export type { Offers } from "./simple-context.ts";
export { SimpleContext } from "./simple-context.ts";
export type { ErrorClass, ErrorHandler } from "./simple-errors.ts";
export type { Handled } from "./simple-group.ts";
export { SimpleGroup } from "./simple-group.ts";
export type { AfterHook, BeforeHook, Outcome, SimpleHandler } from "./simple-pipeline.ts";
export type { SseHandler } from "./simple-sse.ts";
export { SimpleSse } from "./simple-sse.ts";
export type { StaticOptions } from "./simple-static.ts";
export type { Before, StepFunction } from "./simple-step.ts";
export { Step, step } from "./simple-step.ts";
export type { WebSocketHandler } from "./simple-websocket.ts";
export { SimpleWebSocket } from "./simple-websocket.ts";

export interface SimpleOptions {
  /** What the application is called, for people. Default `"simple"`. */
  readonly name?: string;
  /**
   * Signs cookies: 32 chars or more, from a random source. Of several the first signs, and the others are still good for
   * reading. Default: none, and signed cookies are an error.
   */
  readonly secret?: string | readonly [string, ...string[]];
  /** What `c.render(name, data)` calls. Default: none. */
  readonly views?: Views;
  /** Whether a slash at the end makes another path, as for a router. Default `strict`. */
  readonly trailingSlash?: TrailingSlash;
  /** Where rooms and channels are. Default: in the memory of this process, for this application alone. */
  readonly pubsub?: PubSub;
  /** What becomes of messages for clients that do not keep up. */
  readonly slowClients?: OutboxOptions;
  /** Rooms and channels that one connection may be in. Default 100. */
  readonly maxChannels?: number;
  /** Whether errors of the application are shown to its clients, with their stack. Never in production. Default false. */
  readonly debug?: boolean;
}

/**
 * A small framework: routes with handlers that return their answer, WebSockets with rooms, event streams with channels,
 * on one router. It is a component, which the server serves and routers mount.
 *
 *     const app = new Simple();
 *     app.get("/hello/:name", (c) => `Hello, ${c.params.name}!`);
 *     export default app;
 *
 * Everything is registered before `toApp()`; from then on it takes no more.
 */
export class Simple extends SimpleGroup implements Component, SimpleApp {
  readonly name: string;
  readonly pubsub: PubSub;
  readonly slowClients: OutboxOptions;
  readonly maxChannels: number;
  /** Its routes, for a router that mounts it under a namespace of names. */
  readonly router: Router;
  readonly #views: Views | undefined;
  readonly #signer: CookieSigner | undefined;
  readonly #around: Surrounding & { readonly before: BeforeHook[]; readonly after: AfterHook[] };
  readonly #middleware: MiddlewareLike[] = [];
  readonly #lifespan: LifespanHooks[] = [];
  #dropped = 0;
  #app: Application | undefined;

  /** @throws TypeError for a secret that is too short; RangeError for limits that are none. */
  constructor(options: SimpleOptions = {}) {
    const { name = "simple", secret, views, trailingSlash = "strict", debug = false } = options;
    const { pubsub = new MemoryPubSub(), slowClients = {}, maxChannels = MAX_CHANNELS } = options;
    const before: BeforeHook[] = [];
    const after: AfterHook[] = [];
    // The parts of a group are made before `this` is there; what they need of it they ask when a request comes.
    const self: { app?: Simple } = {};
  }
}
