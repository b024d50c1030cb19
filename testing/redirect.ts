import type { Headers } from "../src/spec/values.ts";

/** Statuses that send the client elsewhere. RFC 9110 section 15.4. */
const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Fields about a body that is not sent again. Source: Fetch standard, "request-body-header name"; RFC 9110 section 15.4. */
const OF_A_BODY: ReadonlySet<string> = new Set([
  ...["content-encoding", "content-language", "content-location", "content-type", "content-length"],
  ...["transfer-encoding", "content-digest", "repr-digest", "digest", "last-modified", "expect"],
]);

/** Fields for one origin only. Source: Fetch standard, "HTTP-redirect fetch", step 13; RFC 9110 section 15.4. */
const OF_AN_ORIGIN: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie", "host"]);

/** A request that may be redirected. */
export interface Redirectable {
  readonly method: string;
  readonly url: URL;
  /** The caller's headers, names in lower case. */
  readonly headers: Headers;
}

/** The request that follows a redirect. */
export interface Redirected extends Redirectable {
  /** False where the method became GET. */
  readonly keepsBody: boolean;
  readonly isSameOrigin: boolean;
}

/** True for a response that sends the client elsewhere. */
export function isRedirect(status: number, location: string | undefined): location is string {
  return location !== undefined && STATUSES.has(status);
}

/**
 * The request that follows a redirect. Source: Fetch standard, "HTTP-redirect fetch".
 *
 * @param policy the field `Referrer-Policy` of the response.
 * @throws TypeError for a location that is not a URL.
 */
export function redirected(
  { method, url, headers }: Redirectable,
  response: { readonly status: number; readonly location: string; readonly policy: string | undefined },
): Redirected {
  const { status, location, policy } = response;
  const next = URL.parse(location, url.href);
  if (next === null)
    throw new TypeError(`The redirect from ${url.href} leads to ${JSON.stringify(location)}.`);
  // A fragment stays with the client, and goes along where the location has none.
  if (next.hash === "") next.hash = url.hash;
  const becomesGet = changesToGet(status, method);
  const isSameOrigin = next.origin === url.origin;
  const kept = headers.flatMap(([name, value]): Headers => {
    if (becomesGet && OF_A_BODY.has(name)) return [];
    if (!isSameOrigin && OF_AN_ORIGIN.has(name)) return [];
    if (name !== "referer") return [[name, value]];
    const referrer = referrerFor(value, next, policy);
    return referrer === undefined ? [] : [[name, referrer]];
  });
  return {
    method: becomesGet ? "GET" : method,
    url: next,
    headers: kept,
    keepsBody: !becomesGet,
    isSameOrigin,
  };
}

function changesToGet(status: number, method: string): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}

/** How much of the referrer another URL gets to see. Source: Referrer Policy, section 8.3. */
function referrerFor(value: string, next: URL, field: string | undefined): string | undefined {
  const referrer = URL.parse(value);
  if (referrer === null) return value;
  const origin = `${referrer.origin}/`;
  const isSame = referrer.origin === next.origin;
  const isDowngrade = referrer.protocol === "https:" && next.protocol !== "https:";
  switch (policyOf(field)) {
    case "no-referrer":
      return undefined;
    case "unsafe-url":
      return value;
    case "origin":
      return origin;
    case "same-origin":
      return isSame ? value : undefined;
    case "origin-when-cross-origin":
      return isSame ? value : origin;
    case "no-referrer-when-downgrade":
      return isDowngrade ? undefined : value;
    case "strict-origin":
      return isDowngrade ? undefined : origin;
    case "strict-origin-when-cross-origin":
      if (isSame) return value;
      return isDowngrade ? undefined : origin;
  }
}

const POLICIES = [
  ...(["no-referrer", "unsafe-url", "origin", "same-origin", "origin-when-cross-origin"] as const),
  ...(["no-referrer-when-downgrade", "strict-origin", "strict-origin-when-cross-origin"] as const),
];

/** Of several the last that is known. Source: Referrer Policy, section 8.1. */
function policyOf(field: string | undefined): (typeof POLICIES)[number] {
  const named = field?.split(",").map((each) => each.trim().toLowerCase()) ?? [];
  return POLICIES.find((policy) => policy === named.findLast((each) => POLICIES.some((known) => known === each))) ??
    "strict-origin-when-cross-origin"; // prettier-ignore
}
