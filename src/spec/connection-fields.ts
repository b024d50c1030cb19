/**
 * Fields that concern one connection only, and so are the server's business: an application's are dropped, apart from
 * `Connection: close` and `Upgrade`. Names in lower case. Source: RFC 9110 section 7.6.1; RFC 9112 appendix C.2.2 for
 * Proxy-Connection.
 */
export const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** The members of a Connection field, in lower case. */
export function connectionOptions(value: string): string[] {
  return value
    .split(",")
    .map((option) => option.trim().toLowerCase())
    .filter((option) => option !== "");
}
