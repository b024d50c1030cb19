import { HostedLifespan } from "./lifespan.ts";
import { urlOf } from "./request.ts";
import { ResponseTransport } from "./response-transport.ts";
import type { Environment } from "../../src/exchange/environment.ts";
import { openExchange } from "../../src/exchange/open-exchange.ts";
import type { ExchangeParts } from "../../src/exchange/request-exchange.ts";
import { runtimeTimer } from "../../src/exchange/runtime-timer.ts";
import type { ConnectionInfo } from "../../src/exchange/transport.ts";
import type { Application, Receive } from "../../src/spec/application.ts";
import { checkOptions, FLAG, FUNCTION, TEXT, whole, type OptionRules } from "../../src/spec/option-rules.ts";
import type { PathKeys } from "../../src/spec/request-path.ts";
import type { HttpScope, SseScope } from "../../src/spec/scope.ts";
import type { Headers } from "../../src/spec/values.ts";
import { validateReceiveEvent, validateSendEvent } from "../../src/spec/validate.ts";

export interface ToFetchOptions {
  /** Where the application is mounted: `scope.root_path`. The host has cut it off the URL already. Default empty. */
  readonly rootPath?: string | undefined;
  /** Checks every event in both directions against the specification. Default false. */
  readonly validateEvents?: boolean | undefined;
  /** Unsent bytes at which `send` waits. Default 65536. */
  readonly highWaterMark?: number | undefined;
  /** Unsent bytes at which it goes on. Default a quarter of `highWaterMark`. */
  readonly lowWaterMark?: number | undefined;
  /** Told of what the application does wrong, and of what it throws. Default: `console.error`. */
  readonly onError?: (message: string, error?: unknown) => void;
}

const TO_FETCH_RULES: OptionRules<ToFetchOptions> = {
  rootPath: TEXT,
  validateEvents: FLAG,
  highWaterMark: whole(1),
  lowWaterMark: whole(0),
  onError: FUNCTION,
};

/** A PAGI application as a fetch handler. Also an object with `fetch`, as `Bun.serve` and edge runtimes take it. */
export interface FetchApplication {
  /** `info` is what the host gives beside a request: `Bun.serve`'s server and Deno's info tell the client's address. */
  (request: Request, info?: unknown): Promise<Response>;
  fetch(request: Request, info?: unknown): Promise<Response>;
  /**
   * Runs the application's startup; the first request does so if nobody did.
   *
   * @throws LifespanError when the application refuses to start.
   */
  start(): Promise<void>;
  /**
   * Runs the application's shutdown. Stop the host first.
   *
   * @throws LifespanError when the application fails to shut down.
   */
  stop(): Promise<void>;
}

/** Where a request comes from that has gone through another application. */
export interface Surroundings extends Required<PathKeys> {
  /** The scope that the other application has, where it runs on a PAGI server itself. */
  readonly scope: HttpScope | SseScope | undefined;
}

const DEFAULT_HIGH_WATER_MARK = 65_536;

/**
 * Makes a fetch handler of an application, for `Bun.serve`, Deno and edge runtimes.
 *
 * It makes `http` scopes, and `sse` scopes of requests whose `Accept` lists `text/event-stream`. The host offers no
 * WebSocket to a fetch handler, so there are no `websocket` scopes. Bodies stream both ways: the request is read when
 * the application receives, and `send` waits while the host does not take what was sent. A client that goes is seen
 * by the request's `signal`, and by the host cancelling the response. An application that throws, or returns without
 * a response, is answered for with a bare 500; where a part of the response has left, its stream fails.
 */
export function toFetch(app: Application, options: ToFetchOptions = {}): FetchApplication {
  const hosted = new HostedApplication(app, options);
  const fetch = (request: Request, info?: unknown): Promise<Response> => hosted.answer(request, info);
  return Object.assign(fetch, {
    fetch,
    start: () => hosted.lifespan.start(),
    stop: () => hosted.lifespan.stop(),
  });
}

/** An application on a host that speaks `Request` and `Response`. */
export class HostedApplication {
  readonly lifespan: HostedLifespan;
  readonly #app: Application;
  readonly #options: ToFetchOptions;
  #isStarted = false;

  constructor(app: Application, options: ToFetchOptions) {
    checkOptions("toFetch", TO_FETCH_RULES, options);
    this.#app = app;
    this.#options = options;
    this.lifespan = new HostedLifespan(app);
  }

  /** The application's response. `within` is given where the request has come through another application. */
  async answer(request: Request, info?: unknown, within?: Surroundings): Promise<Response> {
    if (!this.#isStarted) {
      try {
        await this.lifespan.start();
        this.#isStarted = true;
      } catch (error) {
        this.#report("a request came, but the application has not started", error);
        return new Response("Internal Server Error\n", { status: 500 });
      }
    }
    const transport = new ResponseTransport(request);
    const parts = this.#parts(request, info, transport, within);
    const app = within === undefined ? this.#app : mountedAt(this.#app, within);
    openExchange(request.bodyUsed ? withoutBody(app) : app, parts);
    return transport.response;
  }

  #parts(
    request: Request,
    info: unknown,
    transport: ResponseTransport,
    within: Surroundings | undefined,
  ): ExchangeParts {
    const url = new URL(request.url);
    const outer = within?.scope;
    // Unless the other application has rewritten it, the query is given as it was sent.
    const asSent = outer !== undefined && urlOf(outer) === request.url;
    return {
      host: this.#host(within),
      transport,
      connection: outer === undefined ? connectionOf(url, request, info) : connectionWithin(outer),
      head: {
        httpVersion: outer?.http_version ?? "1.1",
        method: request.method,
        rawPath: within?.raw_path ?? url.pathname,
        queryString: asSent ? outer.query_string : url.search.slice(1),
        headers: fieldsOf(request),
      },
      hasBody: request.body !== null,
    };
  }

  #host(within: Surroundings | undefined): Environment {
    const { validateEvents, highWaterMark = DEFAULT_HIGH_WATER_MARK, rootPath = "" } = this.#options;
    const { state } = this.lifespan;
    return {
      validator: validateEvents === true ? { validateSendEvent, validateReceiveEvent } : undefined,
      highWaterMark,
      lowWaterMark: this.#options.lowWaterMark ?? highWaterMark >> 2,
      rootPath: within === undefined ? rootPath : within.root_path,
      // The idle timers and the WebSocket's limits are the host's affair.
      sseIdleTimeout: 0,
      wsIdleTimeout: 0,
      wsHandshakeTimeout: 0,
      maxReceiveQueue: 0,
      state: within?.scope === undefined ? state : { ...within.scope.state, ...state },
      timer: runtimeTimer,
      reportError: (message, error) => this.#report(message, error),
    };
  }

  #report(message: string, error?: unknown): void {
    const { onError = (...words: unknown[]) => console.error(...words) } = this.#options;
    if (error === undefined) onError(message);
    else onError(message, error);
  }
}

/**
 * The header. A `Request` that a program has made, or that has come over HTTP/2, may have a body that no field announces.
 * In HTTP/1.1, which the scope speaks, such a request has no body (RFC 9112 section 6.3), so it is announced here.
 */
function fieldsOf(request: Request): Headers {
  const fields: Headers = [...request.headers];
  const isFramed = request.headers.has("content-length") || request.headers.has("transfer-encoding");
  if (request.body !== null && !isFramed) fields.push(["transfer-encoding", "chunked"]);
  return fields;
}

/** The exchange makes `path` of the whole `raw_path`; a mount has cut something off it. */
function mountedAt(app: Application, { path }: PathKeys): Application {
  return (scope, receive, send) => app(scope.type === "lifespan" ? scope : { ...scope, path }, receive, send);
}

/** For a body that the host has read already. An `sse` scope keeps its `receive`, which alone reports the disconnect. */
function withoutBody(app: Application): Application {
  const receive: Receive = () =>
    Promise.reject(new TypeError("The body of the Request that toFetch() was given has been used already."));
  return (scope, given, send) => app(scope, scope.type === "http" ? receive : given, send);
}

function connectionOf(url: URL, request: Request, info: unknown): ConnectionInfo {
  const secure = url.protocol === "https:";
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  return { secure, client: clientOf(request, info), server: [url.hostname, port], tls: undefined };
}

function connectionWithin({ scheme, client, server, extensions }: HttpScope | SseScope): ConnectionInfo {
  return { secure: scheme === "https", client, server, tls: extensions.tls };
}

/** The client's address as the host tells it: `Bun.serve` by its `requestIP`, Deno by `remoteAddr`. */
function clientOf(request: Request, info: unknown): ConnectionInfo["client"] {
  if (typeof info !== "object" || info === null) return undefined;
  if ("requestIP" in info && typeof info.requestIP === "function") {
    return addressOf(info.requestIP(request), "address");
  }
  return "remoteAddr" in info ? addressOf(info.remoteAddr, "hostname") : undefined;
}

function addressOf(value: unknown, key: "address" | "hostname"): ConnectionInfo["client"] {
  if (typeof value !== "object" || value === null || !("port" in value)) return undefined;
  const host: unknown = Reflect.get(value, key);
  return typeof host === "string" && typeof value.port === "number" ? [host, value.port] : undefined;
}
