import type { Http1Request } from "./events.ts";
import { isImpersonal } from "./impersonal-fields.ts";
import type { RequestLine } from "./request-line.ts";
import type { HeaderPair } from "../spec/values.ts";

/**
 * What an accepted field section of HTTP/1.1 means that says that there is no body. Nobody but the caches has its list
 * and its pairs: every request gets a copy.
 */
export interface KnownFields {
  readonly headers: readonly HeaderPair[];
  readonly keepAlive: boolean;
  /** Nothing in it says who the client is, so that other connections may be served from it too. */
  readonly isImpersonal: boolean;
  /** Bytes of the section with its empty line. */
  readonly length: number;
}

/** An accepted head, and the bytes that it was read from. */
export interface KnownHead {
  /** From the first byte of the request line to the empty line; a copy. */
  readonly bytes: Buffer;
  readonly line: RequestLine;
  readonly fields: KnownFields;
}

/** Remembers what a field section means. */
export function knownFields(request: Http1Request, length: number): KnownFields {
  return {
    headers: copyOf(request.headers),
    keepAlive: request.keepAlive,
    isImpersonal: request.headers.every(([name]) => isImpersonal(name)),
    length,
  };
}

/** A request with these fields. The application may change its list and its pairs, so they are fresh. */
export function knownRequest(line: RequestLine, { headers, keepAlive }: KnownFields): Http1Request {
  const { method, target, rawPath, queryString, httpVersion } = line;
  return {
    type: "request",
    httpVersion,
    method,
    target,
    rawPath,
    queryString,
    headers: copyOf(headers),
    hasBody: false,
    keepAlive,
    expectContinue: false,
  };
}

function copyOf(headers: readonly HeaderPair[]): HeaderPair[] {
  const copy: HeaderPair[] = [];
  for (const pair of headers) copy.push([pair[0], pair[1]]);
  return copy;
}
