import { dlopen, ptr } from "bun:ffi";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { echo, startHttp } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";
import { Wire, get, post, request } from "../../support/wire.ts";
import type { HttpSendEvent } from "../../../src/spec/index.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startHttp(echo);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Answers a request with events, and gives the response as it stood on the wire, and what `send` rejected with. */
async function answeredWith(events: HttpSendEvent[], first = "GET / HTTP/1.1\r\nHost: a\r\n\r\n") {
  const rejections: string[] = [];
  await using own = await startHttp(async (_scope, _receive, send) => {
    for (const event of events) {
      try {
        await send(event);
      } catch (error) {
        rejections.push(error instanceof Error ? error.message : String(error));
      }
    }
  });
  await using wire = await Wire.open(own);
  await wire.send(first);
  wire.halfClose();
  return { bytes: await wire.readToEnd(), error: wire.error, rejections };
}

const start = (headers: [string, string][] = [], status = 200): HttpSendEvent => ({
  type: "http.response.start",
  status,
  headers,
});
const body = (text: string, more = false): HttpSendEvent => ({
  type: "http.response.body",
  body: text,
  more,
});

describe("RFC 9112 section 6: the request's framing", () => {
  test("Content-Length: exactly so many bytes are the body, and the next is a new request", async () => {
    await using wire = await Wire.open(server);
    await wire.send(post("/1", "hello") + post("/2", "") + post("/3", "x"));
    const bodies = [];
    for (let i = 0; i < 3; i++) bodies.push(JSON.parse((await wire.response()).body));
    expect(bodies).toMatchObject([
      { path: "/1", body: "hello" },
      { path: "/2", body: "" },
      { path: "/3", body: "x" },
    ]);
  });

  test.each([
    ["a sign", "Content-Length: +5", 400],
    ["a list of equal values", "Content-Length: 5, 5", 400],
    ["a duplicate of the same value", "Content-Length: 5\r\nContent-Length: 5", 400],
    ["hexadecimal", "Content-Length: 0x5", 400],
    ["nothing", "Content-Length:", 400],
    ["a negative number", "Content-Length: -1", 400],
    ["more than the safe range", "Content-Length: 99999999999999999999", 413],
    ["both framings", "Content-Length: 5\r\nTransfer-Encoding: chunked", 400],
    ["another coding", "Transfer-Encoding: gzip", 501],
    ["another coding before chunked", "Transfer-Encoding: gzip, chunked", 501],
    ["chunked not last", "Transfer-Encoding: chunked, identity", 400],
    ["chunked twice", "Transfer-Encoding: chunked, chunked", 400],
    ["chunked in two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400],
    ["identity", "Transfer-Encoding: identity", 501],
    ["an empty coding", "Transfer-Encoding:", 400],
  ])("section 6.3: %s is refused before the application runs", async (_name, line, status) => {
    await using wire = await Wire.open(server);
    await wire.send(
      `POST / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\nhelloGET /second HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    expect((await wire.response()).status).toBe(status);
    expect(await wire.readToEnd()).toBe("");
  });

  test("section 6.1: Transfer-Encoding on HTTP/1.0 is 400", async () => {
    const bytes = "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    expect((await request(server, bytes)).status).toBe(400);
  });
});

describe("RFC 9112 sections 4 and 6: the response's framing", () => {
  test("a given Content-Length is kept and the body follows as it is", async () => {
    const { bytes } = await answeredWith([start([["content-length", "5"]]), body("he", true), body("llo")]);
    expect(bytes).toMatch(/^HTTP\/1\.1 200 OK\r\ncontent-length: 5\r\ndate: [^\r]+\r\n\r\nhello$/);
  });

  test("without one, the body goes in chunks, an empty one never in the middle", async () => {
    const { bytes } = await answeredWith([start(), body("abc", true), body("", true), body("d".repeat(17))]);
    expect(bytes).toEndWith(`\r\n\r\n3\r\nabc\r\n11\r\n${"d".repeat(17)}\r\n0\r\n\r\n`);
    expect(bytes).toContain("transfer-encoding: chunked\r\n");
  });

  test("an empty body without a length is one last chunk", async () => {
    expect((await answeredWith([start(), body("")])).bytes).toEndWith("\r\n\r\n0\r\n\r\n");
  });

  test("to HTTP/1.0 it ends with the connection", async () => {
    const { bytes, error } = await answeredWith(
      [start(), body("abc", true), body("d")],
      "GET / HTTP/1.0\r\n\r\n",
    );
    expect(bytes).toEndWith("\r\nconnection: close\r\ndate: " + bytes.split("date: ")[1]);
    expect(bytes).toEndWith("\r\n\r\nabcd");
    expect(bytes).not.toContain("transfer-encoding");
    expect(error).toBeUndefined();
  });

  test("a string body is counted and sent as UTF-8", async () => {
    const { bytes } = await answeredWith([start(), body("é€😀")]);
    expect(bytes).toEndWith("\r\n\r\n9\r\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\r\n0\r\n\r\n");
  });

  test.each([
    ["HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 200, "content-length: 5"],
    ["304", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 304, "content-length: 5"],
  ])("section 6.3: %s keeps its Content-Length and has no body", async (_name, first, status, line) => {
    const { bytes, rejections } = await answeredWith(
      [start([["content-length", "5"]], status), body("hello")],
      first,
    );
    expect(bytes).toContain(`\r\n${line}\r\n`);
    expect(bytes).toEndWith("\r\n\r\n");
    expect(rejections).toEqual([]);
  });

  test("section 6.3: 204 has neither a length nor a coding nor a body", async () => {
    const { bytes } = await answeredWith([start([["content-length", "5"]], 204), body("hello")]);
    expect(bytes).toMatch(/^HTTP\/1\.1 204 No Content\r\ndate: [^\r]+\r\n\r\n$/);
  });

  test("section 6.3: HEAD without a length says how a GET would be framed only if at all; no bytes follow", async () => {
    const { bytes } = await answeredWith([start(), body("hello")], "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(bytes.indexOf("\r\n\r\n") + 4).toBe(bytes.length);
  });

  test("a body over the declared length rejects and not one byte of it is written", async () => {
    const { bytes, rejections } = await answeredWith([
      start([["content-length", "5"]]),
      body("hel", true),
      body("loo", true),
      body("lo"),
    ]);
    expect(bytes).toEndWith("\r\n\r\nhello");
    expect(rejections).toEqual([expect.stringContaining("1 bytes longer than the content-length of 5")]);
  });

  test("a body short of the declared length rejects, and the connection ends at once", async () => {
    const { promise: rejection, resolve } = Promise.withResolvers<unknown>();
    await using own = await startHttp(async (_scope, _receive, send) => {
      await send(start([["content-length", "50"]]));
      await send(body("hello")).catch(resolve);
    });
    await using wire = await Wire.open(own);
    await wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await wire.readToEnd()).toEndWith("\r\n\r\nhello");
    expect(await rejection).toMatchObject({
      code: "ERR_PAGI_EVENT",
      message: expect.stringContaining("45 bytes shorter"),
    });
  });

  test("the application's Transfer-Encoding and Connection: keep-alive are dropped", async () => {
    const { bytes } = await answeredWith([
      start([
        ["transfer-encoding", "gzip, chunked"],
        ["connection", "keep-alive"],
        ["x", "1"],
      ]),
      body("a"),
    ]);
    expect(bytes).toMatch(
      /^HTTP\/1\.1 200 OK\r\nx: 1\r\ntransfer-encoding: chunked\r\ndate: [^\r]+\r\n\r\n1\r\na\r\n0\r\n\r\n$/,
    );
  });

  test("RFC 9110 section 6.6.1: Date is supplied once, and the application's own is kept", async () => {
    const { bytes } = await answeredWith([start(), body("")]);
    const date = /\r\ndate: ([^\r]+)\r\n/.exec(bytes)?.[1] ?? "";
    expect(date).toMatch(/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
    expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(3000);
    const own = await answeredWith([start([["date", "then"]]), body("")]);
    expect(own.bytes.match(/\r\ndate: /g)).toHaveLength(1);
    expect(own.bytes).toContain("\r\ndate: then\r\n");
  });

  test("section 4: a status without a phrase has an empty one, and any final status passes", async () => {
    expect((await answeredWith([start([], 799), body("")])).bytes).toStartWith("HTTP/1.1 799 \r\n");
    expect((await answeredWith([start([], 418), body("")])).bytes).toStartWith("HTTP/1.1 418 ");
  });

  test("header and trailer bytes above ASCII leave as they are, also beside text", async () => {
    for (const chunk of ["é", "e"]) {
      const { bytes } = await answeredWith([
        { type: "http.response.start", status: 200, trailers: true, headers: [["x", "\xe9\xff"]] },
        body("plain", true),
        body(chunk),
        { type: "http.response.trailers", headers: [["y", "\xe9\xff"]] },
      ]);
      expect(bytes).toContain("\r\nx: \xe9\xff\r\n");
      expect(bytes).toEndWith("\r\n0\r\ny: \xe9\xff\r\n\r\n");
      const plain = await answeredWith([
        { type: "http.response.start", status: 200, trailers: true },
        body("plain", true),
        body(chunk),
        { type: "http.response.trailers", headers: [["y", "\xe9\xff"]] },
      ]);
      expect(plain.bytes).toEndWith("\r\n0\r\ny: \xe9\xff\r\n\r\n");
    }
  });

  test("section 7.1.2: trailers follow a chunked body", async () => {
    const { bytes } = await answeredWith([
      { type: "http.response.start", status: 200, trailers: true, headers: [["trailer", "x-sum"]] },
      body("abc"),
      {
        type: "http.response.trailers",
        headers: [
          ["x-sum", "7"],
          ["x-sum", "8"],
        ],
      },
    ]);
    expect(bytes).toEndWith("\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\nx-sum: 8\r\n\r\n");
  });

  test.each([
    ["HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", []],
    ["a body with a length", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", [["content-length", "3"]]],
  ] satisfies [string, string, [string, string][]][])(
    "trailers to %s are dropped",
    async (_name, first, headers) => {
      const { bytes, rejections } = await answeredWith(
        [
          { type: "http.response.start", status: 200, trailers: true, headers },
          body("abc"),
          { type: "http.response.trailers", headers: [["x-sum", "7"]] },
        ],
        first,
      );
      expect(bytes).toEndWith("\r\n\r\nabc");
      expect(rejections).toEqual([]);
    },
  );

  test.each([
    ["CR in a value", ["x", "a\rb"]],
    ["LF in a value", ["x", "a\nb"]],
    ["CRLF and a second field in a value", ["x", "a\r\nset-cookie: b"]],
    ["NUL in a value", ["x", "a\0b"]],
    ["a char over U+00FF in a value", ["x", "a\u0100b"]],
    ["CR in a name", ["x\ry", "a"]],
    ["a colon in a name", ["x:y", "a"]],
    ["a space in a name", ["x y", "a"]],
    ["an empty name", ["", "a"]],
    ["a char over U+00FF in a name", ["x\u0178", "a"]],
  ] satisfies [string, [string, string]][])(
    "%s makes send reject, with validation on and off, and no byte of it is written",
    async (_name, pair) => {
      for (const validateEvents of [true, false]) {
        const codes: unknown[] = [];
        await using own = await startHttp(
          async (_scope, _receive, send) => {
            await send(start([pair])).catch((error) => codes.push(error.code));
            await send({ type: "http.response.start", status: 200, trailers: true });
            await send(body("fine"));
            const headers: [string, string][] = [pair];
            await send({ type: "http.response.trailers", headers }).catch((error) => codes.push(error.code));
            await send({ type: "http.response.trailers" });
          },
          { validateEvents },
        );
        const response = await request(own, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        expect(codes).toEqual(["ERR_PAGI_EVENT", "ERR_PAGI_EVENT"]);
        expect(response.body).toBe("fine");
        expect(response.headers.map(([name]) => name)).toEqual(["transfer-encoding", "date"]);
        expect(response.trailers).toEqual([]);
      }
    },
  );

  test.skipIf(process.platform !== "linux")("head and first body bytes leave in one segment", async () => {
    await using own = await startHttp(async (scope, _receive, send) => {
      await send(start(scope.path === "/length" ? [["content-length", "5"]] : []));
      await send(body("first", scope.path === "/stream"));
      if (scope.path === "/stream") await send(body("second"));
    });
    expect(await segments(own, "/length")).toBe(1);
    expect(await segments(own, "/chunked")).toBe(1);
    expect(await segments(own, "/stream")).toBe(1);
  });
});

/** How many TCP segments with data a response came in. */
async function segments(address: { host: string; port: number }, target: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let received = "";
  const socket = await Bun.connect({
    hostname: address.host,
    port: address.port,
    socket: {
      open: (each) => void each.write(get(target)),
      data: (each, bytes) => {
        received += bytes.toString("latin1");
        if (received.endsWith("0\r\n\r\n") || received.endsWith("\r\n\r\nfirst"))
          resolve(dataSegmentsIn(each));
      },
    },
  });
  const count = await promise;
  socket.end();
  return count;
}

/** `tcpi_data_segs_in` of a socket, which Linux counts for each connection. */
function dataSegmentsIn(socket: object): number {
  if (!("fd" in socket) || typeof socket.fd !== "number") throw new Error("the socket shows no descriptor");
  const libc = dlopen("libc.so.6", {
    getsockopt: { args: ["int", "int", "int", "ptr", "ptr"], returns: "int" },
  });
  const info = new Uint8Array(256);
  const length = new Uint32Array([info.byteLength]);
  const [IPPROTO_TCP, TCP_INFO] = [6, 11];
  if (libc.symbols.getsockopt(socket.fd, IPPROTO_TCP, TCP_INFO, ptr(info), ptr(length)) !== 0) {
    throw new Error("TCP_INFO cannot be read");
  }
  return new DataView(info.buffer).getUint32(152, true);
}
