import { describe, expect, test } from "bun:test";
import type { Headers } from "../../src/spec/index.ts";
import { PagiRequest } from "../../src/toolkit/request.ts";
import type { StateCarrier } from "../../src/toolkit/session.ts";
import {
  bearerState,
  callbackState,
  cookieState,
  headerState,
  MemoryStore,
  sessions,
} from "../../src/toolkit/session.ts";
import { httpScope } from "../support/fake-scope.ts";
import { Visitor } from "../support/sessions.ts";

const from = (state: StateCarrier, ...headers: Headers): string | undefined =>
  state.extract(httpScope({ headers }));

function injected(state: StateCarrier, token = "t0k", maxAge = 60): Headers {
  const headers: Headers = [];
  state.inject(headers, token, { scope: httpScope(), maxAge });
  return headers;
}

function cleared(state: StateCarrier): Headers {
  const headers: Headers = [];
  state.clear(headers, httpScope());
  return headers;
}

describe("cookieState", () => {
  test("reads the cookie of its name", () => {
    const state = cookieState({ name: "sid" });
    expect(from(state, ["cookie", "a=1; sid=abc; b=2"])).toBe("abc");
    expect(from(state, ["cookie", "sid=first; sid=second"])).toBe("first");
    expect(from(state, ["cookie", "xsid=abc"])).toBeUndefined();
    expect(from(state, ["cookie", "sid"])).toBeUndefined();
    expect(from(state)).toBeUndefined();
    expect(from(cookieState({ name: "toString" }), ["cookie", "a=toString="])).toBeUndefined();
  });

  test("writes it with the attributes it was given", () => {
    expect(injected(cookieState({ name: "sid", path: "/app", sameSite: "strict" }))).toEqual([
      ["set-cookie", "sid=t0k; Max-Age=60; Path=/app; HttpOnly; SameSite=Strict"],
    ]);
    expect(injected(cookieState({ persistent: false, httpOnly: false }))).toEqual([
      ["set-cookie", "pagi_session=t0k; Path=/; SameSite=Lax"],
    ]);
    expect(cleared(cookieState({ name: "sid", path: "/app" }))).toEqual([
      [
        "set-cookie",
        "sid=; Max-Age=0; Path=/app; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax",
      ],
    ]);
  });

  test("is Secure over http too where browsers would throw it away otherwise", () => {
    for (const options of [{ name: "__Host-sid" }, { sameSite: "none" }, { partitioned: true }] as const)
      expect(injected(cookieState(options)).join()).toContain("; Secure");
  });

  test("refuses a cookie of more than 4096 bytes, and takes one of 4096", () => {
    const attributes = "pagi_session=; Max-Age=60; Path=/; HttpOnly; SameSite=Lax".length;
    const room = 4096 - attributes;
    expect(injected(cookieState(), "x".repeat(room))[0]?.[1]).toHaveLength(4096);
    expect(() => injected(cookieState(), "x".repeat(room + 1))).toThrow("would have 4097 bytes");
  });
});

describe("headerState", () => {
  test("reads a field, the whole or a part of it", () => {
    const whole = headerState({ name: "X-Session-ID" });
    expect(from(whole, ["x-session-id", "abc"])).toBe("abc");
    expect(from(whole, ["x-other", "abc"])).toBeUndefined();
    const part = headerState({ name: "x-auth", pattern: /^Token\s+(.+)$/gi });
    for (const _ of "12") expect(from(part, ["x-auth", "token abc"])).toBe("abc");
    expect(from(part, ["x-auth", "abc"])).toBeUndefined();
    expect(() => headerState({ name: "no name" })).toThrow(TypeError);
  });

  test("answers only where it was told to", () => {
    expect(injected(headerState({ name: "x-session-id" }))).toEqual([]);
    expect(cleared(headerState({ name: "x-session-id" }))).toEqual([]);
    const answering = headerState({ name: "x-session-id", respondWith: "X-Session-ID" });
    expect(injected(answering)).toEqual([["x-session-id", "t0k"]]);
    expect(cleared(answering)).toEqual([["x-session-id", ""]]);
  });
});

test("bearerState reads Authorization: Bearer", () => {
  const state = bearerState();
  expect(from(state, ["authorization", "Bearer abc-_.~+/="])).toBe("abc-_.~+/=");
  expect(from(state, ["authorization", "bearer abc"])).toBe("abc");
  expect(from(state, ["authorization", "Basic abc"])).toBeUndefined();
  expect(from(state, ["authorization", "Bearer a b"])).toBeUndefined();
  expect(from(state)).toBeUndefined();
  expect(injected(bearerState({ respondWith: "x-token" }))).toEqual([["x-token", "t0k"]]);
});

test("of several fields the one is taken that the request's own methods take", () => {
  const headers: Headers = [
    ["authorization", "Bearer planted"],
    ["cookie", "other=1"],
    ["authorization", "Bearer own"],
    ["cookie", "pagi_session=own"],
    // Joined, as PAGI wants it, the first cookie of a name is the one with the longest path (RFC 6265 section 5.4).
    ["cookie", "pagi_session=second"],
  ];
  const scope = httpScope({ headers });
  const request = new PagiRequest(scope);
  expect([bearerState().extract(scope), cookieState().extract(scope)]).toEqual(["own", "own"]);
  expect([request.bearerToken, request.cookie("pagi_session")]).toEqual(["own", "own"]);
});

test("callbackState asks the functions; those that are left out do nothing", () => {
  const state = callbackState({ extract: (scope) => scope.query_string.slice(2) });
  expect(state.extract(httpScope({ query_string: "s=abc" }))).toBe("abc");
  expect([injected(state), cleared(state), state.reads]).toEqual([[], [], ["*"]]);
  const full = callbackState({
    extract: () => undefined,
    inject: (headers, token, { maxAge }) => headers.push(["x-token", `${token} ${maxAge}`]),
    clear: (headers) => headers.push(["x-token", "none"]),
    reads: ["x-token"],
  });
  expect([injected(full), cleared(full)]).toEqual([[["x-token", "t0k 60"]], [["x-token", "none"]]]);
});

describe("sessions() with other carriers", () => {
  test("a client with a bearer token", async () => {
    const middleware = sessions({ state: bearerState() });
    let id = "";
    const login = await new Visitor(middleware).visit((session) => {
      id = session.set("user", 7).regenerate().id;
    });
    expect(login.headers).toEqual([
      ["cache-control", "private"],
      ["vary", "authorization"],
    ]);
    await new Visitor(middleware).visit((session) => expect(session.get("user")).toBe(7), {
      headers: [["authorization", `Bearer ${id}`]],
    });
  });

  test("a bearer token or else a cookie", async () => {
    const cookie = cookieState();
    const bearer = bearerState();
    const middleware = sessions({
      store: new MemoryStore(),
      state: callbackState({
        extract: (scope) => bearer.extract(scope) ?? cookie.extract(scope),
        inject: cookie.inject,
        clear: cookie.clear,
        reads: [...bearer.reads, ...cookie.reads],
      }),
    });
    const browser = new Visitor(middleware);
    const { field } = await browser.visit((session) => session.set("user", 7));
    expect(field("vary")).toBe("authorization, cookie");
    await browser.visit((session) => expect(session.get("user")).toBe(7));
    await new Visitor(middleware).visit((session) => expect(session.get("user")).toBe(7), {
      headers: [["authorization", `Bearer ${browser.token}`]],
    });
  });
});
