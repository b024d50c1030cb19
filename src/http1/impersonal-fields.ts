/**
 * Fields that say what a client is and wants, but not who it is: a head with only these may be remembered for all
 * connections. A list of the fields that are known, rather than of those that hold credentials (`authorization`,
 * `cookie`, `proxy-authorization`, but also `x-api-key` and any name that an application makes up), so that a field
 * nobody has thought of stays with its own connection. Left out on purpose: `referer`, whose URL may hold a token,
 * `if-none-match`, whose tags can be made for one visitor, `from`, `range`, and all `x-` fields with addresses or ids.
 */
const IMPERSONAL: ReadonlySet<string> = new Set(
  `
  accept accept-charset accept-encoding accept-language access-control-request-headers
  access-control-request-method cache-control connection content-length content-type dnt expect host keep-alive
  origin pragma priority proxy-connection purpose save-data sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform
  sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-gpc te upgrade-insecure-requests user-agent
  x-requested-with
`
    .trim()
    .split(/\s+/),
);

/** True when another connection may be served from what was remembered of a head with this field. Lower case. */
export function isImpersonal(name: string): boolean {
  return IMPERSONAL.has(name);
}
