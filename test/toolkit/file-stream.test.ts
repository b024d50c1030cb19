import { expect, test } from "bun:test";
import { fetchBody } from "../../src/toolkit/response/fetch-body.ts";
import { fileOfStream, fileResponse } from "../../src/toolkit/response/file-stream.ts";

const PATH = import.meta.path;
const INIT = { status: 201, headers: { "content-type": "text/x-own" } };

test("the response is that of the file", async () => {
  const response = fileResponse(PATH, INIT);
  expect(response).toBeInstanceOf(Response);
  expect([response.status, response.headers.get("content-type")]).toEqual([201, "text/x-own"]);
  expect(fetchBody(response)).toEqual({ kind: "file", offset: 0 });
  expect(await response.text()).toBe(await Bun.file(PATH).text());
});

test("its body is known to be the file, also as the body of another response", async () => {
  const { body } = fileResponse(PATH, INIT);
  if (body === null) throw new Error("a file is a body");
  expect(fileOfStream(body)).toBe(PATH);
  const other = new Response(body, { headers: { "x-a": "1" } });
  expect(fetchBody(other)).toMatchObject({ kind: "file stream", path: PATH });
  expect(await other.text()).toBe(await Bun.file(PATH).text());
});

test("a body that somebody reads is no file any more", () => {
  const { body } = fileResponse(PATH, INIT);
  if (body === null) throw new Error("a file is a body");
  const [half] = body.tee();
  expect(fetchBody(new Response(half)).kind).toBe("stream");
  expect(fileOfStream(new Response("text").body ?? new ReadableStream())).toBeUndefined();
});
