import { CookieJar } from "tough-cookie";
import { ApplicationRun, partsOf, within } from "./application-run.ts";
import { CLIENT_RULES, DEFAULTS, HTTP_RULES, SSE_RULES, WEBSOCKET_RULES } from "./client-options.ts";
import type { HttpOptions, SseOptions, TestClientOptions, WebSocketOptions } from "./client-options.ts";
import { encodeBody } from "./request-body.ts";
import type { EncodedBody } from "./request-body.ts";
import { isRedirect, redirected } from "./redirect.ts";
import type { Redirectable, Redirected } from "./redirect.ts";
import { callerFields, connectionInfo, requestHead, targetOf } from "./request-target.ts";
import type { RequestTarget } from "./request-target.ts";
import { DeclinedError } from "./declined-error.ts";
import { TestResponse } from "./test-response.ts";
import { TestSse } from "./test-sse.ts";
import { TestTransport } from "./test-transport.ts";
import { handshakeHeaders, TestWebSocket, TestWebSocketOffer } from "./test-websocket.ts";
import { toApplication } from "../adapters/application-value.ts";
import type { NodeListener } from "../adapters/node.ts";
import type { FastifyInstance } from "../adapters/node/fastify.ts";
import { LifespanError } from "../src/errors.ts";
import type { Environment } from "../src/exchange/environment.ts";
import { Lifespan } from "../src/exchange/lifespan.ts";
import type { RequestHead } from "../src/exchange/transport.ts";
import type { Application } from "../src/spec/application.ts";
import { checkOptions, overlay } from "../src/spec/option-rules.ts";
import type { State } from "../src/spec/scope.ts";
import type { Headers } from "../src/spec/values.ts";
import { validateReceiveEvent, validateSendEvent } from "../src/spec/validate.ts";
import type { ApplicationLike } from "../src/toolkit/shared/component.ts";

/** What a client takes: whatever the server loads. */
export type TestableApplication =
  | ApplicationLike
  | { fetch(request: Request): Response | Promise<Response> }
  | NodeListener
  | FastifyInstance;

const MAX_REDIRECTS = 20;

/** How a call is made, besides what its caller says. */
interface CallKind {
  readonly body: EncodedBody | undefined;
  readonly reading: "eager" | "pulled";
  /** Fields of this kind of call. */
  readonly headers?: Headers;
  /** Fields of the client; default: its options'. */
  readonly defaults?: Headers;
  /** What a WebSocket handshake offers. */
  readonly offer?: (run: ApplicationRun, head: RequestHead) => TestWebSocketOffer;
}

/**
 * Calls an application in its own process, without a socket. What lies between the client and the application is the
 * server's own code: scopes, what `receive` and `send` do, connection state, disconnects, checks of events and headers.
 */
export class TestClient implements AsyncDisposable {
  readonly #given: TestableApplication;
  readonly #options: TestClientOptions;
  readonly #base: URL;
  readonly #runs = new Set<ApplicationRun>();
  #app: Promise<Application> | undefined;
  #lifespan: Lifespan | undefined;
  #shutdownErrors: unknown[] = [];
  #jar = newJar();

  /**
   * `app` may be whatever the server loads: an application, an object with `toApp()`, a Hono application or another
   * object with `fetch(request)`, an Express or Fastify application.
   */
  constructor(app: TestableApplication, options: TestClientOptions = {}) {
    checkOptions("new TestClient", CLIENT_RULES, options);
    this.#given = app;
    this.#options = options;
    this.#base = new URL(options.baseUrl ?? "http://localhost");
  }

  /** Starts a client, runs `use`, and stops it. @throws what `use` throws, and LifespanError. */
  static async run<T>(
    app: TestableApplication,
    use: (client: TestClient) => T | Promise<T>,
    options?: TestClientOptions,
  ): Promise<T> {
    await using client = new TestClient(app, options);
    await client.start();
    return await use(client);
  }

  // ── http ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** GET, as {@link request}. */
  get(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("GET", path, options);
  }

  /** POST, as {@link request}. */
  post(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("POST", path, options);
  }

  /** PUT, as {@link request}. */
  put(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("PUT", path, options);
  }

  /** PATCH, as {@link request}. */
  patch(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("PATCH", path, options);
  }

  /** DELETE, as {@link request}. */
  delete(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("DELETE", path, options);
  }

  /** HEAD, as {@link request}. */
  head(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("HEAD", path, options);
  }

  /** OPTIONS, as {@link request}. */
  options(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("OPTIONS", path, options);
  }

  /**
   * Makes a request. `path` is sent as it is written; a whole URL chooses scheme and host too.
   *
   * @throws what the application throws (see `throwErrors`), TestTimeoutError, TruncatedError, the reason of `signal`.
   */
  async request(method: string, path: string | URL, given: HttpOptions = {}): Promise<TestResponse> {
    checkOptions("request", HTTP_RULES, given);
    let options = overlay<HttpOptions>(this.#options, given);
    const limit = redirectLimit(options.followRedirects);
    let target = targetOf(path, this.#base, given.query);
    let body = await encodeBody(options);
    const history: TestResponse[] = [];
    let headers = callerFields(this.#options.headers ?? {}, given.headers ?? {});
    for (let verb = method; ;) {
      const response = await this.#exchange(verb, target, { ...options, headers }, body, history);
      const next =
        limit === 0 ? undefined : redirection(response, { method: verb, url: target.url, headers });
      if (next === undefined) return response;
      if (history.length >= limit)
        throw new TypeError(`There were more than ${limit} redirects, the last one to ${response.location}.`);
      if (!next.keepsBody) body = undefined;
      else if (body !== undefined && !(body.bytes instanceof Uint8Array))
        throw new TypeError("A redirect asks for the body again, which was a stream and is gone.");
      await response.bytes(); // of a stream too, since nobody else will read it
      history.push(response);
      target = targetOf(next.url, this.#base);
      ({ method: verb, headers } = next);
      if (!next.isSameOrigin) options = { ...options, cookies: {} };
    }
  }

  /**
   * A request as `fetch` makes it, with a `Response` of the web. Give it to clients that take a `fetch`. Redirects are
   * followed as the request says, which is by default.
   */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request =
      input instanceof Request
        ? new Request(input, init)
        : new Request(new URL(String(input), this.#base).href, init);
    const response = await this.request(request.method, request.url, {
      headers: [...request.headers],
      signal: request.signal,
      followRedirects: request.redirect === "follow",
      stream: true,
      ...(request.body === null ? {} : { body: await request.bytes() }),
    });
    if (request.redirect === "error" && isRedirect(response.status, response.location))
      throw new TypeError(`The response is a redirect to ${response.location}.`);
    return webResponse(response, request.method);
  };

  // ── websocket and sse ────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Opens a WebSocket.
   *
   * @throws DeclinedError with the response, when the application denies it; TestTimeoutError; what the application throws.
   */
  async websocket(path: string | URL, given: WebSocketOptions = {}): Promise<TestWebSocket> {
    const { subprotocols = [] } = given;
    checkOptions("websocket", WEBSOCKET_RULES, given);
    const options = { ...overlay<WebSocketOptions>(this.#options, given), headers: given.headers ?? {} };
    const target = targetOf(path, this.#base, given.query);
    const offers: { value?: TestWebSocketOffer } = {};
    const run = await this.#call("GET", target, options, {
      body: undefined,
      reading: "pulled",
      headers: handshakeHeaders(subprotocols),
      offer: (run, head) => (offers.value = new TestWebSocketOffer(run, head, options)),
    });
    const response = await this.#response(run, target);
    run.check();
    const connection = offers.value?.connection;
    if (connection !== undefined) return new TestWebSocket(run, response, connection);
    await response.bytes();
    run.check();
    throw new DeclinedError(`The handshake of ${run.name}`, response);
  }

  /**
   * Opens an event stream. `method` and a body make it a request that others than `EventSource` make.
   *
   * @throws DeclinedError with the response, when it is no event stream; TestTimeoutError; what the application throws.
   */
  async sse(path: string | URL, given: SseOptions = {}): Promise<TestSse> {
    const { method = "GET", lastEventId } = given;
    checkOptions("sse", SSE_RULES, given);
    const options = { ...overlay<SseOptions>(this.#options, given), headers: given.headers ?? {} };
    const target = targetOf(path, this.#base, given.query);
    const headers: Headers = [["accept", "text/event-stream"]];
    if (lastEventId !== undefined) headers.push(["last-event-id", lastEventId]);
    const body = await encodeBody(given);
    const run = await this.#call(method, target, options, { body, reading: "eager", headers });
    const response = await this.#response(run, target);
    run.check();
    if (response.isSuccess() && /^text\/event-stream\b/i.test(response.contentType ?? "")) {
      return new TestSse(run, response);
    }
    await response.bytes();
    run.check();
    throw new DeclinedError(`The event stream of ${run.name}`, response);
  }

  // ── cookies ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The cookies that a request for `path` would send, by name. */
  cookies(path = "/"): Record<string, string> {
    const { url } = targetOf(path, this.#base);
    return Object.fromEntries(this.#jar.getCookiesSync(url.href).map(({ key, value }) => [key, value]));
  }

  /** The value of a cookie that a request for `path` would send. */
  cookie(name: string, path = "/"): string | undefined {
    return this.cookies(path)[name];
  }

  /** Puts a cookie into the jar. `attributes` are those of a `Set-Cookie` field: `Path=/admin; Secure`. */
  setCookie(name: string, value: string, attributes = "Path=/"): this {
    this.#jar.setCookieSync(`${name}=${value}; ${attributes}`, this.#base.href);
    return this;
  }

  /** Empties the jar. */
  clearCookies(): this {
    this.#jar = newJar();
    return this;
  }

  // ── lifespan ───────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Runs the startup of the application, which may decline. Without it, applications are called all the same, with an
   * empty state.
   *
   * @throws LifespanError when the application refuses to start, or does not say in time that it has.
   */
  async start(): Promise<this> {
    const app = await this.#application();
    const seconds = this.#timeout === 0 ? Infinity : this.#timeout / 1000;
    this.#lifespan ??= new Lifespan(
      app,
      { mode: "auto", startupTimeout: seconds, shutdownTimeout: seconds },
      {
        error: (message, error) => this.#shutdownErrors.push(error ?? new LifespanError(message)),
        warn: () => {},
        info: () => {},
        debug: () => {},
      },
    );
    await this.#lifespan.start();
    return this;
  }

  /**
   * Stops as a server does: event streams and WebSockets are told, what still runs is waited for and then cut; then the
   * shutdown of the application, where it was started. A second call does nothing.
   *
   * @throws LifespanError when the application fails to shut down.
   */
  async stop(): Promise<void> {
    for (const run of this.#runs) run.shutDown();
    const running = Promise.all([...this.#runs].map((run) => run.returned));
    await within("the end of what runs", running, this.#timeout).catch(() => {});
    for (const run of this.#runs) run.lose("server_shutdown", new LifespanError("The client was stopped."));
    const lifespan = this.#lifespan;
    this.#lifespan = undefined;
    if (lifespan === undefined) return;
    const isClean = await lifespan.stop();
    const [error] = this.#shutdownErrors.splice(0);
    if (!isClean) throw error ?? new LifespanError("The application failed to shut down.");
  }

  /** What lifespan has left for the requests; each scope gets a shallow copy of it. */
  get state(): State {
    return this.#lifespan?.state ?? this.#options.state ?? {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  // ── within ─────────────────────────────────────────────────────────────────────────────────────────────────────

  get #timeout(): number {
    return this.#options.timeout ?? DEFAULTS.timeout;
  }

  #application(): Promise<Application> {
    return (this.#app ??= toApplication(this.#given, "what the test client was given"));
  }

  get #host(): Omit<Environment, "timer" | "reportError"> {
    const {
      validateEvents = true,
      highWaterMark = DEFAULTS.highWaterMark,
      state = {},
      rootPath = "",
    } = this.#options;
    return {
      validator: validateEvents ? { validateSendEvent, validateReceiveEvent } : undefined,
      highWaterMark,
      lowWaterMark: this.#options.lowWaterMark ?? highWaterMark >> 2,
      rootPath,
      sseIdleTimeout: (this.#options.sseIdleTimeout ?? 0) * 1000,
      wsIdleTimeout: (this.#options.wsIdleTimeout ?? 0) * 1000,
      wsHandshakeTimeout: (this.#options.wsHandshakeTimeout ?? 0) * 1000,
      maxReceiveQueue: this.#options.maxReceiveQueue ?? DEFAULTS.maxReceiveQueue,
      state: this.#lifespan === undefined ? state : { ...state, ...this.#lifespan.state },
    };
  }

  async #exchange(
    method: string,
    target: RequestTarget,
    options: HttpOptions,
    body: EncodedBody | undefined,
    history: readonly TestResponse[],
  ): Promise<TestResponse> {
    const run = await this.#call(method, target, options, { body, reading: "pulled", defaults: [] });
    const response = await this.#response(run, target, history);
    const { stream = false, waitForReturn = true } = options;
    if (!stream) {
      await response.bytes();
      if (waitForReturn) await run.finish();
    }
    run.check();
    return response;
  }

  /** Calls the application with a request. The client going away is heard of from here on. */
  async #call(
    method: string,
    target: RequestTarget,
    options: HttpOptions,
    how: CallKind,
  ): Promise<ApplicationRun> {
    const app = await this.#application();
    const { signal } = options;
    signal?.throwIfAborted();
    const { body, reading } = how;
    const { socketBuffer = DEFAULTS.socketBuffer } = this.#options;
    const head = requestHead(method, target, {
      defaults: how.defaults ?? this.#options.headers ?? {},
      options,
      jar: this.#jar,
      body,
      own: how.headers ?? [],
    });
    const hasBody = body !== undefined && !(body.bytes instanceof Uint8Array && body.bytes.byteLength === 0);
    const transport = new TestTransport(head, hasBody ? body.bytes : undefined, socketBuffer, reading);
    const run = new ApplicationRun(`${method} ${target.rawPath}`, transport, options);
    const connection = connectionInfo(target.url, options);
    const parts = partsOf(this.#host, run, { connection, head, hasBody });
    this.#runs.add(run);
    void run.returned.then(() => this.#runs.delete(run));
    if (signal !== undefined) loseWith(signal, run);
    run.start(app, parts, options, how.offer?.(run, head));
    return run;
  }

  async #response(
    run: ApplicationRun,
    target: RequestTarget,
    history: readonly TestResponse[] = [],
  ): Promise<TestResponse> {
    const head = await run.waitOrLeave(`the response to ${run.name}`, run.transport.head);
    this.#keepCookies(head.headers, target.url);
    return new TestResponse({ url: target.url, head, run, history: [...history] });
  }

  #keepCookies(headers: readonly (readonly [string, string])[], url: URL): void {
    for (const [name, value] of headers) {
      if (name === "set-cookie") this.#jar.setCookieSync(value, url.href, { ignoreError: true });
    }
  }
}

/** The request that a response asks for, if that is for this application. */
function redirection(response: TestResponse, request: Redirectable): Redirected | undefined {
  const { status, location } = response;
  if (!isRedirect(status, location)) return undefined;
  const policy = response.headers.combined("referrer-policy");
  const next = redirected(request, { status, location, policy });
  const isHere = next.url.hostname === request.url.hostname && /^https?:$/.test(next.url.protocol);
  return isHere ? next : undefined;
}

/** The result of `fetch`. The `Response` constructor takes no URL, so define it on the response and on its clones. */
function webResponse(response: TestResponse, method: string): Response {
  const isBodiless = method === "HEAD" || [204, 205, 304].includes(response.status);
  const { status, rawHeaders: headers, url, redirected } = response;
  const known = (made: Response): Response =>
    Object.defineProperties(made, {
      url: { value: url },
      redirected: { value: redirected },
      type: { value: "basic" },
      clone: { value: () => known(Response.prototype.clone.call(made)) },
    });
  return known(new Response(isBodiless ? null : response.body, { status, headers }));
}

/** The client goes when the signal says so, for as long as there is something to lose. */
function loseWith(signal: AbortSignal, run: ApplicationRun): void {
  const gone = (): void => run.lose("client_closed", signal.reason);
  signal.addEventListener("abort", gone, { once: true });
  void Promise.all([run.returned, run.transport.line.whenDone()]).then(() =>
    signal.removeEventListener("abort", gone),
  );
}

function newJar(): CookieJar {
  // The host is a name such as localhost, of which no list of domains knows anything.
  return new CookieJar(undefined, { rejectPublicSuffixes: false });
}

function redirectLimit(follow: boolean | number | undefined): number {
  if (typeof follow === "number") return follow;
  return follow === true ? MAX_REDIRECTS : 0;
}
