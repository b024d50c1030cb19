import { describe, expect, test } from "bun:test";
import { ProtocolError } from "../../src/errors.ts";
import { RequestReader } from "../../src/http1/request-reader.ts";
import { get, LIMITS, testRows } from "../support/http1-rows.ts";

describe("RFC 9112 section 2.2, message parsing", () => {
  testRows([
    { name: "a request", input: get(), requests: [{ method: "GET", target: "/", headers: [["host", "a"]] }] },
    { name: "one empty line before it", input: `\r\n${get()}` },
    { name: "four empty lines before it", input: `\r\n\r\n\r\n\r\n${get()}` },
    {
      name: "five empty lines before it",
      input: `\r\n\r\n\r\n\r\n\r\n${get()}`,
      error: [400, /empty lines/],
    },
    { name: "empty lines between requests", input: `${get()}\r\n${get()}`, requests: [{}, {}] },
    { name: "bare LF before it", input: `\n${get()}`, error: [400, /LF alone/] },
    { name: "bare CR before it", input: `\r${get()}`, error: [400, /CR is not followed by LF/] },
    {
      name: "bare LF ends the request line",
      input: "GET / HTTP/1.1\nHost: a\r\n\r\n",
      error: [400, /LF alone/],
    },
    { name: "bare LF ends a field", input: "GET / HTTP/1.1\r\nHost: a\n\r\n", error: [400, /LF alone/] },
    { name: "bare LF ends the head", input: "GET / HTTP/1.1\r\nHost: a\r\n\n", error: [400, /LF alone/] },
    { name: "bare LFs only", input: "GET / HTTP/1.1\nHost: a\n\n", error: [400, /LF alone/] },
    {
      name: "bare CR in the request line",
      input: "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
      error: [400, /CR is not/],
    },
    { name: "bare CR in a value", input: get("x: a\rb"), error: [400, /CR is not/] },
    { name: "bare CR before CRLF", input: get("x: a\r"), error: [400, /CR is not/] },
    { name: "bare CR in a name", input: get("x\r: a"), error: [400, /CR is not/] },
    {
      name: "CR CR LF ends the head",
      input: "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n",
      error: [400, /CR is not/],
    },
    { name: "NUL in the request line", input: "GET /\0 HTTP/1.1\r\n\r\n", error: [400, /NUL/] },
    { name: "NUL in a name", input: get("x\0y: a"), error: [400, /NUL/] },
    { name: "NUL in a value", input: get("x: a\0b"), error: [400, /NUL/] },
    { name: "the first fault counts: NUL, then no colon", input: get("x\0y"), error: [400, /NUL/] },
    {
      name: "the first fault counts: no colon, then NUL",
      input: get("xy", "x: \0"),
      error: [400, /no colon/],
    },
    {
      name: "the first fault counts: NUL, then bare LF",
      input: "GET\0/\nHost: a\r\n\r\n",
      error: [400, /NUL/],
    },
    {
      name: "whitespace before the first field",
      input: "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
      error: [400, /whitespace/],
    },
    { name: "binary garbage", input: "\x16\x03\x01\x02\0", error: [400, /control character/] },
  ]);
});

describe("RFC 9112 section 2.3, version", () => {
  const withVersion = (version: string) => `GET / ${version}\r\nHost: a\r\n\r\n`;
  testRows([
    { name: "HTTP/1.1", input: withVersion("HTTP/1.1"), requests: [{ httpVersion: "1.1" }] },
    { name: "HTTP/1.0", input: withVersion("HTTP/1.0"), requests: [{ httpVersion: "1.0" }] },
    ...["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/3.0", "HTTP/9.9"].map((version) => ({
      name: version,
      input: withVersion(version),
      error: [505, /Only HTTP\/1.0 and HTTP\/1.1/] as [number, RegExp],
    })),
    ...[
      "http/1.1",
      "HTTP/1",
      "HTTP/1.",
      "HTTP/11",
      "HTTP/1.10",
      "HTTP/01.1",
      "HTTP 1.1",
      "HTTP/1.1 ",
      "",
      "ICY/1.1",
    ].map((version) => ({
      name: `'${version}'`,
      input: withVersion(version),
      error: [400, /version is malformed/] as [number, RegExp],
    })),
    { name: "the preface of HTTP/2", input: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", error: [505, /Only HTTP/] },
    { name: "HTTP/0.9", input: "GET /\r\n", error: [400, /method target version/] },
  ]);
});

describe("the reader", () => {
  const feed = (reader: RequestReader, input: string) => {
    reader.receive(Buffer.from(input, "latin1"));
    return reader.next();
  };

  test("says where it stands", () => {
    const reader = new RequestReader(LIMITS);
    expect(reader.state).toBe("idle");
    expect(feed(reader, "\r\n\r")).toBeUndefined();
    expect(reader.state).toBe("idle");
    feed(reader, "\nP");
    expect(reader.state).toBe("head");
    feed(reader, "OST / HTTP/1.1\r\n");
    expect(reader.state).toBe("head");
    expect(feed(reader, "Host: a\r\nContent-Length: 3\r\n\r\n")?.type).toBe("request");
    expect(reader.state).toBe("body");
    expect(feed(reader, "ab")).toMatchObject({ type: "body", more: true });
    expect(reader.state).toBe("body");
    expect(feed(reader, "cGET")).toMatchObject({ type: "body", more: false });
    expect(reader.state).toBe("complete");
    expect(reader.bufferedBytes).toBe(3);
    expect(reader.next()).toBeUndefined();
    reader.nextRequest();
    expect(reader.state).toBe("idle");
    expect(reader.bufferedBytes).toBe(3);
    expect(reader.next()).toBeUndefined();
    expect(reader.state).toBe("head");
    expect(reader.bufferedBytes).toBe(0);
  });

  test("reads nothing more while a request waits for its answer", () => {
    const reader = new RequestReader(LIMITS);
    expect(feed(reader, get() + get())?.type).toBe("request");
    expect(feed(reader, get())).toBeUndefined();
    expect(reader.bufferedBytes).toBe(2 * get().length);
    reader.nextRequest();
    expect(reader.next()?.type).toBe("request");
    expect(reader.bufferedBytes).toBe(get().length);
  });

  test("throws the same error again, and lets go of all bytes", () => {
    const reader = new RequestReader(LIMITS);
    let first: unknown;
    try {
      feed(reader, `GET\r\n\r\n${get()}`);
    } catch (error) {
      first = error;
    }
    expect(first).toBeInstanceOf(ProtocolError);
    expect(reader.state).toBe("failed");
    expect(reader.bufferedBytes).toBe(0);
    reader.receive(Buffer.from(get()));
    expect(reader.bufferedBytes).toBe(0);
    reader.nextRequest();
    let second: unknown;
    try {
      reader.next();
    } catch (error) {
      second = error;
    }
    expect(second).toBe(first);
  });

  test("refuses nextRequest() before the end of a request", () => {
    const reader = new RequestReader(LIMITS);
    expect(() => reader.nextRequest()).toThrow(/not complete/);
    feed(reader, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
    expect(() => reader.nextRequest()).toThrow(/not complete/);
  });

  test("does not copy body bytes", () => {
    const reader = new RequestReader(LIMITS);
    const bytes = Buffer.from("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    reader.receive(bytes);
    reader.next();
    const body = reader.next();
    if (body?.type !== "body") throw new Error("no body");
    expect(body.bytes.buffer).toBe(bytes.buffer);
    expect(Buffer.isBuffer(body.bytes)).toBe(false);
  });

  test("never quotes the client in a message", () => {
    for (const input of [
      "SECRET\r\n",
      "SECRET / SECRET\r\n",
      "GET SECRET HTTP/1.1\r\n",
      get("SECRET"),
      get("Host: SE CRET"),
    ]) {
      const reader = new RequestReader(LIMITS);
      expect(() => feed(reader, input)).toThrow(/^(?!.*SE ?CRET)/);
    }
  });
});
