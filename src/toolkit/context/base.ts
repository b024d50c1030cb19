import { UnsupportedScopeError } from "../../errors.ts";
import type { Receive, Send } from "../../spec/application.ts";
import type { RequestScope } from "../../spec/scope.ts";
import type { ReceiveEvent } from "../../spec/events.ts";
import type { Call } from "../shared/call.ts";
import { receiveForEnd } from "../request/body-reader.ts";
import { RequestHead } from "../request/head.ts";
import { EventLoop } from "./event-loop.ts";
import type { Interest } from "./shared-receive.ts";
import type { ErrorSource, EventOf, RunEnd } from "./event-loop.ts";
import type { PathParams } from "../router/path-params.ts";
import { areSameSecrets } from "../values/secrets.ts";

/**
 * What the contexts of all scope types share: one request, from its scope to its last event. It is a {@link Call} too, so
 * that a function that takes a call takes a context.
 */
export abstract class ContextBase<
  S extends RequestScope,
  Event extends ReceiveEvent,
  Params extends PathParams = PathParams,
>
  extends RequestHead<S, Params>
  implements Call<S, Event, Params>
{
  /** The next event of the scope. */
  readonly receive: () => Promise<Event>;
  /** Gives an event to the server. */
  readonly send: Send;
  #events: EventLoop<Event> | undefined;

  constructor(scope: S, receive: Receive, send: Send) {
    super(scope);
    // A server gives a scope only events of the scope's own type; TypeScript cannot tie the two arguments together.
    this.receive = receive as () => Promise<Event>;
    this.send = send;
  }

  // ── which context it is ─────────────────────────────────────────────────────────────────────────────────────

  /** The type of the scope, which tells which context it is. */
  get type(): S["type"] {
    return this.scope.type;
  }

  /** True for the context of a request, which TypeScript then knows. */
  isHttp(): this is this & { readonly type: "http" } {
    return this.scope.type === "http";
  }

  /** True for the context of a WebSocket connection. */
  isWebSocket(): this is this & { readonly type: "websocket" } {
    return this.scope.type === "websocket";
  }

  /** True for the context of an event stream. */
  isSse(): this is this & { readonly type: "sse" } {
    return this.scope.type === "sse";
  }

  /** The context itself, for code that serves `http` only. @throws UnsupportedScopeError for another scope. */
  assertHttp(): this & { readonly type: "http" } {
    return this.#asserted("http");
  }

  /** As {@link assertHttp}, for `websocket`. */
  assertWebSocket(): this & { readonly type: "websocket" } {
    return this.#asserted("websocket");
  }

  /** As {@link assertHttp}, for `sse`. */
  assertSse(): this & { readonly type: "sse" } {
    return this.#asserted("sse");
  }

  #asserted<Type extends RequestScope["type"]>(type: Type): this & { readonly type: Type } {
    if (!hasType(this, type)) throw new UnsupportedScopeError(this.scope.type);
    return this;
  }

  /** False once the client has gone, or the connection is closed. */
  abstract isConnected(): boolean;

  /** The opposite of {@link isConnected}. */
  isDisconnected(): boolean {
    return !this.isConnected();
  }

  // ── what middleware has left ────────────────────────────────────────────────────────────────────────────────

  /** The token that middleware against forged requests has put into `scope.csrf_token`, for forms and scripts. */
  get csrfToken(): string | undefined {
    const token = this.scope["csrf_token"];
    return typeof token === "string" && token !== "" ? token : undefined;
  }

  /** Whether a client has sent {@link csrfToken} back. Takes the same time for every wrong one; never true without one. */
  csrfVerify(submitted: unknown): boolean {
    const { csrfToken } = this;
    return csrfToken !== undefined && typeof submitted === "string" && areSameSecrets(submitted, csrfToken);
  }

  // ── events ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Registers a handler for a type of events, of the scope's own or of those that middleware puts between them. Several
   * for one type are called in order, each after the one before it is done. {@link run} calls them.
   */
  on<Type extends string>(
    type: Type,
    handler: (event: EventOf<Event, Type>, context: this) => void | Promise<void>,
  ): this {
    this.#loop.on(type, (event: EventOf<Event, Type>) => handler(event, this));
    return this;
  }

  /** What gets the events that no handler is registered for, the one that ends the scope not among them. The last wins. */
  onDefault(handler: (event: EventOf<Event, string>, context: this) => void | Promise<void>): this {
    this.#loop.onDefault((event: EventOf<Event, string>) => handler(event, this));
    return this;
  }

  /**
   * What is told of what a handler throws, and of a `receive` that fails. Several are called in order. Without any, and
   * when one throws itself, the error is a warning of the process.
   */
  onError(handler: (error: unknown, source: ErrorSource, context: this) => void | Promise<void>): this {
    this.#loop.onError((error, source) => handler(error, source, this));
    return this;
  }

  /** Ends {@link run} after the event that is being handled. */
  stop(): this {
    this.#loop.stop();
    return this;
  }

  /**
   * Receives events and gives them to their handlers, one after the other, until the client has gone, {@link stop} is
   * called, or `receive` fails; it resolves with which of them it was, and never rejects. The handlers are then forgotten.
   *
   * @throws Error at once when it runs already.
   */
  run(): Promise<RunEnd> {
    return this.#loop.run();
  }

  /** What {@link run} receives. */
  protected nextEvent(): Promise<Event> {
    // As in the constructor.
    return receiveForEnd(this.scope, this.receive) as Promise<Event>;
  }

  /** Whether {@link run} takes an event that no server sends. */
  protected interest(type: string): Interest {
    if (this.#events?.wants(type) === true) return "now";
    return this.#events?.isRunning === true ? "never" : "perhaps";
  }

  get #loop(): EventLoop<Event> {
    return (this.#events ??= new EventLoop<Event>(() => this.nextEvent(), `${this.scope.type}.disconnect`));
  }
}

function hasType<C extends { readonly type: string }, Type extends string>(
  context: C,
  type: Type,
): context is C & { readonly type: Type } {
  return context.type === type;
}
