import type { DisconnectReason } from "../spec/connection-state.ts";
import type { Headers } from "../spec/values.ts";

// The seam between a WebSocket's wire and PAGI's rules. Whoever has frames to offer implements these; the exchange
// does not know whether they come through a bridge, out of a framer of our own or on a stream of HTTP/2.

/** The application's answer to a handshake. */
export interface Acceptance {
  readonly subprotocol: string | undefined;
  readonly headers: Headers;
}

/** A handshake that waits for its answer. */
export interface WebSocketOffer {
  /** What the client offers, in its order of preference. */
  readonly subprotocols: string[];
  /**
   * Completes the handshake. What is sent right after it goes out behind it.
   *
   * @throws EventError for a header that cannot be sent, or that is the handshake's own.
   */
  accept(eventType: string, acceptance: Acceptance, receiver: WebSocketReceiver): WebSocketTransport;
}

/** Towards the client, once the handshake is accepted. After its end every call does nothing. */
export interface WebSocketTransport {
  /** Sends a message; text goes as UTF-8. `message` may be reused by its owner once `send` has resolved. */
  sendMessage(message: Uint8Array | string): void;
  ping(): void;
  /** Begins the closing handshake. Nothing is delivered any more. */
  close(code: number, reason: string): void;
  /** Drops the connection without a Close frame. */
  abort(): void;
  /** The application has taken a message of so many bytes: there is room for others. */
  messageTaken(length: number): void;
  /** Bytes taken and not yet handed to the operating system. */
  bufferedAmount(): number;
  /** Bytes that have come from the client, of whatever frames; they show that it is there. */
  receivedBytes(): number;
  /** False while nothing is read from the client, so that nothing can come. */
  isReading(): boolean;
}

/** Towards the application: what the wire tells. */
export interface WebSocketReceiver {
  deliverMessage(message: Uint8Array | string): void;
  /** Bytes have been handed to the operating system. */
  deliverDrain(): void;
  /** Nothing that is sent reaches the client any more; messages that have come may still follow. */
  deliverLoss(reason: DisconnectReason): void;
  /** The end. Only the first one counts, and none after `close` or `abort`. */
  deliverClose(code: number, reason: string): void;
  /** The server begins to shut down. */
  deliverShutdown(): void;
}
