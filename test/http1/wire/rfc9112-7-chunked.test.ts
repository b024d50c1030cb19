import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { echo, startHttp } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";
import { Wire, get, postChunked } from "../../support/wire.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startHttp(echo);
});
afterAll(() => server[Symbol.asyncDispose]());

describe("RFC 9112 section 7.1: chunked request bodies", () => {
  test.each([
    ["one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"],
    ["several chunks", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc"],
    ["none", "0\r\n\r\n", ""],
    ["zeros before the size and before the end", "0005\r\nhello\r\n000\r\n\r\n", "hello"],
    [
      "hexadecimal in both cases",
      `a\r\n${"x".repeat(10)}\r\nA\r\n${"y".repeat(10)}\r\n0\r\n\r\n`,
      "x".repeat(10) + "y".repeat(10),
    ],
    ["section 7.1.1: extensions, ignored", '5;a=b;c\r\nhello\r\n0;d="e"\r\n\r\n', "hello"],
    [
      "section 7.1.2: trailer fields, dropped",
      "5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n",
      "hello",
    ],
    ["bytes that look like chunks", "7\r\n0\r\n\r\nGE\r\n0\r\n\r\n", "0\r\n\r\nGE"],
  ])("%s", async (_name, coded, body) => {
    await using wire = await Wire.open(server);
    // What follows must be the next request: the body's end was found where it is.
    await wire.send(postChunked("/") + coded + get("/next"));
    const seen = JSON.parse((await wire.response()).body);
    expect(seen.body).toBe(body);
    expect(seen.headers.map(([name]: [string]) => name)).not.toContain("x-sum");
    expect(JSON.parse((await wire.response()).body).path).toBe("/next");
  });

  test.each([
    ["no size", "\r\nhello\r\n0\r\n\r\n", 400],
    ["a size that is no number", "5x\r\nhello\r\n0\r\n\r\n", 400],
    ["a sign", "+5\r\nhello\r\n0\r\n\r\n", 400],
    ["0x", "0x5\r\nhello\r\n0\r\n\r\n", 400],
    ["a space before the size", " 5\r\nhello\r\n0\r\n\r\n", 400],
    ["a space behind the size", "5 \r\nhello\r\n0\r\n\r\n", 400],
    ["a bare LF behind the size", "5\nhello\r\n0\r\n\r\n", 400],
    ["a bare CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", 400],
    ["data longer than its size", "5\r\nhello!\r\n0\r\n\r\n", 400],
    ["data without its CRLF", "5\r\nhello0\r\n\r\n", 400],
    ["a bare LF behind the data", "5\r\nhello\n0\r\n\r\n", 400],
    ["a size of more digits than any length", `${"0".repeat(17)}5\r\nhello\r\n0\r\n\r\n`, 400],
    ["a size over the safe range", "ffffffffffffffff\r\n", 413],
    ["a malformed trailer field", "5\r\nhello\r\n0\r\nno colon\r\n\r\n", 400],
    ["a folded trailer field", "5\r\nhello\r\n0\r\nx: 1\r\n 2\r\n\r\n", 400],
  ])("%s is refused, and nothing behind it is read as a request", async (_name, coded, status) => {
    await using wire = await Wire.open(server);
    await wire.send(postChunked("/") + coded + get("/next"));
    expect((await wire.response()).status).toBe(status);
    expect(await wire.readToEnd()).toBe("");
  });

  test("pieces reach the application as they come, without waiting for the end", async () => {
    const pieces: string[] = [];
    await using own = await startHttp(async (_scope, receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      for (let more = true; more;) {
        const event = await receive();
        if (event.type !== "http.request") return;
        more = event.more;
        const text = Buffer.from(event.body).toString();
        pieces.push(text);
        await send({ type: "http.response.body", body: `(${text})`, more });
      }
    });
    await using wire = await Wire.open(own);
    await wire.send(postChunked("/") + "3\r\none\r\n");
    await wire.readTo("(one)\r\n");
    await wire.send("3\r\ntw");
    await wire.readTo("(tw)\r\n");
    await wire.send("o\r\n0\r\n\r\n");
    await wire.readTo("0\r\n\r\n");
    expect(pieces.join("|")).toStartWith("one|tw|o");
  });
});
