import { describe, expect, test } from "bun:test";
import { PagiRequest, type FormOptions } from "../../src/toolkit/request.ts";
import { bytes, httpScope, server } from "../support/fake-scope.ts";
import { MULTIPART, multipartBody } from "../support/multipart.ts";

// A client chooses the Content-Type, and so the encoding of a form. It must not choose the limits by it.

type Fields = readonly (readonly [name: string, value: string])[];

const ENCODINGS: { readonly [name: string]: (fields: Fields) => PagiRequest } = {
  "multipart/form-data": (fields) =>
    request(MULTIPART, multipartBody(...fields.map(([name, content]) => ({ name, content })))),
  "application/x-www-form-urlencoded": (fields) =>
    request(
      "application/x-www-form-urlencoded",
      new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString(),
    ),
};

function request(type: string, body: string): PagiRequest {
  const side = server({ type: "http.request", body: bytes(body), more: false });
  return new PagiRequest(httpScope({ method: "POST", headers: [["content-type", type]] }), side.receive);
}

const many = (count: number): Fields => Array.from({ length: count }, (_, at) => [`f${at}`, "x"]);
const MIB = 1024 * 1024;

describe.each(Object.entries(ENCODINGS))("%s", (_encoding, form) => {
  test.each<[string, FormOptions & { maxBytes?: number }, Fields, Fields, string]>([
    [
      "maxFieldSize",
      { maxFieldSize: 10 },
      [["a", "x".repeat(10)]],
      [["a", "x".repeat(11)]],
      "PART_TOO_LARGE",
    ],
    [
      "maxFieldSize, in bytes",
      { maxFieldSize: 10 },
      [["a", "ä".repeat(5)]],
      [["a", "ä".repeat(6)]],
      "PART_TOO_LARGE",
    ],
    [
      "maxFieldSize, every field",
      { maxFieldSize: 3 },
      [["a", "xxx"]],
      [
        ["a", "x"],
        ["b", "xxxx"],
      ],
      "PART_TOO_LARGE",
    ],
    ["maxFields", { maxFields: 3 }, many(3), many(4), "TOO_MANY_FIELDS"],
    ["maxFields by default", {}, many(1000), many(1001), "TOO_MANY_FIELDS"],
    [
      "maxHeaderSize, for names",
      { maxHeaderSize: 200 },
      [["a", "x"]],
      [["a".repeat(300), "x"]],
      "PART_HEADER_TOO_LARGE",
    ],
    ["maxHeaderSize by default", {}, [["a", "x"]], [["a".repeat(17_000), "x"]], "PART_HEADER_TOO_LARGE"],
    ["maxRequestBody", { maxRequestBody: 300 }, [["a", "x"]], [["a", "x".repeat(400)]], "BODY_TOO_LARGE"],
  ])("%s holds", async (_limit, options, good, bad, code) => {
    expect([...(await form(good).form(options)).fields]).toEqual(good.map(([...pair]) => pair));
    await expect(form(bad).form(options)).rejects.toMatchObject({ status: 413, code: `ERR_PAGI_${code}` });
  });

  test("all fields together are limited by maxBytes", async () => {
    const fields: Fields = [
      ["a", "x".repeat(60)],
      ["b", "x".repeat(60)],
    ];
    await expect(form(fields).form({ maxBytes: 100 })).rejects.toMatchObject({ status: 413 });
    expect((await form(fields).form({ maxBytes: 130 })).fields.size).toBe(2);
    await expect(form([["a", "x".repeat(MIB + 1)]]).form()).rejects.toMatchObject({ status: 413 });
  });

  test("a field may be as large as maxFieldSize says, without maxBytes", async () => {
    const large = "x".repeat(2 * MIB);
    const read = await form([["a", large]]).form({ maxFieldSize: 3 * MIB });
    expect(read.fields.get("a")).toHaveLength(2 * MIB);
    const over = form([["a", "x".repeat(3 * MIB + 1)]]).form({ maxFieldSize: 3 * MIB });
    await expect(over).rejects.toMatchObject({ status: 413 });
  });

  test("the limits hold for each of the methods that read a form", async () => {
    const fields: Fields = [["a", "x".repeat(11)]];
    const options = { maxFieldSize: 10 };
    await expect(form(fields).formParams(options)).rejects.toMatchObject({ status: 413 });
    await expect(form(fields).formParam("a", options)).rejects.toMatchObject({ status: 413 });
  });

  test("they hold for a body that was read before, and for a form that is read again with others", async () => {
    const again = form([["a", "x".repeat(11)]]);
    await again.bytes();
    await expect(again.form({ maxFieldSize: 10 })).rejects.toMatchObject({ status: 413 });
    for (const narrow of [{ maxFieldSize: 10 }, { maxFields: 1 }, { maxBytes: 9 }, { maxRequestBody: 9 }]) {
      const request = form([
        ["a", "x".repeat(11)],
        ["b", "y"],
      ]);
      expect((await request.form()).fields.size).toBe(2);
      await expect(request.form(narrow)).rejects.toMatchObject({ status: 413 });
      expect((await request.form({ maxFieldSize: 20, maxFields: undefined })).fields.size).toBe(2);
    }
  });
});

test("files that were read before are held to the limits that are named later", async () => {
  const body = multipartBody(
    { name: "a", filename: "a", content: "x".repeat(20) },
    { name: "b", filename: "b", content: "y" },
  );
  const read = request(MULTIPART, body);
  expect((await read.uploads()).size).toBe(2);
  for (const [narrow, code] of [
    [{ maxFileSize: 10 }, "PART_TOO_LARGE"],
    [{ maxFiles: 1 }, "TOO_MANY_FILES"],
  ] as const)
    await expect(read.uploads(narrow)).rejects.toMatchObject({ status: 413, code: `ERR_PAGI_${code}` });
  expect((await read.uploads({ maxFiles: 2 })).size).toBe(2);
});
