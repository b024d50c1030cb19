import { isToken } from "../spec/token.ts";

// Names that real clients and applications send. Being in the list only makes a name cheaper, never different.
const COMMON_NAMES = `
  Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Access-Control-Allow-Credentials
  Access-Control-Allow-Headers Access-Control-Allow-Methods Access-Control-Allow-Origin
  Access-Control-Expose-Headers Access-Control-Max-Age Access-Control-Request-Headers
  Access-Control-Request-Method Age Allow Alt-Svc Authorization Cache-Control CF-Connecting-IP Connection
  Content-Disposition Content-Encoding Content-Language Content-Length Content-Location Content-Range
  Content-Security-Policy Content-Type Cookie Date DNT ETag Expect Expires Forwarded From Host If-Match
  If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Last-Event-ID Last-Modified Link Location
  Max-Forwards Origin Permissions-Policy Pragma Priority Proxy-Authorization Proxy-Connection Purpose Range Referer
  Referrer-Policy Retry-After Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode
  Sec-Fetch-Site Sec-Fetch-User Sec-GPC Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol
  Sec-WebSocket-Version Server Server-Timing Set-Cookie Strict-Transport-Security TE Traceparent Tracestate Trailer
  Transfer-Encoding Upgrade Upgrade-Insecure-Requests User-Agent Vary Via WWW-Authenticate X-Accel-Buffering
  X-Content-Type-Options X-Forwarded-For X-Forwarded-Host X-Forwarded-Port X-Forwarded-Proto X-Frame-Options
  X-Powered-By X-Real-IP X-Request-ID X-Requested-With X-XSS-Protection
`
  .trim()
  .split(/\s+/);

interface KnownName {
  readonly spelling: string;
  readonly lower: string;
}

/** Usual spellings (as listed, lower case, and capitals at each word) to the name in lower case. */
const LOWER_CASE = new Map<string, string>();
for (const name of COMMON_NAMES) {
  const lower = name.toLowerCase();
  const capitalised = lower.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
  for (const spelling of [name, lower, capitalised]) LOWER_CASE.set(spelling, lower);
}

const LONGEST = Math.max(...COMMON_NAMES.map((name) => name.length));

/** The same by length and first letter, so that a line can be compared in place: cutting the name out costs more. */
const BY_LENGTH_AND_LETTER: KnownName[][] = Array.from({ length: (LONGEST + 1) * 32 }, () => []);
for (const [spelling, lower] of LOWER_CASE) {
  BY_LENGTH_AND_LETTER[bucketOf(spelling, spelling.length)]?.push({ spelling, lower });
}

function bucketOf(text: string, length: number): number {
  return length * 32 + (text.charCodeAt(0) & 31);
}

/** A field name in lower case, or `undefined` when it is no token. Source: RFC 9110 section 5.1. */
export function maybeFieldName(spelling: string): string | undefined {
  const known = LOWER_CASE.get(spelling);
  if (known !== undefined) return known;
  return isToken(spelling) ? spelling.toLowerCase() : undefined;
}

/** The same for the first `length` chars of a line. */
export function maybeFieldNameOf(line: string, length: number): string | undefined {
  if (length <= LONGEST) {
    for (const { spelling, lower } of BY_LENGTH_AND_LETTER[bucketOf(line, length)] ?? []) {
      if (line.startsWith(spelling)) return lower;
    }
  }
  const spelling = line.slice(0, length);
  return isToken(spelling) ? spelling.toLowerCase() : undefined;
}
