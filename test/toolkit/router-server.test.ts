import { expect, test } from "bun:test";
import type { HttpHandler } from "../../src/spec/index.ts";
import { Router } from "../../src/toolkit/router.ts";
import { startServer } from "../support/server.ts";
import { upgradeRequest } from "../support/websocket.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { Wire } from "../support/wire.ts";

/** Answers with the parameters and where the application is mounted. */
const show: HttpHandler = async (scope, _receive, send) => {
  const body = JSON.stringify({ params: scope["path_params"], path: scope.path, root: scope.root_path });
  await send({
    type: "http.response.start",
    status: 200,
    headers: [["content-type", "application/json"]],
  });
  await send({ type: "http.response.body", body });
};

const api = new Router({ trailingSlash: "redirect" }).get("/users/:id", show).get("/files/*rest", show);
const router = new Router()
  .mount("/api", api)
  .sse("/events/:channel", async (scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: scope.path_params.channel });
    await send({ type: "sse.close" });
  })
  .websocket("/echo/:name", async (scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text: scope.path_params.name });
    await send({ type: "websocket.close" });
  });

test("http: parameters with encoded slashes, methods, redirects", async () => {
  await using running = await startServer(router.toApp());
  const get = async (path: string, init?: RequestInit) => await fetch(new URL(path, running.url), init);
  expect(await (await get("/api/users/a%2Fb")).json()).toEqual({
    params: { id: "a/b" },
    path: "/users/a/b",
    root: "/api",
  });
  expect(await (await get("/api/files/a/%C3%A9")).json()).toMatchObject({ params: { rest: "a/é" } });
  const redirected = await get("/api/users/1/?q=1");
  expect([redirected.redirected, new URL(redirected.url).pathname, new URL(redirected.url).search]).toEqual([
    true,
    "/api/users/1",
    "?q=1",
  ]);
  const posted = await get("/api/users/1", { method: "POST", body: "x".repeat(100_000) });
  expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  const head = await get("/api/users/1", { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  const options = await get("/api/users/1", { method: "OPTIONS" });
  expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
  expect((await get("/nothing")).status).toBe(404);
});

test("sse: a stream, and 404 for a stream that there is not", async () => {
  await using running = await startServer(router.toApp());
  const headers = { accept: "text/event-stream" };
  const stream = await fetch(new URL("/events/news%2Fall", running.url), { headers });
  expect(await stream.text()).toContain("data: news/all\n");
  const missing = await fetch(new URL("/nothing", running.url), { headers });
  expect([missing.status, await missing.text()]).toEqual([404, "Not Found"]);
});

test("websocket: a connection, and a denial with 404 for a path that there is not", async () => {
  await using running = await startServer(router.toApp());
  const client = await WebSocketClient.open(
    new URL("/echo/caf%C3%A9", running.url).href.replace("http", "ws"),
  );
  expect(await client.next()).toBe("café");
  expect((await client.closed).code).toBe(1000);
  await using wire = await Wire.open({ host: running.host, port: running.port });
  await wire.send(upgradeRequest("/nothing"));
  expect(await wire.response()).toMatchObject({ status: 404, body: "Not Found" });
});

test("a path of two slashes is no other path", async () => {
  await using running = await startServer(router.toApp());
  await using wire = await Wire.open({ host: running.host, port: running.port });
  await wire.send("GET //api/users/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  expect((await wire.response()).status).toBe(404);
});
