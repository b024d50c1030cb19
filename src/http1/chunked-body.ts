import type { ByteQueue } from "./byte-queue.ts";
import type { Http1Body } from "./events.ts";
import { parseFieldLine } from "./field-line.ts";
import { checkBodySize } from "./framing.ts";
import { isWhitespace } from "./grammar.ts";
import { rulesOf } from "./limits.ts";
import type { Http1Limits, Http1Rules } from "./limits.ts";
import { ProtocolError } from "../errors.ts";

/** More hexadecimal digits than any length needs are only a way to hide something. */
const MAX_SIZE_DIGITS = 16;
/** The extensions of one body may be as long as this many chunk-size lines. */
const MAX_EXTENSION_LINES = 16;
const NO_BYTES = new Uint8Array(0);
/** Bytes of a piece that is worth an event of its own. */
const SMALL_PIECE = 1024;
/** Bytes up to which small pieces become one. */
const JOINED_PIECE = 16 * 1024;

/**
 * Reads one chunked body. Extensions and trailer fields are checked, bounded and dropped. Source: RFC 9112
 * section 7.1.
 *
 *     chunked-body = *chunk last-chunk trailer-section CRLF
 *     chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
 */
export class ChunkedBody {
  readonly #queue: ByteQueue;
  readonly #limits: Http1Limits;
  readonly #rules: Http1Rules;
  #state: "size" | "data" | "data-end" | "trailers" | "done" = "size";
  /** Bytes of the current chunk that have not come. */
  #remaining = 0;
  /** Bytes of all chunks so far, the current one whole. */
  #size = 0;
  #extensionBytes = 0;
  #trailers = 0;
  /** What was found wrong behind data that had to be delivered first. */
  #failure: { readonly error: unknown } | undefined;

  constructor(queue: ByteQueue, limits: Http1Limits) {
    this.#queue = queue;
    this.#limits = limits;
    this.#rules = rulesOf(limits);
    queue.beginSection();
  }

  /**
   * The next piece of the body, or `undefined` while more bytes are needed. The end comes with the last data when it
   * is there already, else with an empty piece. Small chunks that are there are joined, since chunks mean nothing: an
   * event for each byte would cost the application a thousand times what it costs the client.
   *
   * @throws ProtocolError for a body that breaks the syntax (400) or a limit (400, 413, 431).
   */
  next(): Http1Body | undefined {
    const first = this.#nextPiece();
    if (first === undefined || !first.more || first.bytes.length >= SMALL_PIECE) return first;
    const pieces = [first.bytes];
    let length = first.bytes.length;
    let more = true;
    while (more && length < JOINED_PIECE) {
      const piece = this.#maybeNextPiece();
      if (piece === undefined) break;
      pieces.push(piece.bytes);
      length += piece.bytes.length;
      more = piece.more;
    }
    return pieces.length === 1 ? first : { type: "body", bytes: Buffer.concat(pieces, length), more };
  }

  /** A fault waits until what comes before it was delivered. */
  #maybeNextPiece(): Http1Body | undefined {
    try {
      return this.#nextPiece();
    } catch (error) {
      this.#failure = { error };
      return undefined;
    }
  }

  #nextPiece(): Http1Body | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!this.#advance()) return undefined;
    if (this.#state === "done") return { type: "body", bytes: NO_BYTES, more: false };
    const bytes = this.#queue.take(this.#remaining);
    if (bytes === undefined) return undefined;
    this.#remaining -= bytes.length;
    if (this.#remaining > 0) return { type: "body", bytes, more: true };
    this.#state = "data-end";
    return { type: "body", bytes, more: !this.#endIsHere() };
  }

  #endIsHere(): boolean {
    try {
      return this.#advance() && this.#state === "done";
    } catch (error) {
      this.#failure = { error };
      return false;
    }
  }

  /** Reads on until data or the end; false when more bytes are needed before that. */
  #advance(): boolean {
    for (;;) {
      switch (this.#state) {
        case "data":
        case "done":
          return true;
        case "data-end":
          if (this.#queue.readLine(this.#rules.chunkEnd) === undefined) return false;
          this.#queue.beginSection();
          this.#state = "size";
          break;
        case "size": {
          const line = this.#queue.readLine(this.#rules.chunkSize);
          if (line === undefined) return false;
          this.#queue.beginSection();
          this.#beginChunk(line);
          break;
        }
        case "trailers": {
          const full = this.#trailers === this.#limits.maxHeaderCount;
          const line = this.#queue.readLine(full ? this.#rules.trailersEnd : this.#rules.trailer);
          if (line === undefined) return false;
          if (line === "") {
            this.#state = "done";
          } else {
            parseFieldLine(line);
            this.#trailers++;
          }
        }
      }
    }
  }

  #beginChunk(line: string): void {
    const digits = hexDigits(line);
    if (digits === 0 || digits > MAX_SIZE_DIGITS || !isExtension(line, digits)) {
      throw new ProtocolError(400, "The chunk size is malformed (RFC 9112 section 7.1)");
    }
    this.#extensionBytes += line.length - digits;
    if (this.#extensionBytes > MAX_EXTENSION_LINES * this.#limits.maxChunkLine) {
      throw new ProtocolError(400, "The chunk extensions of one body are too long (RFC 9112 section 7.1.1)");
    }
    const size = Number.parseInt(line, 16);
    if (size === 0) {
      this.#state = "trailers";
      return;
    }
    this.#size += size;
    checkBodySize(this.#size, this.#limits.maxBodySize);
    this.#remaining = size;
    this.#state = "data";
  }
}

/** How many hexadecimal digits `line` begins with. */
function hexDigits(line: string): number {
  let count = 0;
  for (; count < line.length; count++) {
    const code = line.charCodeAt(count);
    const letter = code | 0x20;
    if (!((code >= 0x30 && code <= 0x39) || (letter >= 0x61 && letter <= 0x66))) break;
  }
  return count;
}

/**
 * True when nothing follows the size, or `;`, before which whitespace is allowed. Source: RFC 9112 section 7.1.1.
 *
 *     chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
 */
function isExtension(line: string, start: number): boolean {
  if (start === line.length) return true;
  let at = start;
  while (at < line.length && isWhitespace(line.charCodeAt(at))) at++;
  return line.charCodeAt(at) === 0x3b;
}
