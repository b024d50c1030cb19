import type { BodyOptions, Pairs } from "./request-body.ts";
import {
  amount,
  either,
  FLAG,
  instanceOf,
  limit,
  OBJECT,
  oneOf,
  TEXT,
  TEXTS,
  whole,
  type OptionRule,
  type OptionRules,
} from "../src/spec/option-rules.ts";
import type { Extensions, State, TlsExtension } from "../src/spec/scope.ts";

/** What options are where nothing is said. */
export const DEFAULTS = {
  timeout: 5000,
  highWaterMark: 65_536,
  socketBuffer: 262_144,
  maxWsMessageSize: 1_048_576,
  maxReceiveQueue: 1000,
} as const;

/** Where a request seems to come from and what its scope says. */
export interface ScopeOptions {
  /** `scope.client`; `null` leaves it out, as on a Unix socket. Default `["127.0.0.1", 50000]`. */
  readonly client?: readonly [host: string, port: number] | null | undefined;
  /** `scope.server`. Default: host and port of the URL. */
  readonly server?: readonly [host: string, port: number] | readonly [path: string, port: null] | undefined;
  /** Default `1.1`. */
  readonly httpVersion?: "1.0" | "1.1" | "2" | "3" | undefined;
  /** `scope.root_path`. Default empty. */
  readonly rootPath?: string | undefined;
  /** The extension `tls`. */
  readonly tls?: TlsExtension | undefined;
  /** Extensions besides the server's own. */
  readonly extensions?: Extensions | undefined;
  /** Keys that are put into the scope when the server's part is done, such as those of a middleware. */
  readonly scope?: Readonly<Record<string, unknown>>;
}

const SCOPE_RULES: OptionRules<ScopeOptions> = {
  client: either(OBJECT, oneOf(null)),
  server: OBJECT,
  httpVersion: oneOf("1.0", "1.1", "2", "3"),
  rootPath: TEXT,
  tls: OBJECT,
  extensions: OBJECT,
  scope: OBJECT,
};

/** What concerns a wait or an error. */
export interface CallOptions {
  /** Milliseconds for each wait; 0 is for ever. Default 5000. */
  readonly timeout?: number | undefined;
  /**
   * Whether an error that the application throws, or causes, is thrown by the client's call. Otherwise the client sees
   * what it sees of a server: a 500, a cut response, a WebSocket that closes with 1011. Default true.
   */
  readonly throwErrors?: boolean | undefined;
}

const CALL_RULES: OptionRules<CallOptions> = {
  timeout: amount("milliseconds", 0, 2 ** 31 - 1),
  throwErrors: FLAG,
};

/** What a call of any kind takes. */
export interface RequestOptions extends ScopeOptions, CallOptions {
  /** They take the place of the client's own of the same name. */
  readonly headers?: Pairs | undefined;
  /** Appended to what the path has behind its `?`. */
  readonly query?: Pairs | undefined;
  /** Sent besides those of the jar, and not kept. */
  readonly cookies?: Readonly<Record<string, string>> | undefined;
  /** Aborting is a client that goes away: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const REQUEST_RULES: OptionRules<RequestOptions> = {
  ...SCOPE_RULES,
  ...CALL_RULES,
  headers: OBJECT,
  query: OBJECT,
  cookies: OBJECT,
  signal: instanceOf(AbortSignal, "an AbortSignal"),
};

/** JSON may be null, and what a body may be says whatever makes it. */
const ANY_VALUE: OptionRule = { text: "anything", accepts: () => true };

const BODY_RULES: OptionRules<BodyOptions> = {
  json: ANY_VALUE,
  form: OBJECT,
  files: OBJECT,
  body: ANY_VALUE,
};

const REDIRECTS = either(FLAG, whole(0));

/** What an HTTP request takes. */
export interface HttpOptions extends RequestOptions, BodyOptions {
  /** Whether redirects are followed, or at most how many; those that leave the host never are. Default false; true is 20. */
  readonly followRedirects?: boolean | number | undefined;
  /**
   * Resolve with the response as soon as its head is there; its body is read piece by piece, and what is not read makes
   * the application wait. Default false.
   */
  readonly stream?: boolean | undefined;
  /** Wait until the application has returned, not only answered. Default true, but for streams. */
  readonly waitForReturn?: boolean | undefined;
}

/** What {@link HttpOptions} may be. */
export const HTTP_RULES: OptionRules<HttpOptions> = {
  ...REQUEST_RULES,
  ...BODY_RULES,
  followRedirects: REDIRECTS,
  stream: FLAG,
  waitForReturn: FLAG,
};

/** What a handshake takes. */
export interface WebSocketOptions extends RequestOptions {
  /** What the client offers, in its order of preference. */
  readonly subprotocols?: readonly string[] | undefined;
  /** Whether the client answers a Ping, as any does that is alive. Default true. */
  readonly answersPings?: boolean | undefined;
}

/** What {@link WebSocketOptions} may be. */
export const WEBSOCKET_RULES: OptionRules<WebSocketOptions> = {
  ...REQUEST_RULES,
  subprotocols: TEXTS,
  answersPings: FLAG,
};

/** What the request of an event stream takes. */
export interface SseOptions extends RequestOptions, BodyOptions {
  /** Default `GET`. */
  readonly method?: string | undefined;
  /** The id of the last event that was seen, as a client sends it that comes back. */
  readonly lastEventId?: string | undefined;
}

/** What {@link SseOptions} may be. */
export const SSE_RULES: OptionRules<SseOptions> = {
  ...REQUEST_RULES,
  ...BODY_RULES,
  method: TEXT,
  lastEventId: TEXT,
};

/** What the server would be told, and what all calls of a client have in common. */
export interface TestClientOptions extends ScopeOptions, CallOptions {
  /** Scheme, host and port of paths. Default `http://localhost`. */
  readonly baseUrl?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Pairs | undefined;
  /** Whether redirects are followed, or at most how many. Default false. */
  readonly followRedirects?: boolean | number | undefined;
  /** Wait until the application has returned, not only answered. Default true. */
  readonly waitForReturn?: boolean | undefined;
  /** State for the scopes besides what lifespan leaves. */
  readonly state?: State | undefined;
  /** Checks every event in both directions against the specification. Default true. */
  readonly validateEvents?: boolean | undefined;
  /** Unsent bytes at which `send` waits. Default 65536. */
  readonly highWaterMark?: number | undefined;
  /** Unsent bytes at which it goes on. Default a quarter of `highWaterMark`. */
  readonly lowWaterMark?: number | undefined;
  /** Bytes that the sockets take before a byte counts as unsent. Default 262144. */
  readonly socketBuffer?: number | undefined;
  /** Seconds without an event before a stream is closed; 0 is never. Default 0. */
  readonly sseIdleTimeout?: number | undefined;
  /** Seconds without a message before a WebSocket is closed; 0 is never. Default 0. */
  readonly wsIdleTimeout?: number | undefined;
  /** Seconds to answer a handshake; 0 is for ever. Default 0. */
  readonly wsHandshakeTimeout?: number | undefined;
  /** Bytes of a message to the application; a longer one closes the WebSocket with 1009. Default 1048576. */
  readonly maxWsMessageSize?: number | undefined;
  /** Messages that may wait for the application. Default 1000. */
  readonly maxReceiveQueue?: number | undefined;
}

const TIMEOUT = amount("seconds", 0, 2_147_483);

/** What {@link TestClientOptions} may be. */
export const CLIENT_RULES: OptionRules<TestClientOptions> = {
  ...SCOPE_RULES,
  ...CALL_RULES,
  baseUrl: TEXT,
  headers: OBJECT,
  followRedirects: REDIRECTS,
  waitForReturn: FLAG,
  state: OBJECT,
  validateEvents: FLAG,
  highWaterMark: whole(1),
  lowWaterMark: whole(0),
  socketBuffer: whole(0),
  sseIdleTimeout: TIMEOUT,
  wsIdleTimeout: TIMEOUT,
  wsHandshakeTimeout: TIMEOUT,
  maxWsMessageSize: limit(1),
  maxReceiveQueue: limit(0),
};
