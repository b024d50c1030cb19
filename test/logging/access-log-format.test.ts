import { describe, expect, test } from "bun:test";
import { OptionError } from "../../src/errors.ts";
import {
  ACCESS_LOG_ATOMS,
  ACCESS_LOG_PRESETS,
  compileAccessLogFormat,
  type AccessRecord,
} from "../../src/logging/access-log-format.ts";

const NOW = Date.UTC(2026, 1, 10, 12, 34, 56, 789);

const REQUEST: AccessRecord = {
  client: "192.0.2.7",
  method: "GET",
  rawPath: "/a%20b",
  queryString: "x=1&y=2",
  httpVersion: "1.1",
  status: 200,
  bytes: 5120,
  durationMs: 1234.5678,
  headers: [
    ["host", "example.org"],
    ["referer", "https://example.org/"],
    ["user-agent", "curl/8.0"],
    ["x-forwarded-for", "203.0.113.1"],
    ["x-forwarded-for", "203.0.113.2"],
    ["x-empty", ""],
  ],
};

function line(format: string, changes: Partial<AccessRecord> = {}, now = NOW): string {
  return compileAccessLogFormat(format)({ ...REQUEST, ...changes }, now);
}

test.each([
  ["clf", '192.0.2.7 - - [10/Feb/2026:12:34:56 +0000] "GET /a%20b?x=1&y=2" 200 1.235s'],
  [
    "combined",
    '192.0.2.7 - - [10/Feb/2026:12:34:56 +0000] "GET /a%20b?x=1&y=2 HTTP/1.1" 200 5120 "https://example.org/" "curl/8.0"',
  ],
  ["common", '192.0.2.7 - - [10/Feb/2026:12:34:56 +0000] "GET /a%20b?x=1&y=2 HTTP/1.1" 200 5120'],
  ["tiny", "GET /a%20b?x=1&y=2 200 1234ms"],
])("preset %s", (preset, expected) => {
  expect(line(preset)).toBe(expected);
});

test("preset json is one object a line", () => {
  const text = line("json");
  expect(text).not.toContain("\n");
  expect(Object.entries(JSON.parse(text))).toEqual([
    ["time", "2026-02-10T12:34:56.789Z"],
    ["client", "192.0.2.7"],
    ["method", "GET"],
    ["path", "/a%20b"],
    ["query", "x=1&y=2"],
    ["protocol", "HTTP/1.1"],
    ["status", 200],
    ["bytes", 5120],
    ["duration", 1.234568],
    ["referer", "https://example.org/"],
    ["user_agent", "curl/8.0"],
  ]);
  expect(JSON.parse(line("json", { client: undefined, status: 0, headers: [] }))).toMatchObject({
    client: "unix",
    status: null,
    referer: null,
    user_agent: null,
  });
});

const ATOM_ROWS: [format: string, expected: string, changes?: Partial<AccessRecord>][] = [
  ["%h", "192.0.2.7"],
  ["%h", "::1", { client: "::1" }],
  ["%h", "unix", { client: undefined }],
  ["%l", "-"],
  ["%u", "-"],
  ["%t", "10/Feb/2026:12:34:56 +0000"],
  ["%r", "GET /a%20b?x=1&y=2 HTTP/1.1"],
  ["%r", "GET /a%20b HTTP/2", { queryString: "", httpVersion: "2" }],
  ["%m", "GET"],
  ["%U", "/a%20b"],
  ["%q", "?x=1&y=2"],
  ["%q", "", { queryString: "" }],
  ["%H", "HTTP/1.1"],
  ["%s", "200"],
  ["%s", "-", { status: 0 }],
  ["%b", "5120"],
  ["%b", "-", { bytes: 0 }],
  ["%B", "5120"],
  ["%B", "0", { bytes: 0 }],
  ["%d", "1.235"],
  ["%d", "0.000", { durationMs: 0.4 }],
  ["%d", "0.010", { durationMs: 9.6 }],
  ["%d", "61.000", { durationMs: 60_999.9 }],
  ["%D", "1234567"],
  ["%T", "1"],
  ["%{ms}T", "1234"],
  ["%{User-Agent}i", "curl/8.0"],
  ["%{HOST}i", "example.org"],
  ["%{X-Forwarded-For}i", "203.0.113.1, 203.0.113.2"],
  ["%{X-Empty}i", "-"],
  ["%{X-Missing}i", "-"],
  ["%s%%", "200%"],
  ["%%h %s", "%h 200"],
  ["%m%s%m", "GET200GET"],
  ["status=%s; path='%U'", "status=200; path='/a%20b'"],
];

for (const [format, expected, changes] of ATOM_ROWS) {
  test(`"${format}" gives "${expected}"`, () => {
    expect(line(format, changes)).toBe(expected);
  });
}

test("text of the format above ASCII is written as UTF-8", () => {
  expect(Buffer.from(line("→ %s"), "latin1").toString("utf8")).toBe("→ 200");
});

test("the time is right after the second, the day and the year have changed", () => {
  const format = compileAccessLogFormat("%t");
  const last = Date.UTC(2027, 11, 31, 23, 59, 59, 999);
  expect(format(REQUEST, last)).toBe("31/Dec/2027:23:59:59 +0000");
  expect(format(REQUEST, last + 1)).toBe("01/Jan/2028:00:00:00 +0000");
  expect(format(REQUEST, last)).toBe("31/Dec/2027:23:59:59 +0000");
});

describe("no client can forge a line", () => {
  const evil = 'a\r\n"b\\ \x00\x1b[31m\x7f\x80\xff €\t';
  const safe = String.raw`a\x0D\x0A\x22b\x5C \x00\x1B[31m\x7F\x80\xFF \xE2\x82\xAC\x09`;

  test.each<[atom: string, expected: string, changes: Partial<AccessRecord>]>([
    ["%h", safe, { client: evil }],
    ["%m", safe, { method: evil }],
    ["%U", safe, { rawPath: evil }],
    ["%q", `?${safe}`, { queryString: evil }],
    ["%r", `${safe} /a%20b?x=1&y=2 HTTP/1.1`, { method: evil }],
    ["%r", `GET ${safe}?${safe} HTTP/1.1`, { rawPath: evil, queryString: evil }],
    ["%{X}i", safe, { headers: [["x", evil]] }],
  ])("%s", (atom, expected, changes) => {
    expect(line(atom, changes)).toBe(expected);
  });

  test("json", () => {
    const text = line("json", { rawPath: evil, headers: [["user-agent", evil]] });
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(text)).toMatchObject({ path: evil, user_agent: evil });
  });

  test("every byte, in every preset, leaves one line of printable ASCII", () => {
    const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");
    const changes: Partial<AccessRecord> = {
      method: bytes,
      rawPath: bytes,
      queryString: bytes,
      headers: [
        ["referer", bytes],
        ["user-agent", bytes],
      ],
    };
    for (const preset of Object.keys(ACCESS_LOG_PRESETS)) {
      expect(line(preset, changes)).toMatch(/^[\x20-\x7e]+$/);
    }
  });
});

test.each(["%x %s", "%{Referer} %s", "%{Referer}o", "%{Referer", "%{}i", "%s %", "%{us}T", "%é"])(
  "%j has an unknown atom",
  (format) => {
    expect(() => compileAccessLogFormat(format)).toThrow(OptionError);
    expect(() => compileAccessLogFormat(format)).toThrow(/--access-log-format: has the unknown atom '%/);
    expect(() => compileAccessLogFormat(format)).toThrow(/combined.*%\{Name\}i/);
  },
);

test.each(["", "combnied", "100%%", "constructor"])("%j is neither preset nor format", (format) => {
  expect(() => compileAccessLogFormat(format)).toThrow(/neither a preset nor a format string/);
});

test("every documented atom compiles", () => {
  for (const atom of Object.keys(ACCESS_LOG_ATOMS)) expect(line(`${atom} %s`)).toEndWith(" 200");
});
