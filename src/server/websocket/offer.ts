import type {
  Acceptance,
  WebSocketOffer,
  WebSocketReceiver,
  WebSocketTransport,
} from "../../exchange/websocket-transport.ts";
import { upgradeFields, webSocketHead } from "../../http1/upgrade-head.ts";
import { acceptOf } from "../../websocket/handshake.ts";
import type { Handshake } from "../../websocket/handshake.ts";
import type { Connection } from "../connection/connection.ts";
import { httpDate } from "../http-date.ts";
import { WebSocketSession } from "./session.ts";
import type { HandshakeOwner } from "./session.ts";

/** What an HTTP/1.1 request offers to the application that is asked for a WebSocket. */
export class Http1WebSocketOffer implements WebSocketOffer {
  readonly subprotocols: string[];
  readonly #connection: Connection;
  readonly #handshake: Handshake;
  readonly #owner: HandshakeOwner;

  constructor(connection: Connection, handshake: Handshake, owner: HandshakeOwner) {
    this.#connection = connection;
    this.#handshake = handshake;
    this.#owner = owner;
    this.subprotocols = handshake.subprotocols;
  }

  accept(eventType: string, acceptance: Acceptance, receiver: WebSocketReceiver): WebSocketTransport {
    const fields = upgradeFields(eventType, acceptance.headers);
    const bridge = this.#connection.context.bridge(); // where this fails, the handshake can still be refused
    const rest = this.#owner.onAccepted();
    const answerWith = (extensions: string): string => {
      const accept = acceptOf(this.#handshake.key);
      return webSocketHead({ accept, subprotocol: acceptance.subprotocol, extensions }, fields, httpDate());
    };
    const session = new WebSocketSession(this.#connection, receiver, this.#owner, answerWith);
    this.#connection.start(session);
    session.open(bridge, this.#handshake.extensions, rest);
    return session;
  }
}
