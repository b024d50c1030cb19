import { EventError } from "../errors.ts";
import type { DisconnectReason } from "../spec/connection-state.ts";
import type { ReceiveEvent, SendEvent } from "../spec/events.ts";
import type { RequestScope } from "../spec/scope.ts";
import { answerError, writeAnswer } from "./answer-error.ts";
import { recordOrigin } from "./error-origin.ts";
import { FlowControl, RESOLVED } from "./flow-control.ts";
import type { Buffered } from "./flow-control.ts";
import type { Environment } from "./environment.ts";
import { ReceiveQueue } from "./receive-queue.ts";
import type { Source } from "./receive-queue.ts";
import { Response } from "./response.ts";
import type { ConnectionInfo, Exchange, RequestHead, ResponseHead, Transport } from "./transport.ts";

/** What an exchange is made of: the server around it, the wire beneath it, the connection and the request on it. */
export interface ExchangeParts {
  readonly host: Environment;
  readonly transport: Transport;
  readonly connection: ConnectionInfo;
  readonly head: RequestHead;
  /** False: the request has no body, and none will be delivered. */
  readonly hasBody: boolean;
}

/** What the server itself answers. */
const ANSWERS = {
  403: "Forbidden\n",
  500: "Internal Server Error\n",
  501: "Not Implemented\n",
  504: "Gateway Timeout\n",
} as const;

/**
 * One request and its response: the rules that `http`, `sse` and `websocket` scopes have in common. A subclass says which events
 * its scope sends and how it tells its application of the end.
 */
export abstract class RequestExchange<S extends RequestScope, R extends ReceiveEvent> implements Exchange {
  abstract readonly kind: Exchange["kind"];
  abstract readonly scope: S;
  protected readonly host: Environment;
  protected readonly transport: Transport;
  protected readonly inbox: ReceiveQueue<R>;
  protected readonly flow: FlowControl;
  protected readonly response: Response;
  /** Why the client can no longer be answered; every `send` from then on does nothing. */
  protected gone: DisconnectReason | undefined;

  /**
   * `noBody` is what a request without a body delivers, once. `line` is where events come from and bytes go, if that
   * is not the request's own transport.
   */
  constructor(
    { host, transport, hasBody }: ExchangeParts,
    noBody: R,
    connection?: ResponseHead["connection"],
    line: Source<R> & Buffered = transport,
  ) {
    this.host = host;
    this.transport = transport;
    this.inbox = new ReceiveQueue<R>(line, hasBody ? undefined : noBody);
    this.flow = new FlowControl(line, host, this);
    this.response = new Response(transport, connection);
  }

  abstract readonly receive: () => Promise<R>;

  /** The next event, from the inbox. */
  protected nextEvent(): Promise<R> {
    const event = this.inbox.take();
    const { validator } = this.host;
    if (validator === undefined) return event;
    return event.then((each) => (validator.validateReceiveEvent(this.scope.type, each), each));
  }

  readonly send = (event: SendEvent): Promise<void> => {
    // In a later turn, since a loop that does nothing but send would keep the event that tells it of the end away.
    if (this.gone !== undefined) return new Promise((resolve) => setImmediate(resolve));
    try {
      if (typeof event !== "object" || event === null)
        throw new EventError("event", undefined, "must be an object with a 'type'");
      this.host.validator?.validateSendEvent(this.scope.type, event);
      const taken = this.take(event);
      return taken === RESOLVED ? RESOLVED : taken.catch((error) => this.#reject(error));
    } catch (error) {
      return this.#reject(error);
    }
  };

  /** Carries out a checked event; what it throws is what `send` rejects with. */
  protected abstract take(event: SendEvent): Promise<void>;

  /** The response has been given to the wire whole. */
  protected abstract isAnswered(): boolean;

  abstract deliverBody(bytes: Uint8Array, more: boolean): void;
  abstract deliverDisconnect(reason: DisconnectReason): void;
  abstract deliverCompletion(): void;
  abstract deliverShutdown(): void;

  deliverDrain(): void {
    this.flow.drained();
  }

  deliverStall(limit: string): void {
    if (this.gone === undefined) this.backstop(`no byte was read or written for ${limit}`, undefined, 504);
  }

  /** The application's promise has resolved, with nothing if it keeps to the contract. */
  applicationReturned(returned?: unknown): void {
    if (this.gone !== undefined || this.isAnswered()) return;
    const how = this.transport.hasResponse()
      ? "before its response was complete"
      : "without starting a response";
    this.backstop(`the application returned ${how}${adviceFor(returned)}`);
  }

  /** The application has thrown, or its promise was rejected. */
  applicationThrew(error: unknown): void {
    // A log line without an error has none to show; that this was all there was has to be said.
    const what = error === undefined ? "the application threw undefined" : "the application threw";
    if (this.gone === undefined && !this.isAnswered()) this.backstop(what, error);
    else this.report(this.#isAnsweredWithError() ? what : `${what} after the end of the request`, error);
  }

  /** As by frameworks, which tell the client of an error in their own way before they throw it on for the log. */
  #isAnsweredWithError(): boolean {
    const { status } = this.response;
    return this.isAnswered() && status !== undefined && status >= 500;
  }

  /**
   * The answer where the application gave none, or only a part: a bare one that says nothing of the reason, or, when
   * a part has left, the end of the connection, so that the client sees a truncated response and not a short one.
   * Source: PAGI Www, "Application Produced No Response" and "Server-generated responses".
   */
  protected backstop(message: string, error?: unknown, status: keyof typeof ANSWERS = 500): void {
    const log = (): void => this.report(message, error);
    answerError(this.transport, { status, text: ANSWERS[status], reason: "server_error", log }, this);
  }

  /** A bare answer of the server's; the connection closes after it. */
  protected answer(status: keyof typeof ANSWERS): void {
    writeAnswer(this.transport, { status, text: ANSWERS[status] });
  }

  /** The server answers in the application's place, or has to cut what the application has begun. */
  serverAnswers(): void {}

  report(message: string, error?: unknown): void {
    this.host.reportError(`${this.name}: ${message}`, error);
  }

  #reject(error: unknown): Promise<never> {
    recordOrigin(error, this.name);
    return Promise.reject(error);
  }

  /** Method and path, for log lines. From the client, not escaped. */
  get name(): string {
    return `${this.scope.method} ${this.scope.raw_path}`;
  }
}

/** Who returns a response, as handlers of frameworks do, is told that nobody sends it. */
function adviceFor(returned: unknown): string {
  if (typeof returned !== "object" || returned === null) return "";
  return (
    `; the ${returned.constructor?.name ?? "object"} that it returned is sent by nobody. ` +
    "Give its events to send(), or make an application of the handler, as handler() of pagi-server/context does"
  );
}
