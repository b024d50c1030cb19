import { around } from "pagi-server/router";
import type { Headers } from "pagi-server/spec";

/**
 * What browsers are told of the pages: that they load nothing from elsewhere and no script that stands in a page, are
 * in no frame, and that files are what they say they are. So even a text that became HTML could not run.
 */
const POLICY: Headers = [
  [
    "content-security-policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["cross-origin-opener-policy", "same-origin"],
  // The browser asks each time, and gets a 304 for what it has.
  ["cache-control", "no-cache"],
];

/** Adds these fields to every response of the application inside. What a response says of itself stays. */
export const pagePolicy = around((_scope, _receive, send, next) =>
  next({
    send: (event) =>
      event.type === "http.response.start" || event.type === "sse.http.response.start"
        ? send({ ...event, headers: withPolicy(event.headers ?? []) })
        : send(event),
  }),
);

function withPolicy(headers: Headers): Headers {
  const own = new Set(headers.map(([name]) => name.toLowerCase()));
  return [...headers, ...POLICY.filter(([name]) => !own.has(name))];
}
