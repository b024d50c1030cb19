import { UnsupportedScopeError } from "../errors.ts";
import type {
  HttpReceiveEvent,
  HttpSendEvent,
  LifespanReceiveEvent,
  LifespanSendEvent,
  ReceiveEvent,
  SendEvent,
  SseReceiveEvent,
  SseSendEvent,
  WebSocketReceiveEvent,
  WebSocketSendEvent,
} from "./events.ts";
import type { HttpScope, LifespanScope, Scope, SseScope, WebSocketScope } from "./scope.ts";

/** Resolves with the next event of the scope. */
export type Receive = () => Promise<ReceiveEvent>;

/**
 * Gives an event to the server. Resolves once the event is taken and the connection's unsent bytes are below the
 * high-water mark, and at once when the client has gone.
 *
 * @throws EventError for an unknown type, a missing or ill-typed field or an unsafe header (as a rejection).
 * @throws StateError for an event that is not allowed now (as a rejection).
 */
export type Send = (event: SendEvent) => Promise<void>;

/**
 * A PAGI application: called once for each scope. The promise is the life of the scope; await every `send` before
 * it resolves. What it resolves to means nothing. Source: PAGI Spec, "Applications".
 *
 * @throws for a scope type that it does not handle; {@link UnsupportedScopeError} says so best.
 */
export type Application = (scope: Scope, receive: Receive, send: Send) => Promise<void>;

/** An application for one scope type, with that type's own events. */
export type Handler<S extends Scope, R extends ReceiveEvent, E extends SendEvent> = (
  scope: S,
  receive: () => Promise<R>,
  send: (event: E) => Promise<void>,
) => Promise<void>;

export type HttpHandler = Handler<HttpScope, HttpReceiveEvent, HttpSendEvent>;
export type SseHandler = Handler<SseScope, SseReceiveEvent, SseSendEvent>;
export type WebSocketHandler = Handler<WebSocketScope, WebSocketReceiveEvent, WebSocketSendEvent>;
export type LifespanHandler = Handler<LifespanScope, LifespanReceiveEvent, LifespanSendEvent>;

/** One handler for each scope type that the application knows. */
export interface Handlers {
  http?: HttpHandler;
  sse?: SseHandler;
  websocket?: WebSocketHandler;
  lifespan?: LifespanHandler;
}

/**
 * Builds an application of one handler a scope type; each sees its own scope and event types.
 *
 * @throws UnsupportedScopeError (as a rejection) for a scope type without a handler.
 */
export function dispatch(handlers: Handlers): Application {
  return async (scope, receive, send) => {
    // A server gives a scope only events of the scope's own type; TypeScript cannot tie the two arguments together,
    // so this is the one place where that promise is written down.
    const handler = handlers[scope.type] as Handler<Scope, ReceiveEvent, SendEvent> | undefined;
    if (handler === undefined) throw new UnsupportedScopeError(scope.type);
    return await handler(scope, receive, send);
  };
}
