import { describe, expect, test } from "bun:test";
import type { Middleware } from "../../src/toolkit/router.ts";
import { around, Router } from "../../src/toolkit/router.ts";
import { response, sseScope } from "../support/fake-scope.ts";
import { ask, says, sentFor, webSocketScope } from "../support/routing.ts";

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
      root_path: "/tenants/a%2Fb",
    });
  });

  test("no value of a prefix makes root_path begin an address of another host", async () => {
    const open = new Router().mount("/:tenant", new Router().get("/", says("home")));
    for (const value of ["/evil.example", "\\evil.example", "\t/evil.example", "\r\n"]) {
      const answer = await ask(open, "GET", `/${encodeURIComponent(value)}/`);
      expect(answer).toMatchObject({ name: "home", path_params: { tenant: value } });
      expect(new URL(`${answer.root_path}/x`, "http://here.example").host).toBe("here.example");
      expect(answer.root_path).not.toMatch(/^\/[/\\\t\r\n]/);
    }
    const deep = new Router().mount("/:a/:b", new Router().get("/", says("home")));
    const { root_path } = await ask(deep, "GET", "/%09/evil.example/");
    expect(new URL(`${root_path}/x`, "http://here.example").host).toBe("here.example");
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
