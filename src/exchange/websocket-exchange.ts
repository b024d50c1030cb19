import { EventError, StateError } from "../errors.ts";
import type { DisconnectReason } from "../spec/connection-state.ts";
import type {
  SendEvent,
  WebSocketAccept,
  WebSocketClose,
  WebSocketReceiveEvent,
  WebSocketSend,
} from "../spec/events.ts";
import type { WebSocketScope } from "../spec/scope.ts";
import {
  ABNORMAL_CLOSURE,
  GOING_AWAY,
  INTERNAL_ERROR,
  MAX_REASON_BYTES,
  NORMAL_CLOSURE,
  POLICY_VIOLATION,
  isSendableCloseCode,
} from "../spec/close-code.ts";
import { RESOLVED } from "./flow-control.ts";
import type { Buffered } from "./flow-control.ts";
import type { Timer } from "./environment.ts";
import type { Source } from "./receive-queue.ts";
import { RequestExchange } from "./request-exchange.ts";
import type { ExchangeParts } from "./request-exchange.ts";
import { WEBSOCKET_EXTENSIONS, webSocketScope } from "./scope.ts";
import type { Transport } from "./transport.ts";
import { WebSocketKeepalive } from "./websocket-keepalive.ts";
import type { WebSocketOffer, WebSocketReceiver, WebSocketTransport } from "./websocket-transport.ts";

/** `connecting` until the application answers, `open`, `denying` with an ordinary response, `closed`. */
type State = "connecting" | "open" | "denying" | "closed";
type EventType = Extract<SendEvent["type"], `websocket.${string}`>;

/** Every transition there is; an event that is missing here is a StateError. */
const TRANSITIONS: { readonly [From in State]: { readonly [E in EventType]?: State } } = {
  connecting: {
    "websocket.accept": "open",
    "websocket.close": "closed",
    "websocket.http.response.start": "denying",
  },
  open: {
    "websocket.send": "open",
    "websocket.keepalive": "open",
    "websocket.close": "closed",
    // Too late, and to be ignored: PAGI Www, "WebSocket Denial Response".
    "websocket.http.response.start": "open",
    "websocket.http.response.body": "open",
  },
  denying: { "websocket.http.response.body": "denying" },
  // What comes after the end does nothing: PAGI Www, "Disconnected Client".
  closed: { "websocket.send": "closed", "websocket.keepalive": "closed", "websocket.close": "closed" },
};

const WHY: { readonly [From in State]: string } = {
  connecting: "send websocket.accept first",
  open: "the WebSocket is open",
  denying: "the handshake was refused with an ordinary response",
  closed: "the WebSocket is closed",
};

const CONNECT: WebSocketReceiveEvent = Object.freeze({ type: "websocket.connect" });

const FORBIDDEN = 403;
const NOT_IMPLEMENTED = 501;
const GATEWAY_TIMEOUT = 504;

/** One `websocket` scope, from its handshake to its end. Source: PAGI Www, "WebSocket". */
export class WebSocketExchange
  extends RequestExchange<WebSocketScope, WebSocketReceiveEvent>
  implements WebSocketReceiver
{
  readonly scope: WebSocketScope;
  readonly #offer: WebSocketOffer;
  readonly #line: Line;
  readonly #handshakeTimer: Timer;
  readonly #keepalive: WebSocketKeepalive;
  readonly receive = (): Promise<WebSocketReceiveEvent> => this.nextEvent();
  #idle: { readonly timer: Timer; received: number } | undefined;
  #state: State = "connecting";
  /** Messages that the application has not taken. */
  #waiting = 0;
  #isShutdown = false;

  constructor(parts: ExchangeParts, offer: WebSocketOffer) {
    const line = new Line(parts.transport, () => this.#waiting--);
    super(parts, CONNECT, "close", line);
    this.#line = line;
    this.#offer = offer;
    this.scope = webSocketScope(parts, WEBSOCKET_EXTENSIONS, this.flow, offer.subprotocols);
    this.#keepalive = new WebSocketKeepalive(this.host, line, () => this.#onKeepaliveTimeout());
    this.#handshakeTimer = this.host.timer(() => this.#onHandshakeTimeout());
    this.#handshakeTimer.set(this.host.wsHandshakeTimeout);
  }

  get kind(): "websocket" {
    return "websocket";
  }

  // ── while the handshake is an HTTP request ─────────────────────────────────────────────────────────────────────

  /** A handshake has no body. */
  deliverBody(): void {}

  deliverDisconnect(reason: DisconnectReason): void {
    this.gone = reason;
    this.#end(ABNORMAL_CLOSURE, reason);
  }

  deliverCompletion(): void {
    // A WebSocket that was refused was never there, so nothing tells of its end: PAGI Www, "WebSocket Denial Response".
    this.flow.end();
    this.inbox.fail(
      new StateError("receive", "closed", "the handshake was refused, so there is nothing to receive"),
    );
  }

  /** What runs is told at once; a handshake may still be answered, and is told after that. */
  deliverShutdown(): void {
    this.#isShutdown = true;
    if (this.#state === "open") this.#close(GOING_AWAY, "", "server_shutdown");
  }

  // ── while it is a WebSocket ────────────────────────────────────────────────────────────────────────────────────

  deliverMessage(message: Uint8Array | string): void {
    if (this.#state !== "open") return;
    this.#waiting++;
    this.inbox.put(
      typeof message === "string"
        ? { type: "websocket.receive", text: message }
        : { type: "websocket.receive", bytes: message },
    );
    if (this.#waiting > this.host.maxReceiveQueue) this.#close(POLICY_VIOLATION, "", "queue_overflow");
  }

  deliverLoss(reason: DisconnectReason): void {
    this.gone ??= reason;
    this.flow.end();
  }

  deliverClose(code: number, reason: string): void {
    this.#end(code, reason);
  }

  // ── the application's end ──────────────────────────────────────────────────────────────────────────────────────

  override applicationReturned(): void {
    if (this.gone === undefined && this.#state === "open") this.#close(NORMAL_CLOSURE, "");
    else if (this.gone === undefined && this.#state === "connecting")
      this.backstop("the application returned without answering websocket.connect", undefined, FORBIDDEN);
    else super.applicationReturned();
  }

  override applicationThrew(error: unknown): void {
    if (this.#state === "connecting" && isUnsupportedScope(error)) {
      // It says by its contract that it has no WebSockets, so there is nothing to mend, nor to fill a log with.
      this.#leaveConnecting("closed");
      this.answer(NOT_IMPLEMENTED);
      return;
    }
    if (this.gone !== undefined || this.#state !== "open") return super.applicationThrew(error);
    this.report(error === undefined ? "the application threw undefined" : "the application threw", error);
    this.#close(INTERNAL_ERROR, "");
  }

  protected isAnswered(): boolean {
    return this.#state === "closed" || this.response.state === "complete";
  }

  protected take(event: SendEvent): Promise<void> {
    switch (event.type) {
      case "websocket.accept":
        this.#accept(event);
        return this.flow.after();
      case "websocket.send": {
        const message = messageOf(event);
        if (this.#after(event.type) === "closed") return RESOLVED;
        this.#line.webSocket?.sendMessage(message);
        this.#idle?.timer.set(this.host.wsIdleTimeout);
        return this.flow.after();
      }
      case "websocket.keepalive":
        if (this.#after(event.type) === "open") this.#keepalive.configure(event);
        return RESOLVED;
      case "websocket.close":
        return this.#takeClose(event);
      case "websocket.http.response.start": {
        const next = this.#after(event.type);
        if (next === "open") return RESOLVED;
        const { type, status, headers } = event; // and no trailers, which no event of this scope could send
        this.response.start({ type, status, headers });
        this.#leaveConnecting(next);
        return RESOLVED;
      }
      case "websocket.http.response.body": {
        if (this.#after(event.type) === "open") return RESOLVED;
        const { type, body, more } = event; // files are not among the forms of this event
        return this.flow.after(this.response.body({ type, body, more }));
      }
      default:
        throw new EventError(String(event.type), undefined, "is no event that a websocket scope can send");
    }
  }

  #accept(event: WebSocketAccept): void {
    const next = this.#after(event.type);
    const subprotocol = event.subprotocol ?? undefined;
    if (subprotocol !== undefined && !this.scope.subprotocols.includes(subprotocol)) {
      const { subprotocols } = this.#offer;
      const offered = subprotocols.length === 0 ? "none" : subprotocols.join(", ");
      throw new EventError(
        event.type,
        "subprotocol",
        `must be one that the client offers; it offers ${offered} (RFC 6455 section 4.2.2)`,
      );
    }
    const headers = event.headers ?? [];
    if (!Array.isArray(headers) || !headers.every(Array.isArray))
      throw new EventError(event.type, "headers", "must be a list of [name, value] pairs");
    this.#line.webSocket = this.#offer.accept(event.type, { subprotocol, headers }, this);
    this.#leaveConnecting(next);
    if (this.host.wsIdleTimeout > 0) {
      this.#idle = { timer: this.host.timer(() => this.#onIdle()), received: 0 };
      this.#idle.timer.set(this.host.wsIdleTimeout);
    }
    if (this.#isShutdown) this.#close(GOING_AWAY, "", "server_shutdown");
  }

  #takeClose(event: WebSocketClose): Promise<void> {
    const code = event.code ?? NORMAL_CLOSURE;
    const reason = event.reason ?? "";
    if (!isSendableCloseCode(code)) {
      throw new EventError(
        event.type,
        "code",
        "must be a code that may be sent: 1000 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 section 7.4)",
      );
    }
    if (typeof reason !== "string") throw new EventError(event.type, "reason", "must be a string");
    if (Buffer.byteLength(reason) > MAX_REASON_BYTES) {
      throw new EventError(
        event.type,
        "reason",
        `is longer than ${MAX_REASON_BYTES} bytes of UTF-8, which is all that a Close frame holds (RFC 6455 section 5.5)`,
      );
    }
    const next = this.#after(event.type);
    if (this.#state === "open") this.#close(code, reason);
    else if (this.#state === "connecting") {
      this.#leaveConnecting(next);
      this.answer(FORBIDDEN);
    }
    return this.flow.after();
  }

  #after(eventType: EventType): State {
    const next = TRANSITIONS[this.#state][eventType];
    if (next === undefined) throw new StateError(eventType, this.#state, WHY[this.#state]);
    return next;
  }

  #leaveConnecting(next: State): void {
    this.#state = next;
    this.#handshakeTimer.clear();
  }

  #onHandshakeTimeout(): void {
    const seconds = this.host.wsHandshakeTimeout / 1000;
    const message = `the application did not answer websocket.connect within ${seconds} s`;
    this.backstop(message, undefined, GATEWAY_TIMEOUT);
  }

  #onIdle(): void {
    const { webSocket } = this.#line;
    if (this.#idle === undefined || webSocket === undefined) return;
    const received = webSocket.receivedBytes();
    if (received === this.#idle.received) this.#close(GOING_AWAY, "", "idle_timeout");
    else {
      this.#idle.received = received;
      this.#idle.timer.set(this.host.wsIdleTimeout);
    }
  }

  /** Nothing can be told to a client that does not answer, so there is no Close frame. */
  #onKeepaliveTimeout(): void {
    this.#end(ABNORMAL_CLOSURE, "keepalive_timeout");
    this.#line.webSocket?.abort();
  }

  /** The server's side closes; `told` is what the application gets as the reason, if it is not the one on the wire. */
  #close(code: number, reason: string, told: string = reason): void {
    this.#end(code, told);
    this.#line.webSocket?.close(code, reason);
  }

  #end(code: number, reason: string): void {
    this.#state = "closed";
    this.#handshakeTimer.clear();
    this.#keepalive.stop();
    this.#idle?.timer.clear();
    this.inbox.end({ type: "websocket.disconnect", code, reason });
    this.flow.end();
  }
}

/** What bytes go through: the handshake's response, as long as there is no WebSocket. */
class Line implements Source<WebSocketReceiveEvent>, Buffered {
  webSocket: WebSocketTransport | undefined;
  readonly #transport: Transport;
  readonly #onTaken: () => void;

  constructor(transport: Transport, onTaken: () => void) {
    this.#transport = transport;
    this.#onTaken = onTaken;
  }

  /** Reading goes by how much the application has taken, not by how often it asks. */
  demandBody(): void {}

  onTaken(event: WebSocketReceiveEvent): void {
    if (event.type !== "websocket.receive") return;
    this.#onTaken();
    this.webSocket?.messageTaken((event.text ?? event.bytes).length);
  }

  bufferedAmount(): number {
    return (this.webSocket ?? this.#transport).bufferedAmount();
  }
}

/** By its code, for an application may come with another copy of the class. Source: PAGI Spec, "Applications". */
function isUnsupportedScope(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_PAGI_UNSUPPORTED_SCOPE";
}

function messageOf(event: WebSocketSend): Uint8Array | string {
  const { type, text, bytes } = event;
  if (text == null) {
    if (bytes instanceof Uint8Array) return bytes;
    throw new EventError(type, "bytes", "must be a Uint8Array, where there is no 'text'");
  }
  if (bytes != null) throw new EventError(type, "bytes", "and 'text' exclude each other");
  if (typeof text !== "string") throw new EventError(type, "text", "must be a string");
  return text;
}
