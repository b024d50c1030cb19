import { describe, expect, test } from "bun:test";
import {
  CookieSigner,
  deletedCookie,
  parseCookies,
  serializeCookie,
} from "../../src/toolkit/values/cookies.ts";

describe("parseCookies", () => {
  test.each([
    ["", {}],
    ["a=1; b=2", { a: "1", b: "2" }],
    ["a=1;b=2", { a: "1", b: "2" }],
    ["a=first; a=second", { a: "first" }],
    ["a=%E2%82%AC; b=%zz", { a: "€", b: "%zz" }],
    ["lonely; a=1", { a: "1" }],
    ["a=b=c", { a: "b=c" }],
    ["a=", { a: "" }],
  ] as [string, Record<string, string>][])("%j", (field, cookies) => {
    expect(parseCookies(field)).toEqual(cookies);
  });

  test("a cookie named __proto__ changes no prototype", () => {
    const cookies = parseCookies("__proto__=x; a=1");
    expect(Object.getPrototypeOf(cookies)).toBe(Object.prototype);
    expect(cookies.a).toBe("1");
  });
});

describe("serializeCookie", () => {
  test("all attributes; the path is / unless said otherwise", () => {
    expect(serializeCookie("a", "1")).toBe("a=1; Path=/");
    const options = { maxAge: 60, path: "/x", domain: "example.com", secure: true, httpOnly: true };
    expect(serializeCookie("a", "1", { ...options, sameSite: "strict", expires: new Date(0) })).toBe(
      "a=1; Max-Age=60; Domain=example.com; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; " +
        "HttpOnly; Secure; SameSite=Strict",
    );
  });

  test.each(["plain", "a b", "a;b", "€", "100%", "%41", 'a,b\\"c', "x\r\nset-cookie: y"])(
    "a value survives the way out and back: %j",
    (value) => {
      const [pair = ""] = serializeCookie("n", value).split("; ");
      expect(pair).toMatch(/^n=[\x21-\x7e]*$/);
      expect(parseCookies(pair)).toEqual({ n: value });
    },
  );

  test.each([
    ["a b", {}, /not a token/],
    ["a\r\n", {}, /not a token/],
    ["", {}, /not a token/],
    ["a", { path: "/;x" }, /path/],
    ["a", { domain: "a;b" }, /domain/],
    ["a", { maxAge: 1.5 }, /maxAge/],
    ["a", { sameSite: "none" }, /needs 'secure: true'/],
    ["a", { partitioned: true }, /needs 'secure: true'/],
    ["__Secure-a", {}, /needs 'secure: true'/],
    ["__HOST-a", {}, /secure prefix/],
    ["__secure-a", {}, /secure prefix/],
    ["__host-a", { secure: true, path: "/x" }, /must have the path '\/'/],
    ["__Host-a", { secure: true, path: "/x" }, /must have the path '\/'/],
    ["__Host-a", { secure: true, domain: "a.b" }, /no domain/],
  ] as const)("refuses %j with %j", (name, options, message) => {
    expect(() => serializeCookie(name, "1", options)).toThrow(message);
  });

  test("deletedCookie keeps path and domain and has expired", () => {
    expect(deletedCookie("a", { path: "/x", domain: "b.c" })).toBe(
      "a=; Max-Age=0; Domain=b.c; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    );
  });
});

describe("CookieSigner", () => {
  const key = "k".repeat(32);
  const signer = new CookieSigner(key);

  test("what it signs it verifies, dots and all", () => {
    for (const value of ["", "user.42", "€"])
      expect(signer.verify("id", signer.sign("id", value))).toBe(value);
  });

  test.each([
    ["another value", (signed: string) => signed.replace("user", "admin")],
    ["another signature", (signed: string) => `${signed.slice(0, -2)}AA`],
    ["no signature", () => "user"],
    ["an empty one", () => "user."],
    ["a short one", () => "user.AAAA"],
  ])("refuses %s", (_, forge) => {
    expect(signer.verify("id", forge(signer.sign("id", "user")))).toBeUndefined();
  });

  test("the value of one cookie is no good in another", () => {
    expect(signer.verify("role", signer.sign("name", "admin"))).toBeUndefined();
  });

  test("there is one way to write a signature", () => {
    const signed = signer.sign("id", "x");
    const other = `${signed.slice(0, -1)}${String.fromCharCode(signed.charCodeAt(signed.length - 1) + 1)}`;
    for (const text of [`${signed}=`, `${signed}!`, `${signed} `, other])
      expect(signer.verify("id", text)).toBeUndefined();
    expect(signer.verify("id", signed)).toBe("x");
  });

  test("old keys still verify, and only the first signs", () => {
    const rotated = new CookieSigner("n".repeat(32), key);
    expect(rotated.verify("id", signer.sign("id", "x"))).toBe("x");
    expect(signer.verify("id", rotated.sign("id", "x"))).toBeUndefined();
  });

  test("a key that could be guessed is refused", () => {
    expect(() => new CookieSigner("secret")).toThrow(/32 chars/);
    expect(() => new CookieSigner(key, "")).toThrow(/32 chars/);
    for (const wrong of [NaN, 5, true, {}, null, undefined, Symbol("x")])
      expect(() => Reflect.construct(CookieSigner, [key, wrong])).toThrow(/32 chars/);
  });
});
