import { splitList } from "../../spec/parameters.ts";
import type { Headers } from "../../spec/values.ts";

/** True when the fields allow caches that serve several users to keep the response. RFC 9111 section 5.2.2. */
export function isPublic(headers: Headers): boolean {
  return directives(headers).some((each) => /^(public|s-maxage)\b/i.test(each));
}

/**
 * Forbids caches that serve several users to keep the response: it carries one user's token, and `Set-Cookie` alone
 * keeps no cache from storing it (RFC 9111 section 7.3).
 */
export function keepPrivate(headers: Headers): void {
  const present = directives(headers);
  if (present.some((each) => /^(private$|no-store\b)/i.test(each))) return;
  const kept = present.filter((each) => !/^(public|s-maxage|private)\b/i.test(each));
  removeAll(headers, "cache-control");
  headers.push(["cache-control", ["private", ...kept].join(", ")]);
}

/** Tells caches that the response depends on these request fields. RFC 9110 section 12.5.5. */
export function varyOn(headers: Headers, fields: readonly string[]): void {
  const present = headers
    .filter(([name]) => name === "vary")
    .flatMap(([, value]) => value.toLowerCase().split(","))
    .map((each) => each.trim());
  if (present.includes("*")) return;
  const missing = fields.filter((each) => !present.includes(each));
  if (missing.length > 0) headers.push(["vary", missing.join(", ")]);
}

function directives(headers: Headers): string[] {
  return headers.filter(([name]) => name === "cache-control").flatMap(([, value]) => splitList(value));
}

function removeAll(headers: Headers, removed: string): void {
  for (let i = headers.length - 1; i >= 0; i--) if (headers[i]?.[0] === removed) headers.splice(i, 1);
}
