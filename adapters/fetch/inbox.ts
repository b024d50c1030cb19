import type { ConnectionState } from "../../src/spec/connection-state.ts";
import type { Receive } from "../../src/spec/application.ts";
import type { HttpReceiveEvent, SseReceiveEvent, WebSocketReceiveEvent } from "../../src/spec/events.ts";
import { valueAtHand } from "../../src/spec/at-hand.ts";
import type { HttpScope } from "../../src/spec/scope.ts";
import { BodyReader } from "../../src/toolkit/request/body-reader.ts";

/** What comes in for one request: its body, and the news that the client has gone. */
export interface Inbox {
  /** Aborted with an `AbortError` when the client goes. */
  readonly signal: AbortSignal;
  /** True once the client has gone; asking this does not make a signal. */
  readonly isGone: boolean;
  /** Whether only the end of the request's body tells that the client may go from now on. */
  readonly watchesBody: boolean;
  /** The request body, received fragment by fragment as the stream is read. */
  bodyStream(): ReadableStream<Uint8Array>;
  /** Called in place of `bodyStream` for a request that has no body. */
  noBody(): null;
  /**
   * Reads the whole body in place of `bodyStream`, where that needs no stream; at once where all of it has come. Fails
   * when the client goes.
   */
  readBody?(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;
  /** The response's stream is being read: from now on the client's going is looked for, whatever became of the body. */
  respond(): void;
}

/** The inbox of an `http` scope: `pagi.connection` tells of the disconnect, so `receive` serves the body alone. */
export class HttpInbox implements Inbox {
  readonly #scope: HttpScope;
  readonly #receive: Receive;
  readonly watchesBody = false;
  #body: BodyReader<HttpReceiveEvent> | undefined;
  #abort: AbortController | undefined;

  constructor(scope: HttpScope, receive: Receive) {
    this.#scope = scope;
    this.#receive = receive;
  }

  get #connection(): ConnectionState {
    return this.#scope["pagi.connection"];
  }

  /** The next event of the body; its reader is made for the first, since most requests have no body. */
  #next(): Promise<HttpReceiveEvent> {
    return (this.#body ??= new BodyReader(this.#scope, this.#receive)).next();
  }

  /** Made when first read, for most handlers never look at it. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = (this.#abort = new AbortController());
      this.#connection.onDisconnect((reason) => abort.abort(abortError(reason)));
    }
    return this.#abort.signal;
  }

  get isGone(): boolean {
    return this.#connection.disconnectReason() !== undefined;
  }

  bodyStream(): ReadableStream<Uint8Array> {
    return pulledStream(async (controller) => {
      for (;;) {
        const event = await this.#next();
        if (event.type === "http.disconnect") {
          controller.error(this.signal.reason ?? abortError("the request ended"));
          return;
        }
        if (deliver(controller, event)) return;
      }
    });
  }

  noBody(): null {
    return null;
  }

  readBody(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    const first = this.#next();
    const event = valueAtHand(first);
    const isWhole = !(event instanceof Promise) && event.type === "http.request" && !event.more;
    return isWhole ? joined([event.body]) : this.#readFrom(first);
  }

  async #readFrom(first: Promise<HttpReceiveEvent>): Promise<Uint8Array<ArrayBuffer>> {
    const fragments: Uint8Array[] = [];
    for (let next = first; ; next = this.#next()) {
      const event = await next;
      if (event.type === "http.disconnect") throw this.signal.reason ?? abortError("the request ended");
      if (event.body.byteLength > 0) fragments.push(event.body);
      if (!event.more) return joined(fragments);
    }
  }

  respond(): void {}
}

/**
 * The inbox of an `sse` scope. Only `receive` tells of the disconnect, behind whatever of the request body is
 * unread. So once the response has begun, one event is received ahead of the body's reader, and a body that nobody
 * has taken is dropped: else a client that leaves behind an unread body would never be seen to go.
 */
export class SseInbox implements Inbox {
  readonly #body: BodyReader<SseReceiveEvent>;
  readonly #abort = new AbortController();
  readonly watchesBody = true;
  #stream: ReadableStream<Uint8Array> | undefined;
  #ahead: Promise<SseReceiveEvent> | undefined;
  #responding = false;
  #watching = false;
  #bodyEnded = false;
  #bodyDropped = false;

  constructor(body: BodyReader<SseReceiveEvent>) {
    this.#body = body;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isGone(): boolean {
    return this.#abort.signal.aborted;
  }

  bodyStream(): ReadableStream<Uint8Array> {
    this.#stream = pulledStream(
      async (controller) => {
        for (;;) {
          const { refusal } = this.#body;
          if (refusal !== undefined) {
            controller.error(refusal);
            return;
          }
          if (this.#bodyDropped) {
            controller.error(
              new TypeError("The request body was not read before the response began; it is gone."),
            );
            return;
          }
          const event = await this.#next();
          if (event.type === "sse.disconnect") {
            this.#leave(event.reason);
            controller.error(this.signal.reason);
            return;
          }
          if (!event.more) this.#bodyEnded = true;
          const delivered = deliver(controller, event);
          if (this.#bodyEnded || this.#responding) this.#watch();
          if (delivered) return;
        }
      },
      () => {
        this.#bodyEnded = true;
        this.#watch();
      },
    );
    return this.#stream;
  }

  noBody(): null {
    this.#watch();
    return null;
  }

  respond(): void {
    this.#responding = true;
    // A response may be made of the request's body; its stream takes the body within the turn in which it is read.
    setImmediate(() => this.#watch());
  }

  #watch(): void {
    if (this.#watching || this.signal.aborted) return;
    this.#watching = true;
    this.#lookOut().catch((thrown: unknown) => this.#leave(String(thrown)));
  }

  /** Receives until the client goes, or until the reader of the body has to take an event first. */
  async #lookOut(): Promise<void> {
    for (;;) {
      const ahead = (this.#ahead ??= this.#body.watch());
      const event = await ahead;
      if (event.type === "sse.disconnect") {
        this.#leave(event.reason);
        return;
      }
      if (this.#ahead !== ahead) continue;
      if (!this.#bodyEnded && this.#stream?.locked === true) {
        // Before the reader runs: it starts the look-out again once it has taken the event.
        this.#watching = false;
        return;
      }
      if (!this.#bodyEnded) this.#bodyDropped = true;
      this.#ahead = undefined;
    }
  }

  async #next(): Promise<SseReceiveEvent> {
    const ahead = (this.#ahead ??= this.#body.next());
    const event = await ahead;
    if (this.#ahead === ahead) this.#ahead = undefined;
    return event;
  }

  #leave(reason: string): void {
    this.#abort.abort(abortError(reason));
  }
}

/** The inbox of a `websocket` scope, whose handshake has no body: after its first event only the client's going comes. */
export class HandshakeInbox implements Inbox {
  readonly #receive: () => Promise<WebSocketReceiveEvent>;
  readonly #abort = new AbortController();
  readonly watchesBody = false;
  /** Events that were received here and matter to whoever takes over. */
  readonly #taken: WebSocketReceiveEvent[] = [];
  #next: Promise<WebSocketReceiveEvent>;
  #isHandedOver = false;

  constructor(receive: () => Promise<WebSocketReceiveEvent>) {
    this.#receive = receive;
    this.#next = receive();
    this.#watch().catch(() => {}); // the server refuses to give more once the handshake is answered
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isGone(): boolean {
    return this.#abort.signal.aborted;
  }

  bodyStream(): ReadableStream<Uint8Array> {
    return pulledStream((controller) => Promise.resolve(controller.close()));
  }

  noBody(): null {
    return null;
  }

  respond(): void {}

  /** Somebody else answers the handshake: a `receive` that gives everything, what has come already and what follows. */
  handOver(): () => Promise<WebSocketReceiveEvent> {
    this.#isHandedOver = true;
    let asked: Promise<WebSocketReceiveEvent> | undefined = this.#next;
    return () => {
      const taken = this.#taken.shift();
      if (taken !== undefined) return Promise.resolve(taken);
      const event = asked ?? this.#receive();
      asked = undefined;
      return event;
    };
  }

  async #watch(): Promise<void> {
    for (;;) {
      const event = await this.#next;
      if (this.#isHandedOver) return;
      if (event.type === "websocket.disconnect") {
        this.#abort.abort(abortError(event.reason));
        return;
      }
      this.#taken.push(event);
      this.#next = this.#receive();
    }
  }
}

type Fragments = ReadableStreamDefaultController<Uint8Array>;

/** A stream that asks for nothing until it is read. */
function pulledStream(
  pull: (controller: Fragments) => Promise<void>,
  cancel: () => void = () => {},
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 });
}

/** Gives a fragment to the stream; true when the reader has got something, be it the end. */
function deliver(controller: Fragments, event: { body: Uint8Array; more: boolean }): boolean {
  if (event.body.byteLength > 0) controller.enqueue(event.body);
  if (!event.more) controller.close();
  return event.body.byteLength > 0 || !event.more;
}

/** All fragments in one piece. The only one of most bodies is not copied where it is all of its buffer. */
function joined(fragments: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [first] = fragments;
  if (fragments.length === 1 && first !== undefined && isOwn(first)) return first;
  let length = 0;
  for (const fragment of fragments) length += fragment.byteLength;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const fragment of fragments) {
    whole.set(fragment, at);
    at += fragment.byteLength;
  }
  return whole;
}

function isOwn(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.constructor === Uint8Array && bytes.buffer instanceof ArrayBuffer;
}

/** What Bun's own server aborts with, and the reason in words. */
function abortError(reason: string): DOMException {
  return new DOMException(`The client has gone (${reason}).`, "AbortError");
}
