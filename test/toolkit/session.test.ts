import { describe, expect, test } from "bun:test";
import { SessionError } from "../../src/errors.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { Session } from "../../src/toolkit/session.ts";
import { httpScope } from "../support/fake-scope.ts";

describe("Session", () => {
  test("of finds it in a scope and in what has one, and without the middleware says what to do", () => {
    const session = Session.fromData({ user: 7 });
    const scope = httpScope({ "pagi.session": session });
    expect(Session.of(scope)).toBe(session);
    expect(Session.of({ scope: { ...scope, path: "/below" } })).toBe(session);
    expect(Session.has(scope)).toBe(true);
    expect(Session.has({ scope: httpScope() })).toBe(false);
    expect(Session.has(httpScope({ "pagi.session": { user: 7 } }))).toBe(false);
    expect(Session.of(new PagiResponse(scope))).toBe(session);
    expect(() => Session.of(new PagiResponse())).toThrow("Session.of() needs a scope");
    expect(() => Session.of(httpScope())).toThrow(SessionError);
    expect(() => Session.of(httpScope())).toThrow("sessions()(app)");
    const pagi = { version: "0.3", spec_version: "0.3", is_worker: 0, role: "single" } as const;
    expect(() => Session.of({ type: "lifespan", pagi, state: {} })).toThrow(
      "A lifespan scope has no session",
    );
  });

  test("get is strict without a fallback, and names the keys there are", () => {
    const session = Session.fromData({ user: 7, theme: "dark" });
    expect(session.get("user")).toBe(7);
    // @ts-expect-error: the type knows the keys, and so does the message
    expect(() => session.get("usr")).toThrow("The session has no key 'usr'. Its keys are: theme, user.");
    const open = Session.fromData<Record<string, unknown>>({});
    expect(() => open.get("x")).toThrow("Its keys are: none");
    expect(() => open.get("toString")).toThrow(RangeError);
    expect(open.get("x", "light")).toBe("light");
    expect(open.get("x", undefined)).toBeUndefined();
    expect(open.set("x", null).get("x", 1)).toBeNull();
    for (let i = 0; i < 10; i++) open.set(`k${i}`, i);
    expect(() => open.get("nothing")).toThrow("It has 11 keys");
  });

  test("set, has, keys, slice, delete, clear and data", () => {
    const session = Session.fromData<{ a?: number; b?: number; c?: readonly string[] }>({ a: 1 });
    expect(session.set({ b: 2, c: ["x"] }).set("a", 3)).toBe(session);
    expect(session.keys()).toEqual(["a", "b", "c"]);
    expect([session.has("a"), session.exists("b"), session.has("z"), session.has("toString")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(session.slice("a", "c")).toEqual({ a: 3, c: ["x"] });
    expect(session.delete("a", "b").slice("a", "b", "c")).toEqual({ c: ["x"] });
    session.data.b = 9;
    expect(session.get("b")).toBe(9);
    expect(session.clear().keys()).toEqual([]);
  });

  test("take gives a value once", () => {
    const session = Session.fromData<Record<string, unknown>>({ notice: "Saved" });
    expect(session.take("notice")).toBe("Saved");
    expect(session.has("notice")).toBe(false);
    expect(session.take("notice", undefined)).toBeUndefined();
    expect(() => session.take("notice")).toThrow("no key 'notice'");
  });

  test("__proto__ is a key like any other", () => {
    const session = Session.fromData<Record<string, unknown>>({}).set("__proto__", { admin: true });
    expect(session.get("admin", false)).toBe(false);
    expect(session.has("__proto__")).toBe(true);
    const slice = session.slice("__proto__");
    expect([Object.keys(slice), "admin" in slice]).toEqual([["__proto__"], false]);
    expect(session.clear().keys()).toEqual([]);
  });

  test.each([
    ["a Date", { at: new Date() }, "'value'.at is an object of the class Date"],
    ["a Map", [1, new Map()], "'value'[1] is an object of the class Map"],
    ["a BigInt", 1n, "'value' is a bigint"],
    ["NaN", Number.NaN, "'value' is NaN"],
    ["undefined", undefined, "'value' is undefined"],
    ["a function", () => 1, "'value' is a function"],
    ["what has toJSON", { toJSON: () => 1 }, "which a session cannot keep"],
    ["bytes", new Uint8Array(1), "class Uint8Array"],
  ])("set refuses %s, which JSON does not give back", (_name, value, message) => {
    const session = Session.fromData<Record<string, unknown>>({});
    expect(() => session.set({ first: 1, value })).toThrow(message);
    expect(() => session.set("value", value)).toThrow(SessionError);
    expect(session.keys()).toEqual([]);
  });

  test("set refuses what is nested too deeply, and is done with it at once", () => {
    const session = Session.fromData<Record<string, unknown>>({});
    const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));
    session.set("deep", nested(512));
    expect(() => session.set("deeper", nested(513))).toThrow(SessionError);
    expect(() => session.set("deepest", nested(100_000))).toThrow("deeper than 512 levels");
    expect(session.keys()).toEqual(["deep"]);
  });

  test("set refuses what contains itself, and takes what is there twice and a property that is undefined", () => {
    const session = Session.fromData<Record<string, unknown>>({});
    const round: unknown[] = [];
    round.push(round, round);
    expect(() => session.set("round", round)).toThrow("contains itself");
    const shared = { x: 1, y: undefined };
    session.set("twice", { a: shared, b: [shared, null, true, "t", -0.5] });
    expect(session.keys()).toEqual(["twice"]);
  });

  test("after destroy nothing can be set, and regenerate changes the id at once", () => {
    const session = Session.fromData<Record<string, unknown>>({ user: 7 });
    const { id } = session;
    expect(id).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(session.id).toBe(id);
    expect(session.regenerate().id).not.toBe(id);
    expect(session.get("user")).toBe(7);
    session.destroy();
    expect(session.keys()).toEqual([]);
    expect(() => session.set("user", 8)).toThrow("call clear() and regenerate() instead of destroy()");
    expect(() => session.clear()).toThrow(SessionError);
  });

  test("types: keys and values of the data are known", () => {
    const session = Session.of<{ user: number; tags: string[] }>({
      scope: httpScope({ "pagi.session": Session.fromData({}) }),
    });
    // @ts-expect-error: a number
    session.set("user", "seven");
    // @ts-expect-error: no such key
    session.set({ usr: 7 });
    const user: number | undefined = session.set("user", 7).get("user", undefined);
    const count: number = Session.fromData<{ count?: number }>({}).get("count", 0) + 1;
    expect([user, count]).toEqual([7, 1]);
  });
});
