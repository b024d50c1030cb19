import { EventError, StateError } from "../errors.ts";
import type { DisconnectReason } from "../spec/connection-state.ts";
import type { SendEvent, SseKeepalive, SseReceiveEvent, SseSend, SseStart } from "../spec/events.ts";
import { Rereadable } from "../spec/rereadable.ts";
import type { SseScope } from "../spec/scope.ts";
import type { HeaderPair } from "../spec/values.ts";
import { encodeComment, encodeEvent } from "../sse/encode.ts";
import { RESOLVED } from "./flow-control.ts";
import type { Timer } from "./environment.ts";
import { RequestExchange } from "./request-exchange.ts";
import type { ExchangeParts } from "./request-exchange.ts";
import { responseHead } from "./response.ts";
import { SSE_EXTENSIONS, requestScope } from "./scope.ts";

/** `waiting` for the application's choice, `streaming`, `declining` with an ordinary response, `closed`. */
type State = "waiting" | "streaming" | "declining" | "closed";
type EventType = Extract<SendEvent["type"], `sse.${string}` | "http.fullflush">;

/** Every transition there is; an event that is missing here is a StateError. */
const TRANSITIONS: { readonly [From in State]: { readonly [E in EventType]?: State } } = {
  waiting: { "sse.start": "streaming", "sse.http.response.start": "declining" },
  streaming: {
    "sse.send": "streaming",
    "sse.comment": "streaming",
    "sse.keepalive": "streaming",
    "sse.close": "closed",
    "http.fullflush": "streaming",
  },
  declining: {
    // Only after a start that was taken back, which the response itself knows.
    "sse.http.response.start": "declining",
    "sse.http.response.body": "declining",
    "http.fullflush": "declining",
  },
  closed: { "sse.close": "closed", "http.fullflush": "closed" },
};

const WHY: { readonly [From in State]: string } = {
  waiting: "send sse.start or sse.http.response.start first",
  streaming: "the event stream has started",
  declining: "the stream was declined with an ordinary response",
  closed: "the event stream is closed",
};

const SHUTDOWN: SseReceiveEvent = Object.freeze({ type: "sse.disconnect", reason: "server_shutdown" });
const NO_BODY: SseReceiveEvent = Object.freeze({ type: "sse.request", body: new Uint8Array(0), more: false });

/** What `sse.disconnect` says when the application ended the stream itself and gave no reason. */
const CLOSED_BY_APPLICATION: DisconnectReason = "x-closed";

/** One `sse` scope: an event stream, or the response that declines it. Source: PAGI Www, "Server-Sent Events". */
export class SseExchange extends RequestExchange<SseScope, SseReceiveEvent> {
  readonly scope: SseScope;
  readonly #events = new Rereadable<SseReceiveEvent>(() => this.nextEvent());
  readonly receive = this.#events.receive;
  #state: State = "waiting";
  #keepalive: { readonly timer: Timer; milliseconds: number; comment: string } | undefined;
  #idle: Timer | undefined;
  #isShutdown = false;
  /** It was declined with an event stream that the application makes itself, as frameworks do. */
  #isOwnStream = false;

  constructor(parts: ExchangeParts) {
    super(parts, NO_BODY, "close");
    this.scope = requestScope("sse", parts, SSE_EXTENSIONS, this.flow, this.#events);
  }

  get kind(): "sse" {
    return "sse";
  }

  deliverBody(bytes: Uint8Array, more: boolean): void {
    this.inbox.put({ type: "sse.request", body: bytes, more });
  }

  deliverDisconnect(reason: DisconnectReason): void {
    this.gone = reason;
    this.#end(reason);
  }

  deliverCompletion(): void {
    // A stream that was declined was never there, so nothing tells of its end: PAGI Www, "Decline SSE".
    if (this.#state === "declining") {
      this.flow.end();
      this.inbox.fail(
        new StateError("receive", "closed", "the stream was declined, so there is nothing to receive"),
      );
    } else this.#finish(CLOSED_BY_APPLICATION);
  }

  /**
   * A stream that runs is told at once and ends in the application's own words, for which the server waits. One that
   * has not started may still be reading its request or be about to decline: it is told when it starts.
   */
  deliverShutdown(): void {
    this.#isShutdown = true;
    if (this.#state === "streaming") this.inbox.end(SHUTDOWN);
    else if (this.#isOwnStream && this.response.state === "started") this.#endOwnStream();
  }

  /** It has no end of its own for which one could wait, and its application no event that tells of a shutdown. */
  #endOwnStream(): void {
    this.gone = "server_shutdown";
    this.#end("server_shutdown");
    this.transport.writeBody("sse.http.response.body", "", true);
  }

  override applicationReturned(returned?: unknown): void {
    if (this.gone === undefined && this.#state === "streaming") this.#close(CLOSED_BY_APPLICATION);
    else super.applicationReturned(returned);
  }

  protected isAnswered(): boolean {
    return this.#state === "closed" || this.response.state === "complete";
  }

  protected take(event: SendEvent): Promise<void> {
    switch (event.type) {
      case "sse.start": {
        const next = this.#after(event.type);
        this.#start(event);
        this.#state = next;
        if (this.#isShutdown) this.inbox.end(SHUTDOWN);
        return this.flow.after();
      }
      case "sse.send":
        this.#after(event.type);
        return this.#write(encodeEvent(checked(event)));
      case "sse.comment":
        this.#after(event.type);
        if (typeof event.comment !== "string")
          throw new EventError(event.type, "comment", "must be a string");
        return this.#write(encodeComment(event.comment));
      case "sse.keepalive":
        this.#after(event.type);
        this.#setKeepalive(event);
        return RESOLVED;
      case "sse.close":
        this.#after(event.type);
        if (this.#state === "streaming") this.#close(event.reason ?? CLOSED_BY_APPLICATION);
        return this.flow.after();
      case "sse.http.response.start": {
        const next = this.#after(event.type);
        const { type, status, headers } = event; // and no trailers, which no event of this scope could send
        this.response.start({ type, status, headers });
        this.#state = next;
        this.#isOwnStream = isEventStream(headers ?? []);
        if (this.#isOwnStream && this.#isShutdown) this.#endOwnStream();
        return RESOLVED;
      }
      case "sse.http.response.body":
        this.#after(event.type);
        return this.flow.after(this.response.body(event));
      case "http.fullflush":
        if (this.#after(event.type) === "declining") this.response.flush(event);
        else if (this.#state === "streaming") this.transport.flush();
        return this.flow.after();
      default:
        throw new EventError(String(event.type), undefined, "is no event that an sse scope can send");
    }
  }

  #after(eventType: EventType): State {
    const next = TRANSITIONS[this.#state][eventType];
    if (next === undefined) throw new StateError(eventType, this.#state, WHY[this.#state]);
    return next;
  }

  #start(event: SseStart): void {
    const status = event.status ?? 200;
    // For the client, a response without a body is over with its head, and a kept connection would be free for its next
    // request, which the stream holds up.
    const isOverWithHead = this.scope.method === "HEAD" || status === 204 || status === 304;
    const head = responseHead({ ...event, status }, isOverWithHead ? "close" : "keep-alive");
    const given = new Set(head.headers.map(([name]) => String(name).toLowerCase()));
    if (given.has("content-length")) {
      throw new EventError(
        event.type,
        "headers",
        "has content-length, but an event stream has no length: leave it out",
      );
    }
    const supplied: HeaderPair[] = [];
    if (!given.has("content-type")) supplied.push(["content-type", "text/event-stream"]);
    if (!given.has("cache-control")) supplied.push(["cache-control", "no-cache"]);
    this.transport.writeHead(event.type, { ...head, headers: [...head.headers, ...supplied] });
    this.transport.flush(); // an EventSource is open once it has the head
    if (this.host.sseIdleTimeout > 0) {
      this.#idle = this.host.timer(() => this.#onIdle());
      this.#idle.set(this.host.sseIdleTimeout);
    }
  }

  #write(text: string): Promise<void> {
    this.transport.writeBody("sse.send", text, false);
    this.#idle?.set(this.host.sseIdleTimeout);
    this.#keepalive?.timer.set(this.#keepalive.milliseconds);
    return this.flow.after();
  }

  #setKeepalive(event: SseKeepalive): void {
    const { interval } = event;
    const comment = event.comment ?? "";
    if (typeof interval !== "number" || !(interval >= 0) || interval === Infinity) {
      throw new EventError(event.type, "interval", "must be a number of seconds, 0 or more");
    }
    if (typeof comment !== "string") throw new EventError(event.type, "comment", "must be a string");
    const timer = this.#keepalive?.timer ?? this.host.timer(() => this.#sendKeepalive());
    this.#keepalive = { timer, milliseconds: interval * 1000, comment };
    if (interval > 0) timer.set(this.#keepalive.milliseconds);
    else timer.clear();
  }

  #sendKeepalive(): void {
    if (this.#keepalive === undefined || this.#state !== "streaming") return;
    // A client that is behind has bytes coming: it needs no comment to stay connected, and must not get more of them.
    if (this.transport.bufferedAmount() > 0) this.#keepalive.timer.set(this.#keepalive.milliseconds);
    else void this.#write(encodeComment(this.#keepalive.comment));
  }

  /** The server ends the stream; the application sees that as it sees the client go. */
  #onIdle(): void {
    this.#close("idle_timeout");
    this.gone = "idle_timeout";
  }

  #close(reason: string): void {
    this.#state = "closed";
    this.#finish(reason);
    this.transport.writeBody("sse.close", "", true);
  }

  /** The stream is complete. */
  #finish(reason: string): void {
    this.inbox.finish({ type: "sse.disconnect", reason });
    this.#end(reason);
  }

  #end(reason: string): void {
    this.#keepalive?.timer.clear();
    this.#idle?.clear();
    this.inbox.end({ type: "sse.disconnect", reason });
    this.flow.end();
  }
}

/** Whether a response without a length is an event stream. */
function isEventStream(headers: readonly HeaderPair[]): boolean {
  const has = (name: string, pattern: RegExp): boolean =>
    headers.some(([each, value]) => each.toLowerCase() === name && pattern.test(value));
  return has("content-type", /^\s*text\/event-stream\b/i) && !has("content-length", /^/);
}

/** The fields that would forge a frame, or mean nothing, are refused. Source: PAGI Www, "Send SSE". */
function checked(event: SseSend): SseSend {
  if (typeof event.data !== "string") throw new EventError(event.type, "data", "must be a string");
  if (event.event != null) singleLine(event.type, "event", event.event);
  if (event.id != null) {
    singleLine(event.type, "id", event.id);
    // A browser ignores an id with NUL in it (WHATWG HTML, 9.2.6), so it would be lost without a word.
    if (event.id.includes("\0")) throw new EventError(event.type, "id", "must not contain NUL");
  }
  if (event.retry != null && (!Number.isSafeInteger(event.retry) || event.retry < 0)) {
    throw new EventError(event.type, "retry", "must be a whole number of milliseconds");
  }
  return event;
}

function singleLine(eventType: string, field: string, value: string): void {
  if (typeof value !== "string") throw new EventError(eventType, field, "must be a string");
  if (/[\r\n]/.test(value)) throw new EventError(eventType, field, "must not contain CR or LF");
}
