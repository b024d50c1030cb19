import { describe, expect, test } from "bun:test";
import { EventError } from "../../src/errors.ts";
import { chunkPrefix, CONTINUE, LAST_CHUNK, planResponse } from "../../src/http1/response-head.ts";
import type { ResponsePlan } from "../../src/http1/response-head.ts";
import type { Headers } from "../../src/spec/values.ts";

const DATE = "Thu, 01 Jan 1970 00:00:00 GMT";
const EVENT = "http.response.start";

interface Case {
  name: string;
  version?: "1.0" | "1.1";
  method?: string;
  keepAlive?: boolean;
  status?: number;
  headers?: Headers;
  connection?: "close" | "keep-alive";
  /** The lines between the status line and the date. */
  lines: string[];
  plan: Partial<ResponsePlan>;
}

function plan(row: Partial<Case>): ResponsePlan {
  const request = {
    httpVersion: row.version ?? ("1.1" as const),
    method: row.method ?? "GET",
    keepAlive: row.keepAlive ?? true,
  };
  const head = { status: row.status ?? 200, headers: row.headers ?? [] };
  const { connection } = row;
  return planResponse(request, EVENT, connection === undefined ? head : { ...head, connection }, DATE);
}

const LENGTH: Headers = [["content-length", "5"]];
const CHUNKED = "transfer-encoding: chunked";
const CLOSE = "connection: close";
const KEEP = "connection: keep-alive";
const rows: Case[] = [
  {
    name: "1.1, no length",
    lines: [CHUNKED],
    plan: { framing: "chunked", close: false, length: 0 },
  },
  {
    name: "1.1, length",
    headers: LENGTH,
    lines: ["content-length: 5"],
    plan: { framing: "length", length: 5, close: false },
  },
  {
    name: "1.1, client closes",
    keepAlive: false,
    lines: [CHUNKED, CLOSE],
    plan: { framing: "chunked", close: true },
  },
  {
    name: "1.1, server closes",
    connection: "close",
    lines: [CHUNKED, CLOSE],
    plan: { framing: "chunked", close: true },
  },
  {
    name: "1.1, keep-alive in words",
    connection: "keep-alive",
    lines: [CHUNKED, KEEP],
    plan: { framing: "chunked", close: false },
  },
  {
    name: "1.1, client closes, keep-alive in words",
    keepAlive: false,
    connection: "keep-alive",
    lines: [CHUNKED, CLOSE],
    plan: { framing: "chunked", close: true },
  },
  {
    name: "1.0, no length, keep-alive in words",
    version: "1.0",
    connection: "keep-alive",
    lines: [CLOSE],
    plan: { framing: "close", close: true },
  },
  {
    name: "1.0, no length",
    version: "1.0",
    lines: [CLOSE],
    plan: { framing: "close", close: true },
  },
  {
    name: "1.0, length, keep-alive",
    version: "1.0",
    headers: LENGTH,
    lines: ["content-length: 5", KEEP],
    plan: { framing: "length", length: 5, close: false },
  },
  {
    name: "1.0, length, close",
    version: "1.0",
    keepAlive: false,
    headers: LENGTH,
    lines: ["content-length: 5", CLOSE],
    plan: { framing: "length", close: true },
  },
  { name: "HEAD", method: "HEAD", lines: [], plan: { framing: "none", close: false } },
  {
    name: "HEAD, length",
    method: "HEAD",
    headers: LENGTH,
    lines: ["content-length: 5"],
    plan: { framing: "none", length: 0 },
  },
  {
    name: "HEAD on 1.0",
    method: "HEAD",
    version: "1.0",
    lines: [KEEP],
    plan: { framing: "none", close: false },
  },
  {
    name: "head is no HEAD",
    method: "head",
    lines: [CHUNKED],
    plan: { framing: "chunked" },
  },
  {
    name: "204",
    status: 204,
    headers: LENGTH,
    lines: [],
    plan: { framing: "none", length: 0 },
  },
  {
    name: "304",
    status: 304,
    headers: LENGTH,
    lines: ["content-length: 5"],
    plan: { framing: "none" },
  },
  { name: "304 on 1.0", status: 304, version: "1.0", lines: [KEEP], plan: { framing: "none", close: false } },
  { name: "103", status: 103, headers: LENGTH, lines: [], plan: { framing: "none" } },
  {
    name: "205",
    status: 205,
    headers: [["content-length", "0"]],
    lines: ["content-length: 0"],
    plan: { length: 0 },
  },
  {
    name: "CONNECT, 2xx: a tunnel",
    method: "CONNECT",
    headers: LENGTH,
    lines: [CLOSE],
    plan: { framing: "close", close: true, length: 0 },
  },
  {
    name: "CONNECT, refused",
    method: "CONNECT",
    status: 405,
    headers: LENGTH,
    lines: ["content-length: 5"],
    plan: { framing: "length" },
  },
  {
    name: "an application's Transfer-Encoding is dropped",
    headers: [
      ["Transfer-Encoding", "chunked"],
      ["transfer-encoding", "gzip"],
    ],
    lines: [CHUNKED],
    plan: { framing: "chunked" },
  },
  {
    name: "an application's Transfer-Encoding is dropped beside a length",
    headers: [["transfer-encoding", "chunked"], ...LENGTH],
    lines: ["content-length: 5"],
    plan: { framing: "length" },
  },
  {
    name: "Connection: keep-alive is dropped",
    headers: [["Connection", "Keep-Alive"]],
    lines: [CHUNKED],
    plan: { close: false },
  },
  {
    name: "Connection: close counts",
    headers: [["connection", "Close"]],
    lines: [CHUNKED, CLOSE],
    plan: { close: true },
  },
  {
    name: "Upgrade is named in Connection",
    headers: [["Upgrade", "h2c"], ...LENGTH],
    lines: ["upgrade: h2c", "content-length: 5", "connection: upgrade"],
    plan: { close: false },
  },
  {
    name: "426 with Upgrade, which the application has named itself",
    status: 426,
    headers: [["connection", "Upgrade, close"], ["upgrade", "h2c"], ["upgrade", "websocket"], ...LENGTH],
    lines: ["upgrade: h2c", "upgrade: websocket", "content-length: 5", "connection: upgrade, close"],
    plan: { close: true },
  },
  {
    name: "Upgrade and a client that closes",
    keepAlive: false,
    headers: [["upgrade", "h2c"]],
    lines: ["upgrade: h2c", CHUNKED, "connection: upgrade, close"],
    plan: { close: true },
  },
  {
    name: "Upgrade on 1.0",
    version: "1.0",
    headers: [["upgrade", "h2c"], ...LENGTH],
    lines: ["upgrade: h2c", "content-length: 5", "connection: upgrade, keep-alive"],
    plan: { close: false },
  },
  {
    name: "an option upgrade without Upgrade is dropped",
    headers: [["connection", "keep-alive, Upgrade"]],
    lines: [CHUNKED],
    plan: { close: false },
  },
  {
    name: "Keep-Alive, Proxy-Connection and TE are the server's",
    headers: [
      ["connection", "keep-alive, TE"],
      ["Keep-Alive", "timeout=5"],
      ["Proxy-Connection", "keep-alive"],
      ["TE", "trailers"],
    ],
    lines: [CHUNKED],
    plan: { close: false },
  },
  {
    name: "options that name a field of the response are kept, once, and close counts",
    headers: [
      ["connection", "X-Hop, close"],
      ["connection", "x-hop, y,, x hop"],
      ["X-Hop", "1"],
    ],
    lines: ["x-hop: 1", CHUNKED, "connection: x-hop, close"],
    plan: { close: true },
  },
  {
    name: "options that name a field on 1.0",
    version: "1.0",
    headers: [["connection", "x"], ["x", "1"], ...LENGTH],
    lines: ["x: 1", "content-length: 5", "connection: x, keep-alive"],
    plan: { close: false },
  },
  {
    name: "names in lower case, order and duplicates kept, values as given",
    headers: [
      ["X-B", " v\t"],
      ["Set-Cookie", "a"],
      ["set-cookie", "b"],
      ["x-latin", "\xe9\xff"],
      ["x-empty", ""],
      ...LENGTH,
    ],
    lines: [
      "x-b:  v\t",
      "set-cookie: a",
      "set-cookie: b",
      "x-latin: \xe9\xff",
      "x-empty: ",
      "content-length: 5",
    ],
    plan: { framing: "length" },
  },
];

describe("planResponse", () => {
  for (const row of rows) {
    test(row.name, () => {
      const made = plan(row);
      const lines = made.head.split("\r\n");
      expect(lines[0]).toStartWith(`HTTP/1.1 ${row.status ?? 200} `);
      expect(lines.slice(1)).toEqual([...row.lines, `date: ${DATE}`, "", ""]);
      expect(made).toMatchObject(row.plan);
    });
  }

  test("a date that is given stays alone", () => {
    expect(plan({ headers: [["Date", "x"]] }).head).toBe(
      "HTTP/1.1 200 OK\r\ndate: x\r\ntransfer-encoding: chunked\r\n\r\n",
    );
  });

  test("an unknown status has an empty phrase behind its space", () => {
    expect(plan({ status: 299, headers: LENGTH }).head).toStartWith("HTTP/1.1 299 \r\n");
    expect(plan({ status: 404, headers: LENGTH }).head).toStartWith("HTTP/1.1 404 Not Found\r\n");
  });

  const unsafe: [name: string, value: string][] = [
    ...["\r", "\n", "\0", "\r\n x: y", "\x01", "\x7f", "\u0100", "\u{1f600}"].map(
      (text): [string, string] => ["x", `a${text}b`],
    ),
    ...["", " ", "a b", "a:", "a\r\nb", "a\0", "\xe9", "a\u0100", "a\x01", "x "].map(
      (name): [string, string] => [name, "v"],
    ),
    ...["", "-1", "+1", "1.0", "1, 1", "0x1", " 1", "1e3", "9007199254740992"].map(
      (value): [string, string] => ["content-length", value],
    ),
    ["connection", "close\r\nx: y"],
    ["transfer-encoding", "chunked\n"],
  ];
  for (const [name, value] of unsafe) {
    test(`refuses ${JSON.stringify([name, value])}`, () => {
      expect(() => plan({ headers: [[name, value]] })).toThrow(EventError);
      expect(() => plan({ headers: [[name, value]] })).toThrow(/^http\.response\.start: 'headers' has /);
    });
  }

  test("refuses Content-Length twice, and a malformed one even where it is dropped", () => {
    expect(() => plan({ headers: [...LENGTH, ["Content-Length", "5"]] })).toThrow(/more than once/);
    expect(() => plan({ status: 204, headers: [["content-length", "x"]] })).toThrow(EventError);
  });

  test("refuses a name or value that is no string", () => {
    const headers: Headers = JSON.parse('[["x", 5]]');
    expect(() => plan({ headers })).toThrow(/no string/);
    const lists: Headers = JSON.parse('[["x", ["a\\r\\nb"]]]');
    expect(() => plan({ headers: lists })).toThrow(/no string/);
    const names: Headers = JSON.parse('[[5, "x"]]');
    expect(() => plan({ headers: names })).toThrow(/has the name 5/);
  });
});

describe("what else goes out", () => {
  test("chunks", () => {
    expect(chunkPrefix(1)).toBe("1\r\n");
    expect(chunkPrefix(65_535)).toBe("ffff\r\n");
    expect(LAST_CHUNK).toBe("0\r\n\r\n");
    expect(CONTINUE).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  });
});
