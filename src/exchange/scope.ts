import type { ConnectionState } from "../spec/connection-state.ts";
import { REREADABLE, type Rereadable } from "../spec/rereadable.ts";
import type {
  Extensions,
  HttpScope,
  PagiVersions,
  SseScope,
  State,
  TlsExtension,
  WebSocketScope,
} from "../spec/scope.ts";
import { joinCookies } from "../spec/cookie-fields.ts";
import { decodePath } from "../spec/request-path.ts";
import { PAGI_VERSION } from "../spec/scope.ts";
import type { Headers } from "../spec/values.ts";
import type { TransportState } from "../spec/transport-state.ts";
import type { ExchangeParts } from "./request-exchange.ts";
import type { ConnectionInfo, RequestHead } from "./transport.ts";

/** The `pagi` key of every scope. */
export const PAGI: PagiVersions = Object.freeze({ version: PAGI_VERSION, spec_version: PAGI_VERSION });

/** What `http` scopes advertise. */
export const HTTP_EXTENSIONS: Extensions = Object.freeze({ fullflush: Object.freeze({}) });

/** What `http` scopes advertise where the transport and the client take interim responses. */
export const HTTP_EXTENSIONS_WITH_INTERIM: Extensions = Object.freeze({
  ...HTTP_EXTENSIONS,
  "http.response.interim": Object.freeze({}),
});

/** What `sse` scopes advertise. */
export const SSE_EXTENSIONS: Extensions = HTTP_EXTENSIONS;

/** What `websocket` scopes advertise. */
export const WEBSOCKET_EXTENSIONS: Extensions = Object.freeze({
  "websocket.http.response": Object.freeze({}),
});

/** The keys of `http` and `sse` scopes. */
type RequestKeys = {
  type: "http" | "sse";
  scheme: "http" | "https";
  pagi: PagiVersions;
  http_version: RequestHead["httpVersion"];
  method: string;
  path: string;
  raw_path: string;
  query_string: string;
  root_path: string;
  headers: Headers;
  client?: readonly [host: string, port: number];
  server: ConnectionInfo["server"];
  state: State;
  extensions: Extensions;
  "pagi.transport": TransportState;
  "pagi.connection"?: ConnectionState;
  [REREADABLE]?: Rereadable | undefined;
};

/**
 * Makes the scope of a request. Source: PAGI Www, "HTTP Connection Scope". One literal, so that all scopes have one
 * shape, and no copy: this runs for every request.
 */
export function requestScope(
  type: "http",
  parts: ExchangeParts,
  extensions: Extensions,
  transport: TransportState,
  receive: Rereadable,
  state: ConnectionState,
): HttpScope;
export function requestScope(
  type: "sse",
  parts: ExchangeParts,
  extensions: Extensions,
  transport: TransportState,
  receive: Rereadable | undefined,
): SseScope;
export function requestScope(
  type: "http" | "sse",
  { head, connection, host }: ExchangeParts,
  extensions: Extensions,
  transport: TransportState,
  receive: Rereadable | undefined,
  state?: ConnectionState,
): RequestKeys {
  const scope: RequestKeys = {
    type,
    scheme: connection.secure ? "https" : "http",
    pagi: PAGI,
    http_version: head.httpVersion,
    method: head.method,
    path: decodePath(head.rawPath),
    raw_path: head.rawPath,
    query_string: head.queryString,
    root_path: connection.rootPath ?? host.rootPath,
    headers: joinCookies(head.headers),
    server: connection.server,
    state: copyOf(host.state),
    extensions: connection.tls === undefined ? extensions : withTls(extensions, connection.tls),
    "pagi.transport": transport,
    [REREADABLE]: receive,
  };
  if (connection.client !== undefined) scope.client = connection.client;
  if (state !== undefined) scope["pagi.connection"] = state;
  return scope;
}

/** Makes the scope of a handshake. Source: PAGI Www, "WebSocket Connection Scope". */
export function webSocketScope(
  parts: ExchangeParts,
  extensions: Extensions,
  transport: TransportState,
  subprotocols: string[],
): WebSocketScope {
  const { type: _type, scheme, ...rest } = requestScope("sse", parts, extensions, transport, undefined);
  return { ...rest, type: "websocket", scheme: scheme === "https" ? "wss" : "ws", subprotocols };
}

/** What was made of `extensions` for a connection, which is the same for each of its requests of one kind. */
const EXTENSIONS_WITH_TLS = new WeakMap<
  TlsExtension,
  { readonly of: Extensions; readonly made: Extensions }
>();

/** What a scope of an encrypted connection advertises. Source: PAGI Tls, "When to use this extension". */
function withTls(extensions: Extensions, tls: TlsExtension): Extensions {
  const last = EXTENSIONS_WITH_TLS.get(tls);
  if (last?.of === extensions) return last.made;
  const made = Object.freeze({ ...extensions, tls });
  EXTENSIONS_WITH_TLS.set(tls, { of: extensions, made });
  return made;
}

/** A shallow copy. Most applications leave no state, and copying nothing costs as much as the rest of a scope. */
function copyOf(state: State): State {
  for (const _key in state) return { ...state };
  return {};
}
