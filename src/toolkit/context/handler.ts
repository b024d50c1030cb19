import { UnsupportedScopeError } from "../../errors.ts";
import type { Receive, Send } from "../../spec/application.ts";
import type { HttpScope, Scope, SseScope, WebSocketScope } from "../../spec/scope.ts";
import type { Answer } from "../shared/call.ts";
import { answerWith } from "../shared/call.ts";
import { nameOfFunction } from "../shared/component.ts";
import { HttpContext } from "./http-context.ts";
import type { PathParams } from "../router/path-params.ts";
import { orRefuse } from "./refusal.ts";
import type { RoutedKeys } from "../router.ts";
import { SseContext } from "./sse-context.ts";
import { WebSocketContext } from "./websocket-context.ts";

/** An application for the scopes of one route. */
type RouteApplication<S extends Scope, Params> = (
  scope: S & RoutedKeys<Params>,
  receive: Receive,
  send: Send,
) => Promise<void>;

/**
 * A route's target that gets a context and returns its response; its `params` are those of the route's pattern:
 *
 *     router.get("/users/:id", handler((c) => c.json({ id: c.params.id })));
 *
 * What is wrong with the request (a `RequestError` that is thrown) is answered with a problem document.
 */
export function handler<Params extends PathParams>(
  handle: (context: HttpContext<Params>) => Answer | Promise<Answer>,
): RouteApplication<HttpScope, Params> {
  return async (scope, receive, send) => {
    assertType(scope, "http");
    const context = new HttpContext<Params>(scope, receive, send);
    await answerWith(context, `The handler ${nameOfFunction(handle)}`, () => handle(context));
  };
}

/** As {@link handler}, for `router.websocket`; it sends by itself, and the connection ends with it. */
export function webSocketHandler<Params extends PathParams>(
  handle: (context: WebSocketContext<Params>) => void | Promise<void>,
): RouteApplication<WebSocketScope, Params> {
  return async (scope, receive, send) => {
    assertType(scope, "websocket");
    const context = new WebSocketContext<Params>(scope, receive, send);
    await orRefuse(context, () => handle(context));
  };
}

/** As {@link handler}, for `router.sse`; it sends by itself, and the stream ends with it. */
export function sseHandler<Params extends PathParams>(
  handle: (context: SseContext<Params>) => void | Promise<void>,
): RouteApplication<SseScope, Params> {
  return async (scope, receive, send) => {
    assertType(scope, "sse");
    const context = new SseContext<Params>(scope, receive, send);
    await orRefuse(context, () => handle(context));
  };
}

/** Untyped code may have put a handler where scopes of other types come. */
function assertType(scope: { readonly type: string }, type: string): void {
  if (scope.type !== type) throw new UnsupportedScopeError(scope.type);
}
