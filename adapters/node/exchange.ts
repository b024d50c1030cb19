import type { ServerResponse } from "node:http";

import type { Receive } from "../../src/spec/application.ts";
import type { HttpReceiveEvent, SseReceiveEvent } from "../../src/spec/events.ts";
import type { HttpScope, SseScope } from "../../src/spec/scope.ts";
import type { HeaderPair, Headers } from "../../src/spec/values.ts";
import { isAboutTheClient } from "./client-errors.ts";
import { ExchangeSocket, type SocketOwner, type Written } from "./exchange-socket.ts";
import type { Listener } from "./node-application.ts";
import type { BunRequest, Internals } from "./internals.ts";
import { RequestEvents, type BodyUser } from "./request-events.ts";
import { assertReadable, bodyFraming, mountKeys, requestHead, requestTarget } from "./request-head.ts";
import type { BodyFraming } from "./request-head.ts";
import { byteLength, ResponseDelivery, type DeliveryOwner } from "./response-delivery.ts";
import type { ResponseEvents } from "./response-events.ts";
import { MARK, responseFields } from "./response-fields.ts";
import { interimAtEnd, ResponseReader, type ResponsePart } from "./response-reader.ts";

type Head = Extract<ResponsePart, { type: "head" }>;
type OnData = (chunk: Uint8Array | undefined, isLast: boolean, aborted: number) => void;

/** How much of a response may wait to be sent before `write` answers false. */
const HIGH_WATER = 65536;

// What Bun's native server says in numbers (src/js/internal/http.ts).
const CLOSES = 4;
const CHUNKED = 16;
const BODY_PENDING = 2;
const BODY_DONE = 4;
const SOCKET_CLOSED = 1;
const REQUEST_COMPLETED = 2;
const ENDED = 4;
/** Values of {@link MARK}. */
const NO_BODY = "2";
const UNTIL_CLOSE = "1";

/**
 * One request and its response as the native side of Bun's own `IncomingMessage` and `ServerResponse`: what they ask of
 * the native server, which is the second half of this class, is answered from the scope, and what they write becomes events.
 */
export class Exchange implements SocketOwner, BodyUser, DeliveryOwner {
  readonly #scope: HttpScope | SseScope;
  readonly #events: RequestEvents;
  readonly #framing: BodyFraming;
  readonly #delivery: ResponseDelivery;
  readonly #socket: ExchangeSocket;
  readonly #request: BunRequest;
  readonly #response: ServerResponse;

  // the response
  #parts: ResponsePart[] = [];
  /** It has been written and is not yet a part. */
  #head: Head | undefined;
  /** Neither a body in chunks nor one up to the end of the connection may get a length instead. */
  #isFramed = false;
  #hasBody = true;
  /** The head waits for the rest of the turn, which may bring all of the body. */
  #held: Head | undefined;
  #trailers: HeaderPair[] = [];
  #interimStatus = 0;
  #raw: ResponseReader | undefined;
  #isWritten = false;
  /** Bytes that were written and not yet sent. */
  #pending = 0;
  #waiting: (() => void)[] = [];
  #isSending = true;
  /** Nothing more is sent. */
  #isCut = false;

  // the request
  #isGone = false;
  #isFeeding = false;
  #left: number;
  isBodyWanted = false;
  isBodyOver: boolean;

  #outcome: PromiseWithResolvers<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /**
   * @throws TypeError for a scope that no request can be made of, which a server that checks requests never makes.
   */
  constructor(scope: HttpScope | SseScope, receive: Receive, events: ResponseEvents, internals: Internals) {
    assertReadable(scope);
    this.#scope = scope;
    this.#events = new RequestEvents(scope, receive);
    this.#framing = bodyFraming(scope);
    this.#left = this.#framing.type === "length" ? this.#framing.length : Infinity;
    this.isBodyOver = this.#framing.type === "none" || this.#left === 0;
    this.#delivery = new ResponseDelivery(scope, events, this);
    const socket = (this.#socket = ExchangeSocket.make(scope, this, internals.handle));
    const isOld = scope.http_version === "1.0";
    const request = internals.request(
      requestTarget(scope),
      scope.method,
      this,
      !this.isBodyOver,
      socket,
      !isOld && !asksToClose(scope),
    );
    if (isOld) Object.assign(request, { httpVersion: "1.0", httpVersionMinor: 0 });
    if (scope.root_path) Object.assign(request, mountKeys(scope));
    const response = internals.response(request, this);
    socket._httpMessage = response;
    // Not assignSocket(), which would make a stream of the socket to listen to it.
    Reflect.set(response, "socket", socket);
    this.#request = request;
    this.#response = response;
  }

  // ── the life of the request ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Calls the listener. Resolves once the response is complete or the client has disconnected.
   *
   * @throws what the listener throws, and an Error when it destroys the connection before the response is complete.
   */
  async run(listener: Listener): Promise<void> {
    const scope = this.#scope;
    try {
      const returned = listener(this.#request, this.#response);
      if (returned instanceof Promise) returned.catch((error: unknown) => this.fail(error));
    } catch (error) {
      this.fail(error);
    }
    if (this.isBodyOver) this.#request.complete = true;
    if (this.#isWritten || this.#failure !== undefined) {
      if (this.#failure === undefined) await this.#deliver();
      return this.#throwFailure();
    }
    this.#outcome = Promise.withResolvers();
    if (scope.type === "http") scope["pagi.connection"].onDisconnect(() => this.leave());
    else if (this.isBodyOver) this.#events.watch(this);
    this.#isSending = false;
    this.#send();
    await this.#outcome.promise;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * The listener has thrown. Behind the end of its request nobody waits for that: it is a rejection that nobody handles,
   * as it is elsewhere, unless it only passes on that the client has disconnected.
   */
  fail(error: unknown): void {
    if (this.#isWritten || (this.#isGone && !isAboutTheClient(error))) void Promise.reject(error);
    if (!this.#isWritten) this.#abort(error);
  }

  /** The response cannot be completed. */
  #abort(error: unknown): void {
    this.#isCut = true;
    this.#failure ??= { error };
    this.#outcome?.reject(error);
    this.#socket.destroy();
  }

  /** The client has disconnected. */
  leave(): void {
    if (this.#delivery.isOver) return;
    this.#isGone = true;
    this.#isCut = true;
    this.#socket.destroy();
    this.#outcome?.resolve();
  }

  onAwake(): void {
    const [socket, request, response] = [this.#socket, this.#request, this.#response];
    socket.on("timeout", () => {
      const heard = [
        !request.complete && request.emit("timeout", socket),
        response.emit("timeout", socket),
        socket.server?.emit("timeout", socket),
      ];
      if (!heard.includes(true))
        this.fail(
          new Error("The timeout set by setTimeout() has passed, and nothing listens for 'timeout'."),
        );
    });
    if (this.finished) setImmediate(() => socket.destroy());
  }

  /** By the listener, or because the client has disconnected. */
  onSocketDestroyed(): void {
    if ((this.flags & SOCKET_CLOSED) !== 0) return;
    this.flags |= SOCKET_CLOSED;
    this.aborted = true;
    const [request, response] = [this.#request, this.#response];
    if (!request.destroyed && !request.readableEnded) {
      const error = Object.assign(new Error("aborted"), { code: "ECONNRESET" });
      request.destroy(request.listenerCount("error") > 0 ? error : undefined);
    }
    process.nextTick(() => closeResponse(response));
    if (this.#isCut || this.#isWritten) return;
    const { method, path } = this.#scope;
    const what =
      this.#delivery.isStarted || this.#hasBegun ? "before the response was complete" : "without a response";
    this.#failure ??= {
      error: new Error(`The listener destroyed the connection of ${method} ${path} ${what}.`),
    };
    // What was written before is sent first, as a kernel would.
    this.#sendHead();
    this.#release();
    this.#push({ type: "failure", error: this.#failure.error });
  }

  // ── sending the response ───────────────────────────────────────────────────────────────────────────────────────

  #push(part: ResponsePart): void {
    this.#parts.push(part);
    if (!this.#isSending && this.#held === undefined) this.#send();
  }

  #send(): void {
    if (this.#parts.length === 0 || this.#held !== undefined) return;
    this.#isSending = true;
    void this.#deliver();
  }

  /** Never throws: what goes wrong is the outcome. */
  async #deliver(): Promise<void> {
    const isFirst = !this.#delivery.isStarted;
    try {
      await this.#delivery.deliver(this.#parts, () => this.#trailers);
    } catch (error) {
      if (!this.#isCut) this.#abort(error);
      return;
    } finally {
      this.#isSending = this.#outcome === undefined;
    }
    if (this.#delivery.isOver) this.#complete();
    else if (isFirst && this.#scope.type === "sse" && this.#delivery.isStarted) this.#events.watch(this);
  }

  /** A piece of the body has been sent. */
  onSent(bytes: Uint8Array | string): void {
    this.#pending -= byteLength(bytes);
    if (this.#pending === 0) this.#drain();
  }

  #drain(): void {
    const { onwritable } = this;
    this.onwritable = undefined;
    onwritable?.();
    for (const callback of this.#waiting.splice(0)) callback();
  }

  #complete(): void {
    this.finished = true;
    this.#pending = 0;
    this.#drain();
    this.flags |= REQUEST_COMPLETED;
    this.#dumpRequest();
    const { surplus } = this.#delivery;
    const bytes = surplus > 0 ? surplus : (this.#raw?.surplus ?? 0);
    if (bytes > 0) {
      const error = new Error(
        `The response was longer than its content-length: at least ${bytes} bytes were not sent.`,
      );
      this.#failure ??= { error };
      this.#outcome?.reject(error);
    }
    this.#outcome?.resolve();
    const socket = this.#socket;
    if (socket.isAwake) setImmediate(() => socket.destroy());
  }

  get #hasBegun(): boolean {
    return this.#head !== undefined || this.#held !== undefined || this.#parts.length > 0;
  }

  /** The head becomes a part. One that announces a length waits for the rest of the turn. */
  #sendHead(): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = undefined;
    if (head.length !== undefined && this.#hasBody) {
      this.#held = head;
      setImmediate(() => this.#release());
    }
    this.#push(head);
  }

  /** @param length that the body really has, where all of it is there. */
  #release(length?: number): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    if (length !== undefined) setLength(held, length);
    if (!this.#isSending) this.#send();
  }

  // ── the body of the request ────────────────────────────────────────────────────────────────────────────────────

  #feed(): void {
    this.isBodyWanted = true;
    if (this.#isFeeding || this.isBodyOver || (this.flags & SOCKET_CLOSED) !== 0) return;
    this.#isFeeding = true;
    this.#events.next().then(
      (event) => this.#onEvent(event),
      (error: unknown) => {
        this.#isFeeding = false;
        this.fail(error);
      },
    );
  }

  #onEvent(event: HttpReceiveEvent | SseReceiveEvent): void {
    this.#events.take();
    this.#isFeeding = false;
    if (event.type === "http.disconnect" || event.type === "sse.disconnect") return this.leave();
    if (this.isBodyOver) return;
    const { body, more } = event;
    this.isBodyOver = !more;
    this.#left -= body.byteLength;
    if (this.#left < 0 || (!more && this.#left > 0 && this.#left !== Infinity))
      return this.fail(new Error("The request body is not as long as its content-length says."));
    this.#socket.countBody(body.byteLength);
    this.ondata?.(body.byteLength > 0 ? body : undefined, !more, 0);
    if (body.byteLength === 0) this.#feed();
    if (this.#scope.type === "sse" && (this.isBodyOver || this.#delivery.isStarted)) this.#events.watch(this);
  }

  dropBody(): void {
    this.isBodyOver = true;
  }

  /** Ends a request whose body nobody has read, as Bun does; the rest is not received. */
  #dumpRequest(): void {
    const request = this.#request;
    if (this.isBodyWanted || request._consuming || request._readableState.resumeScheduled) return;
    // Nobody listens: nothing has to be emitted.
    if (this.isBodyOver && request._eventsCount === 0) request._dumpAndCloseReadable();
    else request._dump();
    if (this.isBodyOver) return;
    this.isBodyOver = true;
    this.ondata?.(undefined, true, 0);
  }

  // ── what was written to the socket itself ──────────────────────────────────────────────────────────────────────

  takeRaw(chunks: readonly Written[], callback: () => void): void {
    if (this.#raw === undefined && (this.#hasBegun || this.#delivery.isStarted)) {
      if (!this.#isWritten)
        this.#abort(new Error("The listener wrote to the socket in the middle of its response."));
      return callback();
    }
    const reader = (this.#raw ??= new ResponseReader(this.#scope.method));
    const parts: ResponsePart[] = [];
    try {
      for (const { chunk, encoding } of chunks) {
        const isText = typeof chunk === "string";
        this.#socket.touch(isText ? Buffer.byteLength(chunk, encoding) : chunk.byteLength);
        parts.push(...(isText ? reader.takeText(chunk, encoding) : reader.take(chunk)));
      }
    } catch (error) {
      this.#abort(error);
      return callback();
    }
    this.#pushRaw(parts);
    if (this.#pending < HIGH_WATER) callback();
    else this.#waiting.push(callback);
  }

  endRaw(callback: () => void): void {
    try {
      if (this.#raw !== undefined) this.#pushRaw(this.#raw.end());
    } catch (error) {
      this.#abort(error);
    }
    callback();
    if (!this.#isWritten) this.#socket.destroy();
  }

  #pushRaw(parts: readonly ResponsePart[]): void {
    if (this.#raw?.isOver === true) this.#isWritten = true;
    for (const part of parts) {
      if (part.type === "body") this.#pending += byteLength(part.bytes);
      this.#push(part);
    }
  }

  // ── what IncomingMessage asks of the native server ─────────────────────────────────────────────────────────────

  ondata: OnData | undefined = undefined;
  onabort: unknown = undefined;
  flags = 0;
  aborted = false;
  readonly upgraded = false;
  readonly finSent = false;

  get headLength(): number {
    return requestHead(this.#scope, this.#framing).byteLength;
  }

  /** Bun reads this in `_read`, when the listener wants more of the body. */
  get hasBody(): number {
    if (this.isBodyOver) return BODY_DONE;
    this.#feed();
    return BODY_PENDING;
  }

  /** `request.headers` where no field is repeated; undefined makes Bun join them by its own rules. */
  headersObject(): Record<string, string> | undefined {
    const made: Record<string, string> = {};
    for (const [name, value] of this.#requestFields()) {
      if (made[name] !== undefined || name === "set-cookie") return undefined;
      made[name] = value;
    }
    return made;
  }

  takeRawHeaders(): string[] {
    return [...this.#requestFields()].flat();
  }

  /** Those of the scope; only what frames the body is ours. */
  #requestFields(): Headers {
    const { headers, http_version: version } = this.#scope;
    const isChunked = this.#framing.type === "chunked";
    const others = isChunked
      ? headers.filter(([name]) => name !== "transfer-encoding" && name !== "content-length")
      : headers;
    const hasHost = version === "1.0" || headers.some(([name]) => name === "host");
    if (hasHost && !isChunked) return headers;
    return [
      ...others,
      ...(hasHost ? [] : [["host", ""] satisfies HeaderPair]),
      ...(isChunked ? [["transfer-encoding", "chunked"] satisfies HeaderPair] : []),
    ];
  }

  /** PAGI has none. */
  takeRequestTrailers(): undefined {}
  notifyWhenReadParsed(): void {}
  pause(): void {}
  resume(): void {}
  pauseReads(): void {}
  stopParsing(): void {}
  ref(): void {}
  unref(): void {}

  // ── what ServerResponse asks of the native server ──────────────────────────────────────────────────────────────

  onwritable: (() => void) | undefined = undefined;
  /** The response has been sent. */
  finished = false;

  /** As in a kernel's buffer: what fits is out of sight. */
  get bufferedAmount(): number {
    return this.#pending < HIGH_WATER ? 0 : this.#pending;
  }

  cork(write: () => void): void {
    write();
  }

  writeHead(status: number, _phrase: string | undefined, flat: readonly string[], auto: number): void {
    let isFramed = (auto & CHUNKED) !== 0;
    let isUntilClose = false;
    for (let at = 0; at < flat.length; at += 2) {
      if (flat[at] !== MARK) continue;
      if (flat[at + 1] === NO_BODY) this.#hasBody = false;
      if (flat[at + 1] === UNTIL_CLOSE) isUntilClose = true;
    }
    const { headers, length, isChunked, closes } = responseFields(flat);
    if (status < 200) {
      this.#interimStatus = status;
      return this.#push({ type: "interim", status, headers });
    }
    this.#interimStatus = 0;
    if (this.#scope.method === "HEAD") this.#hasBody = false;
    isFramed ||= isUntilClose || isChunked;
    this.#isFramed = isFramed;
    const head: Head = {
      type: "head",
      status,
      headers,
      mayHaveTrailers: this.#hasBody && length === undefined && !isUntilClose,
      closes: closes || (auto & CLOSES) !== 0,
    };
    if (length !== undefined && this.#hasBody && !isChunked) head.length = length;
    this.#head = head;
  }

  /** @returns the length of the body, or where it has to wait, minus that and one less. */
  writeHeadAndEnd(
    status: number,
    phrase: string | undefined,
    flat: readonly string[],
    chunk: unknown,
    encoding: BufferEncoding | undefined,
    _isStrict: unknown,
    auto: number,
  ): number {
    const bytes = bytesOf(chunk, encoding);
    this.writeHead(status, phrase, flat, auto);
    return this.#end(bytes);
  }

  /** @returns the length, or minus that where the listener has to wait for `onWritable`. */
  write(chunk: unknown, encoding: BufferEncoding | undefined, onWritable?: () => void): number {
    const bytes = bytesOf(chunk, encoding);
    const size = byteLength(bytes);
    this.#sendHead();
    if (size === 0) return 0;
    this.#pending += size;
    this.#socket.touch(size);
    this.#push({ type: "body", bytes });
    if (this.#pending < HIGH_WATER) return size;
    this.onwritable ??= onWritable;
    return -size;
  }

  end(chunk: unknown, encoding: BufferEncoding | undefined): number {
    return this.#end(bytesOf(chunk, encoding));
  }

  #end(bytes: Uint8Array | string): number {
    const size = byteLength(bytes);
    this.#isWritten = true;
    this.flags |= ENDED;
    if (this.#interimStatus !== 0) return this.#endInterim();
    const head = this.#head;
    this.#head = undefined;
    if (head !== undefined) {
      if (this.#hasBody && (head.length !== undefined || !(this.#isFramed || this.#trailers.length > 0)))
        setLength(head, size);
      this.#parts.push(head);
    } else if (this.#held !== undefined) this.#release(this.#total() + size);
    if (size > 0) {
      this.#pending += size;
      this.#socket.touch(size);
      this.#parts.push({ type: "body", bytes });
    }
    this.#push({ type: "end", trailers: [] });
    this.finished = this.#pending < HIGH_WATER;
    return this.finished ? size : -size - 1;
  }

  /** Bytes of the body that wait behind the held head. */
  #total(): number {
    return this.#parts.reduce((sum, part) => sum + (part.type === "body" ? byteLength(part.bytes) : 0), 0);
  }

  #endInterim(): number {
    if (this.#interimStatus === 101) return 0;
    this.#isWritten = false;
    this.#push({ type: "failure", error: interimAtEnd(this.#interimStatus) });
    return 0;
  }

  flushHeaders(): void {
    this.#sendHead();
  }

  writeContinue(): void {
    this.#push({ type: "interim", status: 100, headers: [] });
  }

  /** @param text the head of an interim response. */
  writeInformational(text: string, encoding: BufferEncoding): void {
    for (const part of new ResponseReader(this.#scope.method).takeText(text, encoding)) this.#push(part);
  }

  getBytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  /** @param text the trailer section. */
  setResponseTrailers(text: string): void {
    for (const line of text.split("\r\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) this.#trailers.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
    }
  }

  abort(): void {
    this.#socket.destroy();
  }
}

function setLength(head: Head, length: number): void {
  // It is true: nobody has to count.
  delete head.length;
  const at = head.headers.findIndex(([name]) => name === "content-length");
  if (at < 0) head.headers.push(["content-length", String(length)]);
  else head.headers[at] = ["content-length", String(length)];
  head.mayHaveTrailers = false;
}

function asksToClose({ headers }: HttpScope | SseScope): boolean {
  return headers.some(([name, value]) => name === "connection" && /(?:^|\W)close(?:$|\W)/i.test(value));
}

/** As Bun does it where it says that a response has closed. */
function closeResponse(response: ServerResponse): void {
  if (response.closed) return;
  Object.assign(response, { destroyed: true, _closed: true });
  response.emit("close");
}

/** @throws TypeError as `write` does elsewhere. */
function bytesOf(chunk: unknown, encoding: BufferEncoding | undefined): Uint8Array | string {
  if (chunk === undefined || chunk === null) return "";
  if (typeof chunk === "string") {
    const isUtf8 = encoding === undefined || encoding === null || encoding === "utf8" || encoding === "utf-8";
    return isUtf8 ? chunk : Buffer.from(chunk, encoding);
  }
  if (chunk instanceof Uint8Array) return chunk;
  const message = `The "chunk" argument must be of type string or an instance of Buffer or Uint8Array. Received ${typeof chunk}`;
  throw Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
}
