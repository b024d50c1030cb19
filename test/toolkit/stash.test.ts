import { describe, expect, test } from "bun:test";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { Stash } from "../../src/toolkit/values/stash.ts";
import { httpScope } from "../support/fake-scope.ts";

describe("Stash", () => {
  test("all stashes of a scope, and of copies made afterwards, see the same data", () => {
    const scope = httpScope();
    new Stash(scope).set("user", "alice");
    const copy = { ...scope, path: "/below" };
    new Stash({ scope: copy }).set({ role: "admin", level: 3 });
    expect(new Stash(scope).get("role")).toBe("admin");
    expect(new Stash(scope).keys()).toEqual(["user", "role", "level"]);
    expect(new Stash(httpScope()).keys()).toEqual([]);
  });

  test("what has no scope has no stash; a response has the scope that it was made for", () => {
    const scope = httpScope();
    new Stash(scope).set("user", "alice");
    expect(new Stash(new PagiResponse(scope)).get("user")).toBe("alice");
    expect(() => new Stash(new PagiResponse())).toThrow("A stash needs a scope");
    // @ts-expect-error A text is no scope.
    expect(() => new Stash("scope")).toThrow(TypeError);
  });

  test("get is strict without a fallback, and names the keys there are", () => {
    const stash = Stash.fromData({ user: "alice", role: "admin" });
    expect(() => new Stash(httpScope()).get("user")).toThrow("no key 'user'. Its keys are: none");
    // @ts-expect-error: the type knows the keys, and so does the message
    expect(() => stash.get("usr")).toThrow("Its keys are: role, user");
    expect(stash.get("user")).toBe("alice");
    const open = new Stash(httpScope());
    expect(open.get("theme", "dark")).toBe("dark");
    expect(open.get("theme", undefined)).toBeUndefined();
    expect(open.set("theme", undefined).get("theme")).toBeUndefined();
    for (let i = 0; i < 10; i++) open.set(`k${i}`, i);
    expect(() => open.get("nothing")).toThrow("It has 11 keys");
  });

  test("exists, delete, slice and data", () => {
    const stash = Stash.fromData<Record<string, unknown>>({ a: 1, b: 2, c: 3 });
    expect(stash.exists("a")).toBe(true);
    expect(stash.exists("toString")).toBe(false);
    expect(() => stash.get("toString")).toThrow(/no key/);
    expect(stash.slice("a", "z")).toEqual({ a: 1 });
    expect(stash.delete("a", "b").data).toEqual({ c: 3 });
    stash.set("__proto__", { admin: true });
    expect(stash.get("admin", false)).toBe(false);
    expect(stash.exists("__proto__")).toBe(true);
    const slice = stash.slice("__proto__");
    expect([Object.keys(slice), "admin" in slice]).toEqual([["__proto__"], false]);
  });
});
