import { UnsupportedScopeError } from "../errors.ts";
import type { Receive, Send } from "../spec/application.ts";
import type { HttpScope, Scope, SseScope, WebSocketScope } from "../spec/scope.ts";
import { HttpContext } from "./context/http-context.ts";
import type { PathParams } from "./router/path-params.ts";
import { SseContext } from "./context/sse-context.ts";
import { WebSocketContext } from "./context/websocket-context.ts";

export type { Answer } from "./shared/call.ts";
export { ContextBase } from "./context/base.ts";
export { handler, sseHandler, webSocketHandler } from "./context/handler.ts";
export type { ErrorSource, EventOf, ForeignEvent, RunEnd } from "./context/event-loop.ts";
export { HttpContext } from "./context/http-context.ts";
export type { PathParams } from "./router/path-params.ts";
export type { Responder } from "./response.ts";
export { SseContext } from "./context/sse-context.ts";
export { WebSocketContext } from "./context/websocket-context.ts";

/** One request, of any scope type; narrow it by `type`, or with `assertHttp()` and its like. */
export type Context<Params extends PathParams = PathParams> =
  HttpContext<Params> | WebSocketContext<Params> | SseContext<Params>;

/** Makes the context of a scope; where the scope type is known, so is the class. */
export interface ContextFactory<
  Http extends HttpContext = HttpContext,
  WebSocket extends WebSocketContext = WebSocketContext,
  Sse extends SseContext = SseContext,
> {
  (scope: HttpScope, receive: Receive, send: Send): Http;
  (scope: WebSocketScope, receive: Receive, send: Send): WebSocket;
  (scope: SseScope, receive: Receive, send: Send): Sse;
  /** @throws UnsupportedScopeError for a scope that is no request. */
  (scope: Scope, receive: Receive, send: Send): Http | WebSocket | Sse;
}

/** The class of each scope type's contexts. */
export interface ContextClasses<
  Http extends HttpContext = HttpContext,
  WebSocket extends WebSocketContext = WebSocketContext,
  Sse extends SseContext = SseContext,
> {
  /** The class for `http` scopes. */
  readonly http: new (scope: HttpScope, receive: Receive, send: Send) => Http;
  /** The class for `websocket` scopes. */
  readonly websocket: new (scope: WebSocketScope, receive: Receive, send: Send) => WebSocket;
  /** The class for `sse` scopes. */
  readonly sse: new (scope: SseScope, receive: Receive, send: Send) => Sse;
}

/** The classes of {@link contextOf}, to be given to {@link contextFactory} together with one's own. */
export const CONTEXT_CLASSES = {
  http: HttpContext,
  websocket: WebSocketContext,
  sse: SseContext,
} as const satisfies ContextClasses;

/**
 * A `contextOf` with classes of one's own, which extend those that are there:
 *
 *     export const contextOf = contextFactory({ ...CONTEXT_CLASSES, http: MyHttpContext });
 */
export function contextFactory<
  Http extends HttpContext,
  WebSocket extends WebSocketContext,
  Sse extends SseContext,
>(classes: ContextClasses<Http, WebSocket, Sse>): ContextFactory<Http, WebSocket, Sse> {
  function make(scope: HttpScope, receive: Receive, send: Send): Http;
  function make(scope: WebSocketScope, receive: Receive, send: Send): WebSocket;
  function make(scope: SseScope, receive: Receive, send: Send): Sse;
  function make(scope: Scope, receive: Receive, send: Send): Http | WebSocket | Sse;
  function make(scope: Scope, receive: Receive, send: Send): Http | WebSocket | Sse {
    switch (scope.type) {
      case "http":
        return new classes.http(scope, receive, send);
      case "websocket":
        return new classes.websocket(scope, receive, send);
      case "sse":
        return new classes.sse(scope, receive, send);
      case "lifespan":
        throw new UnsupportedScopeError(scope.type);
    }
  }
  return make;
}

/** The context of a scope: an {@link HttpContext}, a {@link WebSocketContext} or an {@link SseContext}. */
export const contextOf: ContextFactory = contextFactory(CONTEXT_CLASSES);
