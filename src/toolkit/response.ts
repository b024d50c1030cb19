import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { create as disposition } from "content-disposition";
import { UnsupportedScopeError } from "../errors.ts";
import { checkOptions, FLAG, OBJECT, TEXT, whole, type OptionRules } from "../spec/option-rules.ts";
import type { Application } from "../spec/application.ts";
import { isByteString } from "../spec/header-rules.ts";
import { parameterOf, parseParameterized } from "../spec/parameters.ts";
import { deletedCookie, serializeCookie, type CookieOptions, type CookieSigner } from "./values/cookies.ts";
import { addCors, type CorsOptions } from "./response/cors.ts";
import { headerPairs, PagiHeaders } from "./values/headers.ts";
import { ValidationError } from "./request/error.ts";
import type { TellableError } from "./request/error.ts";
import { assertSource, fetchedBody, jsonChunks, jsonText, pipeSource } from "./response/body.ts";
import type { BodySource, ResponseBody } from "./response/body.ts";
import { FileError } from "./response/file-error.ts";
import { fetchFields } from "./response/fetch-head.ts";
import { responseEvents, type AnySend, type ResponseEvents } from "./response/events.ts";
import { connectionOf, hasContent, sendResponse } from "./response/sender.ts";
import { ResponseWriter, type OnClose } from "./response/writer.ts";
import { titleOf } from "../spec/reason-phrase.ts";
import type { RequestScope } from "../spec/scope.ts";

export { CookieSigner } from "./values/cookies.ts";
export type { CookieOptions } from "./values/cookies.ts";
export type { CorsOptions } from "./response/cors.ts";
export { PagiHeaders } from "./values/headers.ts";
export { FileError } from "./response/file-error.ts";
export type { BodySource } from "./response/body.ts";
export type { AnySend } from "./response/events.ts";
export { ResponseWriter } from "./response/writer.ts";
export type { OnClose } from "./response/writer.ts";

/** What the methods that set a body take besides. */
export interface ResponseOptions {
  /** The status code, 200 to 599. Default: 200, or the one that the method stands for. */
  status?: number | undefined;
  /** Replaces the type that the method would give. */
  contentType?: string | undefined;
  /** Fields to add. */
  headers?:
    | Iterable<readonly [name: string, value: string | number]>
    | Readonly<Record<string, string | number>>
    | undefined;
}

/** How a file is sent. */
export interface FileOptions extends ResponseOptions {
  /** The name under which it is to be kept; the browser then offers to, unless it is `inline`. */
  filename?: string | undefined;
  /** Whether the browser shows it. Default: not said, and false with a `filename`. */
  inline?: boolean | undefined;
  /** Bytes to leave out at the start. Default 0. With it, or `length`, ranges are the application's own business. */
  offset?: number | undefined;
  /** Bytes to send at most. Default: to the end. */
  length?: number | undefined;
  /** Whether `ETag` and `Last-Modified` are made from the file where they are not set. Default true. */
  validators?: boolean | undefined;
}

/** What {@link ResponseOptions} may be. */
export const RESPONSE_RULES: OptionRules<ResponseOptions> = {
  status: whole(200, 999),
  contentType: TEXT,
  headers: OBJECT,
};

const FILE_RULES: OptionRules<FileOptions> = {
  ...RESPONSE_RULES,
  filename: TEXT,
  inline: FLAG,
  offset: whole(0),
  length: whole(0),
  validators: FLAG,
};

/** What can be answered with: a `PagiResponse`, or anything else that sends itself. */
export interface Responder {
  respond(send: AnySend, scope?: RequestScope): Promise<void>;
}

const NO_BYTES = new Uint8Array(0);

/**
 * A response as a value: built, then sent by {@link respond}, returned from a handler, or mounted as an application.
 * It holds no connection, and sending does not change it, so that it can be sent any number of times; only a body
 * that can be read once, such as a `ReadableStream`, is then gone.
 *
 * The methods that set a body are there on the class too, where they make a new response.
 */
export class PagiResponse implements Responder {
  /** The scope it was made for, if any: for helpers, and what {@link respond} goes by where it is given none. */
  readonly scope: RequestScope | undefined;
  #status: number | undefined;
  readonly #headers = new PagiHeaders();
  #body: ResponseBody = { kind: "none" };
  #writerTaken = false;

  constructor(scope?: RequestScope) {
    this.scope = scope;
  }

  static text(body: string, options?: ResponseOptions): PagiResponse {
    return new PagiResponse().text(body, options);
  }
  static html(body: string, options?: ResponseOptions): PagiResponse {
    return new PagiResponse().html(body, options);
  }
  static json(value: unknown, options?: ResponseOptions): PagiResponse {
    return new PagiResponse().json(value, options);
  }
  static jsonStream(
    values: AsyncIterable<unknown> | Iterable<unknown>,
    options?: ResponseOptions & { format?: "array" | "lines" },
  ): PagiResponse {
    return new PagiResponse().jsonStream(values, options);
  }
  static redirect(location: string, status?: number): PagiResponse {
    return new PagiResponse().redirect(location, status);
  }
  static empty(options?: ResponseOptions): PagiResponse {
    return new PagiResponse().empty(options);
  }
  static send(body: string, options?: ResponseOptions & { charset?: string }): PagiResponse {
    return new PagiResponse().send(body, options);
  }
  static sendRaw(body: Uint8Array, options?: ResponseOptions): PagiResponse {
    return new PagiResponse().sendRaw(body, options);
  }
  static stream(source: BodySource, options?: ResponseOptions): PagiResponse {
    return new PagiResponse().stream(source, options);
  }
  static sendFile(path: string, options?: FileOptions): PagiResponse {
    return new PagiResponse().sendFile(path, options);
  }

  /**
   * A Fetch `Response`. Its body is sent as what it is: bytes whole, a `Bun.file()` as a file, else a stream, with its
   * true length. A string or bytes without a type get one when they are sent, as Bun's own server does it. Fields about
   * the connection of a response that came from `fetch` are left out, and so is a Content-Encoding that `fetch` has
   * undone. A stream can be sent once.
   *
   * @throws TypeError when the body was read already.
   */
  static from(response: Response): PagiResponse {
    if (response.bodyUsed)
      throw new TypeError("The body of the Response has been read already; clone() it before.");
    const made = new PagiResponse().status(response.status);
    for (const [name, value] of fetchFields(response)) made.#headers.add(name, value);
    made.#body = fetchedBody(response);
    return made;
  }

  /** What tells a client of its error: `application/problem+json`, RFC 9457. */
  static problem(error: TellableError): PagiResponse {
    const title = titleOf(error.status);
    const detail = error.message === title ? {} : { detail: error.message };
    const problem = { type: "about:blank", title, status: error.status, ...detail };
    const errors = error instanceof ValidationError ? { errors: error.issues } : {};
    return PagiResponse.json(
      { ...problem, code: error.code, ...errors },
      { status: error.status, contentType: "application/problem+json", headers: error.headers },
    );
  }

  // ── status and header ───────────────────────────────────────────────────────────────────────────────────────

  /** The status, 200 where none is set; or sets it. @throws RangeError for what is no final status. */
  status(): number;
  status(code: number): this;
  status(code?: number): number | this {
    if (code === undefined) return this.#status ?? 200;
    if (!Number.isInteger(code) || code < 200 || code > 999)
      throw new RangeError(`${code} is no status of a response; it is an integer from 200 to 999.`);
    this.#status = code;
    return this;
  }

  /** Sets the status where none is set. */
  statusTry(code: number): this {
    return this.hasStatus() ? this : this.status(code);
  }

  hasStatus(): boolean {
    return this.#status !== undefined;
  }

  /** The last value of a field; or adds a field. */
  header(name: string): string | undefined;
  header(name: string, value: string | number): this;
  header(name: string, value?: string | number): string | undefined | this {
    if (value === undefined) return this.#headers.get(name);
    this.#headers.add(name, value);
    return this;
  }

  /** All values of a field. */
  headerAll(name: string): string[] {
    return this.#headers.getAll(name);
  }

  /** Adds a field where none of its name is there. */
  headerTry(name: string, value: string | number): this {
    this.#headers.setDefault(name, value);
    return this;
  }

  removeHeader(name: string): this {
    this.#headers.remove(name);
    return this;
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name);
  }

  /** The fields themselves, to be changed. */
  get headers(): PagiHeaders {
    return this.#headers;
  }

  /** The Content-Type; or sets it, or with `null` removes it, so that a body may give its own again. */
  contentType(): string | undefined;
  contentType(type: string | null): this;
  contentType(type?: string | null): string | undefined | this {
    if (type === undefined) return this.#headers.get("content-type");
    if (type === null) this.#headers.remove("content-type");
    else this.#headers.set("content-type", type);
    return this;
  }

  contentTypeTry(type: string): this {
    return this.headerTry("content-type", type);
  }

  hasContentType(): boolean {
    return this.hasHeader("content-type");
  }

  /** Sets a cookie, with a signer a signed one. @throws TypeError for one that browsers would refuse. */
  cookie(name: string, value: string, options: CookieOptions & { signer?: CookieSigner } = {}): this {
    const { signer, ...attributes } = options;
    return this.header("set-cookie", serializeCookie(name, signer?.sign(name, value) ?? value, attributes));
  }

  /** Deletes a cookie; path and domain are those with which it was set. */
  deleteCookie(name: string, options?: CookieOptions): this {
    return this.header("set-cookie", deletedCookie(name, options));
  }

  /** Lets other origins read the response. */
  cors(options: CorsOptions = {}): this {
    addCors(this.#headers, options);
    return this;
  }

  /**
   * Sets the ETag, by default one made from the bytes of the body; a client that has that body gets a 304.
   *
   * @throws TypeError for a tag with a quote or space in it, and without a tag for a body that is no bytes.
   */
  etag(tag?: string, { weak = false }: { weak?: boolean } = {}): this {
    const opaque = tag ?? this.#digest();
    if (!/^[\x21\x23-\x7e\x80-\xff]*$/.test(opaque))
      throw new TypeError(
        `The ETag ${JSON.stringify(opaque)} has chars that none can have; leave out the quotes.`,
      );
    this.#headers.set("etag", `${weak ? "W/" : ""}"${opaque}"`);
    return this;
  }

  #digest(): string {
    const body = this.#body;
    if (body.kind !== "bytes" && body.kind !== "text")
      throw new TypeError(
        "etag() without a tag needs a body that is set before, and is neither stream nor file.",
      );
    const content = body.kind === "text" ? Buffer.from(body.text) : body.bytes;
    return createHash("sha256").update(content).digest("base64url").slice(0, 22);
  }

  /** Sets `Last-Modified`; a client that has a copy as new gets a 304. */
  lastModified(date: Date): this {
    this.#headers.set("last-modified", date.toUTCString());
    return this;
  }

  // ── the body ────────────────────────────────────────────────────────────────────────────────────────────────

  /** True once a body is set, an empty one too. */
  hasBodySource(): boolean {
    return this.#body.kind !== "none";
  }

  /** True once the response to this scope has started, whoever started it; false without a scope. */
  isSent(): boolean {
    return connectionOf(this.scope)?.responseStarted() ?? false;
  }

  /** `text/plain` in UTF-8. */
  text(body: string, options?: ResponseOptions): this {
    return this.#encoded(body, "text/plain", options);
  }

  /** `text/html` in UTF-8. */
  html(body: string, options?: ResponseOptions): this {
    return this.#encoded(body, "text/html", options);
  }

  /** `application/json`. @throws TypeError for what has no JSON. */
  json(value: unknown, options?: ResponseOptions): this {
    this.#withText(jsonText(value), options);
    // Most responses are JSON of no other type, and need no look at what there is.
    return this.hasContentType()
      ? this.#declare("application/json", "utf-8")
      : this.header("content-type", "application/json");
  }

  /** A JSON array, or with `lines` a line of JSON for each value (`application/x-ndjson`), sent as values come. */
  jsonStream(
    values: AsyncIterable<unknown> | Iterable<unknown>,
    { format = "array", ...options }: ResponseOptions & { format?: "array" | "lines" } = {},
  ): this {
    assertSource(values, "jsonStream");
    const type = format === "array" ? "application/json" : "application/x-ndjson";
    return this.stream((writer) => pipeSource(jsonChunks(values, format), writer), options).contentTypeTry(
      type,
    );
  }

  /** Text in a charset: UTF-8, or `iso-8859-1` or `us-ascii`. @throws TypeError for another one, or a char outside it. */
  send(body: string, { charset = "utf-8", ...options }: ResponseOptions & { charset?: string } = {}): this {
    if (/^utf-?8$/i.test(charset)) return this.#encoded(body, "text/plain", options);
    const isAscii = /^(us-)?ascii$/i.test(charset);
    if (!isAscii && !/^(iso-8859-1|latin1)$/i.test(charset))
      throw new TypeError(`send() knows no charset '${charset}'; encode the body and use sendRaw().`);
    if (!isByteString(body) || (isAscii && /[^\x00-\x7f]/.test(body)))
      throw new TypeError(`The body has chars that are not in ${charset}.`);
    return this.#withBytes(Buffer.from(body, "latin1"), options).#declare("text/plain", charset);
  }

  /** Bytes as they are. */
  sendRaw(body: Uint8Array, options?: ResponseOptions): this {
    return this.#withBytes(body, options);
  }

  /** No body; 204 unless a status is set. */
  empty(options: ResponseOptions = {}): this {
    return this.#withBytes(NO_BYTES, options).statusTry(204);
  }

  /**
   * Sends the client elsewhere. Chars that a URL cannot have are percent-encoded; where the location comes from
   * a client, see to it that it leads nowhere it should not.
   *
   * @throws RangeError for a status that is no redirect.
   */
  redirect(location: string, status = 302): this {
    if (status < 300 || status > 399)
      throw new RangeError(`${status} is no status of a redirect; those are 301, 302, 303, 307 and 308.`);
    const encoded = location
      .toWellFormed()
      .replace(/[^\x21-\x7e]|["<>\\^`{|}]/gu, (char) => encodeURIComponent(char));
    this.#headers.set("location", encoded);
    return this.#withBytes(NO_BYTES).status(status);
  }

  /**
   * A body that is made while it is sent: by a function that is given a writer, which is closed after it, or from
   * chunks. When the client goes, chunks are no longer asked for; when making it fails, the response is cut, so that
   * the client sees that it is not whole.
   */
  stream(source: BodySource, options?: ResponseOptions): this {
    assertSource(source, "stream");
    this.#body = { kind: "stream", source };
    return this.#apply(options);
  }

  /**
   * A file, with its length, its type by its name, `ETag` and `Last-Modified`. A client gets the range it asks for,
   * or 304 where it has the file already.
   *
   * @throws FileError when there is no such file; RangeError for an offset beyond its end.
   */
  sendFile(path: string, options: FileOptions = {}): this {
    checkOptions("sendFile", FILE_RULES, options);
    const { filename, inline, offset = 0, length, validators = true, ...rest } = options;
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) throw new FileError(resolve(path), "does not exist");
    if (!found.isFile()) throw new FileError(path, "is no regular file");
    if (!isCount(offset) || offset > found.size)
      throw new RangeError(`The offset ${offset} is not within the file '${path}' of ${found.size} bytes.`);
    if (length !== undefined && !isCount(length))
      throw new RangeError(`The length ${length} is no number of bytes.`);
    this.#body = { kind: "file", path, offset, length, validators };
    if (filename !== undefined || inline !== undefined) {
      const name = filename?.toWellFormed().replace(/[\x00-\x1f\x7f]/g, "");
      this.#headers.set(
        "content-disposition",
        disposition(name, { type: inline === true ? "inline" : "attachment" }),
      );
    }
    return this.#apply(rest).contentTypeTry(Bun.file(path).type);
  }

  #encoded(body: string, type: string, options?: ResponseOptions): this {
    return this.#withText(body, options).#declare(type, "utf-8");
  }

  #withText(text: string, options?: ResponseOptions): this {
    if (typeof text !== "string")
      throw new TypeError(`A body of text is a string, not ${typeof text}; json() takes anything.`);
    this.#body = { kind: "text", text };
    return this.#apply(options);
  }

  #withBytes(bytes: Uint8Array, options?: ResponseOptions): this {
    this.#body = { kind: "bytes", bytes };
    return this.#apply(options);
  }

  /** Says in which charset the body is, where its type has such a parameter: JSON has none (RFC 8259 section 11). */
  #declare(type: string, charset: string): this {
    const given = this.contentType() ?? type;
    const { type: essence, parameters } = parseParameterized(given);
    const hasCharset =
      parameterOf(parameters, "charset") !== undefined ||
      essence === "application/json" ||
      essence.endsWith("+json");
    return this.contentType(hasCharset ? given : `${given}; charset=${charset}`);
  }

  #apply(options: ResponseOptions | undefined): this {
    if (options === undefined) return this;
    checkOptions("a response", RESPONSE_RULES, options);
    const { status, contentType, headers = [] } = options;
    if (status !== undefined) this.status(status);
    if (contentType !== undefined) this.contentType(contentType);
    for (const [name, value] of headerPairs(headers)) this.#headers.add(name, value);
    return this;
  }

  // ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Sends it. The scope says what the client asks for: HEAD, conditions, ranges, and which events answer it; without
   * one it is sent whole, as to a GET.
   *
   * @throws FileError when the file has gone since; what a stream throws; what `send` rejects with.
   */
  respond(send: AnySend, scope: RequestScope | undefined = this.scope): Promise<void> {
    return sendResponse({ status: this.status(), headers: this.#headers, body: this.#body }, send, scope);
  }

  /** An application that answers everything with this: http, and what declines an event stream or a WebSocket. */
  toApp(): Application {
    return async (scope, _receive, send) => {
      if (scope.type === "lifespan") throw new UnsupportedScopeError(scope.type);
      await this.respond(send, scope);
    };
  }

  /**
   * Starts the response and hands out the writer of its body, for code that outlives the handler. Whoever has it closes
   * it. For HEAD the writer writes nothing.
   *
   * @throws Error when the writer of this response was taken already.
   */
  async writer(
    send: AnySend,
    { onClose, scope = this.scope }: { onClose?: OnClose; scope?: RequestScope } = {},
  ): Promise<ResponseWriter> {
    if (this.#writerTaken)
      throw new Error("The writer of this response has been taken; a response has only one.");
    this.#writerTaken = true;
    const events = responseEvents(send, scope);
    const silent: ResponseEvents = {
      ...events,
      body: (_, more) => (more ? Promise.resolve() : events.body("", false)),
    };
    const writer = new ResponseWriter(
      hasContent(this.status(), scope) ? events : silent,
      connectionOf(scope),
      onClose,
    );
    await events.start(this.status(), this.#headers.toPairs());
    return writer;
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** True for what can be answered with as it is. */
export function isResponder(value: unknown): value is Responder {
  return (
    typeof value === "object" && value !== null && "respond" in value && typeof value.respond === "function"
  );
}

/**
 * What a handler has returned, as something that sends itself: a `PagiResponse`, another {@link Responder}, or a Fetch
 * `Response`.
 *
 * @throws TypeError that says what was returned instead.
 */
export function toResponder(value: unknown): Responder {
  if (isResponder(value)) return value;
  if (value instanceof Response) return PagiResponse.from(value);
  const found =
    value === null || typeof value !== "object" ? String(value) : (value.constructor?.name ?? "an object");
  throw new TypeError(`A handler returned ${found}; it has to return a PagiResponse or a Response.`);
}
