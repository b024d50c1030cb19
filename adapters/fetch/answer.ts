import type { Inbox } from "./inbox.ts";
import { requestOf } from "./request.ts";
import { pipeResponse } from "./response.ts";
import type { WebSocketSendEvent } from "../../src/spec/events.ts";
import { valueAtHand } from "../../src/spec/at-hand.ts";
import type { RequestScope, State, WebSocketScope } from "../../src/spec/scope.ts";

/** What a fetch handler learns beside the request. Hono calls this `c.env`. */
export interface FetchEnvironment {
  /** The scope as the server gave it: `headers` in wire order, `client`, `'pagi.transport'`, ... */
  readonly scope: RequestScope;
  /** `scope.state`: what lifespan startup left for the requests. */
  readonly state: State;
}

/** A handler in the way of the Fetch standard, as frameworks export it: `app.fetch`. */
export type FetchHandler<Environment = FetchEnvironment> = (
  request: Request,
  env: Environment,
) => Response | Promise<Response>;

/**
 * The handler's response to a scope. It is returned at once where the handler answers synchronously, as frameworks do
 * where they can: a promise would cost a turn of the microtasks.
 *
 * @throws what the handler throws (as a rejection), unless it passes on that its client has disconnected; TypeError (as a
 *   rejection) when it returns no `Response`.
 */
export function answerOf<Environment>(
  handler: FetchHandler<Environment>,
  scope: FetchEnvironment["scope"],
  inbox: Inbox,
  env: Environment,
): Response | Promise<Response> {
  let returned: unknown;
  try {
    returned = handler(requestOf(scope, inbox), env);
    if (returned instanceof Promise) returned = valueAtHand(returned);
    if (returned instanceof Response) return returned;
  } catch (error) {
    returned = Promise.reject(error);
  }
  return responseFrom(returned, scope, inbox);
}

async function responseFrom(
  returned: unknown,
  scope: FetchEnvironment["scope"],
  inbox: Inbox,
): Promise<Response> {
  let response: unknown;
  try {
    response = await returned;
  } catch (error) {
    // The handler passes on that its client has disconnected: nobody is left to answer, and nothing to be fixed.
    if (inbox.isGone && error === inbox.signal.reason) return new Response(null);
    throw error;
  }
  if (response instanceof Response) return response;
  throw new TypeError(
    `The fetch handler returned ${response === null ? "null" : typeof response} for ${scope.method} ${scope.path}; ` +
      "it has to return a Response, or a promise of one.",
  );
}

/** Refuses a handshake with a handler's response. */
export async function denyWith(
  response: Response,
  scope: WebSocketScope,
  inbox: Inbox,
  send: (event: WebSocketSendEvent) => Promise<void>,
): Promise<void> {
  // Such a server can answer with 403 only (PAGI Www, "WebSocket Denial Response").
  if (scope.extensions?.["websocket.http.response"] === undefined) {
    await response.body?.cancel();
    if (!inbox.isGone) await send({ type: "websocket.close" });
    return;
  }
  await pipeResponse(response, scope, inbox, {
    start: (status, headers) => send({ type: "websocket.http.response.start", status, headers }),
    body: (body, more) => send({ type: "websocket.http.response.body", body, more }),
  });
}
