import { parseCookies, type CookieSigner } from "../values/cookies.ts";
import { basicCredentials, bearerToken, type BasicCredentials } from "./credentials.ts";
import { PagiHeaders } from "../values/headers.ts";
import type { MultiValue } from "../values/multi-value.ts";
import { acceptsType, preferredType } from "./negotiation.ts";
import type { PathParams } from "../router/path-params.ts";
import { Session } from "../session/object.ts";
import { Stash } from "../values/stash.ts";
import { checkOptions } from "../../spec/option-rules.ts";
import { joinCookies } from "../../spec/cookie-fields.ts";
import { mountPathOf } from "../../spec/request-path.ts";
import { DECODING_RULES, parseUrlEncoded, type DecodingOptions } from "../values/url-encoded.ts";
import type { RequestScope, State } from "../../spec/scope.ts";

export type { PathParams } from "../router/path-params.ts";

/**
 * What a request says before its body, and how much waits to be sent to its client: the same for a request, a WebSocket
 * and an event stream. It adds nothing to the scope, so that any number of these can stand over one.
 */
export abstract class RequestHead<S extends RequestScope, Params extends PathParams = PathParams> {
  readonly scope: S;
  #headers: PagiHeaders | undefined;
  #cookies: Record<string, string> | undefined;

  constructor(scope: S) {
    this.scope = scope;
  }

  // ── the request line ────────────────────────────────────────────────────────────────────────────────────────

  /** As sent: methods are case-sensitive. */
  get method(): string {
    return this.scope.method;
  }

  /** Decoded; what lies below the prefixes of the mounts on the way. */
  get path(): string {
    return this.scope.path;
  }

  /** The whole path as sent, prefixes of mounts included, still percent-encoded; from a server that does not keep it, {@link path}. */
  get rawPath(): string {
    return this.scope.raw_path ?? this.scope.path;
  }

  /** Without `?`, still percent-encoded. */
  get queryString(): string {
    return this.scope.query_string ?? "";
  }

  // A server may leave out keys that have a default. Source: PAGI Www, "HTTP Connection Scope" and its like.

  /** `https` or `wss` where the connection to the server, or to a trusted proxy before it, is encrypted. */
  get scheme(): S["scheme"] {
    const { type, scheme }: RequestScope = this.scope;
    const given: unknown = scheme ?? (type === "websocket" ? "ws" : "http");
    if (isSchemeOf(this.scope, given)) return given;
    throw new TypeError(`The scope has the scheme ${JSON.stringify(given)}.`);
  }

  /** `1.0`, `1.1`, `2` or `3`; `1.1` where the server does not say. */
  get httpVersion(): RequestScope["http_version"] {
    return this.scope.http_version ?? "1.1";
  }

  /** Address and port of the client; `undefined` on a Unix socket. */
  get client(): readonly [host: string, port: number] | undefined {
    return this.scope.client;
  }

  /** Address and port of the listener, or the path of its Unix socket and `null`. */
  get server(): S["server"] {
    return this.scope.server;
  }

  /** The prefixes that routers have cut off the front of {@link path}, after the server's own root path; decoded. */
  get rootPath(): string {
    return this.scope.root_path ?? "";
  }

  /**
   * {@link rootPath} as the beginning of paths that clients use: percent-encoded, without a slash at the end, and never
   * beginning with two slashes. `request.mountPath + router.uriFor("user", { id })` leads to a route of a mounted router.
   */
  get mountPath(): string {
    return mountPathOf(this.scope);
  }

  /** The same as `scope`. */
  get raw(): S {
    return this.scope;
  }

  /** What lifespan startup has left, shared by the requests of a process; empty where it has left nothing. */
  get state(): State {
    return this.scope.state ?? {};
  }

  // ── header fields ───────────────────────────────────────────────────────────────────────────────────────────

  /** All fields, as a copy: changing it changes nothing here. */
  get headers(): PagiHeaders {
    return this.#fields.clone();
  }

  /** The value of a field, the last one where there are several. */
  header(name: string): string | undefined {
    return this.#fields.get(name);
  }

  /** All values of a field, in order. */
  headerAll(name: string): string[] {
    return this.#fields.getAll(name);
  }

  /** As the client wrote it, so it may be forged. */
  get host(): string | undefined {
    return this.header("host");
  }

  /**
   * Whether a browser has sent this for a page of another origin, as a forged form or WebSocket. Browsers say so in
   * `Sec-Fetch-Site`, older ones in `Origin`, whose host is compared with `Host`; clients that are no browsers say neither,
   * and are not meant. A proxy has to leave `Host` as it is, or to be trusted (`--proxy-headers`).
   */
  isCrossOrigin(): boolean {
    const site = this.header("sec-fetch-site");
    if (site !== undefined) return site !== "same-origin" && site !== "none";
    const origin = this.header("origin");
    if (origin === undefined) return false;
    const host = hostOf(origin);
    return host === undefined || host !== this.host?.toLowerCase();
  }

  /** Whether the client takes a media type; short names as `json` and `html` are known. RFC 9110 section 12.5.1. */
  accepts(type: string): boolean {
    return acceptsType(this.#fields.combined("accept"), type);
  }

  /** The one of the types that the client likes best, as it was given; `undefined` when it takes none. */
  preferredType<Type extends string>(...types: readonly Type[]): Type | undefined {
    return preferredType(this.#fields.combined("accept"), types);
  }

  /** The token of `Authorization: Bearer`. */
  get bearerToken(): string | undefined {
    return bearerToken(this.header("authorization"));
  }

  /** The credentials of `Authorization: Basic`. Compare them in constant time. */
  get basicAuth(): BasicCredentials | undefined {
    return basicCredentials(this.header("authorization"));
  }

  /** Cookies by name; of several with one name the first. */
  get cookies(): Readonly<Record<string, string>> {
    return (this.#cookies ??= parseCookies(this.header("cookie") ?? ""));
  }

  /** The value of a cookie; with a signer only if its signature is right. */
  cookie(name: string, signer?: CookieSigner): string | undefined {
    const value = Object.hasOwn(this.cookies, name) ? this.cookies[name] : undefined;
    return value === undefined || signer === undefined ? value : signer.verify(name, value);
  }

  get #fields(): PagiHeaders {
    return (this.#headers ??= new PagiHeaders(joinCookies(this.scope.headers ?? [])));
  }

  // ── parameters ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The parameters of the query. @throws TooManyFieldsError for over 1000; with `strict` MalformedBodyError. */
  queryParams(options?: DecodingOptions): MultiValue<string> {
    if (options !== undefined) checkOptions("queryParams", DECODING_RULES, options);
    return parseUrlEncoded(this.queryString, options);
  }

  /** One parameter of the query, the last one where there are several. */
  queryParam(name: string, options?: DecodingOptions): string | undefined {
    return this.queryParams(options).get(name);
  }

  /** {@link queryParams} as byte strings. */
  rawQueryParams(): MultiValue<string> {
    return this.queryParams({ raw: true });
  }

  /** {@link queryParam} as a byte string. */
  rawQueryParam(name: string): string | undefined {
    return this.queryParam(name, { raw: true });
  }

  /** What a router has taken from the path; empty without one. */
  get params(): Params {
    return this.pathParams();
  }

  /**
   * The same as {@link params}.
   *
   * @throws Error with `strict` when no router has been there.
   */
  pathParams({ strict = false }: { strict?: boolean } = {}): Params {
    const params = this.scope.path_params ?? (strict ? undefined : {});
    if (!isParams<Params>(params))
      throw new Error("The scope has no path_params: no router has seen this request.");
    return params;
  }

  /**
   * One parameter of the path.
   *
   * @throws RangeError that names those there are, when it is not there: a route that matched has all of its own.
   */
  pathParam<Name extends keyof Params & string>(name: Name): Params[Name];
  pathParam<Name extends keyof Params & string>(
    name: Name,
    options: { strict: boolean },
  ): Params[Name] | undefined;
  pathParam<Name extends keyof Params & string>(
    name: Name,
    { strict = true } = {},
  ): Params[Name] | undefined {
    const params = this.pathParams();
    if (Object.hasOwn(params, name)) return params[name];
    if (!strict) return undefined;
    const known = Object.keys(params).sort().join(", ") || "none (no router has seen this request)";
    throw new RangeError(`The path has no parameter '${name}'. Its parameters are: ${known}.`);
  }

  // ── what others have left ───────────────────────────────────────────────────────────────────────────────────

  /** What middleware and handlers of this request leave for each other. */
  get stash(): Stash {
    return new Stash(this.scope);
  }

  /** The session that `sessions()` has put there. @throws SessionError without one; {@link hasSession} asks. */
  get session(): Session {
    return Session.of(this.scope);
  }

  /** True where {@link session} would find one. */
  hasSession(): boolean {
    return Session.has(this.scope);
  }

  // ── flow ────────────────────────────────────────────────────────────────────────────────────────────────────

  // A server should tell of the flow, but need not, or of no more than the amount; nothing waits where it does not.
  // Source: PAGI Www, "Transport Flow Control".

  /** Bytes that wait to be sent. */
  bufferedAmount(): number {
    return this.scope["pagi.transport"]?.bufferedAmount() ?? 0;
  }

  /** Bytes; Infinity where the server tells of none. */
  /** Bytes that may wait before `send` does. */
  highWaterMark(): number {
    return this.scope["pagi.transport"]?.highWaterMark?.() ?? Infinity;
  }

  /** Bytes. */
  /** Bytes below which `send` goes on. */
  lowWaterMark(): number {
    return this.scope["pagi.transport"]?.lowWaterMark?.() ?? 0;
  }

  /** True while less waits to be sent than the high-water mark. */
  isWritable(): boolean {
    return this.bufferedAmount() < this.highWaterMark();
  }

  /** Runs `callback` each time that {@link highWaterMark} is reached. */
  onHighWater(callback: () => void): this {
    this.scope["pagi.transport"]?.onHighWater?.(callback);
    return this;
  }

  /** Runs `callback` each time that less waits than {@link lowWaterMark}, after {@link highWaterMark} was reached. */
  onDrain(callback: () => void): this {
    this.scope["pagi.transport"]?.onDrain?.(callback);
    return this;
  }
}

/** What is behind the scheme; `null`, which a page without an origin sends, is no host of anybody. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}

/** Each type of scope has two schemes; TypeScript cannot tie the type of a scope to its own. */
function isSchemeOf<S extends RequestScope>(scope: S, scheme: unknown): scheme is S["scheme"] {
  return scope.type === "websocket"
    ? scheme === "ws" || scheme === "wss"
    : scheme === "http" || scheme === "https";
}

/** Which parameters there are is a promise of the router, from the pattern that matched. */
function isParams<Params extends PathParams>(value: unknown): value is Params {
  return typeof value === "object" && value !== null;
}
