import { listMembers } from "./grammar.ts";
import { isToken } from "../spec/token.ts";
import { ProtocolError } from "../errors.ts";
import type { HeaderPair } from "../spec/values.ts";

/** How a request body ends. */
export type RequestFraming =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" };

/** How a response body ends: there is none, by its length, by the last chunk, or by the end of the connection. */
export type ResponseFraming = "none" | "length" | "chunked" | "close";

const NONE: RequestFraming = { kind: "none" };
const CHUNKED: RequestFraming = { kind: "chunked" };

/**
 * The only place that decides how long a request body is. Source: RFC 9112 section 6.3, at its strictest: whatever
 * two readers could understand in two ways is refused.
 *
 *     Transfer-Encoding = #transfer-coding
 *     Content-Length    = 1*DIGIT
 *
 * @param headers names in lower case.
 * @param maxBodySize bytes; 0 means no limit.
 * @throws ProtocolError 400 for contradicting or malformed fields, 501 for a coding other than chunked, 413 for a
 * declared length over the limit.
 */
export function requestFraming(
  httpVersion: "1.0" | "1.1",
  headers: readonly HeaderPair[],
  maxBodySize: number,
): RequestFraming {
  let length: string | undefined;
  let codings: string | undefined;
  for (const [name, value] of headers) {
    if (name === "content-length") {
      if (length !== undefined) {
        throw new ProtocolError(400, "Content-Length occurs more than once (RFC 9112 section 6.3)");
      }
      length = value;
    } else if (name === "transfer-encoding") {
      codings = codings === undefined ? value : `${codings},${value}`;
    }
  }
  if (codings !== undefined) {
    if (length !== undefined) {
      throw new ProtocolError(
        400,
        "Content-Length and Transfer-Encoding exclude each other (RFC 9112 section 6.3)",
      );
    }
    if (httpVersion === "1.0") {
      throw new ProtocolError(400, "HTTP/1.0 has no Transfer-Encoding (RFC 9112 section 6.1)");
    }
    checkCodings(listMembers(codings));
    return CHUNKED;
  }
  return length === undefined ? NONE : lengthFraming(length, maxBodySize);
}

function lengthFraming(text: string, maxBodySize: number): RequestFraming {
  const length = parseContentLength(text);
  if (length === undefined)
    throw new ProtocolError(400, "Content-Length is no number (RFC 9112 section 6.3)");
  checkBodySize(length, maxBodySize);
  return length === 0 ? NONE : { kind: "length", length };
}

/** `chunked` and nothing else. */
function checkCodings(codings: readonly string[]): void {
  if (codings.length === 1 && codings[0] === "chunked") return;
  if (!codings.every(isToken)) {
    throw new ProtocolError(400, "Transfer-Encoding is malformed (RFC 9112 section 6.1)");
  }
  const first = codings.indexOf("chunked");
  if (first !== -1 && first !== codings.length - 1) {
    throw new ProtocolError(
      400,
      "chunked is not the last transfer coding, or not only once (RFC 9112 section 6.1)",
    );
  }
  throw new ProtocolError(501, "Only the transfer coding chunked is understood (RFC 9112 section 6.1)");
}

/**
 * A request body of `size` bytes is accepted, or not.
 *
 * @param maxBodySize bytes; 0 means no limit but that of safe integers.
 * @throws ProtocolError 413 with the reason `body_too_large`.
 */
export function checkBodySize(size: number, maxBodySize: number): void {
  if (size > Number.MAX_SAFE_INTEGER || (maxBodySize !== 0 && size > maxBodySize)) {
    throw new ProtocolError(
      413,
      "The request body is too large (RFC 9110 section 15.5.14)",
      "body_too_large",
    );
  }
}

/** The value of a Content-Length field possibly over the safe range; `undefined` unless it is digits only. */
export function parseContentLength(text: string): number | undefined {
  if (text === "") return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/**
 * The only place that decides how a response body ends. Source: RFC 9112 section 6.3.
 *
 * @param request the request's version and method.
 * @param status of the response.
 * @param hasLength whether a Content-Length is declared.
 */
export function responseFraming(
  request: { readonly httpVersion: "1.0" | "1.1"; readonly method: string },
  status: number,
  hasLength: boolean,
): ResponseFraming {
  if (request.method === "HEAD" || status === 204 || status === 304 || status < 200) return "none";
  // After a 2xx to CONNECT the connection is a tunnel: bytes without framing, to its end.
  if (request.method === "CONNECT" && status < 300) return "close";
  if (hasLength) return "length";
  return request.httpVersion === "1.1" ? "chunked" : "close";
}
