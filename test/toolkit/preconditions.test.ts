import { describe, expect, test } from "bun:test";
import { byteRanges } from "../../src/toolkit/response/byte-range.ts";
import { PagiHeaders } from "../../src/toolkit/values/headers.ts";
import { ifRangeHolds, precondition } from "../../src/toolkit/response/preconditions.ts";

const BEFORE = "Thu, 01 Jan 2026 00:00:00 GMT";
const MODIFIED = "Thu, 01 Jan 2026 12:00:00 GMT";
const AFTER = "Fri, 02 Jan 2026 00:00:00 GMT";
const BOTH = { etag: '"v1"', lastModified: MODIFIED };
const WEAK = { etag: 'W/"v1"', lastModified: undefined };
const DATED = { etag: undefined, lastModified: MODIFIED };

describe("preconditions in the order of RFC 9110 section 13.2.2", () => {
  test.each([
    [{}, BOTH, "go on"],
    // 13.1.1, If-Match: strong comparison
    [{ "if-match": '"v1"' }, BOTH, "go on"],
    [{ "if-match": '"v0", "v1"' }, BOTH, "go on"],
    [{ "if-match": "*" }, DATED, "go on"],
    [{ "if-match": '"v2"' }, BOTH, 412],
    [{ "if-match": 'W/"v1"' }, WEAK, 412],
    [{ "if-match": '"v1"' }, DATED, 412],
    // 13.1.4, If-Unmodified-Since, ignored beside If-Match
    [{ "if-unmodified-since": MODIFIED }, BOTH, "go on"],
    [{ "if-unmodified-since": BEFORE }, BOTH, 412],
    [{ "if-unmodified-since": BEFORE }, WEAK, "go on"],
    [{ "if-unmodified-since": "yesterday" }, BOTH, "go on"],
    [{ "if-match": '"v1"', "if-unmodified-since": BEFORE }, BOTH, "go on"],
    // 13.1.2, If-None-Match: weak comparison
    [{ "if-none-match": '"v1"' }, BOTH, 304],
    [{ "if-none-match": '"a,b", W/"v1"' }, BOTH, 304],
    [{ "if-none-match": '"v1"' }, WEAK, 304],
    [{ "if-none-match": "*" }, DATED, 304],
    [{ "if-none-match": '"v2"' }, BOTH, "go on"],
    // 13.1.3, If-Modified-Since, ignored beside If-None-Match
    [{ "if-modified-since": MODIFIED }, BOTH, 304],
    [{ "if-modified-since": AFTER }, BOTH, 304],
    [{ "if-modified-since": BEFORE }, BOTH, "go on"],
    [{ "if-modified-since": "2026-01-02" }, BOTH, "go on"],
    // 5.6.7: the obsolete formats of dates
    [{ "if-modified-since": "Thursday, 01-Jan-26 12:00:00 GMT" }, BOTH, 304],
    [{ "if-modified-since": "Thu Jan  1 12:00:00 2026" }, BOTH, 304],
    [{ "if-modified-since": "Thu Jan  1 11:59:59 2026" }, BOTH, "go on"],
    [{ "if-unmodified-since": "Thursday, 01-Jan-26 00:00:00 GMT" }, BOTH, 412],
    [{ "if-unmodified-since": "Thu Jan  1 12:00:00 2026" }, BOTH, "go on"],
    [{ "if-unmodified-since": "Thu Jan  1 00:00:00 2026" }, BOTH, 412],
    [{ "if-modified-since": AFTER }, WEAK, "go on"],
    [{ "if-none-match": '"v2"', "if-modified-since": AFTER }, BOTH, "go on"],
    // a failing If-Match comes before a 304
    [{ "if-match": '"v2"', "if-none-match": '"v1"' }, BOTH, 412],
  ] as const)("%j: %j gives %p", (fields, validators, answer) => {
    expect(precondition(new PagiHeaders(Object.entries(fields)), validators)).toBe(answer);
  });
});

describe("If-Range (RFC 9110 section 13.1.5)", () => {
  const later = Date.parse(AFTER);
  test.each([
    [undefined, BOTH, later, true],
    ['"v1"', BOTH, later, true],
    ['"v2"', BOTH, later, false],
    ['W/"v1"', WEAK, later, false],
    ['"v1"', DATED, later, false],
    [MODIFIED, BOTH, later, true],
    ["Thursday, 01-Jan-26 12:00:00 GMT", BOTH, later, true],
    ["Thu Jan  1 12:00:00 2026", BOTH, later, true],
    ["Thu Jan  1 12:00:01 2026", BOTH, later, false],
    [AFTER, BOTH, later, false],
    [MODIFIED, BOTH, Date.parse(MODIFIED) + 999, false],
    ["nonsense", BOTH, later, false],
    ["nonsense", WEAK, later, false],
  ] as const)("%j for %j at %d: %p", (value, validators, now, holds) => {
    const request = new PagiHeaders(value === undefined ? [] : [["if-range", value]]);
    expect(ifRangeHolds(request, validators, now)).toBe(holds);
  });
});

describe("Range of 10 bytes (RFC 9110 section 14.1.2)", () => {
  test.each([
    [undefined, undefined],
    ["bytes=0-4", [{ start: 0, end: 5 }]],
    ["bytes=5-", [{ start: 5, end: 10 }]],
    ["bytes=-3", [{ start: 7, end: 10 }]],
    ["bytes=-30", [{ start: 0, end: 10 }]],
    ["bytes=8-99", [{ start: 8, end: 10 }]],
    ["bytes=9-9", [{ start: 9, end: 10 }]],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=0-1,2-5", [{ start: 0, end: 6 }]],
    ["bytes=0-1, 1-5", [{ start: 0, end: 6 }]],
    [
      "bytes=0-0,9-9",
      [
        { start: 0, end: 1 },
        { start: 9, end: 10 },
      ],
    ],
    [
      "bytes=9-9,0-1",
      [
        { start: 9, end: 10 },
        { start: 0, end: 2 },
      ],
    ],
    [
      "bytes=6-7,0-1,5-5,20-",
      [
        { start: 5, end: 8 },
        { start: 0, end: 2 },
      ],
    ],
    ["bytes=5-4", undefined],
    ["bytes=a-b", undefined],
    ["bytes=", undefined],
    ["bytes=-", undefined],
    ["Bytes=0-4", [{ start: 0, end: 5 }]],
    ["bytes=20-30,0-1", [{ start: 0, end: 2 }]],
    [`bytes=${"0-1,".repeat(16)}2-3`, undefined],
    ["lines=0-4", undefined],
    ["bytes=99999999999999999999-", "unsatisfiable"],
  ] as const)("%j", (field, range) => {
    expect(byteRanges(field, 10)).toEqual(range);
  });

  test("an empty file has no range", () => {
    expect(byteRanges("bytes=0-0", 0)).toBe("unsatisfiable");
  });
});
