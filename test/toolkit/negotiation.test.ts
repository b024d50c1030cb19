import { describe, expect, test } from "bun:test";
import { basicCredentials, bearerToken } from "../../src/toolkit/request/credentials.ts";
import { acceptsType, mediaType, parseAccept, preferredType } from "../../src/toolkit/request/negotiation.ts";
import { qualityForType, typeMatches } from "../../src/toolkit/request/negotiation.ts";

describe("Accept (RFC 9110 section 12.5.1)", () => {
  test.each([
    [undefined, ["json", "html"], "json"],
    ["", ["json", "html"], "json"],
    [" , ,", ["json", "html"], "json"],
    ["*/*", ["json", "html"], "json"],
    ["text/html, application/json;q=0.9", ["json", "html"], "html"],
    ["text/*;q=0.5, text/html;q=0", ["html", "text"], "text"],
    ["application/json;q=0", ["json"], undefined],
    ["image/png", ["json", "html"], undefined],
    ["TEXT/HTML", ["html"], "html"],
    ["application/problem+json", ["application/problem+json"], "application/problem+json"],
    ["total nonsense", ["json"], undefined],
  ] as [string | undefined, string[], string | undefined][])("%j of %j: %j", (accept, offers, best) => {
    expect(preferredType(accept, offers)).toBe(best);
  });

  test.each([
    ["text/html", "html", true],
    ["text/html", "json", false],
    ["text/html;q=0, */*", "html", false],
    ["text/html", "text/*", true],
    ["image/png", "text/*", false],
    ["*/*", "text/*", true],
    [undefined, "text/*", true],
    ["image/png", "*/*", true],
    ["text/*;q=0", "text/*", false],
    ["text/*;q=0, */*", "text/*", false],
    ["text/*;q=0, text/html", "text/*", true],
    ["text/html;q=0", "text/*", false],
    ["*/*;q=0, image/png", "text/*", false],
    ["*/*;q=0", "*/*", false],
    ['image/png;x="a, text/html"', "html", false],
    ['image/png;x="a;q=0"', "image/png", false],
    ['text/html;x="\\", text/plain;q=0", text/plain', "text", true],
  ] as [string | undefined, string, boolean][])("%j takes %s: %p", (accept, type, takes) => {
    expect(acceptsType(accept, type)).toBe(takes);
  });

  test("short names; others are of the application", () => {
    expect(mediaType("JSON")).toBe("application/json");
    expect(mediaType("msgpack")).toBe("application/msgpack");
    expect(mediaType("constructor")).toBe("application/constructor");
  });
});

describe("Accept in its parts", () => {
  const types = (accept?: string) => parseAccept(accept).map(({ type, quality }) => `${type} ${quality}`);

  test("the best first, then the most specific; what is no range is left out", () => {
    expect(
      types("*/*, text/*, Text/HTML, application/json; q=0.9 ,text/plain;q=0.5, nonsense, ,;q=1"),
    ).toEqual(["text/html 1", "text/* 1", "*/* 1", "application/json 0.9", "text/plain 0.5"]);
    expect(types("text/html;level=1;q=0.4;ext=x")).toEqual(["text/html;level=1 0.4"]);
    expect(types("a/a;q=5, b/b;q=-1, c/c;q=x")).toEqual(["a/a 1", "c/c 1", "b/b 0"]);
  });

  test("commas, semicolons and escapes in a quoted value are part of it (RFC 9110 section 5.6.6)", () => {
    expect(types('a/a;x="1, b/b";q=0.5, c/c;y="\\";q=0.1";q=0.2, d/d;z="Quoted"')).toEqual([
      "d/d;z=quoted 1",
      'a/a;x="1, b/b" 0.5',
      'c/c;y="\\";q=0.1" 0.2',
    ]);
    expect(types('a/a;x="never closed, b/b')).toEqual(["a/a 1"]);
  });

  test.each(["", "x", "5", "-1", "-0", "0", "0.5", "1.5", "nan", "infinity", ".5", "0.5x", '"0.2"', '""'])(
    "all functions agree on the weight %j",
    (q) => {
      for (const accept of [`a/a;q=${q}`, `a/a; q = ${q}`, `b/b, a/a;q=${q}`, `a/*;q=${q}`]) {
        const quality = qualityForType(accept, "a/a");
        expect(parseAccept(accept).find(({ type }) => type.startsWith("a/"))?.quality).toBe(quality);
        expect(acceptsType(accept, "a/a")).toBe(quality > 0);
        expect(acceptsType(accept, "a/*")).toBe(quality > 0);
        expect(preferredType(accept, ["a/a"])).toBe(quality > 0 ? "a/a" : undefined);
        // Another type with this weight and a little less is never preferred.
        const offers = ["c/c", "a/a"] as const;
        const less = Math.max(0, quality - 0.001);
        expect(preferredType(`${accept}, c/c;q=${less}`, offers)).toBe(quality > 0 ? "a/a" : undefined);
      }
    },
  );

  test("a range with parameters is for the types that have them (RFC 9110 section 12.5.1)", () => {
    const accept = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4";
    expect(qualityForType(accept, "text/plain;format=flowed")).toBe(1);
    expect(qualityForType(accept, 'text/plain; format="FIXED"')).toBe(0.4);
    expect(qualityForType(accept, "text/plain")).toBe(0.7);
    expect(qualityForType(accept, "text/html")).toBe(0.3);
    expect(typeMatches("text/plain;format=flowed", "text/plain")).toBe(true);
    expect(typeMatches("text/plain", "text/plain;format=flowed")).toBe(false);
  });

  test("without a field the client takes everything", () => {
    expect([types(), types("  ")]).toEqual([["*/* 1"], ["*/* 1"]]);
  });

  test.each([
    ["text/html", "text/html", true],
    ["TEXT/html", "text/*", true],
    ["application/json", "*/*", true],
    ["application/json", "text/*", false],
    ["text/html", "text/plain", false],
    ["textual/html", "text/*", false],
  ])("%s is within %s: %p", (type, range, matches) => {
    expect(typeMatches(type, range)).toBe(matches);
  });

  test.each([
    ["application/json;q=0.9", "json", 0.9],
    ["text/html", "json", 0],
    ["*/*;q=0.5", "json", 0.5],
    ["text/*;q=0.5, text/html;q=0.9, */*;q=0.1", "html", 0.9],
    ["text/*, text/html;q=0", "html", 0],
    ["text/html;q=0.2, text/html;q=0.7", "html", 0.7],
    [undefined, "html", 1],
  ])("how much %j likes %s", (accept, type, quality) => {
    expect(qualityForType(accept, type)).toBe(quality);
  });
});

describe("Authorization", () => {
  test.each([
    ["Bearer abc.DEF-1_~+/==", "abc.DEF-1_~+/=="],
    ["bearer   x ", "x"],
    ["Bearer", undefined],
    ["Bearer a b", undefined],
    ["Basic abc", undefined],
    [undefined, undefined],
  ] as const)("bearer token of %j", (field, token) => {
    expect(bearerToken(field)).toBe(token);
  });

  test.each([
    ["user:pass", { username: "user", password: "pass" }],
    ["ü:pa:ss", { username: "ü", password: "pa:ss" }],
    [":", { username: "", password: "" }],
    ["nobody", undefined],
  ] as const)("basic credentials of %j", (text, credentials) => {
    expect(basicCredentials(`Basic ${Buffer.from(text).toString("base64")}`)).toEqual(credentials);
  });

  test("what is no base64 gives no credentials", () => {
    expect(basicCredentials("Basic ###")).toBeUndefined();
    expect(basicCredentials("Bearer abc")).toBeUndefined();
  });
});
