import { describe, expect, test } from "bun:test";

import { echo, startHttp } from "../../support/server.ts";
import { Wire, field, get, post, postChunked, request } from "../../support/wire.ts";

const HEAD_END = "\r\n\r\n";

describe("limits of a request head", () => {
  test("maxRequestLine: the longest passes, one byte more is 414", async () => {
    await using server = await startHttp(echo, { maxRequestLine: 100 });
    const line = (length: number): string => `GET /${"x".repeat(length - 14)} HTTP/1.1\r\nHost: a${HEAD_END}`;
    expect((await request(server, line(100))).status).toBe(200);
    expect((await request(server, line(101))).status).toBe(414);
  });

  test("414 comes without the end of the line", async () => {
    await using server = await startHttp(echo);
    expect((await request(server, `GET /${"x".repeat(10_000)}`)).status).toBe(414);
  });

  test("maxHeaderSize: the largest head passes, one byte more is 431", async () => {
    await using server = await startHttp(echo, { maxHeaderSize: 1000 });
    const head = (size: number): string => {
      const rest = `GET / HTTP/1.1\r\nHost: a\r\nX: ${HEAD_END}`.length;
      return `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(size - rest)}${HEAD_END}`;
    };
    expect((await request(server, head(1000))).status).toBe(200);
    expect((await request(server, head(1001))).status).toBe(431);
  });

  test("431 comes without the end of the head", async () => {
    await using server = await startHttp(echo);
    expect((await request(server, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}`)).status).toBe(431);
  });

  test("maxHeaderCount: so many fields pass, one more is 431", async () => {
    await using server = await startHttp(echo, { maxHeaderCount: 5 });
    const fields = (count: number): string[] => Array.from({ length: count - 1 }, (_, i) => `X${i}: 1`);
    expect((await request(server, get("/", ...fields(5)))).status).toBe(200);
    expect((await request(server, get("/", ...fields(6)))).status).toBe(431);
  });

  test("the answer is short text that says why, closes, and reaches a client that is still sending", async () => {
    await using server = await startHttp(echo);
    await using wire = await Wire.open(server);
    void wire.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(3_000_000)}`).catch(() => {});
    const response = await wire.response();
    expect(response.status).toBe(431);
    expect(field(response, "connection")).toBe("close");
    expect(response.body).toContain("too large");
    expect(await wire.readToEnd()).toBe("");
    expect(wire.error).toBeUndefined();
  });
});

describe("limits of a request body", () => {
  test("maxBodySize: a declared length over it is 413 before the application runs", async () => {
    let count = 0;
    await using server = await startHttp(
      async (scope, receive, send) => {
        count++;
        await echo(scope, receive, send);
      },
      { maxBodySize: 10 },
    );
    expect((await request(server, post("/", "x".repeat(10)))).status).toBe(200);
    expect((await request(server, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")).status).toBe(
      413,
    );
    expect(count).toBe(1);
  });

  test("maxBodySize: a chunked body over it is 413 while the application reads, and it is told", async () => {
    const seen: string[] = [];
    await using server = await startHttp(
      async (scope, receive) => {
        scope["pagi.connection"].onDisconnect((reason) => seen.push(reason));
        for (;;) {
          const event = await receive();
          if (event.type === "http.disconnect") break;
          seen.push(Buffer.from(event.body).toString());
        }
        seen.push(String(scope["pagi.connection"].responseStarted()));
      },
      { maxBodySize: 10 },
    );
    await using wire = await Wire.open(server);
    await wire.send(postChunked("/") + "8\r\n12345678\r\n");
    await wire.send("3\r\n");
    expect((await wire.response()).status).toBe(413);
    expect(await wire.readToEnd()).toBe("");
    expect(seen).toEqual(["12345678", "body_too_large", "true"]);
  });

  test("maxBodySize 0 is no limit", async () => {
    await using server = await startHttp(echo, { maxBodySize: 0 });
    const response = await request(server, post("/", "x".repeat(11_000_000)));
    expect(JSON.parse(response.body).body).toHaveLength(11_000_000);
  });

  test("the default is 10 000 000 bytes", async () => {
    await using server = await startHttp(echo);
    const declared = (size: number): string =>
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\nExpect: 100-continue\r\n\r\n`;
    await using wire = await Wire.open(server);
    await wire.send(declared(10_000_000));
    expect((await wire.response()).status).toBe(100);
    expect((await request(server, declared(10_000_001))).status).toBe(413);
  });

  test("maxChunkLine: so long a line passes, one byte more is 400", async () => {
    await using server = await startHttp(echo, { maxChunkLine: 50 });
    const body = (length: number): string => `1;${"x".repeat(length - 2)}\r\na\r\n0\r\n\r\n`;
    expect((await request(server, postChunked("/") + body(50))).status).toBe(200);
    expect((await request(server, postChunked("/") + body(51))).status).toBe(400);
  });

  test("maxTrailerSize: so large a section passes, one byte more is 431", async () => {
    await using server = await startHttp(echo, { maxTrailerSize: 100 });
    const body = (size: number): string => `1\r\na\r\n0\r\nX: ${"x".repeat(size - 5)}\r\n\r\n`;
    expect((await request(server, postChunked("/") + body(100))).status).toBe(200);
    expect((await request(server, postChunked("/") + body(101))).status).toBe(431);
  });
});
