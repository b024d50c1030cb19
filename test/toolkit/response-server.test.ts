import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { StateError } from "../../src/errors.ts";
import type { HttpHandler } from "../../src/spec/index.ts";
import { isRequestError, PagiRequest } from "../../src/toolkit/request.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { startHttp, startServer, type TestServer } from "../support/server.ts";
import { eventually, field, get, Wire } from "../support/wire.ts";

// Responses as they stand on the wire of the real server.

let folder: string;
let file: string;
let files: TestServer;
const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pagi-response-"));
  file = join(folder, "data.bin");
  await Bun.write(file, CONTENT);
  await utimes(file, 1_700_000_000, 1_700_000_000);
  files = await startServer(PagiResponse.sendFile(file).toApp());
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function fetchFile(headers: Record<string, string> = {}, method = "GET") {
  const response = await fetch(files.url, { headers, method });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes };
}

test.each(["a", "äö€", "😀", "\ud800", "a\udc00b", "\ude00\ud83d", "x".repeat(100_000) + "\ud800€"])(
  "text is as long as its Content-Length says, halves of a surrogate pair too: %#",
  async (text) => {
    await using server = await startServer(PagiResponse.text(text).etag().toApp());
    const response = await fetch(server.url);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.toString("utf8")).toBe(text.toWellFormed());
    expect(response.headers.get("content-length")).toBe(String(bytes.length));
    expect((await fetch(server.url)).headers.get("etag")).toBe(response.headers.get("etag") ?? "");
  },
);

test("a file goes out whole, with what identifies it", async () => {
  const { status, headers, bytes } = await fetchFile();
  expect([status, bytes.equals(CONTENT), headers.get("content-length")]).toEqual([200, true, "300000"]);
  expect(headers.get("last-modified")).toBe("Tue, 14 Nov 2023 22:13:20 GMT");
  const head = await fetchFile({}, "HEAD");
  expect([head.bytes.length, head.headers.get("content-length")]).toEqual([0, "300000"]);
});

test.each([
  ["bytes=0-99", 0, 100],
  ["bytes=299990-", 299_990, 300_000],
  ["bytes=-5", 299_995, 300_000],
  ["bytes=1000-200000", 1000, 200_001],
])("%s is a 206 of just these bytes (RFC 9110 section 15.3.7)", async (range, start, end) => {
  const { status, headers, bytes } = await fetchFile({ range });
  expect([status, headers.get("content-range")]).toEqual([206, `bytes ${start}-${end - 1}/300000`]);
  expect(bytes.equals(CONTENT.subarray(start, end))).toBe(true);
});

test("several ranges are parts that say which they are (RFC 9110 section 15.3.7.2)", async () => {
  const { status, headers, bytes } = await fetchFile({ range: "bytes=-2, 0-99, 1000-70999" });
  const [, boundary = ""] =
    /^multipart\/byteranges; boundary=(\S+)$/.exec(headers.get("content-type") ?? "") ?? [];
  const type = (await fetchFile()).headers.get("content-type");
  const part = (start: number, end: number, before: string): Buffer =>
    Buffer.concat([
      Buffer.from(
        `${before}--${boundary}\r\ncontent-type: ${type}\r\ncontent-range: bytes ${start}-${end - 1}/300000\r\n\r\n`,
      ),
      CONTENT.subarray(start, end),
    ]);
  const expected = Buffer.concat([
    part(299_998, 300_000, ""),
    part(0, 100, "\r\n"),
    part(1000, 71_000, "\r\n"),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  expect([status, headers.get("content-range"), headers.get("content-length")]).toEqual([
    206,
    null,
    String(expected.length),
  ]);
  expect(bytes.equals(expected)).toBe(true);
});

test("ranges that are no shorter than the file are the file, those that touch are one", async () => {
  const whole = await fetchFile({ range: "bytes=0-149999,150001-299999" });
  expect([whole.status, whole.bytes.equals(CONTENT)]).toEqual([200, true]);
  const one = await fetchFile({ range: "bytes=0-9,10-19,5-12" });
  expect([one.status, one.headers.get("content-range")]).toEqual([206, "bytes 0-19/300000"]);
});

test("a range beyond the end is a 416 that tells the size (RFC 9110 section 15.5.17)", async () => {
  const { status, headers, bytes } = await fetchFile({ range: "bytes=300000-" });
  expect([status, headers.get("content-range"), bytes.length]).toEqual([416, "bytes */300000", 0]);
});

test("a range is for GET only, and only of the state that If-Range names", async () => {
  const range = "bytes=0-0";
  const etag = (await fetchFile()).headers.get("etag") ?? "";
  expect((await fetchFile({ range }, "HEAD")).status).toBe(200);
  expect((await fetchFile({ range, "if-range": etag })).status).toBe(206);
  expect((await fetchFile({ range, "if-range": '"other"' })).bytes.length).toBe(300_000);
  expect((await fetchFile({ range, "if-range": "Tue, 14 Nov 2023 22:13:20 GMT" })).status).toBe(206);
});

test("conditions: 304 with no body, 412", async () => {
  const etag = (await fetchFile()).headers.get("etag") ?? "";
  const unchanged = await fetchFile({ "if-none-match": etag, range: "bytes=0-0" });
  expect([unchanged.status, unchanged.bytes.length, unchanged.headers.get("etag")]).toEqual([304, 0, etag]);
  expect((await fetchFile({ "if-modified-since": "Tue, 14 Nov 2023 22:13:20 GMT" })).status).toBe(304);
  expect((await fetchFile({ "if-match": '"other"' })).status).toBe(412);
  await using wire = await Wire.open(files);
  await wire.send(get("/", `If-None-Match: ${etag}`) + get("/", 'If-Match: "other"', "Connection: close"));
  const first = await wire.response();
  expect([first.status, field(first, "content-length")]).toEqual([304, undefined]);
  expect((await wire.response()).status).toBe(412);
});

test("a value can be sent to many at once", async () => {
  await using it = await startServer(PagiResponse.json({ ok: true }).cookie("a", "1").toApp());
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => fetch(it.url).then((answer) => answer.text())),
  );
  expect(new Set(answers)).toEqual(new Set(['{"ok":true}']));
});

test("chunks leave as they are made, no faster than the client takes them", async () => {
  let made = 0;
  const chunk = new Uint8Array(64 * 1024);
  let stopped = false;
  const endless = async function* () {
    try {
      for (;;) {
        made += 1;
        yield chunk;
      }
    } finally {
      stopped = true;
    }
  };
  await using it = await startHttp(async (scope, _receive, send) => {
    const answer = scope.path === "/endless" ? PagiResponse.stream(endless()) : PagiResponse.text("other");
    await answer.respond(send, scope);
  });
  await using wire = await Wire.open(it);
  await wire.send(get("/endless"));
  await wire.readTo("\r\n\r\n");
  wire.pause();
  // Nothing announces that the server waits; it does once the number stays the same while others are answered.
  for (let before = -1; before !== made && made < 2000;) {
    before = made;
    for (let i = 0; i < 5; i++) await (await fetch(it.url)).text();
  }
  expect(made).toBeLessThan(2000);
  wire.reset();
  await eventually("the generator is stopped when the client goes", () => stopped);
});

test("a stream that fails is cut, so that the client sees that it is not whole", async () => {
  await using it = await startHttp(async (scope, _receive, send) => {
    const source = async function* () {
      yield "half";
      throw new Error("the source broke");
    };
    await PagiResponse.stream(source()).respond(send, scope);
  });
  await using wire = await Wire.open(it);
  await wire.send(get("/"));
  const all = await wire.readToEnd();
  expect(all).not.toContain("0\r\n\r\n");
  expect(
    it.logger.lines.some(({ error }) => error instanceof Error && error.message === "the source broke"),
  ).toBe(true);
});

test("a writer outlives the handler's own call, and hears of the client's going", async () => {
  const closed = Promise.withResolvers<void>();
  await using it = await startHttp(async (scope, receive, send) => {
    const writer = await new PagiResponse(scope).writer(send, { onClose: closed.resolve });
    await writer.write("hello\n");
    while ((await receive()).type !== "http.disconnect");
  });
  await using wire = await Wire.open(it);
  await wire.send(get("/"));
  await wire.readTo("hello\n");
  wire.reset();
  await closed.promise;
});

test("what a client did wrong is told by a problem document, and the connection goes on", async () => {
  const handler: HttpHandler = async (scope, receive, send) => {
    const request = new PagiRequest(scope, receive);
    try {
      const { age } = await request.validate(z.object({ age: z.number() }), { maxBytes: 100 });
      await request.response().json({ age }).respond(send);
    } catch (error) {
      if (!isRequestError(error)) throw error;
      await PagiResponse.problem(error).respond(send, scope);
    }
  };
  await using it = await startHttp(handler);
  const post = async (body: string, type = "application/json") => {
    const answer = await fetch(it.url, { method: "POST", body, headers: { "content-type": type } });
    const json: unknown = await answer.json();
    return { status: answer.status, type: answer.headers.get("content-type"), json };
  };
  expect(await post('{"age":7}')).toMatchObject({ status: 200, json: { age: 7 } });
  expect(await post('{"age":"7"}')).toMatchObject({
    status: 422,
    type: "application/problem+json",
    json: { status: 422, title: "Unprocessable Content", errors: [{ in: "body", pointer: "/age" }] },
  });
  expect(await post("{")).toMatchObject({ status: 400, json: { code: "ERR_PAGI_MALFORMED_BODY" } });
  expect(await post("x".repeat(200))).toMatchObject({
    status: 413,
    json: { code: "ERR_PAGI_BODY_TOO_LARGE" },
  });
  expect(await post("a", "text/plain")).toMatchObject({ status: 415 });
});

test("a request is answered once: a second response is refused, at once or later, and the first one stands", async () => {
  const problems: string[] = [];
  let isSent: boolean[] = [];
  const told = (answer: Promise<void>): Promise<void> =>
    answer.catch((error: unknown) => {
      problems.push(error instanceof StateError ? error.code : String(error));
    });
  await using it = await startHttp(async (scope, _receive, send) => {
    const first = PagiResponse.text("first");
    const second = PagiResponse.text("second", { status: 201 });
    await Promise.all([told(first.respond(send, scope)), told(second.respond(send, scope))]);
    await told(second.respond(send, scope));
    isSent = [first.isSent(), new PagiResponse(scope).isSent()];
  });
  const answer = await fetch(it.url);
  expect([answer.status, await answer.text()]).toEqual([200, "first"]);
  await eventually("the handler is done", () => isSent.length > 0);
  // A response is a value: only one that was made for the scope knows what has become of it.
  expect(isSent).toEqual([false, true]);
  expect(problems).toEqual(["ERR_PAGI_STATE", "ERR_PAGI_STATE"]);
});
