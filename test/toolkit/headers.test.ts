import { describe, expect, test } from "bun:test";
import { headerPairs, PagiHeaders } from "../../src/toolkit/values/headers.ts";

const cookies = () =>
  new PagiHeaders([
    ["Set-Cookie", "a=1"],
    ["Content-Type", "text/plain"],
    ["set-cookie", "b=2"],
  ]);

describe("PagiHeaders", () => {
  test("keeps order and duplicates, with names in lower case", () => {
    expect(cookies().toPairs()).toEqual([
      ["set-cookie", "a=1"],
      ["content-type", "text/plain"],
      ["set-cookie", "b=2"],
    ]);
    expect([...cookies()]).toEqual(cookies().toPairs());
    expect(cookies().flatten().slice(0, 2)).toEqual(["set-cookie", "a=1"]);
    expect(cookies().toString()).toBe("set-cookie: a=1\r\ncontent-type: text/plain\r\nset-cookie: b=2\r\n");
  });

  test("looks up without regard to case: the last value, all values", () => {
    const headers = cookies();
    expect(headers.get("SET-COOKIE")).toBe("b=2");
    expect(headers.getAll("Set-Cookie")).toEqual(["a=1", "b=2"]);
    expect(headers.combined("set-cookie")).toBe("a=1, b=2");
    expect(headers.get("etag")).toBeUndefined();
    expect(headers.combined("etag")).toBeUndefined();
    expect(headers.has("Content-type")).toBe(true);
    expect(headers.names()).toEqual(["set-cookie", "content-type"]);
    expect(headers.count).toBe(3);
  });

  test("set replaces all, add appends, setDefault only where absent, remove returns what was there", () => {
    const headers = cookies()
      .set("set-cookie", "c=3")
      .add("X-N", 1, 2)
      .setDefault("x-n", "9")
      .setDefault("y", "z");
    expect(headers.getAll("set-cookie")).toEqual(["c=3"]);
    expect(headers.getAll("x-n")).toEqual(["1", "2"]);
    expect(headers.get("y")).toBe("z");
    expect(headers.remove("X-n")).toEqual(["1", "2"]);
    expect(headers.has("x-n")).toBe(false);
    expect(headers.set("y").has("y")).toBe(false);
    expect(headers.clear().isEmpty()).toBe(true);
  });

  test("a clone and the pairs share nothing with it", () => {
    const headers = cookies();
    headers.clone().clear();
    const [first] = headers.toPairs();
    if (first !== undefined) first[1] = "changed";
    for (const pair of headers) pair[1] = "changed";
    expect(headers.get("content-type")).toBe("text/plain");
    expect(headers.getAll("set-cookie")).toEqual(["a=1", "b=2"]);
  });

  test("toObject gives last values or all, and takes __proto__ for a name", () => {
    expect(cookies().toObject()).toEqual({ "set-cookie": "b=2", "content-type": "text/plain" });
    expect(cookies().toObject("all")).toEqual({
      "set-cookie": ["a=1", "b=2"],
      "content-type": ["text/plain"],
    });
    const odd = new PagiHeaders([["__proto__", "x"]]).toObject();
    expect(Object.hasOwn(odd, "__proto__")).toBe(true);
  });

  test("removeContentHeaders takes out what describes a body", () => {
    const headers = cookies().add("content-length", 3);
    expect(headers.removeContentHeaders().names()).toEqual(["content-type", "content-length"]);
    expect(headers.names()).toEqual(["set-cookie"]);
  });

  test("removeContentHeaders leaves what protects a page", () => {
    const headers = new PagiHeaders([
      ["content-security-policy", "default-src 'none'"],
      ["content-security-policy-report-only", "img-src 'none'"],
      ["content-encoding", "gzip"],
    ]);
    expect(headers.removeContentHeaders().names()).toEqual(["content-encoding"]);
    expect(headers.names()).toEqual(["content-security-policy", "content-security-policy-report-only"]);
  });

  test("dehop removes hop-by-hop fields and those that Connection names (RFC 9110 section 7.6.1)", () => {
    const headers = new PagiHeaders([
      ["connection", "close, X-Secret"],
      ["x-secret", "1"],
      ["te", "trailers"],
      ["transfer-encoding", "chunked"],
      ["accept", "*/*"],
    ]);
    expect(headers.dehop().names()).toEqual(["accept"]);
  });

  test("a list of names and values in turn is no list of pairs", () => {
    const flat: Iterable<never> = JSON.parse('["x-name", "value"]');
    expect(() => new PagiHeaders(flat)).toThrow("'x-name' is no pair");
    expect(() => headerPairs(flat)).toThrow(TypeError);
    expect(headerPairs({ "X-Name": 1 })).toEqual([["X-Name", 1]]);
    expect(headerPairs(new Map([["x-name", "value"]]))).toEqual([["x-name", "value"]]);
  });

  test("refuses a field without a name or a value", () => {
    // @ts-expect-error: what a JavaScript caller may do
    expect(() => new PagiHeaders().add("x", undefined)).toThrow(/'x' needs a value/);
    expect(() => new PagiHeaders().add("", "x")).toThrow(/needs a name/);
    const headers = cookies();
    // @ts-expect-error: as above; what was there stays
    expect(() => headers.set("set-cookie", null)).toThrow(TypeError);
    expect(headers.getAll("set-cookie")).toEqual(["a=1", "b=2"]);
  });
});
