import { describe, expect, test } from "bun:test";
import { TestClient } from "../../testing/testing.ts";
import { PagiHeaders } from "../../src/toolkit/request.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { callbackState, headerState, MemoryStore, Session, sessions } from "../../src/toolkit/session.ts";
import { HttpError, Simple } from "../../src/toolkit/simple.ts";
import { Stash } from "../../src/toolkit/values/stash.ts";

// Types end at the border of a program. What JavaScript gives wrongly is an error where it is given, and not later.

/** Calls a function with what its types forbid. */
const wrongly = (fn: unknown, ...values: unknown[]): unknown =>
  typeof fn === "function" ? Reflect.apply(fn, undefined, values) : undefined;

describe("Stash.fromData and Session.fromData take an object of keys", () => {
  test.each([["x"], [3], [true], [null], [undefined], [["a"]], [() => {}], [Symbol("s")]])(
    "not %p",
    (value) => {
      expect(() => wrongly(Stash.fromData, value)).toThrow(TypeError);
      expect(() => wrongly(Stash.fromData, value)).toThrow("object of keys");
      expect(() => wrongly(Session.fromData, value)).toThrow(TypeError);
    },
  );

  test("nor an object whose keys are not its data", () => {
    for (const value of [
      new Map([["a", 1]]),
      new Set(),
      new Date(),
      Promise.resolve({ a: 1 }),
      new URLSearchParams(),
    ])
      for (const make of [Stash.fromData, Session.fromData])
        expect(() => wrongly(make, value)).toThrow(/not an object of the class \w+\./);
    expect(Stash.fromData(Object.assign(Object.create(null), { a: 1 })).get("a")).toBe(1);
  });

  test("a session's values are JSON, as in set()", () => {
    expect(() => Session.fromData({ at: new Date() })).toThrow("'at'");
    expect(Session.fromData({ list: [1, { a: null }] }).get("list")).toEqual([1, { a: null }]);
    expect(Stash.fromData({ at: new Date(0) }).get("at")).toEqual(new Date(0));
  });
});

describe("what carries and keeps sessions", () => {
  const extract = (): undefined => undefined;
  test.each([
    [{}],
    [{ extract: "x" }],
    [{ extract, inject: 5 }],
    [{ extract, clear: {} }],
    [{ extract, reads: "cookie" }],
    [{ extract, reads: ["a b"] }],
    [{ extract, reads: [5] }],
  ])("callbackState(%p) is refused", (options) => {
    expect(() => wrongly(callbackState, options)).toThrow(/callbackState(?:: .|\(\{)/);
  });

  test.each([
    [{ state: {} }],
    [{ state: "cookie" }],
    [{ state: { extract } }],
    [{ store: {} }],
    [{ store: null }],
    [{ store: { ...new MemoryStore() } }],
  ])("sessions(%p) is refused", (options) => {
    expect(() => wrongly(sessions, options)).toThrow("sessions");
  });

  test.each([
    [{}],
    [{ name: "a b" }],
    [{ name: 5 }],
    [{ name: "x", pattern: "x" }],
    [{ name: "x", respondWith: {} }],
  ])("headerState(%p) is refused", (options) => {
    expect(() => wrongly(headerState, options)).toThrow(/headerState|header field/);
  });

  test("what is right is not", () => {
    expect(callbackState({ extract })).toMatchObject({ extract, reads: ["*"] });
    sessions({ state: callbackState({ extract, reads: ["X-Token"] }), store: new MemoryStore() });
  });
});

describe("header fields are pairs", () => {
  const LISTS: [unknown[]][] = [
    [[["x-name"]]],
    [[["x-name", "a", "b"]]],
    [[[]]],
    [["x-name"]],
    [[null]],
    [[{ 0: "x-name", 1: "a" }]],
    [[["x-name", undefined]]],
    [[["x-name", {}]]],
    [[["", "a"]]],
    [[[5, "a"]]],
  ];
  test.each(LISTS)("%j is refused", async (headers) => {
    const responses = ["text", "json", "html", "redirect"] as const;
    expect(() => Reflect.construct(PagiHeaders, [headers])).toThrow(TypeError);
    expect(() => Reflect.construct(HttpError, [400, "", { headers }])).toThrow(TypeError);
    for (const method of responses) {
      const options = { headers };
      if (method !== "redirect") expect(() => wrongly(PagiResponse[method], "x", options)).toThrow(TypeError);
    }
  });

  test("in the test client, too", async () => {
    const client = new TestClient(new Simple().get("/", (c) => c.text("x")));
    for (const pairs of [
      [["x-name", undefined]],
      [["x-name", null]],
      { "x-name": ["a", undefined] },
      { "x-name": {} },
    ])
      for (const option of ["headers", "query", "form"])
        await expect(Reflect.apply(client.get, client, ["/", { [option]: pairs }])).rejects.toThrow(
          "'x-name'",
        );
    for (const list of [[["x-name"]], [["a", "b", "c"]], ["ab"]]) {
      for (const option of ["headers", "query", "form"]) {
        await expect(Reflect.apply(client.get, client, ["/", { [option]: list }])).rejects.toThrow(
          "is not a pair",
        );
      }
    }
  });
});

test("TestResponse.text() reads the charset of the type", async () => {
  const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
  const app = new Simple().get("/:body", (c) => {
    const type = c.queryParam("type") ?? "text/plain";
    const body = c.params.body === "latin1" ? bytes(0xe9, 0x22) : bytes(0xc3, 0xa9);
    return PagiResponse.sendRaw(body, { contentType: type });
  });
  const client = new TestClient(app);
  const text = async (path: string, type: string): Promise<string> =>
    (await client.get(path, { query: { type } })).text();
  expect(await text("/latin1", "text/plain; charset=iso-8859-1")).toBe('é"');
  expect(await text("/latin1", 'text/plain; x="; charset=utf-8"; Charset="ISO-8859-1"')).toBe('é"');
  expect(await text("/latin1", "text/plain; charset=windows-1251")).toBe('й"');
  expect(await text("/utf8", "text/plain; charset=utf-8")).toBe("é");
  expect(await text("/utf8", "text/plain")).toBe("é");
  expect(await text("/utf8", "text/plain; charset=unknown")).toBe("é");
  expect(await text("/utf8", "text/plain; charset=")).toBe("é");
});
