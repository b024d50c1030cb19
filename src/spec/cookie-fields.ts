import type { HeaderPair, Headers } from "./values.ts";

/** One `cookie` field, at the place of the first. Source: PAGI Www, "Cookie Header Normalization". */
export function joinCookies(headers: Headers): Headers {
  let first = -1;
  for (let i = 0; i < headers.length; i++) {
    if (headers[i]?.[0] !== "cookie") continue;
    if (first >= 0) return headersWithOneCookie(headers, first);
    first = i;
  }
  return headers;
}

/** The value of the `cookie` fields as one; undefined without any. For scopes of servers that do not join them. */
export function cookieField(headers: Headers): string | undefined {
  return joinCookies(headers).find(([name]) => name === "cookie")?.[1];
}

function headersWithOneCookie(headers: Headers, first: number): Headers {
  const isCookie = ([name]: HeaderPair) => name === "cookie";
  const value = headers.filter(isCookie).map(([, each]) => each);
  const joined: HeaderPair = ["cookie", value.join("; ")];
  return headers.flatMap((pair, i) => (i === first ? [joined] : isCookie(pair) ? [] : [pair]));
}
