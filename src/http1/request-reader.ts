import { ByteQueue } from "./byte-queue.ts";
import { ChunkedBody } from "./chunked-body.ts";
import type { Http1Body, Http1Request } from "./events.ts";
import { parseFieldLine } from "./field-line.ts";
import { requestFraming } from "./framing.ts";
import { isAuthority, listMembers } from "./grammar.ts";
import { rulesOf } from "./limits.ts";
import type { Http1Limits, Http1Rules } from "./limits.ts";
import { partialHead, readPartialLine } from "./partial-head.ts";
import type { PartialHead } from "./partial-head.ts";
import { parseRequestLine } from "./request-line.ts";
import type { RequestLine } from "./request-line.ts";
import { ProtocolError } from "../errors.ts";
import type { HeaderPair } from "../spec/values.ts";

export type { Http1Body, Http1Request } from "./events.ts";
export type { Http1Limits } from "./limits.ts";

/** Empty lines that a client may send before a request line; old ones sent one after a POST. */
const MAX_BLANK_LINES = 4;

/**
 * Turns the bytes of a connection into requests, one at a time. No input or output of its own: `receive` takes bytes,
 * `next` gives events. Source: RFC 9112.
 */
export class RequestReader {
  readonly #queue = new ByteQueue();
  readonly #limits: Http1Limits;
  readonly #rules: Http1Rules;
  #phase: "request-line" | "fields" | "length-body" | "chunked-body" | "complete" | "failed" = "request-line";
  #blankLines = 0;
  #requestLine: RequestLine | undefined;
  /** What a request line says that was refused. */
  #badHead: PartialHead | undefined;
  #headers: HeaderPair[] = [];
  #isHeadWhole = false;
  /** Bytes that are still missing of a body with a length. */
  #remaining = 0;
  #chunked: ChunkedBody | undefined;
  #failure: unknown;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
    this.#rules = rulesOf(limits);
  }

  /** Bytes received that `next` has not read. The start of an unfinished line counts as read. */
  get bufferedBytes(): number {
    return this.#queue.length;
  }

  /**
   * Bytes of the request's body that the client has still to send; Infinity where it does not say how many, which a
   * chunked body never does.
   */
  get missingBodyBytes(): number {
    if (this.#phase === "chunked-body") return Infinity;
    return this.#phase === "length-body" ? Math.max(0, this.#remaining - this.#queue.length) : 0;
  }

  /**
   * Where the reader stands after the last `next`; received bytes that `next` has not seen do not count. `idle`: not
   * one byte of a request yet (empty lines before it are none). `complete`: waits for `nextRequest`.
   */
  get state(): "idle" | "head" | "body" | "complete" | "failed" {
    switch (this.#phase) {
      case "request-line":
        return this.#queue.insideLine ? "head" : "idle";
      case "fields":
        return "head";
      case "length-body":
      case "chunked-body":
        return "body";
      default:
        return this.#phase;
    }
  }

  /** What has been read of the current request's head, also when that has failed. */
  get partialHead(): PartialHead {
    if (this.#requestLine !== undefined)
      return partialHead(this.#requestLine, this.#headers, this.#isHeadWhole);
    return this.#badHead ?? readPartialLine(this.#queue.lineSoFar(this.#limits.maxRequestLine), false);
  }

  /** True when nothing of the connection's bytes is in here, so that another connection may go on with this reader. */
  get isFresh(): boolean {
    return this.#phase === "request-line" && this.#blankLines === 0 && this.#queue.isFresh;
  }

  /** Takes bytes of the connection. They are kept, not copied; after a failure they are ignored. */
  receive(bytes: Buffer): void {
    if (this.#phase !== "failed") this.#queue.push(bytes);
  }

  /**
   * The next event, or `undefined` when it needs more bytes or the request is complete.
   *
   * @throws ProtocolError when the client broke the protocol or a limit; from then on every call throws the same
   * error, and nothing is read any more.
   */
  next(): Http1Request | Http1Body | undefined {
    try {
      switch (this.#phase) {
        case "request-line":
          return this.#readRequestLine() ? this.#readFields() : undefined;
        case "fields":
          return this.#readFields();
        case "length-body":
          return this.#readLengthBody();
        case "chunked-body":
          return this.#readChunkedBody();
        case "complete":
          return undefined;
        case "failed":
          throw this.#failure;
      }
    } catch (error) {
      this.#badHead ??= this.partialHead; // the queue is about to forget it
      this.#failure = error;
      this.#phase = "failed";
      this.#queue.clear();
      throw error;
    }
  }

  /**
   * Begins the next request; bytes of it that have come already are kept. After a failure it does nothing.
   *
   * @throws Error when the request is not complete.
   */
  nextRequest(): void {
    if (this.#phase === "failed") return;
    if (this.#phase !== "complete")
      throw new Error("The request is not complete: read all of its body first.");
    this.#phase = "request-line";
    this.#blankLines = 0;
    this.#requestLine = undefined;
    this.#headers = [];
    this.#isHeadWhole = false;
    this.#queue.beginSection();
  }

  /** Takes all bytes that came behind the request, which begin another protocol. @throws Error before its end. */
  takeRest(): Uint8Array[] {
    if (this.#phase !== "complete") throw new Error("The request is not complete.");
    const pieces: Uint8Array[] = [];
    for (;;) {
      const piece = this.#queue.take(this.#queue.length);
      if (piece === undefined) return pieces;
      pieces.push(piece);
    }
  }

  #readRequestLine(): boolean {
    for (;;) {
      const line = this.#queue.readLine(this.#rules.requestLine);
      if (line === undefined) return false;
      if (line !== "") {
        this.#requestLine = this.#parse(line);
        this.#phase = "fields";
        return true;
      }
      this.#blankLines++;
      if (this.#blankLines > MAX_BLANK_LINES) {
        throw new ProtocolError(400, "Too many empty lines precede the request line (RFC 9112 section 2.2)");
      }
      this.#queue.beginSection();
    }
  }

  #parse(line: string): RequestLine {
    try {
      return parseRequestLine(line);
    } catch (error) {
      this.#badHead = readPartialLine(line, true);
      throw error;
    }
  }

  #readFields(): Http1Request | undefined {
    const headers = this.#headers;
    for (;;) {
      const full = headers.length === this.#limits.maxHeaderCount;
      const line = this.#queue.readLine(full ? this.#rules.headEnd : this.#rules.field);
      if (line === undefined) return undefined;
      if (line === "") return this.#finishHead(headers);
      headers.push(parseFieldLine(line));
    }
  }

  #finishHead(headers: HeaderPair[]): Http1Request {
    const line = this.#requestLine;
    if (line === undefined) throw new Error("A head ended without its request line.");
    this.#isHeadWhole = true;
    const { method, target, rawPath, queryString, httpVersion, authority } = line;
    const framing = requestFraming(httpVersion, headers, this.#limits.maxBodySize);
    const wishes = readWishes(httpVersion, headers);
    if (authority !== undefined) replaceHost(headers, authority);
    const hasBody = framing.kind !== "none";
    if (framing.kind === "none") {
      this.#phase = "complete";
    } else if (framing.kind === "length") {
      this.#remaining = framing.length;
      this.#phase = "length-body";
    } else {
      this.#chunked = new ChunkedBody(this.#queue, this.#limits);
      this.#phase = "chunked-body";
    }
    return {
      type: "request",
      httpVersion,
      method,
      target,
      rawPath,
      queryString,
      headers,
      hasBody,
      keepAlive: wishes.keepAlive,
      expectContinue: wishes.expectContinue && hasBody,
    };
  }

  #readLengthBody(): Http1Body | undefined {
    const bytes = this.#queue.take(this.#remaining);
    if (bytes === undefined) return undefined;
    this.#remaining -= bytes.length;
    const more = this.#remaining > 0;
    if (!more) this.#phase = "complete";
    return { type: "body", bytes, more };
  }

  #readChunkedBody(): Http1Body | undefined {
    const piece = this.#chunked?.next();
    if (piece !== undefined && !piece.more) {
      this.#chunked = undefined;
      this.#phase = "complete";
    }
    return piece;
  }
}

/**
 * What the client asks for besides its resource, and whether its Host is in order.
 *
 * @throws ProtocolError 400 for a Host that is missing, repeated or no host; 417 for an expectation other than
 * 100-continue.
 */
function readWishes(
  httpVersion: "1.0" | "1.1",
  headers: readonly HeaderPair[],
): { keepAlive: boolean; expectContinue: boolean } {
  let hasHost = false;
  let close = false;
  let keepAlive = httpVersion === "1.1";
  let expectContinue = false;
  for (const [name, value] of headers) {
    if (name === "host") {
      if (hasHost) throw new ProtocolError(400, "Host occurs more than once (RFC 9112 section 3.2)");
      if (value !== "" && !isAuthority(value)) {
        throw new ProtocolError(400, "Host is no host and port (RFC 9112 section 3.2)");
      }
      hasHost = true;
    } else if (name === "connection") {
      for (const option of listMembers(value)) {
        if (option === "close") close = true;
        else if (option === "keep-alive") keepAlive = true;
      }
    } else if (name === "expect" && httpVersion === "1.1") {
      for (const expectation of listMembers(value)) {
        if (expectation === "100-continue") expectContinue = true;
        else if (expectation !== "") {
          throw new ProtocolError(
            417,
            "Only the expectation 100-continue can be met (RFC 9110 section 10.1.1)",
          );
        }
      }
    }
  }
  if (!hasHost && httpVersion === "1.1") {
    throw new ProtocolError(400, "Host is missing (RFC 9112 section 3.2)");
  }
  return { keepAlive: keepAlive && !close, expectContinue };
}

/** The authority of an absolute-form target counts, whatever Host says. Source: RFC 9112 section 3.2.2. */
function replaceHost(headers: HeaderPair[], authority: string): void {
  const host = headers.find(([name]) => name === "host");
  if (host === undefined) headers.unshift(["host", authority]);
  else host[1] = authority;
}
