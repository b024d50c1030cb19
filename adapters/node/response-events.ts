import type { HttpSendEvent, SseSendEvent } from "../../src/spec/events.ts";
import type { HttpScope } from "../../src/spec/scope.ts";
import type { Headers } from "../../src/spec/values.ts";

/** The events that carry a response: those of an `http` scope, or those that decline an `sse` scope. */
export interface ResponseEvents {
  readonly canSendInterim: boolean;
  readonly canSendTrailers: boolean;
  interim(status: number, headers: Headers): Promise<void>;
  start(status: number, headers: Headers, trailers: boolean): Promise<void>;
  body(bytes: Uint8Array | string, more: boolean): Promise<void>;
  trailers(headers: Headers): Promise<void>;
}

type HttpSend = (event: HttpSendEvent) => Promise<void>;
type SseSend = (event: SseSendEvent) => Promise<void>;

export class HttpEvents implements ResponseEvents {
  readonly canSendTrailers = true;
  readonly canSendInterim: boolean;
  readonly #send: HttpSend;

  constructor({ extensions }: HttpScope, send: HttpSend) {
    this.canSendInterim = extensions?.["http.response.interim"] !== undefined;
    this.#send = send;
  }

  interim(status: number, headers: Headers): Promise<void> {
    return this.#send({ type: "http.response.interim", status, headers });
  }
  start(status: number, headers: Headers, trailers: boolean): Promise<void> {
    return this.#send({ type: "http.response.start", status, headers, trailers });
  }
  body(body: Uint8Array | string, more: boolean): Promise<void> {
    return this.#send({ type: "http.response.body", body, more });
  }
  trailers(headers: Headers): Promise<void> {
    return this.#send({ type: "http.response.trailers", headers });
  }
}

export class SseEvents implements ResponseEvents {
  readonly canSendTrailers = false;
  readonly canSendInterim = false;
  readonly #send: SseSend;

  constructor(send: SseSend) {
    this.#send = send;
  }

  interim(): Promise<void> {
    throw new TypeError("An sse scope has no interim responses.");
  }
  start(status: number, headers: Headers): Promise<void> {
    return this.#send({ type: "sse.http.response.start", status, headers });
  }
  body(body: Uint8Array | string, more: boolean): Promise<void> {
    return this.#send({ type: "sse.http.response.body", body, more });
  }
  trailers(): Promise<void> {
    throw new TypeError("An sse scope has no trailers.");
  }
}
