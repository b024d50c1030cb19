import { describe, expect, test } from "bun:test";
import { CompositionError, RouteError } from "../../src/errors.ts";
import type { Application } from "../../src/spec/index.ts";
import { Router } from "../../src/toolkit/router.ts";
import { ask, says } from "../support/routing.ts";

describe("names", () => {
  const api = new Router().get("/users/:id", says("user")).name("users.get");
  const outer = new Router().mount("/v1", api).as("v1");
  const router = new Router()
    .get("/users/{id:\\d+}", says("user"))
    .name("user")
    .get("/files/*path", says("files"))
    .name("files")
    .get("/@me/café/:name.:ext", says("mixed"))
    .name("mixed")
    .websocket("/ws/:room", says("ws"))
    .name("ws")
    .any("/any", says("any"))
    .name("any")
    .mount("/tenants/:tenant", outer)
    .as("tenant");

  test.each([
    ["user", { id: 42 }, {}, "/users/42"],
    ["files", { path: "a b/c?.txt" }, {}, "/files/a%20b/c%3F.txt"],
    ["mixed", { name: "x/y", ext: "ü" }, {}, "/@me/caf%C3%A9/x%2Fy.%C3%BC"],
    ["ws", { room: "a!'()*" }, {}, "/ws/a%21%27%28%29%2A"],
    ["any", {}, { page: 2, limit: 10 }, "/any?limit=10&page=2"],
    [
      "any",
      {},
      { "a b": "c&d=é", list: [1, "x"], none: undefined, yes: true },
      "/any?a%20b=c%26d%3D%C3%A9&list=1&list=x&yes=true",
    ],
    ["any", {}, { lone: "\ud800" }, "/any?lone=%EF%BF%BD"],
    ["tenant.v1.users.get", { tenant: "acme", id: 1 }, {}, "/tenants/acme/v1/users/1"],
  ])("%s with %j and %j is %s", (name, parameters, query, uri) => {
    expect(router.uriFor(name, parameters, query)).toBe(uri);
  });

  test.each([
    ["nothing", {}, "no route with the name 'nothing'"],
    ["usr", {}, "no route with the name 'usr'; is it 'user'?"],
    ["user", {}, "needs a value for the parameter 'id'"],
    ["user", { id: "x" }, `does not take "x" as 'id'`],
    ["ws", { room: "" }, `does not take "" as 'room'`],
    ["ws", { room: ".." }, "cannot be addressed with the segment '..'"],
    ["files", { path: "a/../b" }, "cannot be addressed with the segment '..'"],
    ["user", { toString: 1 }, "needs a value"],
  ])("%s with %j is refused", (name, parameters, message) => {
    expect(() => router.uriFor(name, parameters)).toThrow(message);
    expect(() => router.uriFor(name, parameters)).toThrow(RouteError);
  });

  test.each([
    ["all", { path: "/evil.example/x" }, "/%2Fevil.example/x"],
    ["all", { path: "//evil.example" }, "/%2F/evil.example"],
    ["all", { path: "\\\\evil.example" }, "/%5C%5Cevil.example"],
    ["all", { path: "/\\evil.example" }, "/%2F%5Cevil.example"],
    ["all", { path: "\t/evil.example\r\n" }, "/%09/evil.example%0D%0A"],
    ["all", { path: "a//b" }, "/a//b"],
    ["one", { id: "/evil.example" }, "/%2Fevil.example"],
    ["behind", { path: "/x" }, "/files//x"],
    ["double", {}, "/.//double"],
    ["in.all", { path: "/evil.example" }, "/in//evil.example"],
    ["group.all", { path: "/evil.example" }, "/%2Fevil.example"],
  ])("%s with %j leads to no other host: %s", async (name, parameters, uri) => {
    const all = new Router().get("/*path", says("all")).name("all");
    const paths = new Router()
      .get("/*path", says("all"))
      .name("all")
      .get("/:id", says("one"))
      .name("one")
      .get("/files/*path", says("behind"))
      .name("behind")
      .get("//double", says("double"))
      .name("double")
      .mount("/in", all)
      .as("in")
      .group("/", (group) => group.post("/*path", says("all")).name("all2"));
    const of = name === "group.all" ? "all2" : name;
    expect(paths.uriFor(of, parameters)).toBe(uri);
    expect(new URL(uri, "http://here.example/a/b").host).toBe("here.example");
  });

  test("the value of a wildcard that begins with a slash comes back as it was", async () => {
    const all = new Router().get("/*path", says("all")).name("all");
    for (const path of ["/evil.example/x", "//x", "/", "a/b", "%2F", "/%2F/"]) {
      const answer = await ask(all, "GET", all.uriFor("all", { path }));
      expect(answer).toMatchObject({ name: "all", path_params: { path } });
    }
  });

  test("all can be listed", () => {
    expect(outer.namedRoutes()).toEqual({ "v1.users.get": { path: "/v1/users/:id", names: ["id"] } });
    expect(Object.keys(router.namedRoutes())).toHaveLength(6);
  });

  test.each<[string, (router: Router) => unknown, string]>([
    ["name() first", (r) => r.name("x"), "names the route before it"],
    ["an empty name", (r) => r.get("/", says("")).name(""), "cannot be empty"],
    ["a name twice", (r) => r.get("/", says("")).name("x").post("/", says("")).name("x"), "already"],
    ["name() after a mount", (r) => r.get("/", says("")).mount("/x", says("")).name("x"), "names the route"],
    ["constraints() first", (r) => r.constraints({ x: /x/ }), "about the route before it"],
    ["an unknown parameter", (r) => r.get("/:x", says("")).constraints({ y: /x/ }), "no parameter 'y'"],
    ["as() first", (r) => r.as("x"), "about the mount or group before it"],
    ["as() of an application", (r) => r.mount("/x", says("")).as("x"), "needs a Router"],
    ["as() with nothing", (r) => r.mount("/x", new Router()).as(""), "cannot be empty"],
  ])("%s is refused", (_what, use, message) => {
    expect(() => use(new Router())).toThrow(message);
    expect(() => use(new Router())).toThrow(RouteError);
  });
});

describe("what is written wrongly is refused at once", () => {
  test.each([
    ["users", "begin with a slash"],
    ["/*", "without a name"],
    ["/*rest/more", "goes on behind its wildcard"],
    ["/*rest:x", "goes on behind its wildcard"],
    ["/:a*rest", "a parameter and a wildcard in one segment"],
    ["/{a", "not closed"],
    ["/{a:\\d{2}", "not closed"],
    ["/{}", "neither {name} nor {name:pattern}"],
    ["/{a-b}", "neither {name} nor {name:pattern}"],
    ["/{a:}", "nothing behind the colon"],
    ["/{a:(}", "no regular expression"],
    ["/:a/:a", "two parameters 'a'"],
    ["/:a{b}", "nothing between them"],
    ["/:__proto__", "no object can have"],
  ])("%s", (path, message) => {
    expect(() => new Router().get(path, says(""))).toThrow(message);
    expect(() => new Router().get(path, says(""))).toThrow(RouteError);
  });

  test("two routes or mounts that match the same", () => {
    const twice = new Router().get("/:a/{b:x}", says("")).get("/{c}/{d:x}", says(""));
    expect(() => twice.toApp()).toThrow(
      "two routes for GET that match the same paths: '/:a/{b:x}' and '/{c}/{d:x}'",
    );
    expect(() => new Router().any("/", says("")).any("/", says("")).toApp()).toThrow("any method");
    expect(() => new Router().sse("/", says("")).sse("/", says("")).toApp()).toThrow("two routes for sse");
    expect(() => new Router().mount("/", says("")).mount("", says("")).toApp()).toThrow("mounted at '/'");
  });

  test("of two routes or mounts that match the same, the cause shows where the second one is", () => {
    const causeOf = (router: Router): unknown => {
      try {
        router.toApp();
      } catch (error) {
        return error instanceof RouteError && error.cause instanceof Error ? error.cause.stack : error;
      }
      return undefined;
    };
    const route = new Router().get("/a/b", says("")).group("/a", (group) => void group.get("/b", says("")));
    expect(causeOf(route)).toMatch(/registered here, with '\/b'[^]*router-names\.test\.ts:\d/);
    const mount = new Router().mount("/a", says("")).mount("/a", says(""));
    expect(causeOf(mount)).toMatch(/mounted here, at '\/a'[^]*router-names\.test\.ts:\d/);
  });

  test("what is mounted in itself", () => {
    const inner = new Router();
    const outer = new Router().mount("/inner", inner);
    expect(() => inner.mount("/inner", inner)).toThrow(
      "mount('/inner'): an object of the class Router would",
    );
    expect(() => inner.mount("/outer", outer)).toThrow(CompositionError);
    expect(() => inner.group("/x", (group) => void group.mount("/outer", outer))).toThrow("mount('/outer')");
    // Nothing was registered by all that, and the same router may be mounted twice.
    expect(outer.mount("/again", inner).toApp()).toBeFunction();
    const copied = new Router();
    copied.group("/x", new Router().mount("/copied", copied));
    expect(() => copied.toApp()).toThrow("is mounted in itself");
    expect(() => copied.toApp()).toThrow(CompositionError);
    expect(() => new Router().mount("/", copied).toApp()).toThrow("is mounted in itself");
  });

  test("a wildcard in a mount, an empty list of methods, options that are none", () => {
    expect(() => new Router().mount("/*rest", says(""))).toThrow("has a wildcard");
    expect(() => new Router().any("/", says(""), { methods: [] })).toThrow("empty list of methods");
    expect(() => new Router({ maxConstrainedLength: 0 }).toApp()).toThrow("maxConstrainedLength");
  });

  test("what is no application or middleware", () => {
    class Unmade {}
    // @ts-expect-error A class is no application.
    expect(() => new Router().get("/", Unmade)).toThrow("Give an instance of the class");
    // @ts-expect-error An object without toApp() is no application.
    expect(() => new Router().mount("/", { wrap() {} }).toApp()).toThrow("looks like a middleware");
    // @ts-expect-error A text is no middleware.
    expect(() => new Router().get("/", ["auth"], says(""))).toThrow(CompositionError);
    // @ts-expect-error A group is registered by a function, or copied from a router.
    expect(() => new Router().group("/", { get() {} })).toThrow("needs a function that registers routes");
    // @ts-expect-error A middleware goes into a list.
    expect(() => new Router().get("/", (app: Application) => app, says(""))).toThrow("goes into a list");
  });
});
