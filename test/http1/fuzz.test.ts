import { expect, test } from "bun:test";
import type { Http1Limits } from "../../src/http1/request-reader.ts";
import { chunkings, random, readAll } from "../support/http1-rows.ts";

/** Small, so that the inputs reach every limit. */
const LIMITS: Http1Limits = {
  maxRequestLine: 64,
  maxHeaderSize: 256,
  maxHeaderCount: 6,
  maxBodySize: 40,
  maxChunkLine: 16,
  maxTrailerSize: 32,
};

const SEEDS = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /a?b=c HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  "GET http://b:80/x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nUser-Agent: x/1\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\nhello world",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nx: y\r\n\r\n",
  "\r\nPUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n00\r\n\r\n",
];

const FRAGMENTS = [
  ...[
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
    "\0",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "\x7f",
    "\x80",
    "\xff",
    "0",
    "5",
    "f",
    "#",
    "*",
    "/",
  ],
  ...[
    "HTTP/1.1",
    "HTTP/2.0",
    "Host: b\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "chunked",
  ],
  ...[
    "x: y\r\n",
    " x\r\n",
    "0\r\n\r\n",
    "1\r\nz\r\n",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "Expect: x\r\n",
  ],
];

const REPLACEMENTS: [from: string, to: string][] = [
  ["HTTP/1.1", "HTTP/2.0"],
  ["HTTP/1.1", "HTTP/1.0"],
  ["chunked", "gzip"],
  ["\r\n", "\n"],
  ["\r\n", `\r\n${"x: y\r\n".repeat(5)}`],
  ["\r\n", `\r\nx: ${"y".repeat(200)}\r\n`],
  [": ", " : "],
  ["5", "ffffffffffffffff"],
];

function mutate(input: string, next: () => number): string {
  const at = Math.floor(next() * (input.length + 1));
  const size = 1 + Math.floor(next() * 6);
  switch (Math.floor(next() * 8)) {
    case 0:
      return input.slice(0, at) + input.slice(at + size);
    case 1:
      return input.slice(0, at) + String.fromCharCode(Math.floor(next() * 256)) + input.slice(at + 1);
    case 2:
      return input.slice(0, at) + input.slice(at, at + 4 * size) + input.slice(at);
    case 3:
      return input.slice(0, at);
    case 4: {
      const [from, to] = REPLACEMENTS[Math.floor(next() * REPLACEMENTS.length)] ?? ["", ""];
      return input.replace(from, to);
    }
    default:
      return input.slice(0, at) + FRAGMENTS[Math.floor(next() * FRAGMENTS.length)] + input.slice(at);
  }
}

test("10 000 broken inputs: only a ProtocolError, and the same in every chunking", () => {
  const next = random(9112);
  const statuses = new Map<number, number>();
  for (let round = 0; round < 10_000; round++) {
    let input = "";
    for (let count = 1 + Math.floor(next() * 3); count > 0; count--) {
      input += SEEDS[Math.floor(next() * SEEDS.length)];
    }
    for (let count = Math.floor(next() * 4); count >= 0; count--) input = mutate(input, next);
    const [whole, ...others] = chunkings(input, next, 2).map((chunks) => readAll(chunks, LIMITS));
    for (const other of others) {
      if (!Bun.deepEquals(other, whole, true)) {
        expect({ input, outcome: other }).toEqual({ input, outcome: whole! });
      }
    }
    const status = whole?.error?.status ?? 0;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  // The inputs are worth something only while they reach every answer.
  const reached = [...statuses].filter(([, count]) => count > 5).map(([status]) => status);
  expect(reached.sort()).toEqual([0, 400, 413, 414, 417, 431, 501, 505]);
}, 30_000);

test("random bytes", () => {
  const next = random(9110);
  for (let round = 0; round < 500; round++) {
    const input = Array.from({ length: 60 }, () => String.fromCharCode(Math.floor(next() * 256))).join("");
    const [whole, ...others] = chunkings(input, next).map((chunks) => readAll(chunks, LIMITS));
    for (const other of others) expect(other).toEqual(whole!);
    expect(whole?.requests).toEqual([]);
  }
});
