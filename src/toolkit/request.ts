import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Receive } from "../spec/application.ts";
import type { ConnectionState, DisconnectReason } from "../spec/connection-state.ts";
import {
  checkOptions,
  completeOptions,
  FLAG,
  limit,
  overlay,
  type OptionRules,
} from "../spec/option-rules.ts";
import { parameterOf, parseParameterized } from "../spec/parameters.ts";
import type { HttpScope, SseScope } from "../spec/scope.ts";
import {
  byteStream,
  STREAM_RULES,
  textStream,
  type BodyStream,
  type BodyStreamOptions,
} from "./request/body-stream.ts";
import {
  checkForm,
  decodeForm,
  Form,
  FORM_LIMITS,
  FORM_RULES,
  type FormEntries,
  type FormLimits,
  type FormOptions,
  type ReadFormOptions,
} from "./request/form.ts";
import { MAX_JSON_DEPTH, parseJson } from "./request/json-depth.ts";
import { MultiValue } from "./values/multi-value.ts";
import {
  MULTIPART_RULES,
  MultipartStream,
  STREAM_LIMITS,
  type MultipartOptions,
} from "./request/multipart-stream.ts";
import type { PathParams } from "./router/path-params.ts";
import { RequestHead } from "./request/head.ts";
import { MAX_BODY_BYTES, RequestBody } from "./request/body.ts";
import { BodyTooLargeError, MalformedBodyError, UnsupportedMediaTypeError } from "./request/error.ts";
import type { RequestSource } from "./request/error.ts";
import { PagiResponse } from "./response.ts";
import type { Upload } from "./request/upload.ts";
import { decodeUtf8, parseUrlEncoded } from "./values/url-encoded.ts";
import { isSchema, validate, validateAll } from "./request/validation.ts";
import type { OutputOf, RequestSchemas, ValidatedRequest } from "./request/validation.ts";

export { MAX_BODY_BYTES } from "./request/body.ts";
export { BodyStream } from "./request/body-stream.ts";
export type { BodyStreamOptions } from "./request/body-stream.ts";
export { CookieSigner } from "./values/cookies.ts";
export type { BasicCredentials } from "./request/credentials.ts";
export { Form, FORM_LIMITS } from "./request/form.ts";
export type { FormOptions } from "./request/form.ts";
export { PagiHeaders } from "./values/headers.ts";
export { MAX_JSON_DEPTH } from "./request/json-depth.ts";
export { MultiValue } from "./values/multi-value.ts";
export { MultipartStream, Part, STREAM_LIMITS } from "./request/multipart-stream.ts";
export type { MultipartOptions } from "./request/multipart-stream.ts";
export { acceptsType, mediaType, parseAccept, preferredType } from "./request/negotiation.ts";
export { qualityForType, typeMatches } from "./request/negotiation.ts";
export type { AcceptedType } from "./request/negotiation.ts";
export * from "./request/error.ts";
export type { PathParams } from "./router/path-params.ts";
export { areSameSecrets } from "./values/secrets.ts";
export type { NewFileOptions } from "./request/new-file.ts";
export { Stash } from "./values/stash.ts";
export { Upload } from "./request/upload.ts";
export type { DecodingOptions } from "./values/url-encoded.ts";
export type { RequestSchemas, Schema, ValidatedRequest } from "./request/validation.ts";

/** How much of a body is read into memory. */
export interface BodyOptions {
  /** Bytes at most. Default {@link MAX_BODY_BYTES}. */
  maxBytes?: number | undefined;
}

/** How JSON is read. */
export interface JsonOptions extends BodyOptions {
  /** Levels that lists and objects may stand in each other. Default {@link MAX_JSON_DEPTH}. */
  maxDepth?: number | undefined;
}

/** How text is read. */
export interface TextOptions extends BodyOptions {
  /** Whether bytes that are no UTF-8 are refused. Default false: they become U+FFFD. */
  strict?: boolean | undefined;
}

const BODY_RULES: OptionRules<BodyOptions> = { maxBytes: limit(0) };

const FORM_TYPES = ["application/x-www-form-urlencoded", "multipart/form-data"] as const;

/**
 * A request, for reading. It adds nothing to the scope but how the body was read, so that any number of these can stand
 * over one scope. Whatever the client did wrong is a `RequestError` with the status that tells it so.
 */
export class PagiRequest<Params extends PathParams = PathParams> extends RequestHead<
  HttpScope | SseScope,
  Params
> {
  readonly #receive: Receive;

  /** `receive` is for the body, and may be left out where only what comes before it is read. */
  constructor(scope: HttpScope | SseScope, receive: Receive = noBody) {
    super(scope);
    this.#receive = receive;
  }

  // ── the request line ────────────────────────────────────────────────────────────────────────────────────────

  isGet(): boolean {
    return this.method === "GET";
  }
  isPost(): boolean {
    return this.method === "POST";
  }
  isPut(): boolean {
    return this.method === "PUT";
  }
  isPatch(): boolean {
    return this.method === "PATCH";
  }
  isDelete(): boolean {
    return this.method === "DELETE";
  }
  isHead(): boolean {
    return this.method === "HEAD";
  }
  isOptions(): boolean {
    return this.method === "OPTIONS";
  }

  // ── what the body is ────────────────────────────────────────────────────────────────────────────────────────

  /** The media type in lower case, without parameters. */
  get contentType(): string | undefined {
    const field = this.header("content-type");
    return field === undefined ? undefined : parseParameterized(field).type;
  }

  /** Bytes; `undefined` where the body comes without its length. */
  get contentLength(): number | undefined {
    const value = this.header("content-length");
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
  }

  /** `application/json`, or a type that ends in `+json`. */
  isJson(): boolean {
    const type = this.contentType ?? "";
    return type === "application/json" || type.endsWith("+json");
  }

  isForm(): boolean {
    return FORM_TYPES.some((type) => type === this.contentType);
  }

  isMultipart(): boolean {
    return this.contentType === "multipart/form-data";
  }

  // ── the body, whole ─────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The bytes of the body. They are kept: it may be read again, as text or JSON too.
   *
   * @throws BodyTooLargeError; IncompleteBodyError when the client goes before the end; BodyUsedError.
   */
  async bytes(options: BodyOptions = {}): Promise<Uint8Array> {
    checkOptions("bytes", BODY_RULES, options);
    return await this.#whole(options.maxBytes);
  }

  async #whole(maxBytes = MAX_BODY_BYTES): Promise<Uint8Array> {
    this.#refuseLength(maxBytes);
    return await this.#body.whole(maxBytes);
  }

  /** The same as {@link bytes}, by the name it has in the Perl toolkit. */
  body(options?: BodyOptions): Promise<Uint8Array> {
    return this.bytes(options);
  }

  /** The body as UTF-8. @throws as {@link bytes}; with `strict` MalformedBodyError for bytes that are no UTF-8. */
  async text(options: TextOptions = {}): Promise<string> {
    checkOptions("text", { ...BODY_RULES, strict: FLAG }, options);
    return decodeUtf8(await this.#whole(options.maxBytes), options.strict ?? false);
  }

  /**
   * The body as JSON, whatever its Content-Type. `T` is a promise of the caller; {@link validate} checks.
   *
   * @throws as {@link bytes}; MalformedBodyError for what is no JSON, no UTF-8, or nested too deeply.
   */
  async json<T = unknown>(options: JsonOptions = {}): Promise<T> {
    checkOptions("json", { ...BODY_RULES, maxDepth: limit(0) }, options);
    const { maxBytes, maxDepth = MAX_JSON_DEPTH } = options;
    const text = decodeUtf8(await this.#whole(maxBytes), true);
    try {
      return parseJson(text.replace(/^\ufeff/, ""), maxDepth) as T;
    } catch (cause) {
      throw new MalformedBodyError(cause instanceof RangeError ? cause.message : "It is no JSON.", { cause });
    }
  }

  // ── forms ───────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The form, fields and files. All fields together are limited by `maxBytes`, or by `maxFieldSize` where that is more
   * and there is no `maxBytes`. Files above `spoolThreshold` are on the disk until the response is delivered; call
   * `moveTo` before that for what is to stay. An `sse` scope tells of no end: dispose of its form (`await using`). It may
   * be read again, with other decoding; limits that are named then hold too.
   *
   * @throws UnsupportedMediaTypeError for a body that is no form; as {@link bytes} and {@link multipart}.
   */
  async form(options: FormOptions & BodyOptions = {}): Promise<Form> {
    checkOptions("form", { ...FORM_RULES, ...BODY_RULES }, options);
    const limits = overlay<FormLimits>(FORM_LIMITS, options);
    // A client chooses the encoding, and so must not be able to choose between limits by it.
    const maxBytes = options.maxBytes ?? Math.max(MAX_BODY_BYTES, limits.maxFieldSize);
    if (this.isMultipart()) {
      const entries = await this.#multipartForm({ ...options, maxBytes }, limits);
      checkForm(entries, options);
      return decodeForm(entries, options);
    }
    const bytes = await this.#whole(Math.min(maxBytes, limits.maxRequestBody));
    if (!this.isForm() && (this.contentType !== undefined || bytes.byteLength > 0))
      throw new UnsupportedMediaTypeError(this.contentType, FORM_TYPES);
    return new Form(parseUrlEncoded(Buffer.from(bytes).toString("latin1"), options, limits));
  }

  /** The fields of the form. @throws as {@link form}. */
  async formParams(options?: FormOptions & BodyOptions): Promise<MultiValue<string>> {
    return (await this.form(options)).fields;
  }

  /** One field of the form, the last one where there are several. @throws as {@link form}. */
  async formParam(name: string, options?: FormOptions & BodyOptions): Promise<string | undefined> {
    return (await this.formParams(options)).get(name);
  }

  /** {@link formParams} as byte strings. */
  rawFormParams(): Promise<MultiValue<string>> {
    return this.formParams({ raw: true });
  }

  /** {@link formParam} as a byte string. */
  rawFormParam(name: string): Promise<string | undefined> {
    return this.formParam(name, { raw: true });
  }

  /** The files of a multipart form; none for any other body, which is not read. @throws as {@link form}. */
  async uploads(options?: FormOptions): Promise<MultiValue<Upload>> {
    return this.isMultipart() ? (await this.form(options)).uploads : new MultiValue();
  }

  /** One file of the form, the last one where there are several. @throws as {@link form}. */
  async upload(name: string, options?: FormOptions): Promise<Upload | undefined> {
    return (await this.uploads(options)).get(name);
  }

  /** All files of a field. @throws as {@link form}. */
  async uploadAll(name: string, options?: FormOptions): Promise<Upload[]> {
    return (await this.uploads(options)).getAll(name);
  }

  // ── the body, as it comes ───────────────────────────────────────────────────────────────────────────────────

  /**
   * The body chunk by chunk, as bytes or as text.
   *
   * @throws BodyTooLargeError where Content-Length says so already; BodyUsedError.
   */
  bodyStream(options: BodyStreamOptions & { decode: "utf-8" }): BodyStream<string>;
  bodyStream(options?: BodyStreamOptions & { decode?: never }): BodyStream<Uint8Array>;
  bodyStream(options: BodyStreamOptions = {}): BodyStream<string> | BodyStream<Uint8Array> {
    checkOptions("bodyStream", STREAM_RULES, options);
    const { maxBytes, decode, strict = false } = options;
    if (maxBytes !== undefined) this.#refuseLength(maxBytes);
    const chunks = this.#body.stream(maxBytes);
    return decode === undefined ? byteStream(chunks) : textStream(chunks, strict);
  }

  /**
   * A multipart body part by part, nothing of it kept. Limits are those of `STREAM_LIMITS` where nothing else is said.
   *
   * @throws UnsupportedMediaTypeError for another body; MalformedBodyError without a boundary; BodyTooLargeError where
   *   Content-Length says so already; BodyUsedError.
   */
  multipart(options: MultipartOptions = {}): MultipartStream {
    const limits = completeOptions("multipart", MULTIPART_RULES, STREAM_LIMITS, options);
    const boundary = this.#boundary();
    this.#refuseLength(limits.maxRequestBody);
    const chunks = this.#body.stream(limits.maxRequestBody);
    return new MultipartStream(chunks, boundary, limits);
  }

  /** The same as {@link multipart}, by the name it has in the Perl toolkit. */
  multipartStream(options?: MultipartOptions): MultipartStream {
    return this.multipart(options);
  }

  get #body(): RequestBody {
    if (this.#receive === noBody) return noBody();
    return RequestBody.of(this.scope, this.#receive);
  }

  async #multipartForm(options: ReadFormOptions, limits: FormLimits): Promise<FormEntries> {
    return await this.#body.form(options, (chunks) => {
      const boundary = this.#boundary();
      this.#refuseLength(limits.maxRequestBody);
      return new MultipartStream(chunks(limits.maxRequestBody), boundary, limits);
    });
  }

  #boundary(): string {
    if (!this.isMultipart()) throw new UnsupportedMediaTypeError(this.contentType, ["multipart/form-data"]);
    const { parameters } = parseParameterized(this.header("content-type") ?? "");
    const boundary = parameterOf(parameters, "boundary");
    if (boundary === undefined) throw new MalformedBodyError("Its multipart Content-Type has no boundary.");
    return boundary;
  }

  #refuseLength(maxBytes: number): void {
    if ((this.contentLength ?? 0) > maxBytes) throw new BodyTooLargeError(maxBytes);
  }

  /** A response for this request, to be built and sent; nothing of it is sent before. */
  response(): PagiResponse {
    return new PagiResponse(this.scope);
  }

  // ── validation ──────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Checks the body with a schema, or several parts of the request each with its own, all of them before it fails.
   * A body is read as JSON or as a form, by its Content-Type. In a form, a query and the cookies every value is a
   * string, or in a form an upload, and a list of them where a name is there several times; a path parameter is a
   * string; fields of the header have names in lower case and are joined by a comma.
   *
   * @throws ValidationError (422) with the issues, 100 of each part at most; as {@link json} and {@link form}; UnsupportedMediaTypeError for a
   *   body of another type.
   */
  validate<S extends StandardSchemaV1>(schema: S, options?: JsonOptions): Promise<OutputOf<S>>;
  validate<S extends RequestSchemas>(schemas: S, options?: JsonOptions): Promise<ValidatedRequest<S>>;
  validate(schemas: StandardSchemaV1 | RequestSchemas, options: JsonOptions = {}): Promise<unknown> {
    const read = (source: RequestSource): Promise<unknown> => this.#input(source, options);
    return isSchema(schemas)
      ? read("body").then((value) => validate(schemas, value, "body"))
      : validateAll(schemas, read);
  }

  async #input(source: RequestSource, options: JsonOptions): Promise<unknown> {
    switch (source) {
      case "body":
        if (this.isJson()) return await this.json(options);
        if (this.isForm()) return (await this.form({ maxBytes: options.maxBytes })).toObject("mixed");
        throw new UnsupportedMediaTypeError(this.contentType, ["application/json", ...FORM_TYPES]);
      case "query":
        return this.queryParams().toObject("mixed");
      case "path":
        return this.pathParams();
      case "headers": {
        const { headers } = this;
        return Object.fromEntries(headers.names().map((name) => [name, headers.combined(name)]));
      }
      case "cookies":
        return this.cookies;
    }
  }

  // ── connection and flow ─────────────────────────────────────────────────────────────────────────────────────

  /** How the request stands; only `http` scopes have it. */
  get connection(): ConnectionState | undefined {
    return this.scope.type === "http" ? this.scope["pagi.connection"] : undefined;
  }

  /** False where nothing is known of the connection, as in an `sse` scope. */
  isConnected(): boolean {
    return this.connection?.isConnected() ?? false;
  }

  isDisconnected(): boolean {
    return !this.isConnected();
  }

  disconnectReason(): DisconnectReason | undefined {
    return this.connection?.disconnectReason();
  }

  /** Runs `callback` when the request ends otherwise than well; at once if it has. */
  onDisconnect(callback: (reason: DisconnectReason) => void): this {
    this.connection?.onDisconnect(callback);
    return this;
  }

  /** Runs `callback` when the response has been delivered; at once if it has. */
  onComplete(callback: () => void): this {
    this.connection?.onComplete(callback);
    return this;
  }

  /** Resolves with the reason when the request ends otherwise than well; `undefined` where that is not known. */
  whenDisconnected(): Promise<DisconnectReason> | undefined {
    return this.connection?.whenDisconnected();
  }
}

function noBody(): never {
  throw new TypeError(
    "This PagiRequest was made without receive, so that it has no body: new PagiRequest(scope, receive).",
  );
}
