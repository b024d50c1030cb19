import { CookieJar } from "tough-cookie";
import { ApplicationRun, partsOf, within } from "./application-run.ts";
import type { HttpOptions, RequestOptions, TestClientOptions } from "./client-options.ts";
import { encodeBody } from "./request-body.ts";
import type { EncodedBody } from "./request-body.ts";
import { connectionInfo, requestHead, targetOf } from "./request-target.ts";
import type { RequestTarget } from "./request-target.ts";
import { TestTimeoutError } from "./test-error.ts";
import { TestResponse } from "./test-response.ts";
import { TestTransport } from "./test-transport.ts";
import { toApplication } from "../../adapters/application-value.ts";
import { LifespanError } from "../errors.ts";
import type { ExchangeHost } from "../exchange/host.ts";
import { HttpExchange } from "../exchange/http-exchange.ts";
import { Lifespan } from "../exchange/lifespan.ts";
import { SseExchange } from "../exchange/sse-exchange.ts";
import type { RequestHead } from "../exchange/transport.ts";
import type { Application } from "../spec/application.ts";
import type { State } from "../spec/scope.ts";
import { validateReceiveEvent, validateSendEvent } from "../spec/validate.ts";
import { isEventStreamRequest } from "../sse/detect.ts";
import type { ApplicationLike } from "../toolkit/component.ts";

/** What a client takes: whatever the server loads. */
export type TestableApplication =
  ApplicationLike | { fetch(request: Request): Response | Promise<Response> } | { toApp(): Application };

const DEFAULT_TIMEOUT = 5000;
const MAX_REDIRECTS = 20;
/** Statuses that send the client elsewhere. RFC 9110 section 15.4. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Calls an application in its own process, without a socket. What lies between the client and the application is the
 * server's own code: scopes, what `receive` and `send` do, connection state, disconnects, checks of events and headers.
 */
export class TestClient implements AsyncDisposable {
  readonly #given: unknown;
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

  get(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("GET", path, options);
  }

  post(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("POST", path, options);
  }

  put(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("PUT", path, options);
  }

  patch(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("PATCH", path, options);
  }

  delete(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("DELETE", path, options);
  }

  head(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("HEAD", path, options);
  }

  options(path: string | URL, options?: HttpOptions): Promise<TestResponse> {
    return this.request("OPTIONS", path, options);
  }

  /**
   * Makes a request. `path` is sent as it is written; a whole URL chooses scheme and host too.
   *
   * @throws what the application throws (see `throwErrors`), TestTimeoutError, TruncatedError, the reason of `signal`.
   */
  async request(method: string, path: string | URL, given: HttpOptions = {}): Promise<TestResponse> {
    const options: HttpOptions = { ...this.#options, ...given };
    const limit = redirectLimit(options.followRedirects);
    let target = targetOf(path, this.#base, given.query);
    let body = await encodeBody(options);
    const history: TestResponse[] = [];
    for (let verb = method; ;) {
      const response = await this.#exchange(
        verb,
        target,
        { ...options, headers: given.headers ?? {} },
        body,
        history,
      );
      const next = limit === 0 ? undefined : this.#redirection(response, target);
      if (next === undefined) return response;
      if (history.length >= limit)
        throw new TypeError(`There were more than ${limit} redirects, the last one to ${response.location}.`);
      if (changesToGet(response.status, verb)) {
        verb = verb === "HEAD" ? verb : "GET";
        body = undefined;
      } else if (body !== undefined && !(body.bytes instanceof Uint8Array)) {
        throw new TypeError("A redirect asks for the body again, which was a stream and is gone.");
      }
      history.push(response);
      target = next;
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
    if (request.redirect === "error" && REDIRECTS.has(response.status))
      throw new TypeError(`The response is a redirect to ${response.location}.`);
    const isBodiless = request.method === "HEAD" || [204, 205, 304].includes(response.status);
    return new Response(isBodiless ? null : response.body, {
      status: response.status,
      headers: response.rawHeaders,
    });
  };

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
    this.#lifespan ??= new Lifespan(
      app,
      { mode: "auto", startupTimeout: this.#timeout / 1000, shutdownTimeout: this.#timeout / 1000 },
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
    for (const run of this.#runs)
      run.transport.lose("server_shutdown", new LifespanError("The client was stopped."));
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
    return this.#options.timeout ?? DEFAULT_TIMEOUT;
  }

  #application(): Promise<Application> {
    return (this.#app ??= toApplication(this.#given, "what the test client was given"));
  }

  get #host(): Omit<ExchangeHost, "timer" | "reportError"> {
    const { validateEvents = true, highWaterMark = 65_536, state = {}, rootPath = "" } = this.#options;
    return {
      validator: validateEvents ? { validateSendEvent, validateReceiveEvent } : undefined,
      highWaterMark,
      lowWaterMark: this.#options.lowWaterMark ?? highWaterMark >> 2,
      rootPath,
      sseIdleTimeout: (this.#options.sseIdleTimeout ?? 0) * 1000,
      wsIdleTimeout: (this.#options.wsIdleTimeout ?? 0) * 1000,
      wsHandshakeTimeout: (this.#options.wsHandshakeTimeout ?? 0) * 1000,
      maxReceiveQueue: this.#options.maxReceiveQueue ?? 1000,
      state: this.#lifespan === undefined ? state : { ...state, ...this.#lifespan.state },
    };
  }

  /** Makes what a call runs on. The client going away is heard of from here on. */
  #newRun(
    head: RequestHead,
    body: EncodedBody | undefined,
    options: RequestOptions,
    reading: "eager" | "pulled",
  ) {
    const transport = new TestTransport(head, body?.bytes, this.#options.socketBuffer ?? 262_144, reading);
    const run = new ApplicationRun(`${head.method} ${head.rawPath}`, transport);
    this.#runs.add(run);
    const { signal } = options;
    const gone = (): void => transport.lose("client_closed", signal?.reason);
    signal?.addEventListener("abort", gone, { once: true });
    void run.returned.then(() => {
      this.#runs.delete(run);
    });
    return run;
  }

  async #exchange(
    method: string,
    target: RequestTarget,
    options: HttpOptions,
    body: EncodedBody | undefined,
    history: readonly TestResponse[],
  ): Promise<TestResponse> {
    const app = await this.#application();
    options.signal?.throwIfAborted();
    const { headers: defaults = {} } = this.#options;
    const head = requestHead(method, target, { defaults, options, jar: this.#jar, body });
    const run = this.#newRun(head, body, options, "pulled");
    const hasBody = body !== undefined && !(body.bytes instanceof Uint8Array && body.bytes.byteLength === 0);
    const connection = connectionInfo(target.url, options);
    const parts = partsOf(this.#host, run, { connection, head, hasBody });
    const exchange = isEventStreamRequest(head.headers) ? new SseExchange(parts) : new HttpExchange(parts);
    run.start(app, exchange, options);
    const { timeout = DEFAULT_TIMEOUT, throwErrors = true, stream = false, waitForReturn = true } = options;
    const { transport } = run;
    const wait = async <T>(what: string, promise: Promise<T>): Promise<T> => {
      try {
        return await within(what, promise, timeout);
      } catch (error) {
        if (error instanceof TestTimeoutError) transport.lose("client_closed", error);
        if (throwErrors && run.hasFailed) throw run.exception;
        throw error;
      }
    };
    const received = await wait(`the response to ${run.name}`, transport.head);
    this.#keepCookies(received.headers, target.url);
    const response = new TestResponse({
      url: target.url,
      head: received,
      transport,
      history: [...history],
      cancel: (reason) => transport.lose("client_closed", reason),
      exception: () => run.exception,
      within: wait,
    });
    if (!stream) {
      await response.bytes();
      if (waitForReturn)
        await wait(`the application to return after its answer to ${run.name}`, run.returned);
    }
    if (throwErrors && run.hasFailed) throw run.exception;
    return response;
  }

  #keepCookies(headers: readonly (readonly [string, string])[], url: URL): void {
    for (const [name, value] of headers) {
      if (name === "set-cookie") this.#jar.setCookieSync(value, url.href, { ignoreError: true });
    }
  }

  /** Where a response sends the client, if that is a place of this application. */
  #redirection(response: TestResponse, from: RequestTarget): RequestTarget | undefined {
    const { location } = response;
    if (location === undefined || !REDIRECTS.has(response.status)) return undefined;
    const url = new URL(location, from.url);
    if (url.hostname !== from.url.hostname || !/^https?:$/.test(url.protocol)) return undefined;
    return targetOf(url, this.#base);
  }
}

function newJar(): CookieJar {
  // The host is a name such as localhost, of which no list of domains knows anything.
  return new CookieJar(undefined, { rejectPublicSuffixes: false });
}

function redirectLimit(follow: boolean | number | undefined): number {
  if (typeof follow === "number") return follow;
  return follow === true ? MAX_REDIRECTS : 0;
}

/** Fetch standard, "HTTP-redirect fetch". */
function changesToGet(status: number, method: string): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}
