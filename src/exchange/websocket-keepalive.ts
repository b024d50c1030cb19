import { EventError } from "../errors.ts";
import type { WebSocketKeepalive as KeepaliveEvent } from "../spec/events.ts";
import type { Timer } from "./environment.ts";
import type { WebSocketTransport } from "./websocket-transport.ts";

/** Where the WebSocket is found, once there is one. */
interface WebSocketHolder {
  readonly webSocket: WebSocketTransport | undefined;
}

/**
 * Pings, and what is made of a client that does not answer. Source: PAGI Www, "Keepalive".
 *
 * Whatever comes from the client shows that it is there, not only a Pong: that may have to wait behind a message that
 * takes long to arrive.
 */
export class WebSocketKeepalive {
  readonly #makeTimer: (onExpire: () => void) => Timer;
  readonly #holder: WebSocketHolder;
  readonly #onTimeout: () => void;
  #pingTimer: Timer | undefined;
  #pongTimer: Timer | undefined;
  /** Milliseconds. */
  #interval = 0;
  /** Milliseconds; 0 is not looked at. */
  #timeout = 0;
  #isAwaitingPong = false;
  #receivedAtPing = 0;
  #isLastLook = false;

  constructor(host: { timer(onExpire: () => void): Timer }, holder: WebSocketHolder, onTimeout: () => void) {
    this.#makeTimer = (onExpire) => host.timer(onExpire);
    this.#holder = holder;
    this.#onTimeout = onTimeout;
  }

  /** Takes new settings; they count from now on. @throws EventError for an interval or timeout that is none. */
  configure(event: KeepaliveEvent): void {
    const interval = milliseconds(event, "interval", event.interval);
    const timeout = event.timeout == null ? 0 : milliseconds(event, "timeout", event.timeout);
    this.stop();
    this.#interval = interval;
    this.#timeout = timeout;
    if (interval === 0) return;
    this.#pingTimer ??= this.#makeTimer(() => this.#ping());
    this.#pongTimer ??= this.#makeTimer(() => this.#judge());
    this.#pingTimer.set(interval);
  }

  stop(): void {
    this.#isAwaitingPong = false;
    this.#pingTimer?.clear();
    this.#pongTimer?.clear();
  }

  #ping(): void {
    const { webSocket } = this.#holder;
    if (webSocket === undefined) return;
    webSocket.ping();
    this.#pingTimer?.set(this.#interval);
    if (this.#timeout > 0 && !this.#isAwaitingPong) {
      this.#isAwaitingPong = true;
      this.#await(webSocket);
    }
  }

  #await(webSocket: WebSocketTransport): void {
    this.#isLastLook = false;
    this.#receivedAtPing = webSocket.receivedBytes();
    this.#pongTimer?.set(this.#timeout);
  }

  #judge(): void {
    const { webSocket } = this.#holder;
    if (webSocket === undefined) return;
    if (webSocket.receivedBytes() > this.#receivedAtPing) {
      this.#isAwaitingPong = false;
    } else if (!webSocket.isReading() || webSocket.bufferedAmount() > 0) {
      // It is us who do not look, or the Ping may not have left yet, which the write timeout judges.
      this.#await(webSocket);
    } else if (this.#isLastLook) {
      this.#onTimeout();
    } else {
      // When the process was busy, a timer is told of the time before the sockets are asked for their bytes.
      this.#isLastLook = true;
      this.#pongTimer?.set(1);
    }
  }
}

function milliseconds(event: KeepaliveEvent, field: string, seconds: unknown): number {
  if (typeof seconds !== "number" || !(seconds >= 0) || seconds === Infinity) {
    throw new EventError(event.type, field, "must be a number of seconds, 0 or more");
  }
  return seconds * 1000;
}
