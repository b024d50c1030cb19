import { describe, expect, test } from "bun:test";
import { deflateRawSync } from "node:zlib";
import {
  BYTES_TO_TELL,
  isEncoded,
  soleCoding,
  type ContentCoding,
} from "../../src/toolkit/response/content-coding.ts";
import { ENCODERS } from "../support/upstream.ts";

const TEXTS = [
  "hello",
  "<!doctype html><html lang=en><body><p>A page.</p></body></html>",
  '{"users":[{"id":1,"name":"Grüße"},{"id":2,"name":"😀"}],"next":null}',
  "[1,2,3]",
  "body { color: red; background: url(data:image/png;base64,iVBORw0KGgo=) }",
  "\n\n# A heading\n\nAnd a long paragraph of text, which goes on until there are enough bytes of it.\n",
];
const OTHERS: [name: string, bytes: Uint8Array][] = [
  ["PNG", Buffer.from("89504e470d0a1a0a0000000d49484452000000100000001008060000001ff3ff61", "hex")],
  ["WebAssembly", Buffer.from("0061736d0100000001090260017f0060000002", "hex")],
  ["nothing", new Uint8Array(0)],
];

describe.each(["gzip", "deflate", "br", "zstd"] as const)("%s", (coding) => {
  test.each(TEXTS)("an encoded body is seen as one, from its beginning or whole: %j", (text) => {
    const encoded = ENCODERS[coding](text);
    expect(isEncoded(coding, encoded)).toBe(true);
    expect(isEncoded(coding, encoded.subarray(0, BYTES_TO_TELL))).toBe(true);
  });
  test.each(TEXTS)("a decoded one is not: %j", (text) => {
    expect(isEncoded(coding, Buffer.from(text))).toBe(false);
  });
  test.each(OTHERS)("%s", (_, bytes) => {
    expect(isEncoded(coding, bytes)).toBe(false);
  });
});

test("DEFLATE without its zlib wrapper, as some servers send it", () => {
  for (const text of TEXTS) expect(isEncoded("deflate", deflateRawSync(text.repeat(10)))).toBe(true);
});

const FIELDS: [field: string | null, coding: ContentCoding | undefined][] = [
  ["gzip", "gzip"],
  ["GZip", "gzip"],
  ["x-gzip", "gzip"],
  [" br ", "br"],
  ["identity, gzip", "gzip"],
  ["gzip, br", undefined],
  ["gzip, gzip", undefined],
  ["identity", undefined],
  ["compress", undefined],
  ["constructor", undefined],
  ["", undefined],
  [null, undefined],
];
test.each(FIELDS)("Content-Encoding: %s is %s for fetch", (field, coding) => {
  expect(soleCoding(field)).toBe(coding);
});
