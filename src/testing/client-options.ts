import type { BodyOptions, Pairs } from "./request-body.ts";
import type { Extensions, State, TlsExtension } from "../spec/scope.ts";

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
  readonly client?: readonly [host: string, port: number] | null;
  /** `scope.server`. Default: host and port of the URL. */
  readonly server?: readonly [host: string, port: number] | readonly [path: string, port: null];
  /** Default `1.1`. */
  readonly httpVersion?: "1.0" | "1.1" | "2" | "3";
  /** `scope.root_path`. Default empty. */
  readonly rootPath?: string;
  /** The extension `tls`. */
  readonly tls?: TlsExtension;
  /** Extensions besides the server's own. */
  readonly extensions?: Extensions;
  /** Keys that are put into the scope when the server's part is done, such as those of a middleware. */
  readonly scope?: Readonly<Record<string, unknown>>;
}

/** What concerns a wait or an error. */
export interface CallOptions {
  /** Milliseconds for each wait; 0 is for ever. Default 5000. */
  readonly timeout?: number;
  /**
   * Whether an error that the application throws, or causes, is thrown by the client's call. Otherwise the client sees
   * what it sees of a server: a 500, a cut response, a WebSocket that closes with 1011. Default true.
   */
  readonly throwErrors?: boolean;
}

/** What a call of any kind takes. */
export interface RequestOptions extends ScopeOptions, CallOptions {
  /** They take the place of the client's own of the same name. */
  readonly headers?: Pairs;
  /** Appended to what the path has behind its `?`. */
  readonly query?: Pairs;
  /** Sent besides those of the jar, and not kept. */
  readonly cookies?: Readonly<Record<string, string>>;
  /** Aborting is a client that goes away: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What an HTTP request takes. */
export interface HttpOptions extends RequestOptions, BodyOptions {
  /** Whether redirects are followed, or at most how many; those that leave the host never are. Default false; true is 20. */
  readonly followRedirects?: boolean | number;
  /**
   * Resolve with the response as soon as its head is there; its body is read piece by piece, and what is not read makes
   * the application wait. Default false.
   */
  readonly stream?: boolean;
  /** Wait until the application has returned, not only answered. Default true, but for streams. */
  readonly waitForReturn?: boolean;
}

/** What a handshake takes. */
export interface WebSocketOptions extends RequestOptions {
  /** What the client offers, in its order of preference. */
  readonly subprotocols?: readonly string[];
  /** Whether the client answers a Ping, as any does that is alive. Default true. */
  readonly answersPings?: boolean;
}

/** What the request of an event stream takes. */
export interface SseOptions extends RequestOptions, BodyOptions {
  /** Default `GET`. */
  readonly method?: string;
  /** The id of the last event that was seen, as a client sends it that comes back. */
  readonly lastEventId?: string;
}

/** What the server would be told, and what all calls of a client have in common. */
export interface TestClientOptions extends ScopeOptions, CallOptions {
  /** Scheme, host and port of paths. Default `http://localhost`. */
  readonly baseUrl?: string;
  /** Sent with every request. */
  readonly headers?: Pairs;
  /** Whether redirects are followed, or at most how many. Default false. */
  readonly followRedirects?: boolean | number;
  /** Wait until the application has returned, not only answered. Default true. */
  readonly waitForReturn?: boolean;
  /** State for the scopes besides what lifespan leaves. */
  readonly state?: State;
  /** Checks every event in both directions against the specification. Default true. */
  readonly validateEvents?: boolean;
  /** Unsent bytes at which `send` waits. Default 65536. */
  readonly highWaterMark?: number;
  /** Unsent bytes at which it goes on. Default a quarter of `highWaterMark`. */
  readonly lowWaterMark?: number;
  /** Bytes that the sockets take before a byte counts as unsent. Default 262144. */
  readonly socketBuffer?: number;
  /** Seconds without an event before a stream is closed; 0 is never. Default 0. */
  readonly sseIdleTimeout?: number;
  /** Seconds without a message before a WebSocket is closed; 0 is never. Default 0. */
  readonly wsIdleTimeout?: number;
  /** Seconds to answer a handshake; 0 is for ever. Default 0. */
  readonly wsHandshakeTimeout?: number;
  /** Bytes of a message to the application; a longer one closes the WebSocket with 1009. Default 1048576. */
  readonly maxWsMessageSize?: number;
  /** Messages that may wait for the application. Default 1000. */
  readonly maxReceiveQueue?: number;
}
