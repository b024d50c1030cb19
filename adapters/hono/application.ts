import { Handshake, HANDSHAKE } from "./handshake.ts";
import { answerOf, denyWith, type FetchEnvironment } from "../fetch/answer.ts";
import { fetchApplication } from "../fetch/application.ts";
import { HandshakeInbox } from "../fetch/inbox.ts";
import { dispatch, type Application, type Receive, type Send } from "../../src/spec/application.ts";
import type { ConnectionState } from "../../src/spec/connection-state.ts";
import type { WebSocketScope } from "../../src/spec/scope.ts";

// Nothing here imports Hono, so that the server can wrap an application that has come with its own copy of it.

/** `c.env` of a Hono application on a PAGI server: `new Hono<{ Bindings: HonoEnvironment }>()`. */
export interface HonoEnvironment extends FetchEnvironment {
  /** How the request stands; absent for event streams and WebSockets, whose scopes have none. */
  readonly "pagi.connection"?: ConnectionState;
  /** The handshake that waits for an answer; `upgradeWebSocket` and `pagi` take it. */
  readonly [HANDSHAKE]?: Handshake;
}

/** What is used of a `Hono`. */
export interface HonoLike {
  fetch(request: Request, env: HonoEnvironment): Response | Promise<Response>;
}

/**
 * Makes an application of a Hono application: what `fromFetch` does, with `c.env`, and with WebSockets. The handshake
 * of one runs through the routes as the request that it is: where a handler calls `upgradeWebSocket`, it is accepted
 * with the headers of the response that comes out in the end, and in all other cases that response refuses it.
 *
 * @throws UnsupportedScopeError (as a rejection) for `lifespan` scopes.
 */
export function hono(app: HonoLike): Application {
  const ordinary = fetchApplication<HonoEnvironment>(
    (request, env) => app.fetch(request, env),
    (scope) =>
      scope.type === "http"
        ? { scope, state: scope.state, "pagi.connection": scope["pagi.connection"] }
        : { scope, state: scope.state },
  );
  const handshake = async (scope: WebSocketScope, receive: Receive, send: Send): Promise<void> => {
    const pending = new Handshake(scope);
    const env: HonoEnvironment = { scope, state: scope.state, [HANDSHAKE]: pending };
    const run = dispatch({
      async websocket(_scope, narrowReceive, narrowSend) {
        const inbox = new HandshakeInbox(narrowReceive);
        const response = await answerOf((request, given) => app.fetch(request, given), scope, inbox, env);
        // A middleware may still have put a refusal in the place of the handler's answer.
        if (pending.taker !== undefined && response.status === SWITCHING_PROTOCOLS && !inbox.isGone) {
          await pending.taker(inbox.handOver(), send, response.headers);
        } else await denyWith(response, scope, inbox, narrowSend);
      },
    });
    await run(scope, receive, send);
  };
  return (scope, receive, send) =>
    scope.type === "websocket" ? handshake(scope, receive, send) : ordinary(scope, receive, send);
}

const SWITCHING_PROTOCOLS = 101;
