import { describe, expect, test } from "bun:test";
import { CompositionError, RouteError, UnsupportedScopeError } from "../../src/errors.ts";
import type { Application, LifespanScope, Scope, WebSocketScope } from "../../src/spec/index.ts";
import type { Middleware } from "../../src/toolkit/router.ts";
import { around, Router, type RouterOptions } from "../../src/toolkit/router.ts";
import { httpScope, REQUEST, response, server, sseScope, type Wanted } from "../support/fake-scope.ts";

/** Answers with a name and what the route has put into the scope. */
function says(name: string): Application {
  return async (scope, _receive, send) => {
    if (scope.type === "lifespan") throw new UnsupportedScopeError(scope.type);
    const { path, root_path, path_params, "pagi.router": routed } = scope;
    const body = JSON.stringify({ name, path, root_path, path_params, routed });
    if (scope.type === "websocket") {
      await send({ type: "websocket.close", reason: body });
      return;
    }
    const prefix = scope.type === "http" ? "http.response" : "sse.http.response";
    await send({ type: `${prefix}.start`, status: 200 });
    await send({ type: `${prefix}.body`, body });
  };
}

function webSocketScope(wanted: Wanted = {}): WebSocketScope {
  const { scheme: _scheme, ...rest } = wanted;
  return { ...REQUEST, type: "websocket", scheme: "ws", subprotocols: [], ...rest };
}

async function sentFor(router: Router, scope: Scope) {
  const side = server();
  await router.toApp()(scope, side.receive, side.send);
  return side.sent;
}

/** What a request for `path`, as it is sent, is answered with. */
async function ask(router: Router, method: string, target: string, wanted: Wanted = {}) {
  const [raw_path = "", query_string = ""] = target.split("?", 2);
  const path = decodeURIComponent(raw_path);
  const sent = await sentFor(router, httpScope({ method, raw_path, path, query_string, ...wanted }));
  const { status, headers, body } = response(sent);
  const json = status === 200 ? JSON.parse(body) : {};
  return { status, headers: new Map(headers), body, ...json };
}

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
    expect(response(sent).body).toBe("Not Found");
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
    expect(sentFor(router, scope)).rejects.toThrow(UnsupportedScopeError);
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

describe("mounts", () => {
  const api = new Router().get("/", says("api root")).get("/users/:id", says("api user"));
  const router = new Router()
    .get("/api/special", says("special"))
    .mount("/api", api)
    .mount("/api/v2/", says("v2"))
    .mount("/tenants/:tenant", new Router().get("/users/:id", says("tenant user")))
    .mount("/", says("fallback"));

  test.each([
    ["/api/users/42", "api user", "/users/42", "/api"],
    ["/api", "api root", "/", "/api"],
    ["/api/", "api root", "/", "/api"],
    ["/api/special", "special", "/api/special", ""],
    ["/api/v2", "v2", "/", "/api/v2"],
    ["/api/v2/x/", "v2", "/x/", "/api/v2"],
    ["/apis", "fallback", "/apis", ""],
    ["/", "fallback", "/", ""],
    ["/other//x", "fallback", "/other//x", ""],
  ])("%s goes to %s as %s under '%s'", async (path, name, inner, root_path) => {
    expect(await ask(router, "GET", path)).toMatchObject({ name, path: inner, root_path });
  });

  test("an answer of the mounted application is final", async () => {
    expect((await ask(router, "GET", "/api/nothing")).status).toBe(404);
    expect((await ask(router, "POST", "/api/users/1")).status).toBe(405);
  });

  test("405 of a route goes before mounts", async () => {
    expect((await ask(router, "POST", "/api/special")).status).toBe(405);
  });

  test("root_path is appended to", async () => {
    expect(await ask(router, "GET", "/api/users/1", { root_path: "/app" })).toMatchObject({
      root_path: "/app/api",
    });
  });

  test("parameters of prefix and route come together, encoded slashes included", async () => {
    expect(await ask(router, "GET", "/tenants/a%2Fb/users/c%2Fd")).toMatchObject({
      name: "tenant user",
      path_params: { tenant: "a/b", id: "c/d" },
      root_path: "/tenants/a/b",
    });
  });

  test("websocket and sse are mounted too", async () => {
    const inner = new Router().sse("/events", says("events")).websocket("/ws", says("ws"));
    const outer = new Router().mount("/in", inner);
    const events = response(await sentFor(outer, sseScope({ path: "/in/events", raw_path: "/in/events" })));
    expect(JSON.parse(events.body)).toMatchObject({ name: "events", path: "/events", root_path: "/in" });
    const [closed] = await sentFor(outer, webSocketScope({ path: "/in/ws", raw_path: "/in/ws" }));
    expect(closed).toMatchObject({ reason: expect.stringContaining(`"root_path":"/in"`) });
  });

  test("a router can still be extended after it was mounted, until the outer one is an application", async () => {
    const inner = new Router();
    const outer = new Router().mount("/in", inner);
    inner.get("/late", says("late"));
    expect((await ask(outer, "GET", "/in/late")).name).toBe("late");
    expect(() => inner.get("/too-late", says("never"))).toThrow("takes no more routes");
  });
});

describe("groups", () => {
  const traced = (trace: string[], name: string): Middleware =>
    around(async (_scope, _receive, _send, next) => {
      trace.push(`${name} in`);
      await next();
      trace.push(`${name} out`);
    });

  test("prefixes, parameters and middleware add up, outermost first", async () => {
    const trace: string[] = [];
    const router = new Router().group("/orgs/:org", [traced(trace, "org")], (orgs) => {
      orgs.get("/info", says("info"));
      orgs.group("/teams/:team/", [traced(trace, "team")], (teams) => {
        teams.get("/members", [traced(trace, "route")], says("members"));
        teams.mount("/files", says("files"));
      });
    });
    expect(await ask(router, "GET", "/orgs/1/teams/2/members")).toMatchObject({
      name: "members",
      path: "/orgs/1/teams/2/members",
      path_params: { org: "1", team: "2" },
      routed: { route: "/orgs/:org/teams/:team/members" },
    });
    expect(trace).toEqual(["org in", "team in", "route in", "route out", "team out", "org out"]);
    trace.length = 0;
    expect(await ask(router, "GET", "/orgs/1/teams/2/files/x")).toMatchObject({ name: "files", path: "/x" });
    expect(trace).toEqual(["org in", "team in", "team out", "org out"]);
    expect((await ask(router, "GET", "/orgs/1/info")).name).toBe("info");
  });

  test("405 knows grouped and other routes", async () => {
    const router = new Router()
      .get("/a/b", says("get"))
      .group("/a", (group) => void group.post("/b", says("post")));
    expect((await ask(router, "PUT", "/a/b")).headers.get("allow")).toBe("GET, HEAD, OPTIONS, POST");
  });

  test("another router is copied as it is now, with names, constraints and mounts", async () => {
    const source = new Router().get("/:id", says("one")).constraints({ id: /\d+/ }).name("one");
    source.mount("/m", says("mounted"));
    const router = new Router().group("/v1", source).as("v1").group("/v2", source).as("v2");
    source.get("/later/x", says("later"));
    expect((await ask(router, "GET", "/v1/12")).name).toBe("one");
    expect((await ask(router, "GET", "/v1/ab")).status).toBe(404);
    expect((await ask(router, "GET", "/v2/m/x")).name).toBe("mounted");
    expect((await ask(router, "GET", "/v1/later/x")).status).toBe(404);
    expect([router.uriFor("v1.one", { id: 1 }), router.uriFor("v2.one", { id: 2 })]).toEqual([
      "/v1/1",
      "/v2/2",
    ]);
    expect((await ask(source, "GET", "/later/x")).name).toBe("later");
  });

  test("a router can be grouped into itself once", async () => {
    const router = new Router().get("/a", says("a"));
    router.group("/self", router);
    expect((await ask(router, "GET", "/self/a")).name).toBe("a");
  });

  test("an empty path is the prefix itself", async () => {
    const router = new Router().group(
      "/a",
      (group) => void group.get("", says("prefix")).get("/", says("slash")),
    );
    expect([(await ask(router, "GET", "/a")).name, (await ask(router, "GET", "/a/")).name]).toEqual([
      "prefix",
      "slash",
    ]);
  });

  test("a function that is asynchronous is refused", () => {
    expect(() => new Router().group("/a", async () => {})).toThrow("has to be synchronous");
  });
});

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

  test("a wildcard in a mount, an empty list of methods, options that are none", () => {
    expect(() => new Router().mount("/*rest", says(""))).toThrow("has a wildcard");
    expect(() => new Router().any("/", says(""), { methods: [] })).toThrow("empty list of methods");
    expect(() => new Router({ maxConstrainedLength: 0 }).toApp()).toThrow("maxConstrainedLength");
  });

  test("what is no application or middleware", () => {
    class Unmade {}
    // @ts-expect-error A class is no application.
    expect(() => new Router().get("/", Unmade).toApp()).toThrow("Give an instance of the class");
    // @ts-expect-error An object without toApp() is no application.
    expect(() => new Router().mount("/", { wrap() {} }).toApp()).toThrow("looks like a middleware");
    // @ts-expect-error A text is no middleware.
    expect(() => new Router().get("/", ["auth"], says(""))).toThrow(CompositionError);
    // @ts-expect-error A middleware goes into a list.
    expect(() => new Router().get("/", (app: Application) => app, says(""))).toThrow("goes into a list");
  });
});
