import { describe, expect, test } from "bun:test";
import { maybeFieldName, maybeFieldNameOf } from "../../src/http1/field-names.ts";
import { RequestReader } from "../../src/http1/request-reader.ts";
import { get, LIMITS, testRows } from "../support/http1-rows.ts";
import type { Row } from "../support/http1-rows.ts";

const refused = (message: RegExp, ...fields: string[]): Row[] =>
  fields.map((field) => ({ name: JSON.stringify(field), input: get(field), error: [400, message] }));

describe("RFC 9112 section 5, field syntax", () => {
  const reads = (field: string, name: string, value: string): Row => ({
    name: JSON.stringify(field),
    input: get(field),
    requests: [
      {
        headers: [
          ["host", "a"],
          [name, value],
        ],
      },
    ],
  });
  testRows([
    reads("x: y", "x", "y"),
    reads("x:y", "x", "y"),
    reads("x:", "x", ""),
    reads("x: ", "x", ""),
    reads("x: \t ", "x", ""),
    reads("x: \t y \t", "x", "y"),
    reads("x: y\tz  w", "x", "y\tz  w"),
    reads("x: :", "x", ":"),
    reads("X-Y-Z: y", "x-y-z", "y"),
    reads("ACCEPT: y", "accept", "y"),
    reads("Accept: y", "accept", "y"),
    reads("acCept: y", "accept", "y"),
    reads("Accepted: y", "accepted", "y"),
    reads("!#$%&'*+-.^_`|~09AZ: y", "!#$%&'*+-.^_`|~09az", "y"),
    reads("x: \x80\xe9\xff", "x", "\x80\xe9\xff"),
    reads('x: "a, b"; c', "x", '"a, b"; c'),
    reads("__proto__: y", "__proto__", "y"),
    reads("constructor: y", "constructor", "y"),
    {
      name: "order and duplicates are kept",
      input: get("b: 1", "A: 2", "B: 3", "Cookie: x", "cookie: y"),
      requests: [
        {
          headers: [
            ["host", "a"],
            ["b", "1"],
            ["a", "2"],
            ["b", "3"],
            ["cookie", "x"],
            ["cookie", "y"],
          ],
        },
      ],
    },
    ...refused(/no colon/, "x", "x y", "\xe9"),
    ...refused(
      /is no token/,
      ": y",
      "x y: z",
      "x\ty: z",
      "x(y): z",
      "x\xe9: z",
      "x/y: z",
      '"x": z',
      "x[0]: z",
      "x,y: z",
    ),
    ...refused(/control character/, "x: \x01", "x: \x1f", "x: \x7f", "\x0bx: y", "x: a\x0cb", "x: \x08"),
  ]);
});

describe("RFC 9112 section 5.1, whitespace before the colon", () => {
  testRows(
    refused(/before the colon/, "x : y", "x\t: y", "Content-Length : 3", "Transfer-Encoding : chunked"),
  );
});

describe("RFC 9112 section 5.2, folded lines", () => {
  testRows(refused(/begins with whitespace/, "x: y\r\n z: w", "x: y\r\n\tz", "x: y\r\n ", " x: y", "\tx: y"));
});

describe("field names", () => {
  test("are the same by both ways", () => {
    for (const name of [
      "Host",
      "host",
      "HOST",
      "hOst",
      "User-Agent",
      "USER-AGENT",
      "X-Unknown",
      "ETag",
      "Etag",
      "te",
    ]) {
      expect(maybeFieldName(name)).toBe(name.toLowerCase());
      expect(maybeFieldNameOf(`${name}: x`, name.length)).toBe(name.toLowerCase());
    }
    for (const name of ["", " ", "a b", "Host ", "é", "a\n", "a".repeat(40) + "("]) {
      expect(maybeFieldName(name)).toBeUndefined();
      expect(maybeFieldNameOf(`${name}: x`, name.length)).toBeUndefined();
    }
  });
});

describe("limits of a head", () => {
  const sized = (size: number) => {
    const rest = get("x: ").length;
    return get(`x: ${"y".repeat(size - rest)}`);
  };
  const requestLine = (size: number) =>
    `GET /${"a".repeat(size - "GET / HTTP/1.1".length)} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const fields = (count: number) => get(...Array.from({ length: count - 1 }, (_, at) => `x${at}: y`));
  testRows([
    { name: "request line at the limit", input: requestLine(40), limits: { maxRequestLine: 40 } },
    {
      name: "request line over the limit",
      input: requestLine(41),
      limits: { maxRequestLine: 40 },
      error: [414, /request line is too long/],
    },
    {
      name: "request line without an end",
      input: "GET /aaaaaaaaaaaaaaaaaaaaaaaa",
      limits: { maxRequestLine: 20 },
      error: [414, /request line is too long/],
    },
    {
      name: "a method without an end",
      input: "A".repeat(21),
      limits: { maxRequestLine: 20 },
      error: [414, /request line is too long/],
    },
    {
      name: "NUL before the limit of the request line",
      input: "GET /aaaaaaaaa\0aaaaaaaaaaaaaaaaaaa",
      limits: { maxRequestLine: 20 },
      error: [400, /NUL/],
    },
    {
      name: "head at the limit",
      input: sized(100),
      limits: { maxHeaderSize: 100 },
      requests: [{}],
      follow: false,
    },
    {
      name: "head over the limit",
      input: sized(101),
      limits: { maxHeaderSize: 100 },
      error: [431, /head is too large/],
    },
    {
      name: "head one CRLF over",
      input: sized(102),
      limits: { maxHeaderSize: 100 },
      error: [431, /head is too large/],
    },
    {
      name: "a field without an end",
      input: `GET / HTTP/1.1\r\nx: ${"y".repeat(90)}`,
      limits: { maxHeaderSize: 100 },
      error: [431, /head is too large/],
    },
    {
      name: "a request line over the limit of the head",
      input: requestLine(101),
      limits: { maxHeaderSize: 100 },
      error: [431, /head is too large/],
    },
    {
      name: "empty lines before a request do not count",
      input: `\r\n\r\n${sized(100)}`,
      limits: { maxHeaderSize: 100 },
    },
    {
      name: "the head is counted anew for each request",
      input: sized(100) + sized(100),
      limits: { maxHeaderSize: 100 },
      requests: [{}, {}],
    },
    { name: "fields at the limit", input: fields(5), limits: { maxHeaderCount: 5 } },
    {
      name: "fields over the limit",
      input: fields(6),
      limits: { maxHeaderCount: 5 },
      error: [431, /too many fields/],
    },
    {
      name: "the first byte of a field too many",
      input: `${fields(5).slice(0, -2)}x`,
      limits: { maxHeaderCount: 5 },
      error: [431, /too many fields/],
    },
  ]);

  test("the default limits, in one chunk and without a line end", () => {
    const cases: [string, number][] = [
      ["A".repeat(600_000), 414],
      [`GET / HTTP/1.1\r\nx: ${"y".repeat(600_000)}`, 431],
      [`GET / HTTP/1.1\r\n${"x: y\r\n".repeat(100_000)}`, 431],
    ];
    for (const [input, status] of cases) {
      const reader = new RequestReader(LIMITS);
      reader.receive(Buffer.from(input));
      expect(() => reader.next()).toThrow(expect.objectContaining({ status }));
    }
  });
});
