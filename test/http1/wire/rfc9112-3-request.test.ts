import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { echo, startHttp } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";
import { Wire, field, request } from "../../support/wire.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startHttp(echo);
});
afterAll(() => server[Symbol.asyncDispose]());

/** What the application saw of a request. */
async function seen(bytes: string): Promise<Record<string, unknown>> {
  const response = await request(server, bytes);
  expect(response.status).toBe(200);
  return JSON.parse(response.body);
}

/** A request that is refused, with its status; the connection must end, and the application must not run. */
async function refused(bytes: string): Promise<number> {
  await using wire = await Wire.open(server);
  await wire.send(bytes);
  const response = await wire.response();
  expect(field(response, "connection")).toBe("close");
  expect(field(response, "content-type")).toBe("text/plain; charset=utf-8");
  expect(await wire.readToEnd()).toBe("");
  return response.status;
}

describe("RFC 9112 section 3: request line", () => {
  test.each([
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "PROPFIND",
    "brew",
    "M-SEARCH",
    "!#$%&'*+-.^_`|~0",
  ])("section 3.1: the method %s reaches the application as it is", async (method) => {
    expect((await seen(`${method} /x HTTP/1.1\r\nHost: a\r\n\r\n`))["method"]).toBe(method);
  });

  test("section 3.2.1: origin form is taken apart at the first question mark", async () => {
    expect(await seen("GET /a%20b/c?x=1?y&z=%20 HTTP/1.1\r\nHost: a\r\n\r\n")).toMatchObject({
      path: "/a b/c",
      raw_path: "/a%20b/c",
      query_string: "x=1?y&z=%20",
    });
  });

  test("section 3.2.2: absolute form gives path and Host", async () => {
    const scope = await seen("GET http://other:8080/p?q HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(scope).toMatchObject({ path: "/p", query_string: "q", headers: [["host", "other:8080"]] });
  });

  test("section 3.2.4: asterisk form is for OPTIONS", async () => {
    expect((await seen("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"))["path"]).toBe("*");
    expect(await refused("GET * HTTP/1.1\r\nHost: a\r\n\r\n")).toBe(400);
  });

  test("section 2.3: HTTP/1.0 needs no Host", async () => {
    expect((await seen("GET / HTTP/1.0\r\n\r\n"))["http_version"]).toBe("1.0");
  });

  test("section 2.2: empty lines before the request line are skipped", async () => {
    expect((await seen("\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"))["path"]).toBe("/x");
  });

  test.each([
    ["a version that is not spoken", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
    ["a malformed version", "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", 400],
    ["a version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400],
    ["no version", "GET /\r\n\r\n", 400],
    ["two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400],
    ["a method that is no token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a byte above ASCII in the target", "GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a NUL", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400],
    ["a bare CR", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400],
    ["a target of no form", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["CONNECT without a port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  ])("%s is refused and the connection ends", async (_name, bytes, status) => {
    expect(await refused(bytes)).toBe(status);
  });

  test("a request that comes byte by byte is the same request", async () => {
    await using wire = await Wire.open(server);
    for (const byte of "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi") {
      await wire.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const response = await wire.response();
    expect(JSON.parse(response.body)).toMatchObject({ path: "/slow", body: "hi" });
  });
});
