import { describe, expect, test } from "bun:test";

import { echo, startHttp } from "../../support/server.ts";
import { Wire, get } from "../../support/wire.ts";

// What a proxy in front and this server could understand in two ways. In every pair one reader sees a second request
// in the bytes and the other one a body; so the only safe outcome is that nothing behind the first head is served.

const SMUGGLED = get("/smuggled");

const PAIRS: readonly (readonly [name: string, fields: string, body: string])[] = [
  ["CL.TE", "Content-Length: 6\r\nTransfer-Encoding: chunked", `0\r\n\r\n${SMUGGLED}`],
  ["TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4", `2c\r\n${SMUGGLED}\r\n0\r\n\r\n`],
  ["CL.0 by a duplicate", "Content-Length: 0\r\nContent-Length: 44", SMUGGLED],
  ["CL.CL, the same value", "Content-Length: 0\r\nContent-Length: 0", SMUGGLED],
  ["CL as a list", "Content-Length: 0, 44", SMUGGLED],
  ["TE, a space before the colon", "Content-Length: 0\r\nTransfer-Encoding : chunked", SMUGGLED],
  ["TE with a tab in its name", "Content-Length: 0\r\nTransfer-\tEncoding: chunked", SMUGGLED],
  ["TE xchunked", "Transfer-Encoding: xchunked", SMUGGLED],
  ["TE in quotes", 'Transfer-Encoding: "chunked"', SMUGGLED],
  ["TE with a parameter", "Transfer-Encoding: chunked;q=1", SMUGGLED],
  ["TE with a vertical tab", "Transfer-Encoding: \x0bchunked", SMUGGLED],
  ["TE with a NUL", "Transfer-Encoding: chunked\0", SMUGGLED],
  ["TE chunked, identity", "Transfer-Encoding: chunked, identity", SMUGGLED],
  ["TE identity, then chunked", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", SMUGGLED],
  ["TE, an empty member", "Transfer-Encoding: ,chunked", SMUGGLED],
  ["TE, folded", "Transfer-Encoding:\r\n chunked", SMUGGLED],
  ["TE behind a bare LF", "Content-Length: 0\r\nX: x\nTransfer-Encoding: chunked", SMUGGLED],
  ["TE behind a bare CR", "Content-Length: 0\r\nX: x\rTransfer-Encoding: chunked", SMUGGLED],
  ["CL with a sign", "Content-Length: +44", SMUGGLED],
  ["CL with a vertical tab", "Content-Length: \x0b44", SMUGGLED],
  ["CL with an underscore", "Content-Length: 4_4", SMUGGLED],
  ["CL in full-width digits", "Content-Length: \xef\xbc\x94", SMUGGLED],
  ["a chunk size with a space", "Transfer-Encoding: chunked", `0 \r\n\r\n${SMUGGLED}`],
  ["a chunk size with a bare LF", "Transfer-Encoding: chunked", `2;\nxx\r\n0\r\n\r\n${SMUGGLED}`],
  ["a chunk size that overflows", "Transfer-Encoding: chunked", `100000000\r\n\r\n${SMUGGLED}`],
  ["a chunk without its end", "Transfer-Encoding: chunked", `1\r\nx0\r\n\r\n${SMUGGLED}`],
  ["a chunk end of one LF", "Transfer-Encoding: chunked", `1\r\nx\n0\r\n\r\n${SMUGGLED}`],
  ["a head that ends with LF LF", "X: x\n\nGET /smuggled HTTP/1.1", ""],
];

describe("request smuggling, over a socket", () => {
  test.each(PAIRS)("%s: one answer, an error, and the connection ends", async (_name, fields, body) => {
    const paths: string[] = [];
    await using server = await startHttp(async (scope, receive, send) => {
      paths.push(scope.path);
      await echo(scope, receive, send);
    });
    await using wire = await Wire.open(server);
    await wire.send(`POST /first HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`);
    const response = await wire.response();
    expect([400, 413, 501]).toContain(response.status);
    expect(await wire.readToEnd()).toBe("");
    expect(paths).not.toContain("/smuggled");
  });

  test("the bytes behind a GET without framing are the next request, and never a body", async () => {
    await using server = await startHttp(echo);
    await using wire = await Wire.open(server);
    await wire.send(get("/first") + SMUGGLED);
    expect(JSON.parse((await wire.response()).body)).toMatchObject({ path: "/first", body: "" });
    expect(JSON.parse((await wire.response()).body)).toMatchObject({ path: "/smuggled" });
  });

  test("bytes that come behind a refused request, and later, are not read", async () => {
    let count = 0;
    await using server = await startHttp(async (scope, receive, send) => {
      count++;
      await echo(scope, receive, send);
    });
    await using wire = await Wire.open(server);
    await wire.send("GET / HTTP/9.9\r\n\r\n");
    expect((await wire.response()).status).toBe(505);
    for (let i = 0; i < 5; i++) {
      await wire.send(SMUGGLED).catch(() => {});
      await Bun.sleep(2);
    }
    expect(await wire.readToEnd()).toBe("");
    expect(count).toBe(0);
  });
});
