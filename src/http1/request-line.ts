import { isAuthority, isConnectAuthority } from "./grammar.ts";
import { isToken } from "../spec/token.ts";
import { ProtocolError } from "../errors.ts";

/** A request line, taken apart. Source: RFC 9112 section 3. */
export interface RequestLine {
  /** As sent: methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** As sent. */
  readonly target: string;
  /** The target's path; `*` in asterisk form, the authority in authority form. */
  readonly rawPath: string;
  /** What follows `?`, or empty. */
  readonly queryString: string;
  readonly httpVersion: "1.0" | "1.1";
  /** The authority of an absolute-form target, which counts in place of Host (RFC 9112 section 3.2.2). */
  readonly authority: string | undefined;
}

/** Known methods, the most usual first. They need no check, and are found in a line without being cut out of it. */
const METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"];

/** HTTP-version = HTTP-name "/" DIGIT "." DIGIT. Source: RFC 9112 section 2.3. */
const VERSION = /^HTTP\/[0-9]\.[0-9]$/;

/** A char that no request target holds: anything but visible ASCII, and the mark of a fragment. */
const NOT_IN_TARGET = /[^\x21\x22\x24-\x7e]/;

/** absolute-form = absolute-URI, here http-URI = "http" "://" authority path-abempty [ "?" query ] and its like. */
const ABSOLUTE = /^https?:\/\/([^/?]*)([^?]*)(?:\?(.*))?$/i;

/**
 * Takes a request line apart and checks all of it.
 *
 *     request-line   = method SP request-target SP HTTP-version
 *     request-target = origin-form / absolute-form / authority-form / asterisk-form
 *
 * @param line without its line end and without control characters other than HTAB.
 * @throws ProtocolError 400 for a malformed line, method, target or version, or a target form that the method does
 * not have; 505 for a version other than 1.0 and 1.1.
 */
export function parseRequestLine(line: string): RequestLine {
  const methodEnd = line.indexOf(" ");
  const targetEnd = line.indexOf(" ", methodEnd + 1);
  if (methodEnd === -1 || targetEnd === -1) {
    throw new ProtocolError(400, "The request line is not 'method target version' (RFC 9112 section 3)");
  }
  const method = parseMethod(line, methodEnd);
  const httpVersion = parseVersion(line, targetEnd + 1);
  const target = line.slice(methodEnd + 1, targetEnd);
  if (NOT_IN_TARGET.test(target)) {
    throw new ProtocolError(
      400,
      "The request target holds a char that no URI may hold (RFC 9112 section 3.2)",
    );
  }
  if (target.charCodeAt(0) === 0x2f && method !== "CONNECT") {
    const mark = target.indexOf("?");
    const rawPath = mark === -1 ? target : target.slice(0, mark);
    const queryString = mark === -1 ? "" : target.slice(mark + 1);
    return { method, target, rawPath, queryString, httpVersion, authority: undefined };
  }
  return parseOtherForm(method, target, httpVersion);
}

function parseMethod(line: string, end: number): string {
  for (const method of METHODS) if (method.length === end && line.startsWith(method)) return method;
  const method = line.slice(0, end);
  if (!isToken(method)) throw new ProtocolError(400, "The method is no token (RFC 9112 section 3.1)");
  return method;
}

function parseVersion(line: string, start: number): "1.0" | "1.1" {
  if (line.length === start + 8) {
    if (line.endsWith("HTTP/1.1")) return "1.1";
    if (line.endsWith("HTTP/1.0")) return "1.0";
    if (VERSION.test(line.slice(start))) {
      throw new ProtocolError(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here (RFC 9110 section 15.6.6)");
    }
  }
  throw new ProtocolError(400, "The HTTP version is malformed (RFC 9112 section 2.3)");
}

/** Authority, asterisk and absolute form. */
function parseOtherForm(method: string, target: string, httpVersion: "1.0" | "1.1"): RequestLine {
  if (method === "CONNECT") {
    if (!isConnectAuthority(target)) {
      throw new ProtocolError(400, "CONNECT needs a target of the form host:port (RFC 9112 section 3.2.3)");
    }
    return { method, target, rawPath: target, queryString: "", httpVersion, authority: undefined };
  }
  if (target === "*") {
    if (method !== "OPTIONS") {
      throw new ProtocolError(400, "Only OPTIONS may have the target * (RFC 9112 section 3.2.4)");
    }
    return { method, target, rawPath: "*", queryString: "", httpVersion, authority: undefined };
  }
  const absolute = ABSOLUTE.exec(target);
  if (absolute === null) {
    throw new ProtocolError(400, "The request target has none of the four forms (RFC 9112 section 3.2)");
  }
  const [, authority = "", path = "", query] = absolute;
  if (!isAuthority(authority)) {
    throw new ProtocolError(
      400,
      "The request target's authority is no host and port (RFC 9112 section 3.2.2)",
    );
  }
  // An empty path means the root, and for OPTIONS the server as a whole (RFC 9112 sections 3.2.1 and 3.2.4).
  const rootPath = method === "OPTIONS" && query === undefined ? "*" : "/";
  return { method, target, rawPath: path || rootPath, queryString: query ?? "", httpVersion, authority };
}
