import { expect, test } from "bun:test";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { hono, pagi, type HonoEnvironment } from "../../../adapters/hono.ts";
import { dispatch, type Application } from "../../../src/spec/index.ts";
import { Router } from "../../../src/toolkit/router.ts";
import { echo, startServer } from "../../support/server.ts";
import { WebSocketClient } from "../../support/websocket-client.ts";

/** Answers with what its scope says of where it is. */
const where: Application = dispatch({
  async http(scope, _receive, send) {
    const { root_path, path, raw_path, query_string, client, state, http_version } = scope;
    const text = JSON.stringify({
      root_path,
      path,
      raw_path,
      query_string,
      client: client?.[0],
      state,
      http_version,
    });
    await send({ type: "http.response.start", status: 200, headers: [["content-type", "application/json"]] });
    await send({ type: "http.response.body", body: text });
  },
  async sse(scope, _receive, send) {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: `${scope.root_path} ${scope.path}` });
    await send({ type: "sse.close" });
  },
  async websocket(scope, receive, send) {
    await receive();
    if (scope.path.endsWith("/denied")) {
      await send({ type: "websocket.http.response.start", status: 410 });
      await send({ type: "websocket.http.response.body", body: "gone" });
      return;
    }
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text: `${scope.root_path} ${scope.path} ${scope.state["n"]}` });
    for (;;) {
      const event = await receive();
      if (event.type === "websocket.disconnect") return;
      if (event.type === "websocket.receive" && event.text !== undefined)
        await send({ type: "websocket.send", text: event.text });
    }
  },
  async lifespan(scope, receive, send) {
    await receive();
    scope.state["n"] = 1;
    await send({ type: "lifespan.startup.complete" });
  },
});

const app = new Hono<{ Bindings: HonoEnvironment }>();
app.use(async (c, next) => {
  await next();
  c.header("x-outer", "1");
});
app.use("/guarded/*", (c) => Promise.resolve(c.text("no", 401)));
app.all("/guarded/*", pagi(where));
app.all("/mounted/*", pagi(where));
app.all("/user/:id/files/*", pagi(where));
app.all("/exact", pagi(where));
app.use("/limited/*", bodyLimit({ maxSize: 10 }));
app.all("/limited/*", pagi(dispatch({ http: echo })));
app.use("/read/*", async (c, next) => {
  await c.req.text();
  await next();
});
app.all("/read/*", pagi(dispatch({ http: echo })));
app.all(
  "/broken/*",
  pagi(() => Promise.reject(new Error("broken on purpose"))),
);
app.get("/own", (c) => c.text("Hono's own"));

test.each([
  [
    "/mounted/a%20b/c?x=%41",
    { root_path: "/mounted", path: "/a b/c", raw_path: "/mounted/a%20b/c", query_string: "x=%41" },
  ],
  ["/mounted", { root_path: "/mounted", path: "/", raw_path: "/mounted" }],
  ["/mounted/", { root_path: "/mounted", path: "/", raw_path: "/mounted/" }],
  ["/user/5%206/files/x/y", { root_path: "/user/5 6/files", path: "/x/y" }],
  ["/exact", { root_path: "", path: "/exact" }],
])("%s", async (target, expected) => {
  await using server = await startServer(hono(app));
  const answer = await fetch(new URL(target, server.url));
  expect(answer.headers.get("x-outer")).toBe("1");
  expect(await answer.json()).toMatchObject({
    ...expected,
    client: "127.0.0.1",
    state: { n: 1 },
    http_version: "1.1",
  });
});

test("behind a root path of the server's own", async () => {
  await using server = await startServer(hono(app), { rootPath: "/outer" });
  expect(await (await fetch(new URL("/mounted/a", server.url))).json()).toMatchObject({
    root_path: "/outer/mounted",
  });
});

test("below a router, and below Hono's own mount, each prefix is cut once", async () => {
  const inner = new Hono<{ Bindings: HonoEnvironment }>().all("/raw/*", pagi(where));
  const outer = new Hono<{ Bindings: HonoEnvironment }>();
  outer.mount("/hono", (request: Request, env: HonoEnvironment) => inner.fetch(request, env));
  await using server = await startServer(new Router().mount("/:tenant", hono(outer)).toApp());
  const at = async (target: string) => (await fetch(new URL(target, server.url))).json();
  expect(await at("/a%2Fb/hono/raw/x%20y?z=1")).toMatchObject({
    ...{ root_path: "/a%2Fb/hono/raw", path: "/x y" },
    ...{ raw_path: "/a%2Fb/hono/raw/x%20y", query_string: "z=1" },
  });
  expect(await at("/raw/hono/raw")).toMatchObject({ root_path: "/raw/hono/raw", path: "/" });
  expect(await at("/raw/hono/raw/raw/raw")).toMatchObject({ root_path: "/raw/hono/raw", path: "/raw/raw" });
});

test("bodies go through, and those that a middleware has read or limited", async () => {
  await using server = await startServer(hono(app));
  const post = async (path: string, body: string | ReadableStream): Promise<unknown> => {
    const answer = await fetch(new URL(path, server.url), { method: "POST", body });
    return answer.ok ? answer.json() : answer.status;
  };
  const streamed = (text: string): ReadableStream => new Response(text).body ?? new ReadableStream();
  expect(await post("/read/x", "twice")).toMatchObject({ body: "twice", method: "POST" });
  expect(await post("/limited/x", streamed("short"))).toMatchObject({ body: "short", method: "POST" });
  expect(await post("/limited/x", "x".repeat(11))).toBe(413);
});

test("event streams", async () => {
  await using server = await startServer(hono(app));
  const answer = await fetch(new URL("/mounted/events", server.url), {
    headers: { accept: "text/event-stream" },
  });
  expect([answer.headers.get("content-type"), await answer.text()]).toEqual([
    "text/event-stream",
    "data: /mounted /events\n\n",
  ]);
});

test("WebSockets, and what refuses them", async () => {
  await using server = await startServer(hono(app));
  const ws = `ws://${server.host}:${server.port}`;
  const client = await WebSocketClient.open(`${ws}/mounted/a`);
  expect(await client.next()).toBe("/mounted /a 1");
  client.send("hello");
  expect(await client.next()).toBe("hello");
  expect(await client.close(4000)).toMatchObject({ code: 4000 });
  for (const path of ["/mounted/denied", "/guarded/a", "/own"]) {
    expect(WebSocketClient.open(ws + path)).rejects.toThrow("failed");
  }
  expect(server.logger.messages("error")).toEqual([]);
});

test("an application that throws is answered for with 500; Hono's other routes are as they were", async () => {
  await using server = await startServer(hono(app));
  expect((await fetch(new URL("/broken/x", server.url))).status).toBe(500);
  expect(await (await fetch(new URL("/own", server.url))).text()).toBe("Hono's own");
  expect((await fetch(new URL("/guarded/x", server.url))).status).toBe(401);
});

test("HTTP works on Bun.serve too", async () => {
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: app.fetch });
  const answer = await fetch(new URL("/mounted/a?b=1", server.url));
  expect(await answer.json()).toMatchObject({
    root_path: "/mounted",
    path: "/a",
    query_string: "b=1",
    client: "127.0.0.1",
  });
});
