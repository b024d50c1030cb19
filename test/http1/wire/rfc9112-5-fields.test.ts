import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { echo, startHttp } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";
import { Wire, request } from "../../support/wire.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startHttp(echo);
});
afterAll(() => server[Symbol.asyncDispose]());

async function fieldsSeen(...lines: string[]): Promise<[string, string][]> {
  const response = await request(server, ["GET / HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n"));
  expect(response.status).toBe(200);
  // The echo's answer is UTF-8, and the wire gives one char for each byte.
  return JSON.parse(Buffer.from(response.body, "latin1").toString("utf8")).headers.slice(1);
}

describe("RFC 9112 section 5: fields", () => {
  test("names come in lower case, values without the whitespace around them", async () => {
    expect(await fieldsSeen("X-Mixed-CASE:\t  v a l \t ", "empty:")).toEqual([
      ["x-mixed-case", "v a l"],
      ["empty", ""],
    ]);
  });

  test("order and duplicates are kept", async () => {
    expect(await fieldsSeen("x: 1", "y: 2", "X: 3")).toEqual([
      ["x", "1"],
      ["y", "2"],
      ["x", "3"],
    ]);
  });

  test("RFC 9110 section 5.5: obs-text bytes are kept as they are", async () => {
    expect(await fieldsSeen("x: \x80\xe9\xff")).toEqual([["x", "\x80\xe9\xff"]]);
  });

  test.each([
    ["section 5.1: a space before the colon", "x : 1"],
    ["section 5.2: a folded line", "x: 1\r\n folded"],
    ["section 5.2: a folded first line", " folded: 1"],
    ["a line without a colon", "nonsense"],
    ["an empty name", ": 1"],
    ["a name that is no token", "x(y): 1"],
    ["a name above ASCII", "x\xe9: 1"],
    ["a NUL in a value", "x: a\0b"],
    ["a control character in a value", "x: a\x01b"],
    ["DEL in a value", "x: a\x7fb"],
    ["a bare CR in a value", "x: a\rb"],
    ["a bare LF as a line end", "x: a\ny: b"],
    ["a second Host", "Host: a"],
  ])("%s is 400, and nothing behind it is read as a request", async (_name, line) => {
    await using wire = await Wire.open(server);
    await wire.send(`GET / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect((await wire.response()).status).toBe(400);
    expect(await wire.readToEnd()).toBe("");
  });

  test.each([
    ["is missing", ""],
    ["is no host", "Host: a b\r\n"],
    ["has a path", "Host: a/b\r\n"],
    ["has user information", "Host: u@a\r\n"],
    ["has a port that is none", "Host: a:x\r\n"],
  ])("section 3.2: a Host that %s is 400", async (_name, line) => {
    expect((await request(server, `GET / HTTP/1.1\r\n${line}\r\n`)).status).toBe(400);
  });

  test.each(["a", "a:80", "127.0.0.1:5000", "[::1]", "[::1]:80", "a-b.c_d", ""])(
    "section 3.2: the Host '%s' is fine",
    async (host) => {
      expect((await request(server, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status).toBe(200);
    },
  );
});
