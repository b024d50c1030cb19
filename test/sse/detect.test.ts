import { expect, test } from "bun:test";

import { acceptsEventStream, isEventStreamRequest } from "../../src/sse/detect.ts";
import type { HeaderPair } from "../../src/spec/values.ts";

// PAGI Www, "SSE Connection Detection": the Accept header includes the media type.

const ROWS: [accept: string, isSse: boolean][] = [
  ["text/event-stream", true],
  ["TEXT/Event-Stream", true],
  [" text/event-stream ", true],
  ["text/event-stream;charset=utf-8", true],
  ["text/event-stream ; q=0.5", true],
  ["text/event-stream;q=0.001", true],
  ["text/event-stream;q=1.000", true],
  ["text/html, text/event-stream", true],
  ["text/event-stream,text/html", true],
  ["text/html,,text/event-stream;q=0.1,", true],
  ["text/event-stream;q=0, text/event-stream", true],
  // RFC 9110 section 12.4.2: a weight of 0 is "not acceptable".
  ["text/event-stream;q=0", false],
  ["text/event-stream; Q=0.000", false],
  ["text/event-stream;charset=utf-8;q=0.0", false],
  ["text/html, text/event-stream;q=0", false],
  // A wildcard is in every request of a browser.
  ["*/*", false],
  ["text/*", false],
  ["", false],
  ["text/html", false],
  ["text/event-stream-2", false],
  ["x-text/event-stream", false],
  ["text/event-stream/x", false],
  ["application/json;alt=text/event-stream", false],
  // Within quotes commas and semicolons separate nothing (RFC 9110 section 5.6.6).
  ['application/json;x=", text/event-stream"', false],
  ['application/json;x="\\", text/event-stream"', false],
  ['text/event-stream;x=";q=0"', true],
  ['text/event-stream;x=", text/html;q=0', true],
  ['text/event-stream;q="0"', false],
];

test.each(ROWS)("Accept: %s → %p", (accept, isSse) => {
  expect(acceptsEventStream(accept)).toBe(isSse);
  expect(isEventStreamRequest([["accept", accept]])).toBe(isSse);
});

const FIELDS: [about: string, headers: HeaderPair[], isSse: boolean][] = [
  [
    "a wish for another protocol, which is looked at before",
    [
      ["accept", "text/event-stream"],
      ["upgrade", "h2c"],
    ],
    true,
  ],
  [
    "an upgrade to something else",
    [
      ["upgrade", "websocket-x, h2c"],
      ["accept", "text/event-stream"],
    ],
    true,
  ],
  ["no fields", [], false],
  ["no Accept", [["content-type", "text/event-stream"]], false],
  [
    "the second of two",
    [
      ["accept", "text/html"],
      ["accept", "text/event-stream"],
    ],
    true,
  ],
  [
    "the first of two",
    [
      ["accept", "text/event-stream"],
      ["accept", "*/*"],
    ],
    true,
  ],
  [
    "refused in one, listed in another",
    [
      ["accept", "text/event-stream;q=0"],
      ["accept", "text/event-stream"],
    ],
    true,
  ],
  ["another field that only begins so", [["accept-language", "text/event-stream"]], false],
];

test.each(FIELDS)("Accept fields: %s", (_, headers, isSse) => {
  expect(isEventStreamRequest(headers)).toBe(isSse);
});
