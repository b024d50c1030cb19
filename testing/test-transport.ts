import { ClientLine } from "./client-line.ts";
import { TruncatedError } from "./test-error.ts";
import { atTurnEnd } from "./turn.ts";
import { assertNotLonger, tooShort } from "../src/exchange/declared-length.ts";
import { chunksOf } from "../src/exchange/file-chunks.ts";
import type { FileRange } from "../src/exchange/file-range.ts";
import type { Exchange, RequestHead, ResponseHead, Transport } from "../src/exchange/transport.ts";
import { planResponse } from "../src/http1/response-head.ts";
import { trailerSection } from "../src/http1/trailers.ts";
import type { ResponsePlan } from "../src/http1/response-head.ts";
import { CONNECTION_FIELDS } from "../src/spec/connection-fields.ts";
import type { DisconnectReason } from "../src/spec/connection-state.ts";
import type { Headers } from "../src/spec/values.ts";

/** A response head as the client sees it. */
export interface ReceivedHead {
  readonly status: number;
  /** With what a server adds: `date`, and in HTTP/1 what says how the body is framed. */
  readonly headers: Headers;
}

/** A request body: bytes that are all there, or chunks that come one by one. */
export type BodySource = Uint8Array | AsyncIterable<Uint8Array | string>;

/**
 * One request without a socket: what HTTP/1.1 does on a connection, in memory. What an application's header may say and
 * how its body is framed is decided by the code of the server; here are only the bytes' ways.
 */
export class TestTransport implements Transport {
  /** Body bytes on their way to the client. */
  readonly line: ClientLine<Uint8Array>;
  readonly #request: RequestHead;
  readonly #body: BodySource | undefined;
  readonly #head = Promise.withResolvers<ReceivedHead>();
  readonly #settled = Promise.withResolvers<void>();
  #chunks: AsyncIterator<Uint8Array | string> | undefined;
  #exchange: Exchange | undefined;
  #isReadingBody = false;
  #plan: ResponsePlan | undefined;
  #received: ReceivedHead | undefined;
  #hasLeft = false;
  #bodyLength = 0;
  #trailers: Headers = [];
  /** Parts of a file that wait for the client. */
  #readers: (() => void)[] = [];
  #isAnswered = false;
  #isDelivered = false;
  #isOver = false;

  /** `room` in bytes: what the client's side takes without reading it. */
  constructor(
    request: RequestHead,
    body: BodySource | undefined,
    room: number,
    reading: "eager" | "pulled" = "pulled",
  ) {
    this.#request = request;
    this.#body = body;
    this.line = new ClientLine(room, reading, () => this.#onRead());
    this.#head.promise.catch(() => {}); // whoever waits for it is told
  }

  attach(exchange: Exchange): void {
    this.#exchange = exchange;
  }

  applicationSettled(): void {
    this.#settled.resolve();
  }

  /** Resolves once the application has returned or thrown. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** The server begins to shut down. */
  shutDown(): void {
    this.#exchange?.deliverShutdown();
  }

  /** The response head, once it has left. Rejects when the connection ends before. */
  get head(): Promise<ReceivedHead> {
    return this.#head.promise;
  }

  /** What followed the body. */
  get trailers(): Headers {
    return this.#trailers;
  }

  /** The connection becomes something else, with this as its answer. */
  upgrade(head: ReceivedHead): void {
    this.#isOver = true;
    this.#hasLeft = true;
    this.#head.resolve(head);
    this.line.end();
  }

  /** The client goes: nothing it could be sent arrives any more. */
  lose(reason: DisconnectReason, error: unknown): void {
    if (this.#isOver) return;
    this.#end(error);
    this.line.cut(error);
    if (!this.#isDelivered) this.#exchange?.deliverDisconnect(reason);
  }

  // ── what the exchange asks for ─────────────────────────────────────────────────────────────────────────────────

  demandBody(): void {
    const body = this.#body;
    if (this.#isReadingBody || this.#isOver || body === undefined) return;
    this.#isReadingBody = true;
    if (body instanceof Uint8Array) this.#exchange?.deliverBody(body, false);
    else this.#readChunk(body).catch((error: unknown) => this.lose("client_closed", error));
  }

  writeHead(eventType: string, head: ResponseHead): void {
    if (this.#isOver) return;
    const { httpVersion, method } = this.#request;
    const isHttp1 = httpVersion === "1.0" || httpVersion === "1.1";
    const traits = {
      httpVersion: httpVersion === "1.0" ? httpVersion : ("1.1" as const),
      method,
      keepAlive: httpVersion !== "1.0",
    };
    this.#plan = planResponse(traits, eventType, head, new Date().toUTCString());
    // RFC 9113 section 8.2.2: later versions have no fields about the connection.
    const headers = fieldsOf(this.#plan.head).filter(([name]) => isHttp1 || !CONNECTION_FIELDS.has(name));
    this.#received = { status: head.status, headers };
    atTurnEnd(() => this.flush());
  }

  writeBody(eventType: string, bytes: Uint8Array | string, last: boolean): void {
    const plan = this.#plan;
    if (plan === undefined || this.#isOver) return;
    // Its owner may use it again while it waits here.
    const chunk = typeof bytes === "string" ? new TextEncoder().encode(bytes) : new Uint8Array(bytes);
    if (plan.framing === "length")
      assertNotLonger(eventType, plan.length, this.#bodyLength + chunk.byteLength);
    this.flush();
    if (plan.framing !== "none") {
      this.#bodyLength += chunk.byteLength;
      if (chunk.byteLength > 0) this.line.put(chunk, chunk.byteLength);
    }
    if (last) this.#answer(eventType, plan);
  }

  async writeFile(eventType: string, file: FileRange, last: boolean): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined || this.#isOver) return;
    if (plan.framing === "none") {
      this.writeBody(eventType, "", last);
      return;
    }
    if (plan.framing === "length" && file.length !== undefined)
      assertNotLonger(eventType, plan.length, this.#bodyLength + file.length);
    for await (const chunk of chunksOf(file)) {
      if (this.#isOver) return;
      this.writeBody(eventType, chunk, false);
      while (this.line.unsent > 0 && !this.#isOver) await this.#whenRead();
    }
    this.writeBody(eventType, "", last);
  }

  writeTrailers(eventType: string, headers: Headers): void {
    const plan = this.#plan;
    if (plan === undefined || this.#isOver) return;
    const trailers = fieldsOf(trailerSection(eventType, headers));
    this.flush();
    if (plan.framing === "chunked") this.#trailers = trailers;
    this.#answer(eventType, plan);
  }

  flush(): void {
    if (this.#isOver || this.#hasLeft || this.#received === undefined) return;
    this.#hasLeft = true;
    this.#head.resolve(this.#received);
  }

  hasResponse(): boolean {
    return this.#plan !== undefined;
  }

  hasLeft(): boolean {
    return this.#hasLeft;
  }

  discardHead(): void {
    this.#plan = undefined;
    this.#received = undefined;
  }

  abort(): void {
    this.#truncate();
  }

  bufferedAmount(): number {
    return this.#isOver ? 0 : this.line.unsent;
  }

  // ── within ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** After the last chunk comes an empty piece, as with a chunked body on a connection. */
  async #readChunk(body: AsyncIterable<Uint8Array | string>): Promise<void> {
    this.#chunks ??= body[Symbol.asyncIterator]();
    const { done, value } = await this.#chunks.next();
    if (this.#isOver) return;
    this.#isReadingBody = false;
    if (done === true) {
      this.#isReadingBody = true;
      this.#exchange?.deliverBody(new Uint8Array(0), false);
      return;
    }
    const chunk = typeof value === "string" ? new TextEncoder().encode(value) : value;
    if (!(chunk instanceof Uint8Array)) throw new TypeError("A chunk of a body is a string or a Uint8Array.");
    if (chunk.byteLength === 0) this.demandBody();
    else this.#exchange?.deliverBody(chunk, true);
  }

  #answer(eventType: string, plan: ResponsePlan): void {
    if (plan.framing === "length" && this.#bodyLength < plan.length) {
      this.#truncate();
      throw tooShort(eventType, plan.length, this.#bodyLength);
    }
    this.#isAnswered = true;
    this.line.end();
    this.#maybeDeliver();
  }

  #maybeDeliver(): void {
    if (!this.#isAnswered || this.#isDelivered || this.#isOver || this.line.unsent > 0) return;
    this.#isDelivered = true;
    this.#exchange?.deliverCompletion();
    this.#stopBody();
  }

  /** The connection ends in the middle of a response, so that the client cannot take it for a whole one, if it is none. */
  #truncate(): void {
    if (this.#isOver) return;
    if (this.#hasLeft && this.#isWhole()) this.line.end();
    this.#end(new TruncatedError("The response was cut before it was complete."));
    if (!this.#isDelivered) this.#exchange?.deliverDisconnect("server_error");
  }

  /** The client has all that the head has promised, even where the application has not said that this is the end. */
  #isWhole(): boolean {
    const plan = this.#plan;
    if (plan === undefined) return false;
    return plan.framing === "none" || (plan.framing === "length" && plan.length === this.#bodyLength);
  }

  #end(error: unknown): void {
    this.#isOver = true;
    this.#head.reject(error);
    this.line.fail(error);
    this.#stopBody();
    this.#onRead();
  }

  /** What of the request nobody has read is not wanted any more. */
  #stopBody(): void {
    this.#chunks?.return?.().catch(() => {});
  }

  #whenRead(): Promise<void> {
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  #onRead(): void {
    for (const resolve of this.#readers.splice(0)) resolve();
    if (this.#isOver) return;
    this.#exchange?.deliverDrain();
    this.#maybeDeliver();
  }
}

/** The fields of a header or trailer section, without the line that begins it. */
export function fieldsOf(section: string): Headers {
  return section
    .slice(0, -4)
    .split("\r\n")
    .slice(1)
    .map((line) => {
      const colon = line.indexOf(":");
      // Space around a value is not part of it: RFC 9112 section 5.1.
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
    });
}
