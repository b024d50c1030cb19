import { EventError } from "../errors.ts";
import type { DisconnectReason } from "../spec/connection-state.ts";
import type { HttpReceiveEvent, SendEvent } from "../spec/events.ts";
import { Rereadable } from "../spec/rereadable.ts";
import type { HttpScope } from "../spec/scope.ts";
import { RESOLVED } from "./flow-control.ts";
import { RequestExchange } from "./request-exchange.ts";
import type { ExchangeParts } from "./request-exchange.ts";
import { RequestState } from "./request-state.ts";
import { HTTP_EXTENSIONS, requestScope } from "./scope.ts";

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

  constructor(parts: ExchangeParts) {
    super(parts, NO_BODY);
    this.#state = new RequestState(this);
    this.scope = requestScope("http", parts, HTTP_EXTENSIONS, this.flow, this.#events, this.#state);
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
    this.inbox.end(DISCONNECT);
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
