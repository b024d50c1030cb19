import type { ConnectionState } from "./connection-state.ts";
import type { TransportState } from "./transport-state.ts";
import type { ByteString, Headers } from "./values.ts";

/** The version of PAGI that every scope of this server follows. */
export const PAGI_VERSION = "0.3";

/** The versions a scope declares. Source: PAGI Spec, "Connection Scope". */
export interface PagiVersions {
  readonly version: string;
  readonly spec_version: string;
}

/**
 * What lifespan startup left for the requests: a shallow copy for each scope, so keys are private to a request and
 * the objects behind them are shared. Source: PAGI Lifespan, "Lifespan State".
 */
export type State = Record<string, unknown>;

/**
 * What is known of a TLS connection. Source: PAGI Tls, "TLS Connection Scope". Each key is there; what is not known is
 * `null`. A type, since an interface would be no `Record`.
 */
export type TlsExtension = {
  /** The certificate that the server has shown, PEM. */
  readonly server_cert: string | null;
  /** The certificates that the client has sent, PEM, its own first; empty when it has none. */
  readonly client_cert_chain: readonly string[];
  /** The subject of the client's own certificate, as RFC 4514 writes it. */
  readonly client_cert_name: string | null;
  /** Why the client's certificate is not to be trusted; `null` when it is good or there is none. */
  readonly client_cert_error: string | null;
  /** `0x0303` is TLS 1.2, `0x0304` TLS 1.3. */
  readonly tls_version: number | null;
  /** The number that IANA has given it, `0x1301` for `TLS_AES_128_GCM_SHA256`. */
  readonly cipher_suite: number | null;
};

/** Optional capabilities of the server, by name. Check for a key before relying on it. Source: PAGI Extensions. */
export interface Extensions {
  /** `http.fullflush` is understood. */
  fullflush?: Record<string, never>;
  /** `http.response.interim` is understood. */
  "http.response.interim"?: Record<string, never>;
  /** The connection is encrypted by this server. */
  tls?: TlsExtension;
  /** A WebSocket handshake may be answered with an ordinary HTTP response. */
  "websocket.http.response"?: Record<string, never>;
  [name: string]: Record<string, unknown> | undefined;
}

/** What all scopes share. Middleware and applications may add keys of their own to a copy. */
interface BaseScope {
  pagi: PagiVersions;
  state: State;
  [key: string]: unknown;
}

/** What `http`, `sse` and `websocket` scopes share: the request as it came. */
interface RequestScopeBase extends BaseScope {
  http_version: "1.0" | "1.1" | "2" | "3";
  /** The request method as sent; methods are case-sensitive (RFC 9110 section 9.1). */
  method: ByteString;
  /** Percent-decoded, then decoded as UTF-8; where the bytes are no valid UTF-8, one char for each byte. */
  path: string;
  /** The path as sent, without the query. */
  raw_path: ByteString;
  /** What follows `?`, still percent-encoded; empty when there is none. */
  query_string: ByteString;
  /** Where the application is mounted; PSGI's `SCRIPT_NAME`. */
  root_path: string;
  headers: Headers;
  /** Address and port of the client; absent on a Unix socket. */
  client?: readonly [host: string, port: number];
  /** Address and port of the listener, or its path and `null`. */
  server: readonly [host: string, port: number] | readonly [path: string, port: null];
  extensions: Extensions;
  "pagi.transport": TransportState;
}

/** A single HTTP request. Source: PAGI Www, "HTTP Connection Scope". */
export interface HttpScope extends RequestScopeBase {
  type: "http";
  scheme: "http" | "https";
  "pagi.connection": ConnectionState;
}

/** A request whose `Accept` lists `text/event-stream`. Source: PAGI Www, "SSE Connection Scope". */
export interface SseScope extends RequestScopeBase {
  type: "sse";
  scheme: "http" | "https";
}

/** A WebSocket connection, from its handshake to its close. Source: PAGI Www, "WebSocket Connection Scope". */
export interface WebSocketScope extends RequestScopeBase {
  type: "websocket";
  scheme: "ws" | "wss";
  subprotocols: string[];
}

/** The life of one event loop. Source: PAGI Lifespan, "Scope". */
export interface LifespanScope extends BaseScope {
  type: "lifespan";
  pagi: PagiVersions & {
    /** 1 in a worker of a multi-process server, else 0. */
    readonly is_worker: 0 | 1;
    /** 1, 2, ... in a worker; absent otherwise. */
    readonly worker_num?: number;
    readonly role: "single" | "supervisor" | "worker";
  };
}

/** A scope that a client waits behind; narrow it by `type`. */
export type RequestScope = HttpScope | SseScope | WebSocketScope;

/** Everything an application can be called with; narrow it by `type`. */
export type Scope = RequestScope | LifespanScope;
