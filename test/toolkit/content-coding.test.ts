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
  // The first two bytes are a header of zlib.
  ...["HK$ 12", "8O", "hC", "XG", "(S", "x^2 + y^2"],
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
    expect(isEncoded(coding, { bytes: encoded, isWhole: true })).toBe(true);
    expect(isEncoded(coding, { bytes: encoded.subarray(0, BYTES_TO_TELL), isWhole: false })).toBe(true);
  });
  test.each(TEXTS)("a decoded one is not: %j", (text) => {
    expect(isEncoded(coding, { bytes: Buffer.from(text), isWhole: true })).toBe(false);
  });
  test.each(OTHERS)("%s", (_, bytes) => {
    expect(isEncoded(coding, { bytes, isWhole: true })).toBe(false);
  });
});

test.each(["gzip", "deflate", "br", "zstd"] as const)("nothing, encoded: %s", (coding) => {
  expect(isEncoded(coding, { bytes: ENCODERS[coding](""), isWhole: true })).toBe(true);
});

test.each(["deflate", "br"] as const)("a body that is longer than what is decoded to tell: %s", (coding) => {
  const bytes = ENCODERS[coding]("a".repeat(1_000_000));
  expect(isEncoded(coding, { bytes, isWhole: true })).toBe(true);
});

test.each(["deflate", "br"] as const)("short bytes that only begin as if they were encoded: %s", (coding) => {
  const bytes = ENCODERS[coding]("A text of some length, which is cut off.").subarray(0, 12);
  expect(isEncoded(coding, { bytes, isWhole: true })).toBe(false);
});

test("DEFLATE without its zlib wrapper, as some servers send it", () => {
  for (const text of TEXTS) {
    const bytes = deflateRawSync(text.repeat(10));
    expect(isEncoded("deflate", { bytes, isWhole: true })).toBe(true);
  }
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
