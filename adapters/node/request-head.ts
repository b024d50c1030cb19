import { mountPathOf, rawPathBelow } from "../../src/spec/request-path.ts";
import type { HttpScope, SseScope } from "../../src/spec/scope.ts";
import { isToken } from "../../src/spec/token.ts";

/** How the body of a request is written for `node:http`: as long as announced, in chunks, or there is none. */
export type BodyFraming =
  { readonly type: "length"; readonly length: number } | { readonly type: "chunked" | "none" };

/** What could end a field, and so begin another one. */
const UNSAFE_IN_VALUE = /[\r\n\0]/;
/** Chars of a byte string that would end the target, or are no part of one. */
const UNSAFE_IN_TARGET = /[^!-~]/g;

/** How the body comes, as the fields say (RFC 9112 section 6.3); HTTP/2 need not announce it. */
export function bodyFraming(scope: HttpScope | SseScope): BodyFraming {
  let length: string | undefined;
  for (const [name, value] of scope.headers) {
    if (name === "transfer-encoding") return { type: "chunked" };
    if (name === "content-length") length = value;
  }
  if (length !== undefined && /^\d+$/.test(length)) return { type: "length", length: Number(length) };
  const isSilent =
    scope.http_version?.startsWith("1") !== false || scope.method === "GET" || scope.method === "HEAD";
  return { type: isSilent ? "none" : "chunked" };
}

/**
 * The head of the request as `node:http` reads it, with the fields in the order and number in which they came. Only
 * what frames the body is ours.
 *
 * @throws TypeError for a scope that would read as something else, which a server that checks requests never makes.
 */
export function requestHead(scope: HttpScope | SseScope, framing: BodyFraming): Buffer {
  assertReadable(scope);
  let head = `${scope.method} ${requestTarget(scope)} HTTP/${scope.http_version === "1.0" ? "1.0" : "1.1"}\r\n`;
  let hasHost = false;
  for (const [name, value] of scope.headers) {
    if (name === "host") hasHost = true;
    if (name === "transfer-encoding" || (name === "content-length" && framing.type !== "length")) continue;
    head += `${name}: ${value}\r\n`;
  }
  if (!hasHost && scope.http_version !== "1.0") head += "host: \r\n";
  if (framing.type === "chunked") head += "transfer-encoding: chunked\r\n";
  return Buffer.from(`${head}\r\n`, "latin1");
}

/** @throws TypeError for a scope that would read as something else: one whose method or fields end early. */
export function assertReadable({ method, headers }: HttpScope | SseScope): void {
  if (!isToken(method)) throw new TypeError(`The scope has the method ${JSON.stringify(method)}.`);
  for (const [name, value] of headers)
    if (!isToken(name) || UNSAFE_IN_VALUE.test(value))
      throw new TypeError(`The scope has the header ${JSON.stringify([name, value])}.`);
}

/** `request.url`: below a mount the rest of the path, as it is below Express' `use()`. */
export function requestTarget(scope: HttpScope | SseScope): string {
  return targetOf(scope, rawPathBelow(scope) || "/");
}

/**
 * What Express' own `use()` leaves on the requests of a mounted application, which `express.static` and others make their
 * redirects of: the path of the mount, and the whole target of the request. Empty without a mount.
 */
export function mountKeys(scope: HttpScope | SseScope): { baseUrl?: string; originalUrl?: string } {
  const baseUrl = mountPathOf(scope);
  if (baseUrl === "") return {};
  return { baseUrl, originalUrl: targetOf(scope, baseUrl + rawPathBelow(scope)) };
}

function targetOf({ query_string = "" }: HttpScope | SseScope, path: string): string {
  return `${path}${query_string === "" ? "" : `?${query_string}`}`.replace(
    UNSAFE_IN_TARGET,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
