import { decodeExtended } from "content-disposition";
import { parameterOf, parseParameterized } from "../../spec/parameters.ts";
import { isToken } from "../../spec/token.ts";
import { PagiHeaders } from "../values/headers.ts";
import {
  MalformedBodyError,
  PartHeaderTooLargeError,
  PartTooLargeError,
  TooManyFieldsError,
  TooManyFilesError,
} from "./error.ts";

/** What a multipart body may hold. Sizes in bytes. */
export interface MultipartLimits {
  maxFiles: number;
  maxFields: number;
  /** The content of one field. */
  maxFieldSize: number;
  /** The content of one file. */
  maxFileSize: number;
  /** The header section of one part. */
  maxHeaderSize: number;
}

/** What is known of a part before its content. */
export interface PartHead {
  /** The name of the form field. */
  readonly name: string;
  /** As the client sent it; absent for a field that is no file. */
  readonly filename: string | undefined;
  readonly headers: PagiHeaders;
}

export type MultipartEvent =
  | { type: "part"; head: PartHead }
  | { type: "data"; bytes: Uint8Array }
  | { type: "part end" }
  | { type: "end" };

/** `before` the first delimiter, right after a `delimiter`, in the `headers` or the `content` of a part, at the `end`. */
type State = "before" | "delimiter" | "headers" | "content" | "end";

const CR = 0x0d;
const CRLF = Buffer.from("\r\n");
const HEADERS_END = Buffer.from("\r\n\r\n");

/**
 * `multipart/form-data`, bytes in, events out. RFC 7578 and RFC 2046 section 5.1.1, with what browsers make of them.
 * Limits hold as bytes arrive: nothing that is too much comes out as an event.
 */
export class MultipartParser {
  readonly #delimiter: Buffer;
  readonly #limits: MultipartLimits;
  /** What has not become events yet. Begins with CRLF, since the first delimiter may stand at the very start. */
  #buffer: Buffer = CRLF;
  /** Up to where the buffer has been searched without success. */
  #searched = 0;
  #state: State = "before";
  #part: PartHead | undefined;
  #partSize = 0;
  /** Whether the CRLF of the empty line is still in the buffer, in front of the content. */
  #isFirstData = false;
  #files = 0;
  #fields = 0;

  /** @throws MalformedBodyError for a boundary that is none. */
  constructor(boundary: string, limits: MultipartLimits) {
    if (!/^[\x20-\x7e]{0,69}[\x21-\x7e]$/.test(boundary))
      throw new MalformedBodyError("Its multipart boundary is not 1 to 70 ASCII chars.");
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
    this.#limits = limits;
  }

  /** Adds bytes; they are not copied where nothing is left of those before. */
  push(bytes: Uint8Array): void {
    const added = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#buffer = this.#buffer.length === 0 ? added : Buffer.concat([this.#buffer, added]);
  }

  /**
   * The next event; `undefined` while bytes are missing.
   *
   * @throws MalformedBodyError, and the error of each limit.
   */
  next(): MultipartEvent | undefined {
    switch (this.#state) {
      case "before":
        return this.#skipPreamble() ? this.next() : undefined;
      case "delimiter":
        return this.#afterDelimiter();
      case "headers":
        return this.#readHeaders();
      case "content":
        return this.#readContent();
      case "end":
        this.#buffer = Buffer.alloc(0);
        return undefined;
    }
  }

  /** What precedes the first delimiter means nothing. */
  #skipPreamble(): boolean {
    const at = this.#buffer.indexOf(this.#delimiter);
    if (at < 0) {
      this.#drop(Math.max(0, this.#buffer.length - this.#delimiter.length + 1));
      return false;
    }
    this.#drop(at + this.#delimiter.length);
    this.#state = "delimiter";
    return true;
  }

  #afterDelimiter(): MultipartEvent | undefined {
    const buffer = this.#buffer;
    if (buffer[0] === 0x2d && buffer[1] === 0x2d) {
      this.#state = "end";
      return { type: "end" };
    }
    const end = buffer.indexOf(CRLF);
    const padding = buffer.toString("latin1", 0, end < 0 ? buffer.length : end);
    // Without an end in sight a lone CR or hyphen may be the half of one.
    if (!/^[ \t]*$/.test(padding) && (end >= 0 || !/^(-|[ \t]*\r)$/.test(padding)))
      throw new MalformedBodyError("A multipart delimiter is followed by something else.");
    if (padding.length > this.#limits.maxHeaderSize)
      throw new PartHeaderTooLargeError(this.#limits.maxHeaderSize);
    if (end < 0) return undefined;
    // The CRLF stays: a part without header fields goes on with just another one.
    this.#drop(end);
    this.#state = "headers";
    return this.#readHeaders();
  }

  #readHeaders(): MultipartEvent | undefined {
    const end = this.#buffer.indexOf(HEADERS_END, this.#searched);
    // Of an end that is not whole, up to three bytes may be there.
    const least = end < 0 ? this.#buffer.length - HEADERS_END.length + 1 : end;
    if (least > this.#limits.maxHeaderSize + CRLF.length)
      throw new PartHeaderTooLargeError(this.#limits.maxHeaderSize);
    if (end < 0) {
      this.#searched = Math.max(0, this.#buffer.length - HEADERS_END.length + 1);
      return undefined;
    }
    const head = partHead(this.#buffer.toString("utf8", CRLF.length, Math.max(CRLF.length, end)));
    this.#count(head);
    // A part without any content ends with the CRLF of the delimiter, which then is the one of the empty line.
    this.#drop(end + CRLF.length);
    this.#isFirstData = true;
    this.#part = head;
    this.#partSize = 0;
    this.#state = "content";
    return { type: "part", head };
  }

  #readContent(): MultipartEvent | undefined {
    const buffer = this.#buffer;
    const start = this.#isFirstData ? CRLF.length : 0;
    const at = buffer.indexOf(this.#delimiter);
    if (at < 0) {
      // Nothing more is kept than may be the beginning of a delimiter: what is kept has to be copied.
      const safe = startOfDelimiter(buffer, this.#delimiter);
      return safe > start ? this.#data(start, safe) : undefined;
    }
    if (at > start) return this.#data(start, at);
    this.#drop(at + this.#delimiter.length);
    this.#isFirstData = false;
    this.#part = undefined;
    this.#state = "delimiter";
    return { type: "part end" };
  }

  #data(start: number, end: number): MultipartEvent {
    const bytes = this.#buffer.subarray(start, end);
    this.#partSize += bytes.length;
    const { maxFieldSize, maxFileSize } = this.#limits;
    const type = this.#part?.filename === undefined ? "field" : "file";
    const limit = type === "file" ? maxFileSize : maxFieldSize;
    if (this.#partSize > limit) throw new PartTooLargeError(type, this.#part?.name ?? "", limit);
    this.#drop(end);
    this.#isFirstData = false;
    return { type: "data", bytes };
  }

  #count(head: PartHead): void {
    if (head.filename === undefined) this.#fields += 1;
    else this.#files += 1;
    if (this.#files > this.#limits.maxFiles) throw new TooManyFilesError(this.#limits.maxFiles);
    if (this.#fields > this.#limits.maxFields) throw new TooManyFieldsError("fields", this.#limits.maxFields);
  }

  #drop(length: number): void {
    this.#buffer = this.#buffer.subarray(length);
    this.#searched = 0;
  }
}

/** Where a delimiter begins at the end of `buffer` that is not whole; the buffer's length where none does. */
function startOfDelimiter(buffer: Buffer, delimiter: Buffer): number {
  let at = buffer.length - delimiter.length + 1;
  for (;;) {
    at = buffer.indexOf(CR, Math.max(at, 0));
    if (at < 0) return buffer.length;
    if (delimiter.compare(buffer, at, buffer.length, 0, buffer.length - at) === 0) return at;
    at += 1;
  }
}

/** Names and file names are UTF-8, whatever a field says (RFC 7578 section 5.1). */
function partHead(section: string): PartHead {
  const headers = new PagiHeaders();
  for (const line of section === "" ? [] : section.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    const value = line.slice(colon + 1);
    // Not one pattern for all of it: blanks that could belong to several of its parts would take it cubic time.
    if (!isToken(name) || /[\r\n\0]/.test(value))
      throw new MalformedBodyError("A part has a header line that is none.");
    headers.add(name, value.trim());
  }
  const [disposition, ...others] = headers.getAll("content-disposition");
  if (disposition === undefined) throw new MalformedBodyError("A part has no Content-Disposition.");
  // Which of two names counts, this program and a filter in front of it may see differently.
  if (others.length > 0) throw new MalformedBodyError("A part has several Content-Dispositions.");
  const { type, parameters } = parseParameterized(disposition, "form");
  const valueOf = (parameter: string): string | undefined => {
    const extended = parameterOf(parameters, `${parameter}*`);
    const decoded = extended === undefined ? undefined : decodeExtended(extended);
    return decoded ?? unescapeName(parameterOf(parameters, parameter));
  };
  const name = valueOf("name");
  if (type !== "form-data" || name === undefined)
    throw new MalformedBodyError("A part is not form-data with a name.");
  return { name, filename: valueOf("filename"), headers };
}

/** Browsers escape three chars in names, and nothing else. Source: HTML standard, "multipart/form-data encoding algorithm". */
function unescapeName(value: string | undefined): string | undefined {
  return value?.replace(/%(?:22|0d|0a)/gi, decodeURIComponent);
}
