import { ByteQueue } from "./byte-queue.ts";
import { ChunkedBody } from "./chunked-body.ts";
import type { Http1Body, Http1Request } from "./events.ts";
import { parseFieldLine } from "./field-line.ts";
import { requestFraming } from "./framing.ts";
import { connectionWishes } from "./connection-fields.ts";
import { LONGEST_HEAD } from "./head-cache.ts";
import type { HeadMemory } from "./head-cache.ts";
import { checkHost, replaceHost } from "./host.ts";
import { knownRequest } from "./known-head.ts";
import type { KnownFields } from "./known-head.ts";
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

/** What is read next; `complete` waits for `nextRequest`, and `failed` for nothing. */
type Phase = "request-line" | "fields" | "length-body" | "chunked-body" | "complete" | "failed";

/** What a reader does in a phase, and where it says that it stands. */
interface PhaseReader {
  readonly state: (reader: RequestReader) => RequestReader["state"];
  readonly next: (reader: RequestReader) => Http1Request | Http1Body | undefined;
}

/**
 * Turns the bytes of a connection into requests, one at a time. No input or output of its own: `receive` takes bytes,
 * `next` gives events. Source: RFC 9112.
 *
 *     HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]
 */
export class RequestReader {
  static readonly #READERS: { readonly [P in Phase]: PhaseReader } = {
    "request-line": {
      state: (reader) => (reader.#queue.insideLine ? "head" : "idle"),
      next: (reader) => reader.#readHead(),
    },
    fields: { state: () => "head", next: (reader) => reader.#readFields() },
    "length-body": { state: () => "body", next: (reader) => reader.#readLengthBody() },
    "chunked-body": { state: () => "body", next: (reader) => reader.#readChunkedBody() },
    complete: { state: () => "complete", next: () => undefined },
    failed: {
      state: () => "failed",
      next: (reader) => {
        throw reader.#failure;
      },
    },
  };

  readonly #queue = new ByteQueue();
  readonly #limits: Http1Limits;
  readonly #rules: Http1Rules;
  #phase: Phase = "request-line";
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
  /** What the connection recognises; nothing without it. */
  #memory: HeadMemory | undefined;
  /** The piece of bytes that the current head began in, while it may still be remembered, and where it began there. */
  #piece: Buffer | undefined;
  #start = 0;

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
    return RequestReader.#READERS[this.#phase].state(this);
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

  /**
   * Serves a connection from now on, which recognises heads.
   *
   * @throws Error when bytes of another connection are in here, or when heads were accepted under other limits.
   */
  serve(memory: HeadMemory): void {
    if (!this.isFresh) throw new Error("A reader changes its connection in the middle of a request.");
    if (memory.limits !== this.#limits)
      throw new Error("Heads that were read under other limits mean nothing here.");
    this.#memory = memory;
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
      return RequestReader.#READERS[this.#phase].next(this);
    } catch (error) {
      this.#badHead ??= this.partialHead; // the queue is about to forget it
      this.#failure = error;
      this.#piece = undefined;
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

  /** A head that is known, or a request line and its fields. */
  #readHead(): Http1Request | undefined {
    return this.#recogniseHead() ?? (this.#readRequestLine() ? this.#readFields() : undefined);
  }

  /** Passes over a head that was read before: nothing in it has to be looked at again. */
  #recogniseHead(): Http1Request | undefined {
    const { piece, position } = this.#queue;
    if (this.#memory === undefined || piece === undefined || this.#blankLines > 0) return undefined;
    const known = this.#memory.findHead(piece, position);
    if (known === undefined) {
      this.#piece = piece.length - position <= LONGEST_HEAD ? piece : undefined;
      this.#start = position;
      return undefined;
    }
    this.#queue.pass(known.bytes.length);
    this.#requestLine = known.line;
    return this.#complete(knownRequest(known.line, known.fields));
  }

  #readRequestLine(): boolean {
    for (;;) {
      const line = this.#queue.readLine(this.#rules.requestLine);
      if (line === undefined) {
        this.#piece = undefined;
        return false;
      }
      if (line !== "") {
        this.#requestLine = this.#parse(line);
        this.#phase = "fields";
        return true;
      }
      this.#piece = undefined;
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
    if (headers.length === 0) {
      const known = this.#recogniseFields();
      if (known !== undefined) return known;
    }
    for (;;) {
      const full = headers.length === this.#limits.maxHeaderCount;
      const line = this.#queue.readLine(full ? this.#rules.headEnd : this.#rules.field);
      if (line === undefined) {
        this.#piece = undefined;
        return undefined;
      }
      if (line === "") return this.#finishHead(headers);
      headers.push(parseFieldLine(line));
    }
  }

  /** Passes over fields that were read before, behind another request line. */
  #recogniseFields(): Http1Request | undefined {
    const { piece, position, sectionLength } = this.#queue;
    const line = this.#requestLine;
    if (this.#memory === undefined || piece === undefined || line === undefined || !hasPlainFields(line))
      return undefined;
    const known = this.#memory.findFields(piece, position);
    if (known === undefined || sectionLength + known.length > this.#limits.maxHeaderSize) return undefined;
    this.#queue.pass(known.length);
    const request = knownRequest(line, known);
    this.#remember(line, request, known);
    return this.#complete(request);
  }

  #finishHead(headers: HeaderPair[]): Http1Request {
    const line = this.#requestLine;
    if (line === undefined) throw new Error("A head ended without its request line.");
    this.#isHeadWhole = true;
    const { method, target, rawPath, queryString, httpVersion, authority } = line;
    const framing = requestFraming(httpVersion, headers, this.#limits.maxBodySize);
    checkHost(httpVersion, headers);
    const wishes = connectionWishes(httpVersion, headers);
    if (authority !== undefined) replaceHost(headers, authority);
    const hasBody = framing.kind !== "none";
    const request: Http1Request = {
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
    if (framing.kind === "none") {
      if (hasPlainFields(line)) this.#remember(line, request, undefined);
      return this.#complete(request);
    }
    this.#piece = undefined;
    if (framing.kind === "length") {
      this.#remaining = framing.length;
      this.#phase = "length-body";
    } else {
      this.#chunked = new ChunkedBody(this.#queue, this.#limits);
      this.#phase = "chunked-body";
    }
    return request;
  }

  /** Lets the connection remember a head without a body that ends where the bytes at hand end. */
  #remember(line: RequestLine, request: Http1Request, known: KnownFields | undefined): void {
    const piece = this.#piece;
    if (piece === undefined || this.#queue.length > 0) return;
    this.#memory?.remember(piece, this.#start, line, request, known);
  }

  /** A request without a body. */
  #complete(request: Http1Request): Http1Request {
    this.#headers = request.headers;
    this.#isHeadWhole = true;
    this.#piece = undefined;
    this.#phase = "complete";
    return request;
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

/** Whether the fields behind a request line mean the same behind every other of this kind. */
function hasPlainFields({ httpVersion, authority }: RequestLine): boolean {
  return httpVersion === "1.1" && authority === undefined;
}
