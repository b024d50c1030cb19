import type { StandardSchemaV1 } from "@standard-schema/spec";
import { StateError } from "../../errors.ts";
import type { Receive, Send } from "../../spec/application.ts";
import type { ConnectionState, DisconnectReason } from "../../spec/connection-state.ts";
import type { HttpReceiveEvent } from "../../spec/events.ts";
import { checkOptions } from "../../spec/option-rules.ts";
import type { HttpScope } from "../../spec/scope.ts";
import { giveAnswer } from "../shared/call.ts";
import type { Answer } from "../shared/call.ts";
import { ContextBase } from "./base.ts";
import type { CookieOptions, CookieSigner } from "../values/cookies.ts";
import { deletedCookie, serializeCookie } from "../values/cookies.ts";
import { headerPairs } from "../values/headers.ts";
import type { PagiHeaders } from "../values/headers.ts";
import type { PathParams } from "../router/path-params.ts";
import { PreparedHead } from "./prepared-head.ts";
import type { TellableError } from "../request/error.ts";
import type { JsonOptions } from "../request.ts";
import { PagiRequest } from "../request.ts";
import type { BodySource, FileOptions, ResponseOptions } from "../response.ts";
import { PagiResponse, RESPONSE_RULES } from "../response.ts";
import type { OutputOf, RequestSchemas, ValidatedRequest } from "../request/validation.ts";
import { isSchema } from "../request/validation.ts";

/**
 * One HTTP request and the way to its response, for handlers that return it: `(c) => c.json({ id: c.params.id })`.
 *
 * The methods that make a response each make a new one. What is set on the context itself (`status`, `setHeader`,
 * `setCookie`) goes out with whichever response is sent, in time before it or after.
 */
export class HttpContext<Params extends PathParams = PathParams> extends ContextBase<
  HttpScope,
  HttpReceiveEvent,
  Params
> {
  readonly #prepared: PreparedHead;
  #request: PagiRequest<Params> | undefined;
  #isAnswered = false;

  constructor(scope: HttpScope, receive: Receive, send: Send) {
    const prepared = new PreparedHead();
    super(scope, receive, prepared.around(send));
    this.#prepared = prepared;
  }

  override get type(): "http" {
    return "http";
  }

  /** The request, for its body above all. */
  get request(): PagiRequest<Params> {
    return (this.#request ??= new PagiRequest<Params>(this.scope, this.receive));
  }

  /** How the request stands: whether its client is there, and who is told when it has gone. */
  get connection(): ConnectionState {
    return this.scope["pagi.connection"];
  }

  /** False once the client has gone, or the response was delivered. */
  isConnected(): boolean {
    return this.connection.isConnected();
  }

  disconnectReason(): DisconnectReason | undefined {
    return this.connection.disconnectReason();
  }

  /** Runs `callback` when the request ends otherwise than well; at once if it has. */
  onDisconnect(callback: (reason: DisconnectReason) => void): this {
    this.connection.onDisconnect(callback);
    return this;
  }

  /** Runs `callback` when the response has been delivered; at once if it has. */
  onComplete(callback: () => void): this {
    this.connection.onComplete(callback);
    return this;
  }

  /** Aborted when the request ends otherwise than well: for what should not outlive it, as a query or a `fetch`. */
  get signal(): AbortSignal {
    return this.connection.signal;
  }

  /** As `PagiRequest.validate`: a schema for the body, or one for each of several parts of the request. */
  validate<Schema extends StandardSchemaV1>(schema: Schema, options?: JsonOptions): Promise<OutputOf<Schema>>;
  validate<Schemas extends RequestSchemas>(
    schemas: Schemas,
    options?: JsonOptions,
  ): Promise<ValidatedRequest<Schemas>>;
  validate(schemas: StandardSchemaV1 | RequestSchemas, options?: JsonOptions): Promise<unknown> {
    return isSchema(schemas)
      ? this.request.validate(schemas, options)
      : this.request.validate(schemas, options);
  }

  // ── what goes out with any response ─────────────────────────────────────────────────────────────────────────

  /** The status of the responses that this context makes from now on, where they are given none of their own. */
  status(code: number): this {
    this.#prepared.status = code;
    return this;
  }

  /** Fields that are added to the response; one of the response's own with the same name wins. */
  get responseHeaders(): PagiHeaders {
    return this.#prepared.headers;
  }

  /** Sets a field of {@link responseHeaders}. */
  setHeader(name: string, value: string | number): this {
    this.responseHeaders.set(name, value);
    return this;
  }

  /** Sets a cookie, with a signer a signed one. @throws TypeError for one that browsers would refuse. */
  setCookie(name: string, value: string, options: CookieOptions & { signer?: CookieSigner } = {}): this {
    const { signer, ...attributes } = options;
    const field = serializeCookie(name, signer?.sign(name, value) ?? value, attributes);
    this.responseHeaders.add("set-cookie", field);
    return this;
  }

  /** Deletes a cookie; path and domain are those with which it was set. */
  deleteCookie(name: string, options?: CookieOptions): this {
    this.responseHeaders.add("set-cookie", deletedCookie(name, options));
    return this;
  }

  // ── responses, to be returned ───────────────────────────────────────────────────────────────────────────────

  /** A new response with what has been set so far, but for the fields that `options` has. */
  response(given: ResponseOptions = {}): PagiResponse {
    checkOptions("a response", RESPONSE_RULES, given);
    const { headers = [], ...options } = given;
    const made = new PagiResponse(this.scope);
    const fields = headerPairs(headers);
    const own = new Set(fields.map(([name]) => name.toLowerCase()));
    for (const [name, value] of this.#prepared.pairs()) if (!own.has(name)) made.header(name, value);
    for (const [name, value] of fields) made.header(name, value);
    const status = options.status ?? this.#prepared.status;
    if (status !== undefined) made.status(status);
    if (options.contentType !== undefined) made.contentType(options.contentType);
    return made;
  }

  /** `text/plain` in UTF-8. */
  text(body: string, options?: ResponseOptions): PagiResponse {
    return this.response(options).text(body);
  }

  /** `text/html` in UTF-8. */
  html(body: string, options?: ResponseOptions): PagiResponse {
    return this.response(options).html(body);
  }

  /** `application/json`. @throws TypeError for what has no JSON. */
  json(value: unknown, options?: ResponseOptions): PagiResponse {
    return this.response(options).json(value);
  }

  /** As `PagiResponse.jsonStream`. */
  jsonStream(
    values: AsyncIterable<unknown> | Iterable<unknown>,
    { format = "array", ...options }: ResponseOptions & { format?: "array" | "lines" } = {},
  ): PagiResponse {
    return this.response(options).jsonStream(values, { format });
  }

  /** Sends the client elsewhere. @throws RangeError for a status that is no redirect. */
  redirect(location: string, status = 302): PagiResponse {
    return this.response().redirect(location, status);
  }

  /** No body; 204 unless a status is set. */
  empty(options?: ResponseOptions): PagiResponse {
    return this.response(options).empty();
  }

  /** Bytes as they are. */
  sendRaw(body: Uint8Array, options?: ResponseOptions): PagiResponse {
    return this.response(options).sendRaw(body);
  }

  /** A body that is made while it is sent, as `PagiResponse.stream`. */
  stream(source: BodySource, options?: ResponseOptions): PagiResponse {
    return this.response(options).stream(source);
  }

  /** A file, as `PagiResponse.sendFile`. @throws FileError when there is no such file. */
  sendFile(path: string, { status, contentType, headers, ...options }: FileOptions = {}): PagiResponse {
    const head: ResponseOptions = {
      ...(status !== undefined && { status }),
      ...(contentType !== undefined && { contentType }),
      ...(headers !== undefined && { headers }),
    };
    return this.response(head).sendFile(path, options);
  }

  /** What tells a client of its error: `application/problem+json`, RFC 9457. */
  problem(error: TellableError): PagiResponse {
    return PagiResponse.problem(error);
  }

  // ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether the response has begun, or {@link respond} was called. */
  isAnswered(): boolean {
    return this.#isAnswered || this.connection.responseStarted();
  }

  /**
   * Sends an answer, for applications that are called with scope, receive and send; handlers return theirs.
   *
   * @throws StateError (as a rejection) when the request has its answer; CompositionError for what is no answer.
   */
  async respond(answer: Answer): Promise<void> {
    if (this.isAnswered())
      throw new StateError("http.response.start", "answered", "the request has its response already.");
    this.#isAnswered = true;
    try {
      await giveAnswer(answer, this, "The caller of respond()");
    } catch (error) {
      // Where the response has not begun, there can be another one.
      this.#isAnswered = false;
      throw error;
    }
  }
}
