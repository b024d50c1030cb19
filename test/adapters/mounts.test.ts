import { expect, test } from "bun:test";
import { join } from "node:path";
import express from "express";
import { Hono } from "hono";
import { fromFetch } from "../../adapters/fetch.ts";
import { hono } from "../../adapters/hono.ts";
import { fromNode } from "../../adapters/node.ts";
import { Router } from "../../src/toolkit/router.ts";
import { Simple } from "../../src/toolkit/simple.ts";
import { startServer } from "../support/server.ts";

/** The URL that each kind of handler sees, below a prefix that is also the name of something in it. */
const router = new Router()
  .mount(
    "/fetch",
    fromFetch((request) => new Response(new URL(request.url).pathname + new URL(request.url).search)),
  )
  .mount(
    "/node",
    fromNode((request, response) => void response.end(request.url)),
  )
  .mount(
    "/express",
    fromNode(express().get("/users/:id", (request, response) => void response.send(request.params.id))),
  )
  .mount("/hono", hono(new Hono().get("/users/:id", (c) => c.text(c.req.param("id")))))
  .mount(
    "/tenants/:tenant",
    new Router().mount(
      "/fetch",
      fromFetch((request) => new Response(new URL(request.url).pathname)),
    ),
  );

test.each([
  ["/fetch/fetch/a%2Fb%20c?x=%2F", "/fetch/a%2Fb%20c?x=%2F"],
  ["/fetch", "/"],
  ["/fetch/", "/"],
  ["/fetch?x", "/?x"],
  ["/fetch//evil.example/x", "//evil.example/x"],
  ["/node/node/a%2Fb%20c?x=%2F", "/node/a%2Fb%20c?x=%2F"],
  ["/node", "/"],
  ["/node?x", "/?x"],
  ["/express/users/7", "7"],
  ["/hono/users/a%20b", "a b"],
  ["/tenants/a%2Fb/fetch/fetch", "/fetch"],
])("a handler at %s sees %s", async (target, expected) => {
  await using server = await startServer(router.toApp());
  expect(await (await fetch(new URL(target, server.url))).text()).toBe(expected);
});

test.each([
  ["/plain/x", "/plain/users/1"],
  ["/a%2Fb/x", "/a%2Fb/users/1"],
  ["/a%252Fb/x", "/a%252Fb/users/1"],
  ["/%2Fevil.example/x", "/%2Fevil.example/users/1"],
  ["/caf%C3%A9%20%25/x", "/caf%C3%A9%20%25/users/1"],
])("uriFor() in what is mounted at %s is %s", async (target, expected) => {
  const app = new Simple()
    .get("/x", (c) => c.redirectTo("user", { id: 1 }))
    .get("/users/:id", (c) => c.text(`${c.rawPath} ${c.params.id}`))
    .name("user");
  await using server = await startServer(new Router().mount("/:tenant", app).toApp());
  const redirect = await fetch(new URL(target, server.url), { redirect: "manual" });
  expect(redirect.headers.get("location")).toBe(expected);
  expect(await (await fetch(new URL(target, server.url))).text()).toBe(`${expected} 1`);
});

test("fromFetch() takes what has a fetch handler, and keeps its this", async () => {
  class Shop {
    readonly name = "shop";
    fetch(request: Request): Response {
      return new Response(`${this.name} ${new URL(request.url).pathname}`);
    }
  }
  const app = new Simple()
    .mount("/hono", fromFetch(new Hono().get("/x", (c) => c.text("hono"))))
    .mount("/shop", fromFetch(new Shop()));
  await using server = await startServer(app.toApp());
  const at = async (path: string) => (await fetch(new URL(path, server.url))).text();
  expect([await at("/hono/x"), await at("/shop/a/b")]).toEqual(["hono", "shop /a/b"]);
  for (const wrong of [{}, null, undefined, "x", { fetch: 5 }]) {
    expect(() => Reflect.apply(fromFetch, undefined, [wrong])).toThrow(TypeError);
  }
});

test("Express below a mount knows the whole path, for its own redirects", async () => {
  const listener = express();
  listener.use("/sub", (request, response) => {
    response.json([request.url, request.baseUrl, request.originalUrl]);
  });
  listener.use(express.static(join(import.meta.dir, "..")));
  const app = new Router().mount("/:tenant/e", fromNode(listener)).mount("/", fromNode(listener));
  await using server = await startServer(app.toApp());
  const at = (path: string) => fetch(new URL(path, server.url), { redirect: "manual" });
  for (const [path, expected] of [
    ["/a%2Fb/e/sub/x?y=1", ["/x?y=1", "/a%2Fb/e/sub", "/a%2Fb/e/sub/x?y=1"]],
    ["/%2Fhost/e/sub", ["/", "/%2Fhost/e/sub", "/%2Fhost/e/sub"]],
    ["/sub/x", ["/x", "/sub", "/sub/x"]],
  ] as const)
    expect(await (await at(path)).json()).toEqual([...expected]);
  for (const [path, location] of [
    ["/a%2Fb/e/support", "/a%2Fb/e/support/"],
    ["/%2Fhost/e", "/%2Fhost/e/"],
    ["/support?q", "/support/?q"],
  ] as const)
    expect((await at(path)).headers.get("location")).toBe(location);
});
