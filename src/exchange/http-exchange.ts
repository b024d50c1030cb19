import { EventError } from "../errors.ts";
import type { DisconnectReason } from "../spec/connection-state.ts";
import type { HttpReceiveEvent, SendEvent } from "../spec/events.ts";
import { Rereadable } from "../spec/rereadable.ts";
import type { HttpScope } from "../spec/scope.ts";
import { RESOLVED } from "./flow-control.ts";
import { RequestExchange } from "./request-exchange.ts";
import type { ExchangeParts } from "./request-exchange.ts";
import { RequestState } from "./request-state.ts";
import { HTTP_EXTENSIONS, HTTP_EXTENSIONS_WITH_INTERIM, requestScope } from "./scope.ts";

const NO_BODY: HttpReceiveEvent = Object.freeze({
  type: "http.request",
  body: new Uint8Array(0),
  more: false,
});
const DISCONNECT: HttpReceiveEvent = Object.freeze({ type: "http.disconnect" });

/** One `http` scope, from its request to the end of its response. Source: PAGI Www, "HTTP". */
export class HttpExchange extends RequestExchange<HttpScope, HttpReceiveEvent> {
  readonly scope: HttpScope;
  readonly #state: RequestState;
  readonly #events = new Rereadable<HttpReceiveEvent>(() => this.nextEvent());
  readonly receive = this.#events.receive;
  readonly #takesInterim: boolean;

  constructor(parts: ExchangeParts) {
    super(parts, NO_BODY);
    this.#state = new RequestState(this);
    // No 1xx goes to a client of HTTP/1.0 (RFC 9110 section 15.2).
    this.#takesInterim = parts.transport.writeInterim !== undefined && parts.head.httpVersion !== "1.0";
    const extensions = this.#takesInterim ? HTTP_EXTENSIONS_WITH_INTERIM : HTTP_EXTENSIONS;
    this.scope = requestScope("http", parts, extensions, this.flow, this.#events, this.#state);
  }

  get kind(): "http" {
    return "http";
  }

  deliverBody(bytes: Uint8Array, more: boolean): void {
    this.inbox.put({ type: "http.request", body: bytes, more });
  }

  // The order of these steps is fixed: PAGI Www, "State Transition Order".
  deliverDisconnect(reason: DisconnectReason): void {
    this.gone = reason;
    this.#state.markDisconnected(reason);
    this.inbox.end(DISCONNECT);
    this.flow.end();
  }

  deliverCompletion(): void {
    this.#state.markComplete();
    this.inbox.finish(DISCONNECT);
    this.flow.end();
  }

  /** A request is short: it is waited for, and its response says that the connection closes. */
  deliverShutdown(): void {}

  protected isAnswered(): boolean {
    return this.response.state === "complete";
  }

  override serverAnswers(): void {
    this.#state.markStarted();
  }

  protected take(event: SendEvent): Promise<void> {
    switch (event.type) {
      case "http.response.interim":
        if (!this.#takesInterim)
          throw new EventError(
            event.type,
            undefined,
            "needs the extension of that name, which this scope does not have",
          );
        this.response.interim(event);
        if (this.isAnswered()) this.#state.markStarted();
        return this.flow.after();
      case "http.response.start":
        this.response.start(event);
        this.#state.markStarted();
        return RESOLVED;
      case "http.response.body":
        return this.flow.after(this.response.body(event));
      case "http.response.trailers":
        this.response.trailers(event);
        return this.flow.after();
      case "http.fullflush":
        this.response.flush(event);
        return this.flow.after();
      default:
        throw new EventError(String(event.type), undefined, "is no event that an http scope can send");
    }
  }
}
