import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { NodeListener } from "../../adapters/node.ts";
import { ResponseReader } from "../../adapters/node/response-reader.ts";
import { MECHANISMS } from "../support/node-mechanisms.ts";
import { startServer } from "../support/server.ts";
import { startUpstream } from "../support/upstream.ts";
import { field, get, Wire, type WireResponse } from "../support/wire.ts";

// A Node handler's Content-Length and the length of its body. `node:http` sends both as they are, so that the client takes
// a part of the body for the next response, or waits.

describe.each(MECHANISMS)("%s", (_mechanism, fromNode) => {
  async function answer(listener: NodeListener, method = "GET"): Promise<WireResponse> {
    await using server = await startServer(fromNode(listener));
    await using wire = await Wire.open(server);
    await wire.send(get("/").replace("GET", method));
    const response = await wire.response(method);
    // The next response begins where this one ends.
    await wire.send(get("/").replace("GET", method));
    expect((await wire.response(method)).status).toBe(response.status);
    expect(server.logger.messages("error")).toEqual([]);
    return response;
  }

  describe("a body that is written within the turn has its true length", () => {
    const ROWS: [name: string, listener: NodeListener, body: string][] = [
      ["too short", (_, response) => response.writeHead(200, { "content-length": 3 }).end("hello"), "hello"],
      ["too long", (_, response) => response.writeHead(200, { "content-length": 9 }).end("hello"), "hello"],
      ["malformed", (_, response) => response.setHeader("content-length", "x").end("hello"), "hello"],
      ["for nothing", (_, response) => response.setHeader("content-length", 9).end(), ""],
      ["in chars", (_, response) => response.setHeader("content-length", 2).end("\u20ac!"), "\xe2\x82\xac!"],
      [
        "of several writes",
        (_, response) => {
          response.setHeader("content-length", 9).write("he");
          response.write(Buffer.from("l"));
          response.end("lo");
        },
        "hello",
      ],
      [
        "of a large body",
        (_, response) => response.setHeader("content-length", 3).end(Buffer.alloc(300_000, "a")),
        "a".repeat(300_000),
      ],
      ["right", (_, response) => response.setHeader("content-length", 5).end("hello"), "hello"],
    ];
    test.each(ROWS)("%s", async (_, listener, body) => {
      const response = await answer(listener);
      expect([response.status, field(response, "content-length"), response.body]).toEqual([
        200,
        String(body.length),
        body,
      ]);
    });

    test("of a proxied gzip response", async () => {
      const text = "decoded by fetch ".repeat(20);
      const encoded = gzipSync(text);
      using source = await startUpstream(() => ({
        head: ["HTTP/1.1 200 OK", "Content-Encoding: gzip", `Content-Length: ${encoded.byteLength}`],
        pieces: [{ bytes: encoded }],
      }));
      const response = await answer(async (_, out) => {
        const from = await fetch(source.url);
        const body = Buffer.from(await from.arrayBuffer());
        out.writeHead(from.status, { "content-length": from.headers.get("content-length") ?? "" }).end(body);
      });
      expect([field(response, "content-length"), response.body]).toEqual([String(text.length), text]);
    });
  });

  test("a length that is announced for HEAD or 304 stays", async () => {
    const head = await answer((_, response) => response.setHeader("content-length", 9).end("hello"), "HEAD");
    expect(field(head, "content-length")).toBe("9");
    const unmodified = await answer((_, response) => response.writeHead(304, { "content-length": 9 }).end());
    expect(field(unmodified, "content-length")).toBe("9");
  });

  test("a head that is flushed leaves with the length that it announces, before the body", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using server = await startServer(
      fromNode(async (_, response) => {
        response.writeHead(200, { "content-length": 5 }).flushHeaders();
        await promise;
        response.end("hello");
      }),
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.until((received) => (received.includes("content-length: 5\r\n") ? true : undefined));
    resolve();
    expect((await wire.response()).body).toBe("hello");
  });

  test("a body that comes later and ends short of its length is cut", async () => {
    await using server = await startServer(
      fromNode((_, response) => {
        response.writeHead(200, { "content-length": 9 }).write("he");
        setImmediate(() => setImmediate(() => response.end("llo")));
      }),
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    expect(await wire.readToEnd()).toEndWith("\r\n\r\nhello");
    expect(server.logger.messages("error")).toHaveLength(1);
  });

  test("a body that comes later and is longer than its length is cut off there, which the log says", async () => {
    await using server = await startServer(
      fromNode((_, response) => {
        response.writeHead(200, { "content-length": 3 }).write("he");
        setImmediate(() => setImmediate(() => response.end("llo")));
      }),
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    expect((await wire.response()).body).toBe("hel");
    await server.logger.seen(/threw after the end/);
    const errors = server.logger.lines
      .filter(({ level }) => level !== "debug")
      .map(({ error }) => String(error));
    expect(errors).toEqual([
      "Error: The response was longer than its content-length: at least 2 bytes were not sent.",
    ]);
  });
});

test("what comes behind the announced length is not kept", async () => {
  const reader = new ResponseReader("GET");
  reader.takeText("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "latin1");
  expect(reader.surplus).toBe(1);
  for (let count = 0; count < 3; count++) expect(reader.take(Buffer.alloc(1000))).toEqual([]);
  expect(reader.surplus).toBe(3001);
});
