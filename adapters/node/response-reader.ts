import type { HeaderPair } from "../../src/spec/values.ts";
import { responseFields } from "./response-fields.ts";

/** What a response is made of, in the order in which it comes. */
export type ResponsePart =
  /** A 1xx response; the final one follows, or nothing where its status is 101. */
  | { readonly type: "interim"; readonly status: number; readonly headers: HeaderPair[] }
  | {
      readonly type: "head";
      readonly status: number;
      /** Names in lower case; those that frame the body are left out, and of the connection's all but its options. */
      readonly headers: HeaderPair[];
      /** Trailer fields may follow the body. */
      mayHaveTrailers: boolean;
      /** The connection is not to be used again. */
      readonly closes: boolean;
      /** Bytes that the body must have; absent if the producer of the parts has counted them. */
      length?: number;
    }
  | { readonly type: "body"; readonly bytes: Uint8Array | string }
  /** The response cannot be completed. */
  | { readonly type: "failure"; readonly error: unknown }
  | { readonly type: "end"; readonly trailers: HeaderPair[] };

/** `length` counts the body down, `until-end` has one that the end of the connection ends. */
type State = "head" | "length" | "until-end" | "chunk-size" | "chunk" | "chunk-end" | "trailers" | "over";

const HEAD_END = "\r\n\r\n";

/**
 * Reads one response as `node:http` writes it, with the interim responses before it. It is not made for input from
 * strangers: this process writes what it reads.
 */
export class ResponseReader {
  readonly #isHead: boolean;
  #state: State = "head";
  #held: Buffer = Buffer.alloc(0);
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  /** Of the last interim response; 0 where there is none. */
  #interimStatus = 0;
  /** The final response has said its length. */
  #isMeasured = false;
  #surplus = 0;

  /** @param method the request method: a response to HEAD has no body. */
  constructor(method: string) {
    this.#isHead = method === "HEAD";
  }

  /** The next bytes are those of a head. */
  get isAtHead(): boolean {
    return this.#state === "head" && this.#held.byteLength === 0;
  }

  /** The response is complete. */
  get isOver(): boolean {
    return this.#state === "over";
  }

  /** How many bytes were written that the response has no place for: its content-length has come to an end before. */
  get surplus(): number {
    return this.#isMeasured ? this.#surplus : 0;
  }

  /**
   * Takes what was written. The bytes of the parts are those that were given, not copies.
   *
   * @throws Error for what is no response.
   */
  take(bytes: Uint8Array): ResponsePart[] {
    const parts: ResponsePart[] = [];
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#held = this.#held.byteLength === 0 ? piece : Buffer.concat([this.#held, piece]);
    while (this.#step(parts));
    if (this.#state === "over") this.#surplus += this.#take(this.#held.byteLength).byteLength;
    // What is kept is no longer the writer's memory.
    this.#held = Buffer.from(this.#held);
    return parts;
  }

  /** Takes what was written as text. A head is bytes, whatever Bun 1.4.5 says of it: one for each char. */
  takeText(text: string, encoding: BufferEncoding): ResponsePart[] {
    const parts: ResponsePart[] = [];
    let rest = text;
    for (let end; this.#state === "head" && (end = rest.indexOf(HEAD_END)) >= 0;) {
      end += HEAD_END.length;
      parts.push(...this.take(Buffer.from(rest.slice(0, end), "latin1")));
      rest = rest.slice(end);
    }
    if (rest !== "") parts.push(...this.take(Buffer.from(rest, encoding)));
    return parts;
  }

  /**
   * Nothing more is written.
   *
   * @throws Error where the response is not complete, unless no part of it has been written.
   */
  end(): ResponsePart[] {
    switch (this.#state) {
      case "over":
        return [];
      case "until-end":
        this.#state = "over";
        return [{ type: "end", trailers: [] }];
      case "head":
        if (this.#interimStatus === 0) return [];
        throw interimAtEnd(this.#interimStatus);
      case "length":
        throw new Error(`The response ended ${this.#left} bytes short of its content-length.`);
      default:
        throw new Error("The response ended before its last chunk.");
    }
  }

  /** @returns whether it went on; false when there are too few bytes. */
  #step(parts: ResponsePart[]): boolean {
    switch (this.#state) {
      case "head":
        return this.#readHead(parts);
      case "length":
      case "chunk":
      case "until-end":
        return this.#readBody(parts);
      case "chunk-size": {
        const line = this.#line();
        if (line === undefined) return false;
        this.#left = Number.parseInt(line, 16);
        if (Number.isNaN(this.#left)) throw new Error(`The response has a chunk of the size '${line}'.`);
        this.#state = this.#left === 0 ? "trailers" : "chunk";
        return true;
      }
      case "chunk-end":
        if (this.#line() === undefined) return false;
        this.#state = "chunk-size";
        return true;
      case "trailers":
        return this.#readTrailers(parts);
      case "over":
        return false;
    }
  }

  #readHead(parts: ResponsePart[]): boolean {
    const end = this.#held.indexOf(HEAD_END);
    if (end < 0) return false;
    const [statusLine = "", ...lines] = this.#take(end + HEAD_END.length)
      .toString("latin1", 0, end)
      .split("\r\n");
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1] ?? 0);
    if (status === 0) throw new Error(`The response begins with '${statusLine}'.`);
    const { headers, length, isChunked, closes } = responseFields(lines.flatMap(fieldOf));
    if (status < 200) {
      this.#interimStatus = status;
      parts.push({ type: "interim", status, headers });
      if (status === 101) this.#state = "over";
      return true;
    }
    this.#isMeasured = length !== undefined && !isChunked;
    const hasBody = !this.#isHead && status !== 204 && status !== 304;
    parts.push({
      type: "head",
      status,
      headers,
      mayHaveTrailers: hasBody && isChunked,
      closes,
    });
    if (!hasBody || (!isChunked && length === 0)) {
      this.#state = "over";
      parts.push({ type: "end", trailers: [] });
    } else if (isChunked) this.#state = "chunk-size";
    else if (length === undefined) this.#state = "until-end";
    else [this.#state, this.#left] = ["length", length];
    return true;
  }

  #readBody(parts: ResponsePart[]): boolean {
    if (this.#held.byteLength === 0) return false;
    const isMeasured = this.#state !== "until-end";
    const bytes = this.#take(
      isMeasured ? Math.min(this.#left, this.#held.byteLength) : this.#held.byteLength,
    );
    parts.push({ type: "body", bytes });
    if (!isMeasured) return false;
    this.#left -= bytes.byteLength;
    if (this.#left > 0) return false;
    if (this.#state === "chunk") this.#state = "chunk-end";
    else {
      this.#state = "over";
      parts.push({ type: "end", trailers: [] });
    }
    return true;
  }

  /** They are read at once, up to the empty line. */
  #readTrailers(parts: ResponsePart[]): boolean {
    const isEmpty = this.#held.indexOf("\r\n") === 0;
    const end = isEmpty ? 0 : this.#held.indexOf(HEAD_END);
    if (end < 0) return false;
    const text = this.#take(end + (isEmpty ? 2 : HEAD_END.length)).toString("latin1", 0, end);
    this.#state = "over";
    parts.push({ type: "end", trailers: isEmpty ? [] : text.split("\r\n").map(fieldOf) });
    return true;
  }

  #line(): string | undefined {
    const end = this.#held.indexOf("\r\n");
    return end < 0 ? undefined : this.#take(end + 2).toString("latin1", 0, end);
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }
}

/** The error of a response that ends with an interim status: the client would wait for another one. */
export function interimAtEnd(status: number): Error {
  return new Error(
    `The listener ended its response with the status ${status}, which is interim: a final response must follow (RFC 9110 section 15.2).`,
  );
}

function fieldOf(line: string): HeaderPair {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
