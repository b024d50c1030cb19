import { describe, expect, test } from "bun:test";
import { UnsupportedScopeError } from "../../src/errors.ts";
import type { LifespanScope, Scope } from "../../src/spec/index.ts";
import { around, Router, type RouterOptions } from "../../src/toolkit/router.ts";
import { httpScope, response, sseScope } from "../support/fake-scope.ts";
import { ask, says, sentFor, webSocketScope } from "../support/routing.ts";

describe("paths", () => {
  const router = new Router()
    .get("/", says("home"))
    .get("/users", says("list"))
    .get("/users/me", says("me"))
    .get("/users/{id:\\d+}", says("number"))
    .get("/users/:name", says("name"))
    .get("/users/:name/posts/{post}", says("post"))
    .get("/users/me/photos", says("photos"))
    .get("/files/*path", says("files"))
    .get("/files/readme", says("readme"))
    .get("/pre/v-*rest", says("prefixed wildcard"))
    .get("/f/:name.:ext", says("extension"))
    .get("/f/:name", says("no extension"))
    .get("/v{major}.{minor}", says("version"))
    .get("/api/v1.0/(x)[y]", says("metacharacters"))
    .get("/year/{year:\\d{4}}", says("year"))
    .get("/choice/{x:a|b}", says("choice"))
    .get("/colon:/x", says("colon"))
    .get("/café/:x", says("café"))
    .get("/slash/", says("slash"))
    .get("//double", says("double"));

  test.each([
    ["/", "home", {}],
    ["/users", "list", {}],
    ["/users/me", "me", {}],
    ["/users/42", "number", { id: "42" }],
    ["/users/42x", "name", { name: "42x" }],
    ["/users/m%C3%A9", "name", { name: "mé" }],
    ["/users/a%2Fb", "name", { name: "a/b" }],
    ["/users/a%2fb/posts/c%2Fd", "post", { name: "a/b", post: "c/d" }],
    ["/users/me%2Fphotos", "name", { name: "me/photos" }],
    ["/users/me/posts/1", "post", { name: "me", post: "1" }],
    ["/files/a/b.txt", "files", { path: "a/b.txt" }],
    ["/files/a%2Fb/c", "files", { path: "a/b/c" }],
    ["/files/a/", "files", { path: "a/" }],
    ["/files//a", "files", { path: "/a" }],
    ["/files/readme", "readme", {}],
    ["/files/readme/x", "files", { path: "readme/x" }],
    ["/pre/v-1/2", "prefixed wildcard", { rest: "1/2" }],
    ["/f/a.tar.gz", "extension", { name: "a.tar", ext: "gz" }],
    ["/f/.gz", "no extension", { name: ".gz" }],
    ["/f/gz.", "no extension", { name: "gz." }],
    ["/v1.2", "version", { major: "1", minor: "2" }],
    ["/api/v1.0/(x)[y]", "metacharacters", {}],
    ["/year/2024", "year", { year: "2024" }],
    ["/choice/b", "choice", { x: "b" }],
    ["/colon:/x", "colon", {}],
    ["/caf%C3%A9/1", "café", { x: "1" }],
    ["/slash/", "slash", {}],
    ["//double", "double", {}],
  ])("%s leads to %s", async (path, name, parameters) => {
    expect(await ask(router, "GET", path)).toMatchObject({ status: 200, name, path_params: parameters });
  });

  test.each([
    "/nothing",
    "/users/",
    "/users//posts/1",
    "/files/",
    "/files",
    "/pre/v-",
    "/pre/x-1",
    "/api/v1x0/(x)[y]",
    "/year/20245",
    "/year/2024%0A",
    "/choice/ab",
    "/choice/a%7Cb",
    "/v1.",
    "/slash",
    "/USERS",
    "//users",
    "/users/me/photos/",
  ])("%s leads nowhere", async (path) => {
    expect((await ask(router, "GET", path)).status).toBe(404);
  });

  test("the order of registration does not matter", async () => {
    const reversed = new Router()
      .get("/a/*rest", says("wildcard"))
      .get("/a/:x", says("parameter"))
      .get("/a/{x:b.}", says("constrained"))
      .get("/a/b-:x", says("mixed"))
      .get("/a/bc", says("literal"));
    const names = await Promise.all(
      ["/a/bc", "/a/bd", "/a/b-c", "/a/x", "/a/x/y"].map(
        async (path) => (await ask(reversed, "GET", path)).name,
      ),
    );
    expect(names).toEqual(["literal", "constrained", "mixed", "parameter", "wildcard"]);
  });

  test("the walk steps back from a way that ends", async () => {
    const deep = new Router()
      .get("/a/b/c", says("literal"))
      .get("/:x/b/d", says("back"))
      .get("/*all", says("all"));
    expect(await ask(deep, "GET", "/a/b/d")).toMatchObject({ name: "back", path_params: { x: "a" } });
    expect(await ask(deep, "GET", "/a/b/e")).toMatchObject({ name: "all", path_params: { all: "a/b/e" } });
  });

  test("the scope names the pattern and is otherwise as it was", async () => {
    const scope = httpScope({ path: "/users/42", raw_path: "/users/42" });
    const before = { ...scope };
    let seen: Scope | undefined;
    const one = new Router().get("/users/:id", async (given) => void (seen = given));
    await sentFor(one, scope);
    expect(seen).toEqual({ ...before, path_params: { id: "42" }, "pagi.router": { route: "/users/:id" } });
    expect(scope).toEqual(before);
  });

  test("a path that is no path has no route", async () => {
    expect((await ask(router, "OPTIONS", "*")).status).toBe(404);
  });

  test("bytes that are no UTF-8 keep their segments too", async () => {
    const wanted = { raw_path: "/users/%FF%2Fx", path: "/users/\u00ff/x" };
    expect(await ask(router, "GET", "/", wanted)).toMatchObject({ path_params: { name: "\u00ff/x" } });
  });

  test("a path that something has rewritten is taken as it is", async () => {
    const wanted = { raw_path: "/x%2Fy", path: "/users/42" };
    expect(await ask(router, "GET", "/", wanted)).toMatchObject({ name: "number" });
  });
});

describe("constraints", () => {
  test("chained ones demand the whole value, and go with those of the pattern", async () => {
    const router = new Router()
      .get("/posts/{slug:[a-z-]+}", says("post"))
      .constraints({ slug: /^.{3,5}/gm })
      .get("/posts/:any", says("any"));
    expect((await ask(router, "GET", "/posts/abcd")).name).toBe("post");
    expect((await ask(router, "GET", "/posts/abcdefg")).name).toBe("any");
    expect((await ask(router, "GET", "/posts/abcd")).name).toBe("post");
    expect((await ask(router, "GET", "/posts/ABCD")).name).toBe("any");
  });

  test("flags that make an expression remember or match single lines do not count", async () => {
    const router = new Router().get("/:x", says("x")).constraints({ x: /a+/gmy });
    for (let time = 0; time < 3; time++) expect((await ask(router, "GET", "/aaa")).name).toBe("x");
    expect((await ask(router, "GET", "/aaa%0Ab")).status).toBe(404);
    const insensitive = new Router().get("/:x", says("x")).constraints({ x: /a+/i });
    expect((await ask(insensitive, "GET", "/AAA")).name).toBe("x");
  });

  test("a value that is too long meets none", async () => {
    const router = new Router({ maxConstrainedLength: 8 })
      .get("/{x:a+}", says("short"))
      .get("/:x", says("long"));
    expect((await ask(router, "GET", "/aaaaaaaa")).name).toBe("short");
    expect((await ask(router, "GET", "/aaaaaaaaa")).name).toBe("long");
  });

  test("hold for websocket and sse", async () => {
    const router = new Router().websocket("/{x:\\d+}", says("ws")).sse("/{x:\\d+}", says("sse"));
    const [closed] = await sentFor(router, webSocketScope({ path: "/1", raw_path: "/1" }));
    expect(closed).toMatchObject({ type: "websocket.close", reason: expect.stringContaining(`"x":"1"`) });
    expect(response(await sentFor(router, sseScope({ path: "/a", raw_path: "/a" }))).status).toBe(404);
  });
});

describe("methods", () => {
  const router = new Router()
    .get("/users", says("get"))
    .post("/users", says("post"))
    .put("/users/:id", says("put"))
    .patch("/users/:id", says("patch"))
    .delete("/users/:id", says("delete"))
    .head("/head", says("head"))
    .options("/options", says("options"))
    .get("/users/me", says("me"))
    .any("/any", says("any"))
    .get("/any", says("get any"))
    .any("/some", says("some"), { methods: ["get", "POST"] })
    .any("/with", [(app) => app], says("with"), { methods: ["PUT"] });

  test.each([
    ["GET", "/users", "get"],
    ["POST", "/users", "post"],
    ["PUT", "/users/1", "put"],
    ["PATCH", "/users/1", "patch"],
    ["DELETE", "/users/1", "delete"],
    ["HEAD", "/users", "get"],
    ["HEAD", "/head", "head"],
    ["OPTIONS", "/options", "options"],
    ["PUT", "/users/me", "put"],
    ["HEAD", "/any", "get any"],
    ["PROPFIND", "/any", "any"],
    ["OPTIONS", "/any", "any"],
    ["POST", "/some", "some"],
    ["HEAD", "/some", "some"],
    ["PUT", "/with", "with"],
  ])("%s %s leads to %s", async (method, path, name) => {
    expect(await ask(router, method, path)).toMatchObject({ status: 200, name });
  });

  test.each([
    ["DELETE", "/users", "GET, HEAD, OPTIONS, POST"],
    ["POST", "/users/me", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"],
    ["GET", "/users/1", "DELETE, OPTIONS, PATCH, PUT"],
    ["HEAD", "/users/1", "DELETE, OPTIONS, PATCH, PUT"],
    ["GET", "/head", "HEAD, OPTIONS"],
    ["PUT", "/some", "GET, HEAD, OPTIONS, POST"],
    ["get", "/users", "GET, HEAD, OPTIONS, POST"],
  ])("%s %s is 405 with Allow: %s (RFC 9110 section 15.5.6)", async (method, path, allow) => {
    const { status, headers, body } = await ask(router, method, path);
    expect([status, headers.get("allow"), body]).toEqual([405, allow, "Method Not Allowed"]);
  });

  test("OPTIONS is answered automatically (RFC 9110 section 9.3.7)", async () => {
    const { status, headers, body } = await ask(router, "OPTIONS", "/users/1");
    expect([status, headers.get("allow"), body]).toEqual([204, "DELETE, OPTIONS, PATCH, PUT", ""]);
    expect((await ask(router, "OPTIONS", "/nothing")).status).toBe(404);
  });

  test("a CORS preflight passes the middleware of the route that it asks for, and not its target", async () => {
    const seen: unknown[] = [];
    const watch = around(async (scope, _receive, _send, next) => {
      seen.push([scope["method"], scope["path_params"]]);
      await next();
    });
    const grouped = new Router().group("/a", [watch], (group) => {
      group.put("/:id", says("put"));
    });
    grouped.delete("/a/:id", says("delete"));
    const preflight = async (method: string) => {
      const headers: [string, string][] = [["access-control-request-method", method]];
      const answer = await ask(grouped, "OPTIONS", "/a/1", { headers });
      return [answer.status, answer.headers.get("allow"), answer.body];
    };
    const automatic = [204, "DELETE, OPTIONS, PUT", ""];
    expect(await preflight("PUT")).toEqual(automatic);
    expect(seen).toEqual([["OPTIONS", { id: "1" }]]);
    expect(await preflight("DELETE")).toEqual(automatic);
    expect(await preflight("PATCH")).toEqual(automatic);
    expect((await ask(grouped, "OPTIONS", "/a/1")).status).toBe(204);
    expect(seen).toHaveLength(1);
    expect((await ask(grouped, "PUT", "/a/1")).name).toBe("put");
    const ignoring = new Router({ trailingSlash: "ignore" }).put("/b", [watch], says("put"));
    await ask(ignoring, "OPTIONS", "/b/", { headers: [["access-control-request-method", "PUT"]] });
    expect(seen).toHaveLength(3);
  });

  test("a constraint that is not met makes no 405", async () => {
    const constrained = new Router().post("/{id:\\d+}", says("post"));
    expect((await ask(constrained, "GET", "/abc")).status).toBe(404);
    expect((await ask(constrained, "GET", "/12")).status).toBe(405);
  });
});

describe("a scope without a route", () => {
  const router = new Router().get("/http", says("http"));

  test("http: 404", async () => {
    const { status, headers, body } = await ask(router, "GET", "/");
    expect([status, headers.get("content-type"), body]).toEqual([
      404,
      "text/plain; charset=utf-8",
      "Not Found",
    ]);
  });

  test("sse: declined with 404", async () => {
    const sent = await sentFor(router, sseScope({ path: "/http", raw_path: "/http" }));
    expect(sent[0]).toMatchObject({ type: "sse.http.response.start", status: 404 });
    expect(response(sent).body).toBe(
      "Not Found. This path is no event stream and no WebSocket; ask for it with plain HTTP.",
    );
  });

  test("websocket: denied with 404 where that can be sent, else closed", async () => {
    const extensions = { "websocket.http.response": {} };
    const denied = await sentFor(router, webSocketScope({ path: "/http", extensions }));
    expect(denied[0]).toMatchObject({ type: "websocket.http.response.start", status: 404 });
    expect(await sentFor(router, webSocketScope())).toEqual([{ type: "websocket.close" }]);
  });

  test("an own answer is asked for all of them", async () => {
    const own = new Router({ notFound: says("own") });
    expect((await ask(own, "GET", "/")).name).toBe("own");
    expect(JSON.parse(response(await sentFor(own, sseScope())).body).name).toBe("own");
    expect((await sentFor(own, webSocketScope()))[0]).toHaveProperty("reason");
  });

  test("lifespan is declined", async () => {
    const scope: LifespanScope = {
      type: "lifespan",
      state: {},
      pagi: { version: "0.3", spec_version: "0.3", is_worker: 0, role: "single" },
    };
    await expect(sentFor(router, scope)).rejects.toThrow(UnsupportedScopeError);
  });

  test("http, sse and websocket may share a path", async () => {
    const all = new Router().get("/x", says("http")).sse("/x", says("sse")).websocket("/x", says("ws"));
    const wanted = { path: "/x", raw_path: "/x" };
    expect((await ask(all, "GET", "/x")).name).toBe("http");
    expect(JSON.parse(response(await sentFor(all, sseScope(wanted))).body).name).toBe("sse");
    expect((await sentFor(all, webSocketScope(wanted)))[0]).toMatchObject({
      reason: expect.stringContaining(`"name":"ws"`),
    });
  });
});

describe("trailing slashes", () => {
  const routes = (trailingSlash: NonNullable<RouterOptions["trailingSlash"]>) =>
    new Router({ trailingSlash })
      .get("/users", says("users"))
      .get("/users/:id/", says("user"))
      .get("/both", says("without"))
      .get("/both/", says("with"))
      .websocket("/ws", says("ws"));

  test.each([
    ["strict", "/users/", 404, undefined],
    ["ignore", "/users/", 200, undefined],
    ["ignore", "/users/1", 200, undefined],
    ["ignore", "/users//", 404, undefined],
    ["redirect", "/users/?a=1&b=%20", 308, "../users?a=1&b=%20"],
    ["redirect", "/users/a%2Fb", 308, "./a%2Fb/"],
    ["redirect", "/users//", 404, undefined],
    ["redirect", "/users/%2e%2e", 404, undefined],
    ["redirect", "/nothing/", 404, undefined],
    ["redirect", "/", 404, undefined],
  ] as const)("%s: %s is %i", async (policy, path, status, location) => {
    const answer = await ask(routes(policy), "GET", path);
    expect([answer.status, answer.headers.get("location")]).toEqual([status, location]);
  });

  test("a path that has a route itself goes there", async () => {
    for (const policy of ["strict", "ignore", "redirect"] as const) {
      expect((await ask(routes(policy), "GET", "/both")).name).toBe("without");
      expect((await ask(routes(policy), "GET", "/both/")).name).toBe("with");
    }
  });

  test("no path leads to another host", async () => {
    const router = new Router({ trailingSlash: "redirect" })
      .get("/*rest", says("all"))
      .get("/:a/:b/", says("two"));
    for (const path of ["//evil.example", "/\\evil.example", "//evil.example/x"]) {
      const { headers, status } = await ask(router, "PUT", path);
      const target = new URL(headers.get("location") ?? "", `http://good.example${path}`);
      expect([status, target.host].join()).toMatch(/^(405|308),good\.example$/);
    }
  });

  test("a WebSocket client follows no redirect, so that either form leads to its route", async () => {
    const [closed] = await sentFor(routes("redirect"), webSocketScope({ path: "/ws/", raw_path: "/ws/" }));
    expect(closed).toMatchObject({ type: "websocket.close", reason: expect.stringContaining("ws") });
  });

  test("POST to the other form is redirected with its method", async () => {
    const router = new Router({ trailingSlash: "redirect" }).post("/a", says("a"));
    expect((await ask(router, "POST", "/a/")).status).toBe(308);
  });
});
