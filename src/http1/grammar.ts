/**
 * A char that no field value may hold: a control character other than HTAB, or no byte at all.
 *
 *     field-vchar = VCHAR / obs-text
 */
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * A reg-name or IPv4 address, with at least one char. Source: RFC 3986 section 3.2.2.
 *
 *     reg-name = *( unreserved / pct-encoded / sub-delims )
 */
const REG_NAME = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;

/**
 * The address between the brackets of an IP literal of the future. Source: RFC 3986 section 3.2.2.
 *
 *     IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
 */
const IP_FUTURE = /^v[0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+$/i;

const IPV6_CHARS = /^[0-9A-Fa-f:.]+$/;

/** Nearly every Host there is, without a look at its parts: no IP literal, no percent, a port below 10000. */
const USUAL_AUTHORITY = /^[A-Za-z0-9\-._~!$&'()*+,;=]+(?::[0-9]{0,4})?$/;

/** port = *DIGIT */
const PORT = /^[0-9]*$/;

/**
 * True when `text` can be sent as a field value: bytes (no char over U+00FF) without control characters other than
 * HTAB. Source: RFC 9110 section 5.5.
 */
export function isFieldValue(text: string): boolean {
  return !NOT_IN_VALUE.test(text);
}

/** `text` without the spaces and tabs around it: OWS. Source: RFC 9110 section 5.6.3. */
export function trimWhitespace(text: string, from = 0): string {
  let start = from;
  let end = text.length;
  while (start < end && isWhitespace(text.charCodeAt(start))) start++;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** True for SP and HTAB. */
export function isWhitespace(charCode: number): boolean {
  return charCode === 0x20 || charCode === 0x09;
}

/**
 * The members of a comma-separated list in lower case, empty ones included; an empty text is one empty member.
 * Only for lists of tokens: a comma inside a quoted string would split it. Source: RFC 9110 section 5.6.1.
 */
export function listMembers(text: string): string[] {
  return text.split(",").map((member) => trimWhitespace(member).toLowerCase());
}

/**
 * True for `uri-host [ ":" port ]` with a non-empty host and a port of at most 65535; a colon without a port is
 * allowed by the grammar. Userinfo is not part of it. Source: RFC 9112 section 3.2, RFC 3986 section 3.2.
 */
export function isAuthority(text: string): boolean {
  if (USUAL_AUTHORITY.test(text)) return true;
  const colon = portColon(text);
  const host = colon === -1 ? text : text.slice(0, colon);
  if (colon !== -1) {
    const port = text.slice(colon + 1);
    if (!PORT.test(port) || Number(port) > 65_535) return false;
  }
  return host.startsWith("[") ? isIpLiteral(host) : REG_NAME.test(host);
}

/** True for an authority with a port that can be connected to, 1 to 65535. Source: RFC 9110 section 9.3.6. */
export function isConnectAuthority(text: string): boolean {
  const colon = portColon(text);
  return colon !== -1 && isAuthority(text) && Number(text.slice(colon + 1)) > 0;
}

/** Where the port's colon stands, or -1; the colons of an IPv6 address stand inside brackets. */
function portColon(text: string): number {
  const colon = text.lastIndexOf(":");
  return colon > text.lastIndexOf("]") ? colon : -1;
}

function isIpLiteral(host: string): boolean {
  if (!host.endsWith("]")) return false;
  const address = host.slice(1, -1);
  if (IPV6_CHARS.test(address)) return URL.canParse(`http://[${address}]/`);
  return IP_FUTURE.test(address);
}
