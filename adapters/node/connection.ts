import type { IncomingMessage, ServerResponse } from "node:http";
import { Duplex } from "node:stream";

import type { HttpReceiveEvent, SseReceiveEvent } from "../../src/spec/events.ts";
import type { HttpScope, SseScope } from "../../src/spec/scope.ts";
import type { HeaderPair, Headers } from "../../src/spec/values.ts";
import { BodyReader } from "../../src/toolkit/request/body-reader.ts";
import { bodyFraming, requestHead } from "./request-head.ts";
import type { BodyFraming } from "./request-head.ts";
import { ResponseReader } from "./response-reader.ts";
import type { ResponsePart } from "./response-reader.ts";

/** The events that carry a response: those of an `http` scope, or those that decline an `sse` scope. */
export interface ResponseEvents {
  start(status: number, headers: Headers, trailers: boolean): Promise<void>;
  body(bytes: Uint8Array | string, more: boolean): Promise<void>;
  /** Absent where no event can. */
  trailers?(headers: Headers): Promise<void>;
}

type Receive = () => Promise<HttpReceiveEvent | SseReceiveEvent>;

/**
 * One request as a connection of its own to `node:http`, in memory: the scope is what can be read from it, and what is
 * written to it becomes events. To the listener it is `request.socket`, with the address of the client.
 */
export class RequestConnection extends Duplex {
  readonly scope: HttpScope | SseScope;
  readonly #body: BodyReader<HttpReceiveEvent | SseReceiveEvent>;
  readonly #events: ResponseEvents;
  readonly #framing: BodyFraming;
  readonly #reader: ResponseReader;
  readonly #outcome = Promise.withResolvers<void>();
  #request: IncomingMessage | undefined;
  #response: ServerResponse | undefined;
  /** Trailers by `response.addTrailers`, which Bun 1.4.5 writes to sockets of its own only. */
  #trailers: HeaderPair[] = [];
  #isStarted = false;
  #hasTrailers = false;
  /** An event that was received before anybody wanted it, to see the client of an `sse` scope go. */
  #ahead: Promise<HttpReceiveEvent | SseReceiveEvent> | undefined;
  #isFeeding = false;
  #isAskedAgain = false;
  #isBodyWanted = false;
  #isBodyOver: boolean;
  #isGone = false;
  /** Bytes of the body that are still to come. */
  #left: number;

  constructor(scope: HttpScope | SseScope, receive: Receive, events: ResponseEvents) {
    super({ decodeStrings: false });
    this.scope = scope;
    this.#body = new BodyReader(scope, receive);
    this.#events = events;
    this.#framing = bodyFraming(scope);
    this.#left = this.#framing.type === "length" ? this.#framing.length : 0;
    this.#isBodyOver = this.#framing.type === "none" || (this.#framing.type === "length" && this.#left === 0);
    this.#reader = new ResponseReader(scope.method);
    this.on("close", () => this.#onClose());
  }

  // ── what a listener may ask of a socket ────────────────────────────────────────────────────────────────────────

  get remoteAddress(): string | undefined {
    return this.scope.client?.[0];
  }
  get remotePort(): number | undefined {
    return this.scope.client?.[1];
  }
  get remoteFamily(): "IPv4" | "IPv6" | undefined {
    return familyOf(this.remoteAddress);
  }
  get localAddress(): string | undefined {
    return this.scope.server[1] === null ? undefined : this.scope.server[0];
  }
  get localPort(): number | undefined {
    return this.scope.server[1] ?? undefined;
  }
  /** Frameworks tell `https` by it. */
  get encrypted(): boolean {
    return this.scope.scheme === "https";
  }
  address(): { address: string; port: number; family: string } | Record<string, never> {
    const { localAddress: address, localPort: port } = this;
    const family = familyOf(address);
    return address === undefined || port === undefined || family === undefined
      ? {}
      : { address, port, family };
  }
  /** The server in front has timers of its own, as options. */
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  // ── the life of the request ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Lets `node:http` read the head. Resolves once the response is complete or the client has gone.
   *
   * @throws what the listener throws, and an Error when it destroys the connection before the response is complete.
   */
  run(): Promise<void> {
    if (this.scope.type === "http") this.scope["pagi.connection"].onDisconnect(() => this.#leave());
    else if (this.#isBodyOver) this.#watch();
    this.push(requestHead(this.scope, this.#framing));
    return this.#outcome.promise;
  }

  /** `node:http` has read the head: from now on the body is received as the listener reads it. */
  accept(request: IncomingMessage, response: ServerResponse): void {
    this.#request = request;
    this.#response = response;
    const read = request._read.bind(request);
    request._read = (size) => {
      read(size);
      void this.#feed();
    };
    response.addTrailers = (trailers) => {
      const pairs = Array.isArray(trailers) ? trailers : Object.entries(trailers);
      for (const [name, value] of pairs) this.#trailers.push([String(name).toLowerCase(), String(value)]);
    };
  }

  /**
   * The listener has thrown. Behind the end of its request nobody waits for that: it is a rejection that nobody handles,
   * as it is elsewhere, unless it only passes on that the client has gone.
   */
  fail(error: unknown): void {
    if (this.#reader.isOver || (this.#isGone && !isAboutTheClient(error))) void Promise.reject(error);
    this.#outcome.reject(error);
    this.destroy();
  }

  override _read(): void {}

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: () => void): void {
    let parts: ResponsePart[];
    try {
      parts = typeof chunk === "string" ? this.#reader.takeText(chunk, encoding) : this.#reader.take(chunk);
    } catch (error) {
      this.fail(error);
      return callback();
    }
    if (parts.length === 0) return callback();
    this.#deliver(parts).then(callback, (error: unknown) => {
      this.fail(error);
      callback();
    });
  }

  override _final(callback: () => void): void {
    this.#deliver(this.#reader.end()).then(callback, (error: unknown) => {
      this.fail(error);
      callback();
    });
  }

  async #deliver(parts: readonly ResponsePart[]): Promise<void> {
    for (const [at, part] of parts.entries()) {
      switch (part.type) {
        case "head": {
          this.#isStarted = true;
          this.#hasTrailers = part.mayHaveTrailers && this.#events.trailers !== undefined;
          const says = part.closes && this.scope.http_version.startsWith("1");
          const headers: Headers = says ? [...part.headers, ["connection", "close"]] : part.headers;
          await this.#events.start(part.status, headers, this.#hasTrailers);
          if (this.scope.type === "sse") this.#watch();
          break;
        }
        case "body":
          await this.#events.body(part.bytes, parts[at + 1]?.type !== "end");
          break;
        case "end":
          if (parts[at - 1]?.type !== "body") await this.#events.body("", false);
          if (this.#hasTrailers)
            await this.#events.trailers?.(part.trailers.length > 0 ? part.trailers : this.#trailers);
          this.#complete();
      }
    }
  }

  #complete(): void {
    this.#outcome.resolve();
    // The listener may still be told that its response is finished; then nobody needs the connection any more.
    const response = this.#response;
    if (response === undefined || response.writableFinished || response.destroyed)
      setImmediate(() => this.destroy());
    else
      response.once("close", () => this.destroy()).once("finish", () => setImmediate(() => this.destroy()));
  }

  /** The client has gone: `node:http` tells the listener by `close`, and by `aborted` and `error` on the request. */
  #leave(): void {
    this.#isGone = true;
    this.destroy();
  }

  #onClose(): void {
    if (this.#isGone || this.#reader.isOver) this.#outcome.resolve();
    const what = this.#isStarted ? "before the response was complete" : "without a response";
    this.#outcome.reject(
      new Error(`The listener destroyed the connection of ${this.scope.method} ${this.scope.path} ${what}.`),
    );
  }

  // ── the body of the request ────────────────────────────────────────────────────────────────────────────────────

  /** Gives `node:http` the next fragment; it asks again when the listener has room for one. */
  async #feed(): Promise<void> {
    this.#isBodyWanted = true;
    // A listener that takes a fragment at once asks for the next one while this one is being pushed.
    this.#isAskedAgain = this.#isFeeding;
    if (this.#isFeeding || this.#isBodyOver || this.destroyed) return;
    this.#isFeeding = true;
    try {
      for (let isFed = false; (!isFed || this.#wantsMore) && !this.#isBodyOver && !this.destroyed;) {
        this.#isAskedAgain = false;
        const event = await this.#next();
        if (event.type === "http.disconnect" || event.type === "sse.disconnect") return this.#leave();
        isFed = this.#pushBody(event.body, event.more);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#isFeeding = false;
    }
    if (this.scope.type === "sse" && (this.#isBodyOver || this.#isStarted)) this.#watch();
  }

  /** Bun 1.4.5 does not ask again for a listener that takes every fragment at once, as `pipe` does and `on("data")`. */
  get #wantsMore(): boolean {
    const request = this.#request;
    if (this.#isAskedAgain || request === undefined) return this.#isAskedAgain;
    const { readableFlowing, readableLength, readableHighWaterMark } = request;
    return readableFlowing === true && readableLength < readableHighWaterMark && this.readableLength === 0;
  }

  #pushBody(bytes: Uint8Array, more: boolean): boolean {
    this.#isBodyOver = !more;
    if (this.destroyed) return true;
    if (this.#framing.type === "length") {
      this.#left -= bytes.byteLength;
      // Another length than announced would be read as another request.
      if (this.#left < 0 || (!more && this.#left > 0)) {
        this.fail(new Error("The request body is not as long as its content-length says."));
        return true;
      }
      if (bytes.byteLength > 0) this.push(bytes);
    } else {
      if (bytes.byteLength > 0) {
        this.push(`${bytes.byteLength.toString(16)}\r\n`);
        this.push(bytes);
        this.push("\r\n");
      }
      if (!more) this.push("0\r\n\r\n");
    }
    return bytes.byteLength > 0 || !more;
  }

  async #next(): Promise<HttpReceiveEvent | SseReceiveEvent> {
    const { refusal } = this.#body;
    if (refusal !== undefined) throw refusal;
    const ahead = (this.#ahead ??= this.#body.next());
    const event = await ahead;
    if (this.#ahead === ahead) this.#ahead = undefined;
    return event;
  }

  /**
   * Looks for the end of an `sse` scope, which only `receive` tells, behind what is left of the body. That is left for
   * the listener if it reads it, and dropped if it has not begun to when it answers.
   */
  #watch(): void {
    const look = async (): Promise<void> => {
      for (;;) {
        const ahead = (this.#ahead ??= this.#body.watch());
        const event = await ahead;
        if (event.type === "sse.disconnect") return this.#leave();
        if (!this.#isBodyOver && this.#isBodyWanted) return;
        this.#isBodyOver = true;
        if (this.#ahead === ahead) this.#ahead = undefined;
      }
    };
    // The stream was declined, and the response is complete: there is nothing to receive any more.
    look().catch(() => {});
  }
}

/** What streams fail with when their other end goes. */
const LOSSES = new Set([
  "ECONNRESET",
  "EPIPE",
  "ABORT_ERR",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_DESTROYED",
]);

function isAboutTheClient(error: unknown): boolean {
  return error instanceof Error && "code" in error && LOSSES.has(String(error.code));
}

function familyOf(address: string | undefined): "IPv4" | "IPv6" | undefined {
  if (address === undefined) return undefined;
  return address.includes(":") ? "IPv6" : "IPv4";
}
