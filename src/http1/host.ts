import { isAuthority } from "./grammar.ts";
import { ProtocolError } from "../errors.ts";
import type { HeaderPair } from "../spec/values.ts";

/**
 * Checks that a request says which host it is for.
 *
 *     Host = uri-host [ ":" port ]
 *
 * @throws ProtocolError 400 for a Host that is malformed or repeated, and for HTTP/1.1 without one. Source: RFC 9112
 * section 3.2.
 */
export function checkHost(httpVersion: "1.0" | "1.1", headers: readonly HeaderPair[]): void {
  let hasHost = false;
  for (const [name, value] of headers) {
    if (name !== "host") continue;
    if (hasHost) throw new ProtocolError(400, "Host occurs more than once (RFC 9112 section 3.2)");
    if (value !== "" && !isAuthority(value)) {
      throw new ProtocolError(400, "Host is no host and port (RFC 9112 section 3.2)");
    }
    hasHost = true;
  }
  if (!hasHost && httpVersion === "1.1") {
    throw new ProtocolError(400, "Host is missing (RFC 9112 section 3.2)");
  }
}

/** The authority of an absolute-form target counts, whatever Host says. Source: RFC 9112 section 3.2.2. */
export function replaceHost(headers: HeaderPair[], authority: string): void {
  const host = headers.find(([name]) => name === "host");
  if (host === undefined) headers.unshift(["host", authority]);
  else host[1] = authority;
}
