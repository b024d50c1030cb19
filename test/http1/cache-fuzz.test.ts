import { expect, test } from "bun:test";
import { ProtocolError } from "../../src/errors.ts";
import { HeadCache, HeadMemory } from "../../src/http1/head-cache.ts";
import { PlanCache } from "../../src/http1/plan-cache.ts";
import { RequestReader } from "../../src/http1/request-reader.ts";
import type { Http1Limits, Http1Request } from "../../src/http1/request-reader.ts";
import { planResponse } from "../../src/http1/response-head.ts";
import type { ResponsePlan } from "../../src/http1/response-head.ts";
import type { HeaderPair, Headers } from "../../src/spec/values.ts";
import { LIMITS, random } from "../support/http1-rows.ts";

// Readers that recognise heads against readers that do not, and planned responses against fresh ones: the same events,
// errors and bytes, for clients that repeat their heads, change them a little, and share a server with others.

const HEADS = 100_000;
const CONNECTIONS = 24;
const SEED = Number(process.env.FUZZ_SEED ?? 9112);

/** Three servers of one process. The small limits lie within what the heads below reach. */
const ALL_LIMITS: readonly Http1Limits[] = [
  LIMITS,
  { ...LIMITS, maxRequestLine: 40, maxHeaderSize: 700, maxHeaderCount: 12, maxBodySize: 20 },
  { ...LIMITS, maxHeaderSize: 2040, maxHeaderCount: 9 },
];

const CHROME = [
  "Host: localhost:8080",
  "Connection: keep-alive",
  'sec-ch-ua: "Chromium";v="124", "Google Chrome";v="124"',
  "sec-ch-ua-mobile: ?0",
  "Upgrade-Insecure-Requests: 1",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Sec-Fetch-Site: none",
  "Sec-Fetch-Mode: navigate",
  "Accept-Encoding: gzip, deflate, br",
  "Accept-Language: en-US,en;q=0.9",
];

/** Heads as clients really send them; `$` is a text that belongs to one connection. */
const CLIENTS: readonly (readonly string[])[] = [
  ["GET / HTTP/1.1", "Host: 127.0.0.1:8080"],
  ["GET /index.html HTTP/1.1", ...CHROME],
  ["GET /account HTTP/1.1", ...CHROME, "Cookie: sid=$; theme=dark"],
  ["GET /account HTTP/1.1", ...CHROME.slice(0, 6), "Cookie: sid=$", "Cookie: b=c"],
  ["GET /api/items?page=2 HTTP/1.1", "Host: api.example", "Authorization: Bearer $", "Accept: */*"],
  ["GET /v1 HTTP/1.1", "Host: api.example", "X-Api-Key: $", "User-Agent: curl/8.5.0", "Accept: */*"],
  ["GET / HTTP/1.1", "Host: a", "Proxy-Authorization: Basic $"],
  ["GET / HTTP/1.1", "Host: a", "X-Forwarded-For: 192.0.2.1, $", "X-Forwarded-Proto: https"],
  ["GET /events HTTP/1.1", "Host: a", "Accept: text/event-stream", "Cache-Control: no-cache"],
  ["GET /ws HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: $"],
  ["HEAD /x HTTP/1.1", "Host: a", "Connection: close"],
  ["DELETE /x/1 HTTP/1.1", "Host: a", "Content-Length: 0"],
  ["GET / HTTP/1.0", "Host: a", "Connection: Keep-Alive", "User-Agent: ApacheBench/2.3", "Accept: */*"],
  ["GET / HTTP/1.0"],
  ["OPTIONS * HTTP/1.1", "Host: a"],
  ["GET http://b.example:80/x?y HTTP/1.1", "Host: a", "Accept: */*"],
  ["CONNECT b.example:443 HTTP/1.1", "Host: b.example:443"],
  ["POST /form HTTP/1.1", "Host: a", "Content-Length: 11", "Expect: 100-continue", "", "hello world"],
  ["POST /c HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "5\r\nhello\r\n0\r\n\r\n"],
  ["GET / HTTP/1.1", "Host: a", "Expect: x"],
  ["GET / HTTP/1.1", "Accept: */*"],
];

const FIELDS = [
  "Cookie: sid=$",
  "Authorization: Basic $",
  "X-Secret: $",
  "Accept: $",
  "DNT: 1",
  "Host: b",
  "x:y",
];

type Next = () => number;

function pick<T>(items: readonly T[], next: Next): T {
  const item = items[Math.floor(next() * items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

/** One head, or one with a body, with what a client of the connection `id` puts into it. */
function writeHead(id: string, next: Next): string {
  let [line = "", ...fields] = pick(CLIENTS, next);
  const bodyAt = fields.indexOf("");
  const body = bodyAt === -1 ? "" : (fields[bodyAt + 1] ?? "");
  if (bodyAt !== -1) fields = fields.slice(0, bodyAt);
  switch (Math.floor(next() * 14)) {
    case 0:
      line = line.replace(" /", ` /${Math.floor(next() * 30)}`);
      break;
    case 1:
      line = line.replace(/ (\/[^ ?]*)/, ` $1?n=${Math.floor(next() * 3)}`);
      break;
    case 2:
      fields = fields.map((field) => (next() < 0.3 ? field.toLowerCase() : field));
      break;
    case 3:
      fields = fields.toSorted(() => next() - 0.5);
      break;
    case 4:
      fields = [...fields, pick(FIELDS, next)];
      break;
    case 5:
      fields = [pick(FIELDS, next), ...fields];
      break;
    case 6: {
      // Around the longest head that is remembered, and the limits of all three servers.
      const size = pick([700, 2040, 2048], next) + Math.floor(next() * 5) - 2;
      const rest = size - [line, ...fields, "", ""].join("\r\n").length - "X-Pad: \r\n".length;
      if (rest > 0) fields = [...fields, `X-Pad: ${"p".repeat(rest)}`];
      break;
    }
    case 7:
      fields = fields.filter(() => next() < 0.8);
      break;
    default:
  }
  return [line, ...fields, "", body].join("\r\n").replaceAll("$", id);
}

/** Now and then a fault. */
function damage(input: string, next: Next): string {
  const at = Math.floor(next() * input.length);
  switch (Math.floor(next() * 60)) {
    case 0:
      return input.slice(0, at) + String.fromCharCode(Math.floor(next() * 256)) + input.slice(at + 1);
    case 1:
      return input.slice(0, at) + input.slice(at + 1);
    case 2:
      return input.slice(0, at) + pick(["\r\n", "\n", "\r", " ", ":", "\0", "\xff"], next) + input.slice(at);
    case 3:
      return `\r\n${input}`;
    default:
      return input;
  }
}

function cut(bytes: Buffer, next: Next): Buffer[] {
  if (next() < 0.7) return [bytes];
  const at = Math.floor(next() * bytes.length);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

interface Hits {
  heads: number;
  sections: number;
}

/** A connection twice: with a reader that recognises heads, and with one that reads them all. */
class Pair {
  readonly id: string;
  readonly memory: HeadMemory;
  readonly quick: RequestReader;
  readonly plain: RequestReader;
  /** What this client sends over and over. */
  readonly habits: string[];
  request: Http1Request | undefined;

  constructor(id: string, cache: HeadCache, hits: Hits, next: Next) {
    this.id = id;
    this.memory = new CountedMemory(cache, hits);
    this.quick = new RequestReader(cache.limits);
    this.quick.serve(this.memory);
    this.plain = new RequestReader(cache.limits);
    this.habits = Array.from({ length: 3 }, () => writeHead(id, next));
  }

  /** The fields of a habit behind another target, up to 30 bytes longer. */
  elsewhere(next: Next): string {
    return pick(this.habits, next).replace(/ \//, ` /${"x".repeat(next() * 30)}`);
  }
}

class CountedMemory extends HeadMemory {
  readonly #hits: Hits;

  constructor(cache: HeadCache, hits: Hits) {
    super(cache);
    this.#hits = hits;
  }

  override findHead(bytes: Buffer, at: number): ReturnType<HeadMemory["findHead"]> {
    const known = super.findHead(bytes, at);
    if (known !== undefined) this.#hits.heads++;
    return known;
  }

  override findFields(bytes: Buffer, at: number): ReturnType<HeadMemory["findFields"]> {
    const known = super.findFields(bytes, at);
    if (known !== undefined) this.#hits.sections++;
    return known;
  }
}

/** The next event with where the reader stands after it, or the error, as text that can be compared. */
function step(reader: RequestReader): { text: string; request: Http1Request | undefined; ended: boolean } {
  try {
    const event = reader.next();
    const text = JSON.stringify([
      event?.type === "body" ? [Buffer.from(event.bytes).toString("latin1"), event.more] : event,
      reader.state,
      reader.bufferedBytes,
      reader.missingBodyBytes,
      reader.partialHead,
      reader.isFresh,
    ]);
    return { text, request: event?.type === "request" ? event : undefined, ended: event === undefined };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { status, message, reason } = error;
    return {
      text: JSON.stringify([status, message, reason, reader.state, reader.partialHead]),
      request: undefined,
      ended: true,
    };
  }
}

/** What middleware does to the headers that it is given. */
function meddle({ headers }: Http1Request, next: Next): void {
  if (next() < 0.5) headers.push(["x-added", "by the application"]);
  for (const pair of headers) if (next() < 0.2) pair[1] = "changed";
  if (next() < 0.2) headers.length = 0;
}

test(`${HEADS} heads: recognised ones are read as if they were new (seed ${SEED})`, () => {
  const next = random(SEED);
  const hits: Hits = { heads: 0, sections: 0 };
  const caches = ALL_LIMITS.map((limits) => new HeadCache(limits));
  let count = 0;
  const open = () => new Pair(`client-${count++}`, pick(caches, next), hits, next);
  const pairs = Array.from({ length: CONNECTIONS }, open);
  let heads = 0;
  let requests = 0;
  let failures = 0;
  while (heads < HEADS) {
    const at = Math.floor(next() * CONNECTIONS);
    const pair = pairs[at]!;
    let input = "";
    for (let more = next() < 0.2 ? 4 : 1; more > 0; more--, heads++)
      input +=
        next() < 0.7
          ? pick(pair.habits, next)
          : next() < 0.5
            ? pair.elsewhere(next)
            : writeHead(pair.id, next);
    input = damage(input, next);
    for (const chunk of cut(Buffer.from(input, "latin1"), next)) {
      // Each gets bytes of its own, as from a socket, which are overwritten once they are read.
      const own = Buffer.from(chunk);
      pair.quick.receive(own);
      pair.plain.receive(chunk);
      for (;;) {
        const quick = step(pair.quick);
        const plain = step(pair.plain);
        if (quick.text !== plain.text) expect({ input, ...quick }).toEqual({ input, ...plain });
        if (quick.request !== undefined) {
          requests++;
          pair.request = quick.request;
        }
        if (pair.quick.state === "complete") {
          if (pair.request !== undefined) meddle(pair.request, next);
          pair.quick.nextRequest();
          pair.plain.nextRequest();
        } else if (quick.ended) break;
      }
      if (pair.quick.isFresh) own.fill(0x21);
    }
    if (pair.quick.state === "failed" || next() < 0.02) {
      if (pair.quick.state === "failed") failures++;
      pair.memory.forget();
      pairs[at] = open();
    }
  }
  for (const { memory } of pairs) memory.forget();
  expect(caches.map(({ ownBytes }) => ownBytes)).toEqual([0, 0, 0]);
  // It proves something only as long as all of this happens often.
  expect(requests).toBeGreaterThan(HEADS / 2);
  expect(failures).toBeGreaterThan(1000);
  expect(hits.heads).toBeGreaterThan(HEADS / 10);
  expect(hits.sections).toBeGreaterThan(HEADS / 100);
}, 60_000);

const RESPONSE_HEADERS: readonly Headers[] = [
  [],
  [["content-type", "text/plain"]],
  [
    ["content-type", "text/plain"],
    ["content-length", "13"],
  ],
  [
    ["Content-Type", "application/json; charset=utf-8"],
    ["Content-Length", "27"],
    ["x-powered-by", "x"],
  ],
  [
    ["content-length", "5"],
    ["connection", "close"],
  ],
  [
    ["connection", "upgrade"],
    ["upgrade", "h2c"],
    ["te", "x"],
  ],
  [
    ["date", "Thu, 01 Jan 1970 00:00:00 GMT"],
    ["content-length", "0"],
  ],
  [
    ["set-cookie", "sid=$"],
    ["content-length", "1"],
  ],
  // Alike to a hash of a few chars.
  [["etag", "one/two/three"]],
  [["etag", "one/too/three"]],
  [["content-length", "x"]],
  [
    ["content-length", "1"],
    ["content-length", "1"],
  ],
  [["x-bad", "a\r\nb: c"]],
  [["bad name", "x"]],
];

function planned(make: () => ResponsePlan): string {
  try {
    return JSON.stringify(make());
  } catch (error) {
    return String(error);
  }
}

test(`${HEADS} response heads: remembered ones are as if they were made afresh (seed ${SEED})`, () => {
  const next = random(SEED + 1);
  const cache = new PlanCache();
  // Applications have lists that they send with every response, and change.
  const lists = [...RESPONSE_HEADERS, ...RESPONSE_HEADERS].map((list) =>
    list.map((pair) => [...pair] as HeaderPair),
  );
  let date = "";
  let wrong = 0;
  for (let round = 0; round < HEADS; round++) {
    if (round % 50 === 0) date = new Date(1_700_000_000_000 + Math.floor(next() * 20) * 1000).toUTCString();
    const at = Math.floor(next() * lists.length);
    let headers = lists[at]!;
    const fate = next();
    if (fate < 0.02) for (const pair of headers) pair[0] = pair[0] === "x-more" ? "x-less" : pair[0];
    else if (fate < 0.04) headers.push(["x-more", String(Math.floor(next() * 3))]);
    else if (fate < 0.08) headers.pop();
    else if (fate < 0.12)
      for (const pair of headers)
        if (next() < 0.5) pair[1] = pick(["1", "a", "z\xe9", "one/two/three", "one/too/three"], next);
    if (fate > 0.9)
      headers = lists[at] = pick(RESPONSE_HEADERS, next).map(([n, v]) => [n, v.replace("$", `${round}`)]);
    const request = {
      httpVersion: pick(["1.1", "1.1", "1.1", "1.0"] as const, next),
      method: pick(["GET", "GET", "GET", "HEAD", "POST", "CONNECT"], next),
      keepAlive: next() < 0.8,
    };
    const wish = pick([{}, {}, { connection: "close" }, { connection: "keep-alive" }] as const, next);
    const status = pick([200, 200, 200, 204, 304, 404, 101, 299], next);
    const response = { status, headers, ...wish };
    const quick = planned(() => cache.plan(request, "http.response.start", response, date));
    const plain = planned(() => planResponse(request, "http.response.start", response, date));
    if (quick !== plain) expect({ request, response, quick }).toEqual({ request, response, quick: plain });
    if (plain.startsWith("EventError")) wrong++;
  }
  expect(wrong).toBeGreaterThan(HEADS / 50);
  expect(wrong).toBeLessThan(HEADS / 2);
}, 60_000);
