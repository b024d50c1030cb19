import { describe, expect, test } from "bun:test";
import { RequestReader } from "../../src/http1/request-reader.ts";
import { chunkedPost, LIMITS, testRows } from "../support/http1-rows.ts";
import type { Row } from "../support/http1-rows.ts";

const reads = (chunks: string, body: string): Row => ({
  name: JSON.stringify(chunks).slice(0, 80),
  input: chunkedPost(chunks),
  requests: [{ hasBody: true, body }],
});

const refused = (message: RegExp, body: string, ...list: string[]): Row[] =>
  list.map((chunks) => ({
    name: JSON.stringify(chunks).slice(0, 80),
    input: chunkedPost(chunks),
    requests: [{ hasBody: true, body, complete: false }],
    error: [400, message],
  }));

describe("RFC 9112 section 7.1, chunked", () => {
  testRows([
    reads("0\r\n\r\n", ""),
    reads("5\r\nhello\r\n0\r\n\r\n", "hello"),
    reads("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
    reads("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    reads("A\r\n0123456789\r\n000\r\n\r\n", "0123456789"),
    reads("0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"),
    reads("4\r\n\0\r\n\n\r\n0\r\n\r\n", "\0\r\n\n"),
    reads("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
    ...refused(
      /chunk size is malformed/,
      "",
      "\r\n",
      "g\r\n",
      "0x5\r\nhello\r\n",
      "-5\r\nhello\r\n",
      "+5\r\nhello\r\n",
      " 5\r\nhello\r\n",
      "5 \r\nhello\r\n",
      "5\t\r\nhello\r\n",
      "5 x\r\nhello\r\n",
      "5,5\r\nhello\r\n",
      "5_0\r\nhello\r\n",
      ";\r\nhello\r\n",
      "\xb2\r\nhello\r\n",
      "00000000000000005\r\nhello\r\n",
      "fffffffffffffffff\r\nhello\r\n",
    ),
    ...refused(/LF alone/, "", "5\nhello\r\n0\r\n\r\n", "\n"),
    ...refused(
      /LF alone/,
      "hello",
      "5\r\nhello\n0\r\n\r\n",
      "5\r\nhello\r\n0\n\r\n",
      "5\r\nhello\r\n0\r\n\n",
    ),
    ...refused(/CR is not followed by LF/, "", "5\rhello\r\n", "5;a\rb\r\nhello\r\n", "0\r\n\rx"),
    ...refused(/CR is not followed by LF/, "hello", "5\r\nhello\r0\r\n\r\n", "5\r\nhello\r\r\n"),
    ...refused(
      /not followed by CRLF/,
      "hello",
      "5\r\nhellox\r\n0\r\n\r\n",
      "5\r\nhello0\r\n\r\n",
      "5\r\nhello \r\n",
    ),
  ]);

  const tooLarge = (chunks: string, body: string, maxBodySize: number): Row => ({
    name: `too large: ${JSON.stringify(chunks)}`,
    input: chunkedPost(chunks),
    limits: { maxBodySize },
    requests: [{ body, complete: false }],
    error: [413, /body is too large/],
  });
  testRows([
    { ...reads("5\r\nhello\r\n0\r\n\r\n", "hello"), name: "at the limit", limits: { maxBodySize: 5 } },
    tooLarge("6\r\n", "", 5),
    tooLarge("5\r\nhello\r\n1\r\n", "hello", 5),
    tooLarge("ffffffffffffffff\r\n", "", 5),
    tooLarge("ffffffffffffffff\r\n", "", 0),
    tooLarge("20000000000000\r\n", "", 0),
  ]);

  test("pieces come as their bytes come, and the end with the last data", () => {
    const reader = new RequestReader(LIMITS);
    const feed = (text: string) => {
      reader.receive(Buffer.from(text));
      const events: [string, boolean][] = [];
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.type === "body") events.push([Buffer.from(event.bytes).toString(), event.more]);
      }
      return events;
    };
    expect(feed(chunkedPost(""))).toEqual([]);
    expect(feed("a\r\n012")).toEqual([["012", true]]);
    expect(feed("345")).toEqual([["345", true]]);
    expect(feed("6789\r\n2\r\nab\r\n2\r")).toEqual([["6789ab", true]]);
    expect(feed("\ncd\r\n0\r\nx: y\r\n\r\n")).toEqual([["cd", false]]);
    reader.nextRequest();
    expect(feed(chunkedPost("2\r\nab\r\n"))).toEqual([["ab", true]]);
    expect(feed("0\r\n\r\n")).toEqual([["", false]]);
    expect(reader.state).toBe("complete");
  });

  test("small chunks come together, so that a byte is not an event", () => {
    const reader = new RequestReader(LIMITS);
    const text = "0123456789".repeat(4000);
    reader.receive(Buffer.from(chunkedPost(`${text.replace(/./g, "1\r\n$&\r\n")}0\r\n\r\n`)));
    expect(reader.next()).toMatchObject({ type: "request" });
    const pieces: string[] = [];
    for (let event = reader.next(); event !== undefined; event = reader.next())
      if (event.type === "body") pieces.push(Buffer.from(event.bytes).toString());
    expect(pieces.join("")).toBe(text);
    expect(pieces.map((piece) => piece.length)).toEqual([16_384, 16_384, 7232]);
  });

  test("data before a fault is delivered first, small chunks together too", () => {
    const reader = new RequestReader(LIMITS);
    reader.receive(Buffer.from(chunkedPost("2\r\nab\r\n1\r\nc\r\nx\r\n")));
    expect(reader.next()).toMatchObject({ type: "request" });
    const event = reader.next();
    expect(event?.type === "body" && Buffer.from(event.bytes).toString()).toBe("abc");
    expect(() => reader.next()).toThrow(/chunk size is malformed/);
  });

  test("data before a fault is delivered first", () => {
    const reader = new RequestReader(LIMITS);
    reader.receive(Buffer.from(chunkedPost("2\r\nabXX")));
    expect(reader.next()).toMatchObject({ type: "request" });
    expect(reader.next()).toMatchObject({ type: "body", more: true });
    expect(() => reader.next()).toThrow(/not followed by CRLF/);
    expect(reader.state).toBe("failed");
  });
});

describe("RFC 9112 section 7.1.1, chunk extensions", () => {
  const long = (count: number) => `5;${"x".repeat(count - 2)}\r\nhello\r\n0\r\n\r\n`;
  // 11 bytes of extension in a line of 12: the limit, 16 lines, lies between 17 and 18 of them.
  const many = (count: number) => `${"1;xxxxxxxxxx\r\na\r\n".repeat(count)}0\r\n\r\n`;
  testRows([
    ...["5;a", "5;a=b", '5;a="b;\t\\"c"', "5 ;a", "5\t \t;a=b;c", "5;", "5;\xe9"].map((size) =>
      reads(`${size}\r\nhello\r\n0;z\r\n\r\n`, "hello"),
    ),
    ...refused(/control character/, "", "5;\x01\r\nhello\r\n", "5;a\x7f\r\nhello\r\n"),
    ...refused(/NUL/, "", "5;\0\r\nhello\r\n"),
    { ...reads(long(20), "hello"), name: "line at the limit", limits: { maxChunkLine: 20 } },
    ...refused(/chunk-size line is too long/, "", long(21), "0".repeat(21), `5;${"x".repeat(19)}`).map(
      (row) => ({
        ...row,
        limits: { maxChunkLine: 20 },
      }),
    ),
    { ...reads(many(17), "a".repeat(17)), name: "all extensions at the limit", limits: { maxChunkLine: 12 } },
    ...refused(/extensions of one body/, "a".repeat(17), many(18)).map((row) => ({
      ...row,
      name: "all extensions over the limit",
      limits: { maxChunkLine: 12 },
    })),
  ]);
});

describe("RFC 9112 section 7.1.2, trailer section", () => {
  const trailers = (...fields: string[]) =>
    `5\r\nhello\r\n0\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`;
  const over = (fields: string[], limits: Row["limits"], message: RegExp): Row => ({
    name: JSON.stringify(fields).slice(0, 60),
    input: chunkedPost(trailers(...fields)),
    limits: limits ?? {},
    requests: [{ body: "hello", complete: false }],
    error: [431, message],
  });
  testRows([
    reads(trailers("x: y"), "hello"),
    reads(trailers("x: y", "Content-Length: 7", "Transfer-Encoding: gzip", "Host: b"), "hello"),
    ...refused(/no colon/, "hello", trailers("x")),
    ...refused(/before the colon/, "hello", trailers("x : y")),
    ...refused(/is no token/, "hello", trailers(": y"), trailers("GET /:80 HTTP/1.1", "Host: a")),
    ...refused(/begins with whitespace/, "hello", trailers("x: y", " z")),
    ...refused(/NUL/, "hello", trailers("x: \0")),
    {
      ...reads(trailers("x: 4567", "y: 4567"), "hello"),
      name: "at the limit",
      limits: { maxTrailerSize: 18 },
    },
    over(["x: 4567", "y: 45678"], { maxTrailerSize: 18 }, /trailer section is too large/),
    over([`x: ${"y".repeat(100)}`], { maxTrailerSize: 18 }, /trailer section is too large/),
    {
      ...reads(trailers("x: y", "x: y"), "hello"),
      name: "count at the limit",
      limits: { maxHeaderCount: 2 },
    },
    over(["x: y", "x: y", "x: y"], { maxHeaderCount: 2 }, /too many fields/),
  ]);

  test("trailer fields are dropped", () => {
    const reader = new RequestReader(LIMITS);
    reader.receive(Buffer.from(chunkedPost(trailers("x-secret: 1"))));
    const request = reader.next();
    reader.next();
    expect(request).toMatchObject({
      headers: [
        ["host", "a"],
        ["transfer-encoding", "chunked"],
      ],
    });
  });
});
