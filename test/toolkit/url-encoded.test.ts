import { describe, expect, test } from "bun:test";
import { MultiValue } from "../../src/toolkit/values/multi-value.ts";
import { parseUrlEncoded } from "../../src/toolkit/values/url-encoded.ts";

describe("parseUrlEncoded", () => {
  test.each([
    ["", []],
    ["a=1&b=2&a=3", [["a", "1"], ["b", "2"], ["a", "3"]]], // prettier-ignore
    ["a", [["a", ""]]],
    ["=1", [["", "1"]]],
    ["a=b=c", [["a", "b=c"]]],
    ["&&a=1&", [["a", "1"]]],
    ["a=1;b=2", [["a", "1;b=2"]]],
    ["q=a+b%20c%2B", [["q", "a b c+"]]],
    ["n%C3%A4me=%E2%82%AC", [["näme", "€"]]],
    ["a=%", [["a", "%"]]],
    ["a=%zz%4", [["a", "%zz%4"]]],
    ["a=%ff", [["a", "\ufffd"]]],
    ["a=\xc3\xa4", [["a", "ä"]]],
    ["a=%EF%BB%BFx", [["a", "\ufeffx"]]],
  ] as [string, [string, string][]][])("%j", (text, pairs) => {
    expect([...parseUrlEncoded(text)]).toEqual(pairs);
  });

  test("raw leaves byte strings; strict refuses what is no UTF-8", () => {
    expect(parseUrlEncoded("a=%C3%A4+b", { raw: true }).get("a")).toBe("\xc3\xa4 b");
    expect(() => parseUrlEncoded("a=%ff", { strict: true })).toThrow(
      expect.objectContaining({ code: "ERR_PAGI_MALFORMED_BODY", status: 400 }),
    );
    expect(parseUrlEncoded("a=%C3%A4", { strict: true }).get("a")).toBe("ä");
  });

  test("more parameters than allowed are refused, not left out", () => {
    const limits = { maxFields: 3, maxFieldSize: 10, maxHeaderSize: 10 };
    expect(parseUrlEncoded("a&b&c", {}, limits).size).toBe(3);
    expect(() => parseUrlEncoded("a&b&c&d", {}, limits)).toThrow(
      expect.objectContaining({ code: "ERR_PAGI_TOO_MANY_FIELDS", status: 413, limit: 3 }),
    );
    expect(() => parseUrlEncoded("&".repeat(5000))).toThrow(/more than 1000 parameters/);
  });
});

describe("MultiValue", () => {
  const values = new MultiValue([
    ["a", 1],
    ["b", 2],
    ["a", 3],
  ]);

  test("one value is the last, all are in order", () => {
    expect(values.get("a")).toBe(3);
    expect(values.getAll("a")).toEqual([1, 3]);
    expect(values.get("c")).toBeUndefined();
    expect(values.getAll("c")).toEqual([]);
    expect(values.has("b")).toBe(true);
    expect(values.keys()).toEqual(["a", "b"]);
    expect(values.values()).toEqual([1, 2, 3]);
    expect(values.size).toBe(3);
  });

  test("objects of last values, of lists, of both", () => {
    expect(values.toObject()).toEqual({ a: 3, b: 2 });
    expect(values.toObject("all")).toEqual({ a: [1, 3], b: [2] });
    expect(values.toObject("mixed")).toEqual({ a: [1, 3], b: 2 });
  });

  test("a parameter named __proto__ changes no prototype", () => {
    const object = new MultiValue([["__proto__", { admin: true }]]).toObject();
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect("admin" in object).toBe(false);
    expect(Object.hasOwn(object, "__proto__")).toBe(true);
  });
});
