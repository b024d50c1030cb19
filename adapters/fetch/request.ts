import type { Inbox } from "./inbox.ts";
import type { HttpScope, SseScope, WebSocketScope } from "../../src/spec/scope.ts";

// A `Host` that can stand in a URL: a name, an IPv4 address or a bracketed IPv6 address, with a port or without.
// Nothing in it can end the authority, so a forged one never changes the path (RFC 9110 section 7.2).
const AUTHORITY = /^(?:[\w.~!$&'()*+,;=%-]+|\[[\da-fA-F:.]+\])(?::\d{0,5})?$/;
// Chars of a byte string that the URL parser would re-encode, or read as a fragment or as another separator.
const UNSAFE_IN_TARGET = /[^!-~]|[#\\]/;
const UNSAFE_IN_TARGET_ALL = /[^!-~]|[#\\]/g;

/** The scope as a `Request`. Its body is received only when the handler reads it. */
export function requestOf(scope: HttpScope | SseScope | WebSocketScope, inbox: Inbox): Request {
  const { method } = scope;
  const request = new Request(urlOf(scope), {
    method,
    headers: scope.headers,
    signal: inbox.signal,
    body: hasBody(scope) ? inbox.bodyStream() : inbox.noBody(),
  });
  // Bun turns a method that it does not know into GET. Methods are case-sensitive (RFC 9110 section 9.1), so what
  // the client sent is put back.
  if (request.method !== method) Object.defineProperty(request, "method", { value: method });
  return request;
}

/**
 * The absolute URL of the request: scheme, `Host`, path and query as they were sent. Where `Host` is missing or no
 * authority, the server's own address takes its place; `localhost` on a Unix socket.
 */
export function urlOf(scope: HttpScope | SseScope | WebSocketScope): string {
  const path = inTarget(scope.raw_path);
  const query = scope.query_string === "" ? "" : `?${inTarget(scope.query_string)}`;
  const scheme = scope.scheme === "https" || scope.scheme === "wss" ? "https" : "http";
  return `${scheme}://${authorityOf(scope)}${path.startsWith("/") ? "" : "/"}${path}${query}`;
}

function inTarget(bytes: string): string {
  if (!UNSAFE_IN_TARGET.test(bytes)) return bytes;
  return bytes.replace(
    UNSAFE_IN_TARGET_ALL,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

let lastGoodHost = "";

function authorityOf(scope: HttpScope | SseScope | WebSocketScope): string {
  const host = scope.headers.find(([name]) => name === "host")?.[1];
  if (host !== undefined && host !== "") {
    // Most requests of a server carry the same Host, so the last one that passed is not parsed again.
    if (host === lastGoodHost) return host;
    if (AUTHORITY.test(host) && URL.canParse(`http://${host}/`)) return (lastGoodHost = host);
  }
  const [address, port] = scope.server;
  if (port === null) return "localhost";
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * Whether a request body can follow: `GET` and `HEAD` have none in the Fetch standard, HTTP/1 announces it
 * (RFC 9112 section 6), and later versions need not.
 */
function hasBody(scope: HttpScope | SseScope | WebSocketScope): boolean {
  if (scope.method === "GET" || scope.method === "HEAD") return false;
  for (const [name, value] of scope.headers) {
    if (name === "content-length") return value !== "0";
    if (name === "transfer-encoding") return true;
  }
  return !scope.http_version.startsWith("1");
}
