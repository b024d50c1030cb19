import type { Send } from "../../src/spec/application.ts";
import type { WebSocketReceiveEvent } from "../../src/spec/events.ts";
import type { WebSocketScope } from "../../src/spec/scope.ts";

/** Answers the handshake and runs what comes of it. `headers` are those of the route's response. */
export type HandshakeTaker = (
  receive: () => Promise<WebSocketReceiveEvent>,
  send: Send,
  headers: Headers,
) => Promise<void>;

/**
 * Where a handshake is in `c.env`. A registered symbol, since the server that made the environment may run from
 * another copy of this package than the application's import.
 */
export const HANDSHAKE: unique symbol = Symbol.for("pagi-server.hono.handshake");

/** A WebSocket handshake on its way through the routes of a Hono application. */
export class Handshake {
  readonly scope: WebSocketScope;
  taker: HandshakeTaker | undefined;

  constructor(scope: WebSocketScope) {
    this.scope = scope;
  }
}
