import { describe, expect, test } from "bun:test";
import {
  parameterOf,
  parseParameterized,
  parseParameters,
  splitList,
  writeValue,
} from "../../src/spec/parameters.ts";

describe("parameters (RFC 9110 section 5.6.6)", () => {
  test.each<[text: string, list: [string, string][], isWellFormed: boolean]>([
    ["", [], true],
    [";;; ;", [], true],
    ["a=b", [["a", "b"]], true],
    [" A=b ;\tc=D ", [["a", "b"], ["c", "D"]], true], // prettier-ignore
    ['a="b; c=d";e=f', [["a", "b; c=d"], ["e", "f"]], true], // prettier-ignore
    ['a="\\"";b="\\\\";c="\\x\\ y"', [["a", '"'], ["b", "\\"], ["c", "x y"]], true], // prettier-ignore
    ['a=""', [["a", ""]], true],
    ["a=b;a=c", [["a", "b"], ["a", "c"]], true], // prettier-ignore
    ["__proto__=b;constructor=c", [["__proto__", "b"], ["constructor", "c"]], true], // prettier-ignore
    // As browsers take it, though the grammar does not.
    ["a = b", [["a", "b"]], false],
    ["a= b", [["a", "b"]], false],
    ["a=b/c=d", [["a", "b/c=d"]], false],
    ['a="b"c; d=e', [["a", "b"], ["d", "e"]], false], // prettier-ignore
    ["a=", [], false],
    ["=b", [], false],
    ["a", [], false],
    ["a b=c", [], false],
    ['a="b', [], false],
    ['a="b\\"', [], false],
    ['a="b\\', [], false],
    ['x=y;a="b;c=d', [["x", "y"]], false],
  ])("%j", (text, list, isWellFormed) => {
    expect(parseParameters(text)).toEqual({ list, isWellFormed });
  });

  test("behind a type", () => {
    const { type, parameters } = parseParameterized(' Text/HTML ; Charset="utf-8" ;x="\\"; charset=y"');
    expect([type, parameterOf(parameters, "charset"), parameterOf(parameters, "y")]).toEqual([
      "text/html",
      "utf-8",
      undefined,
    ]);
  });

  test.each([
    ['f="a\\"b"', 'a"b'],
    ['f="a\\\\b"', "a\\b"],
    ['f="C:\\dir\\new.txt"', "C:\\dir\\new.txt"],
    ['f="C:\\dir\\"', "C:\\dir\\"],
    ['f="C:\\dir\\"; g="x"', "C:\\dir\\"],
    ['f="a\\";"', 'a";'],
    ['f="a\\\\"; g="x"', "a\\"],
  ])("in a form %j is %s", (text, value) => {
    expect(parameterOf(parseParameters(text, "form"), "f")).toBe(value);
  });

  test("what is written is read as it was", () => {
    for (const value of ["token", "two words", 'a"b\\c', "a;b=c, d", "ÿ"]) {
      expect(parseParameters(`a=${writeValue(value)};b=c`)).toEqual({
        list: [["a", value], ["b", "c"]], // prettier-ignore
        isWellFormed: true,
      });
    }
  });

  test("takes time that is linear in its length", () => {
    for (const part of ['a="\\"', '";', "a=b ", ' \t ;x="', 'a="\\";', "\\", '"', ";", "  "]) {
      const started = performance.now();
      for (const quoting of ["http", "form"] as const) parseParameters(part.repeat(30_000), quoting);
      splitList(part.repeat(30_000));
      expect(performance.now() - started).toBeLessThan(2000);
    }
  });
});

test.each([
  ["", []],
  [", ,", []],
  ["a, b ,c", ["a", "b", "c"]],
  ['a="1, 2", b', ['a="1, 2"', "b"]],
  ['a="\\", b", c', ['a="\\", b"', "c"]],
  ['a="b, c', ['a="b, c']],
  [",a", ["a"]],
])("the members of %j", (text, members) => {
  expect(splitList(text)).toEqual(members);
});
