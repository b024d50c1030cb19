import type { IncomingMessage, ServerResponse } from "node:http";

import type { Receive } from "../../src/spec/application.ts";
import type { HttpScope, SseScope } from "../../src/spec/scope.ts";
import type { HeaderPair } from "../../src/spec/values.ts";
import { bodyFraming, requestHead, mountKeys } from "./request-head.ts";
import type { BodyFraming } from "./request-head.ts";
import { announcesLength, withLength } from "./announced-length.ts";
import { isAboutTheClient } from "./client-errors.ts";
import type { Written } from "./exchange-socket.ts";
import { RequestEvents, type BodyUser } from "./request-events.ts";
import { ResponseDelivery } from "./response-delivery.ts";
import type { ResponseEvents } from "./response-events.ts";
import { ResponseReader } from "./response-reader.ts";
import type { ResponsePart } from "./response-reader.ts";
import { RequestSocket } from "./socket.ts";

/**
 * One request as a connection of its own to `node:http`, in memory: the scope is what can be read from it, and what is
 * written to it becomes events. To the listener it is `request.socket`, with the address of the client.
 */
export class RequestConnection extends RequestSocket implements BodyUser {
  readonly #events: RequestEvents;
  readonly #delivery: ResponseDelivery;
  readonly #framing: BodyFraming;
  readonly #reader: ResponseReader;
  readonly #outcome = Promise.withResolvers<void>();
  #request: IncomingMessage | undefined;
  #response: ServerResponse | undefined;
  /** Trailers by `response.addTrailers`, which Bun 1.4.5 writes to sockets of its own only. */
  #trailers: HeaderPair[] = [];
  #heldHead: string | undefined;
  /** Resolves when everything that was written so far has been delivered. */
  #sent = Promise.resolve();
  #isFeeding = false;
  #isAskedAgain = false;
  isBodyWanted = false;
  isBodyOver: boolean;
  #isGone = false;
  /** Bytes of the body that are still to come. */
  #left: number;

  constructor(scope: HttpScope | SseScope, receive: Receive, events: ResponseEvents) {
    super(scope);
    this.#events = new RequestEvents(scope, receive);
    this.#delivery = new ResponseDelivery(scope, events);
    this.#framing = bodyFraming(scope);
    this.#left = this.#framing.type === "length" ? this.#framing.length : 0;
    this.isBodyOver = this.#framing.type === "none" || (this.#framing.type === "length" && this.#left === 0);
    this.#reader = new ResponseReader(scope.method);
    this.on("close", () => void this.#onClose());
  }

  // ── the life of the request ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Lets `node:http` read the head. Resolves once the response is complete or the client has gone.
   *
   * @throws what the listener throws, and an Error when it destroys the connection before the response is complete.
   */
  run(): Promise<void> {
    if (this.scope.type === "http") this.scope["pagi.connection"].onDisconnect(() => this.leave());
    else if (this.isBodyOver) this.#events.watch(this);
    this.#pushRead(requestHead(this.scope, this.#framing));
    return this.#outcome.promise;
  }

  /** `node:http` has read the head: from now on the body is received as the listener reads it. */
  accept(request: IncomingMessage, response: ServerResponse): void {
    this.#request = request;
    this.#response = response;
    Object.assign(request, mountKeys(this.scope));
    const read = request._read.bind(request);
    request._read = (size) => {
      read(size);
      void this.#feed();
    };
    response.addTrailers = (trailers) => {
      const pairs = Array.isArray(trailers) ? trailers : Object.entries(trailers);
      for (const [name, value] of pairs) this.#trailers.push([String(name).toLowerCase(), String(value)]);
    };
    checkChunks(response);
    // The listener has written everything; `end()` takes effect after the bytes that are still in the stream.
    response.once("finish", () => {
      if (!this.#reader.isOver) this.end();
    });
    this.on("timeout", () => {
      const heard = [
        !request.complete && request.emit("timeout", this),
        response.emit("timeout", this),
        this.server?.emit("timeout", this),
      ];
      if (!heard.includes(true))
        this.fail(
          new Error("The timeout set by setTimeout() has passed, and nothing listens for 'timeout'."),
        );
    });
  }

  /**
   * The listener has thrown. Behind the end of its request nobody waits for that: it is a rejection that nobody handles,
   * as it is elsewhere, unless it only passes on that the client has gone.
   */
  fail(error: unknown): void {
    const isWritten = this.#reader.isOver || this.#response?.writableEnded === true;
    if (isWritten || (this.#isGone && !isAboutTheClient(error))) void Promise.reject(error);
    if (!isWritten) this.#abort(error);
  }

  /** The response cannot be completed. */
  #abort(error: unknown): void {
    this.#outcome.reject(error);
    this.destroy();
  }

  override _read(): void {}

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: () => void): void {
    this.#take([{ chunk, encoding }], callback);
  }

  override _writev(chunks: readonly Written[], callback: () => void): void {
    this.#take(chunks, callback);
  }

  #take(chunks: readonly Written[], callback: () => void): void {
    if (this.#holdsHead(chunks)) {
      // Later, so that what the listener writes next comes in one piece.
      queueMicrotask(callback);
      setImmediate(() => this.#releaseHead());
      return;
    }
    const parts: ResponsePart[] = [];
    try {
      for (const { chunk, encoding } of [...this.#takeHeldHead(chunks), ...chunks]) {
        const isText = typeof chunk === "string";
        this.countWritten(isText ? Buffer.byteLength(chunk, encoding) : chunk.byteLength);
        parts.push(...(isText ? this.#reader.takeText(chunk, encoding) : this.#reader.take(chunk)));
      }
    } catch (error) {
      this.#abort(error);
      return callback();
    }
    if (parts.length === 0) return callback();
    this.#send(parts).then(callback);
  }

  /** A head that announces a length waits for the rest of the turn, which may bring all of the body. */
  #holdsHead(chunks: readonly Written[]): boolean {
    const [head, ...others] = chunks;
    if (head === undefined || others.length > 0 || !this.#reader.isAtHead || this.#heldHead !== undefined)
      return false;
    const text = typeof head.chunk === "string" ? head.chunk : Buffer.from(head.chunk).toString("latin1");
    if (!announcesLength(text, this.scope.method)) return false;
    this.#heldHead = text;
    return true;
  }

  /** Where the listener has ended its response, these chunks are its body, and their length is the true one. */
  #takeHeldHead(body: readonly Written[]): Written[] {
    const head = this.#heldHead;
    if (head === undefined) return [];
    this.#heldHead = undefined;
    const isWhole = body.length > 0 && this.#response?.writableEnded === true;
    return [{ chunk: isWhole ? withLength(head, byteLength(body)) : head, encoding: "latin1" }];
  }

  #releaseHead(): void {
    if (this.#heldHead !== undefined) this.#take([], () => {});
  }

  /** Delivers these parts after the earlier ones. */
  #send(parts: ResponsePart[]): Promise<void> {
    this.#sent = this.#sent.then(() => this.#deliver(parts)).catch((error: unknown) => this.#abort(error));
    return this.#sent;
  }

  /** The listener has finished its response, or has ended the socket. */
  override _final(callback: () => void): void {
    this.#releaseHead();
    let parts: ResponsePart[];
    try {
      parts = this.#reader.end();
    } catch (error) {
      this.#abort(error);
      return callback();
    }
    this.#send(parts).then(() => {
      if (!this.#reader.isOver) this.destroy();
      callback();
    });
  }

  /** Sends what was written before, as a kernel would; the stream alone would drop it. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const rest: unknown = Reflect.get(this, "writableBuffer");
    if (!this.#isGone) {
      if (Array.isArray(rest)) this.#take(rest, () => {});
      this.#releaseHead();
    }
    super._destroy(error, callback);
  }

  async #deliver(parts: ResponsePart[]): Promise<void> {
    const { isStarted } = this.#delivery;
    await this.#delivery.deliver(parts, () => this.#trailers);
    if (this.#delivery.isOver) this.#complete();
    else if (this.scope.type === "sse" && !isStarted && this.#delivery.isStarted) this.#events.watch(this);
  }

  #complete(): void {
    this.#dumpRequest();
    const { surplus } = this.#reader;
    if (surplus > 0)
      this.#outcome.reject(
        new Error(
          `The response was longer than its content-length: at least ${surplus} bytes were not sent.`,
        ),
      );
    this.#outcome.resolve();
    // The listener may still be told that its response is finished; then nobody needs the connection any more.
    const response = this.#response;
    if (response === undefined || response.writableFinished || response.destroyed)
      setImmediate(() => this.destroy());
    else
      response.once("close", () => this.destroy()).once("finish", () => setImmediate(() => this.destroy()));
  }

  /** The client has gone: `node:http` tells the listener by `close`, and by `aborted` and `error` on the request. */
  leave(): void {
    this.#isGone = true;
    this.destroy();
  }

  async #onClose(): Promise<void> {
    if (this.#isGone) return this.#outcome.resolve();
    await this.#sent;
    const what = this.#delivery.isStarted ? "before the response was complete" : "without a response";
    this.#outcome.reject(
      new Error(`The listener destroyed the connection of ${this.scope.method} ${this.scope.path} ${what}.`),
    );
  }

  // ── the body of the request ────────────────────────────────────────────────────────────────────────────────────

  /** Gives `node:http` the next fragment; it asks again when the listener has room for one. */
  async #feed(): Promise<void> {
    this.isBodyWanted = true;
    // A listener that takes a fragment at once asks for the next one while this one is being pushed.
    this.#isAskedAgain = this.#isFeeding;
    if (this.#isFeeding || this.isBodyOver || this.destroyed) return;
    this.#isFeeding = true;
    try {
      for (let isFed = false; (!isFed || this.#wantsMore) && !this.isBodyOver && !this.destroyed;) {
        this.#isAskedAgain = false;
        const event = await this.#events.next();
        this.#events.take();
        if (event.type === "http.disconnect" || event.type === "sse.disconnect") return this.leave();
        isFed = this.#pushBody(event.body, event.more);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#isFeeding = false;
    }
    if (this.scope.type === "sse" && (this.isBodyOver || this.#delivery.isStarted)) this.#events.watch(this);
  }

  /** Bun 1.4.5 does not ask again for a listener that takes every fragment at once, as `pipe` does and `on("data")`. */
  get #wantsMore(): boolean {
    const request = this.#request;
    if (this.#isAskedAgain || request === undefined) return this.#isAskedAgain;
    const { readableFlowing, readableLength, readableHighWaterMark } = request;
    return readableFlowing === true && readableLength < readableHighWaterMark && this.readableLength === 0;
  }

  #pushBody(bytes: Uint8Array, more: boolean): boolean {
    this.isBodyOver = !more;
    if (this.destroyed) return true;
    if (this.#framing.type === "length") {
      this.#left -= bytes.byteLength;
      // Another length than announced would be read as another request.
      if (this.#left < 0 || (!more && this.#left > 0)) {
        this.fail(new Error("The request body is not as long as its content-length says."));
        return true;
      }
      if (bytes.byteLength > 0) this.#pushRead(bytes);
    } else {
      if (bytes.byteLength > 0) {
        this.#pushRead(Buffer.from(`${bytes.byteLength.toString(16)}\r\n`));
        this.#pushRead(bytes);
        this.#pushRead(Buffer.from("\r\n"));
      }
      if (!more) this.#pushRead(Buffer.from("0\r\n\r\n"));
    }
    return bytes.byteLength > 0 || !more;
  }

  #pushRead(bytes: Uint8Array): void {
    this.countRead(bytes.byteLength);
    this.push(bytes);
  }

  /** Ends a request whose body nobody has read, as `node:http` does; the rest is not received. */
  #dumpRequest(): void {
    const request = this.#request;
    if (this.isBodyOver || this.isBodyWanted || request === undefined) return;
    this.isBodyOver = true;
    request.complete = true;
    request.push(null);
    request.resume();
  }

  dropBody(): void {
    this.isBodyOver = true;
  }
}

/** Bytes. */
function byteLength(chunks: readonly Written[]): number {
  return chunks.reduce(
    (sum, { chunk, encoding }) =>
      sum + (typeof chunk === "string" ? Buffer.byteLength(chunk, encoding) : chunk.byteLength),
    0,
  );
}

/**
 * Makes `write` and `end` reject chunks that they cannot send, as they do elsewhere. On a stream, Bun 1.4.5 drops such
 * a chunk silently.
 */
function checkChunks(response: ServerResponse): void {
  Object.assign(response, { write: checked(response.write), end: checked(response.end) });
}

function checked(send: (this: ServerResponse, ...given: never[]) => unknown) {
  return function (this: ServerResponse, ...given: unknown[]): unknown {
    const [chunk] = given;
    if (isSendable(chunk)) return Reflect.apply(send, this, given);
    const message = `The "chunk" argument must be of type string or an instance of Buffer or Uint8Array. Received ${typeof chunk}`;
    throw Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
  };
}

/** A callback may take the chunk's place. */
function isSendable(chunk: unknown): boolean {
  return chunk == null || ["string", "function"].includes(typeof chunk) || chunk instanceof Uint8Array;
}
