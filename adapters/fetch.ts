import { pipeResponse } from "./fetch/response.ts";
import { HandshakeInbox, HttpInbox, SseInbox, type Inbox } from "./fetch/inbox.ts";
import { requestOf } from "./fetch/request.ts";
import { dispatch, type Application } from "../src/spec/application.ts";
import type { HttpScope, SseScope, State, WebSocketScope } from "../src/spec/scope.ts";

/** What a fetch handler learns beside the request. Hono calls this `c.env`. */
export interface FetchEnvironment {
  /** The scope as the server gave it: `headers` in wire order, `client`, `'pagi.transport'`, ... */
  readonly scope: HttpScope | SseScope | WebSocketScope;
  /** `scope.state`: what lifespan startup left for the requests. */
  readonly state: State;
}

/** A handler in the way of the Fetch standard, as frameworks export it: `app.fetch`. */
export type FetchHandler = (request: Request, env: FetchEnvironment) => Response | Promise<Response>;

/**
 * Makes an application of a fetch handler.
 *
 * It answers `http` scopes, and `sse` scopes too, with the ordinary response that declines an event stream: a handler
 * makes its own `text/event-stream`. A `websocket` scope is answered the same way: what the handler returns refuses the
 * handshake. Bodies stream both ways with backpressure: a request body is received when the
 * handler reads it and not before, and the next chunk of a response body is read once the server has taken the last.
 * When the client goes, `request.signal` is aborted, a pending read of the request body fails with an `AbortError`,
 * and the response stream is cancelled. For an `sse` scope that is noticed once the request body has been read, or
 * the response has begun.
 *
 * What the handler throws goes to the server, which answers 500.
 *
 * @throws UnsupportedScopeError (as a rejection) for `lifespan` scopes.
 * @throws TypeError (as a rejection) when the handler returns no `Response`.
 */
export function fromFetch(handler: FetchHandler): Application {
  const answer = async (scope: FetchEnvironment["scope"], inbox: Inbox): Promise<Response> => {
    let response: unknown;
    try {
      response = await handler(requestOf(scope, inbox), { scope, state: scope.state });
    } catch (error) {
      // The handler passes on that its client has gone: nobody is left to answer, and nothing is to be mended.
      if (inbox.isGone && error === inbox.signal.reason) return new Response(null);
      throw error;
    }
    if (response instanceof Response) return response;
    throw new TypeError(
      `The fetch handler returned ${response === null ? "null" : typeof response} for ${scope.method} ${scope.path}; ` +
        "it has to return a Response, or a promise of one.",
    );
  };
  return dispatch({
    async http(scope, receive, send) {
      const inbox = new HttpInbox(receive, scope["pagi.connection"]);
      const response = await answer(scope, inbox);
      await pipeResponse(response, scope, inbox, {
        start: (status, headers) => send({ type: "http.response.start", status, headers }),
        body: (body, more) => send({ type: "http.response.body", body, more }),
        file: (path) => send({ type: "http.response.body", file: path }),
        slice: (fh) => send({ type: "http.response.body", fh }),
      });
    },
    async sse(scope, receive, send) {
      const inbox = new SseInbox(receive);
      const response = await answer(scope, inbox);
      await pipeResponse(response, scope, inbox, {
        start: (status, headers) => send({ type: "sse.http.response.start", status, headers }),
        body: (body, more) => send({ type: "sse.http.response.body", body, more }),
      });
    },
    async websocket(scope, receive, send) {
      const inbox = new HandshakeInbox(receive);
      const response = await answer(scope, inbox);
      await pipeResponse(response, scope, inbox, {
        start: (status, headers) => send({ type: "websocket.http.response.start", status, headers }),
        body: (body, more) => send({ type: "websocket.http.response.body", body, more }),
      });
    },
  });
}
