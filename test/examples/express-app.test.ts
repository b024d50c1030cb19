import { expect, test } from "bun:test";

import { startExample } from "../support/example.ts";
import { request, get, Wire } from "../support/wire.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

test("Express reads bodies, routes and answers", async () => {
  await using server = await startExample("express-app");
  const add = (body: string): Promise<Response> =>
    fetch(`${server.url}/todos`, { method: "POST", body, headers: { "content-type": "application/json" } });
  const made = await add(`{"text":"tea"}`);
  expect([made.status, made.headers.get("location"), await made.json()]).toEqual([
    201,
    "/todos/1",
    { id: 1, text: "tea" },
  ]);
  expect((await add(`{"text":""}`)).status).toBe(422);
  expect((await add(JSON.stringify({ text: "x".repeat(20_000) }))).status).toBe(413);
  expect(await (await fetch(`${server.url}/todos`)).json()).toEqual([{ id: 1, text: "tea" }]);
  expect((await fetch(`${server.url}/nowhere`)).status).toBe(404);
  expect(await server.stop()).toBe(0);
});

test("PAGI's lifespan and WebSocket stand beside it", async () => {
  await using server = await startExample("express-app");
  const me = await fetch(`${server.url}/me`, { headers: { accept: "text/event-stream" } });
  expect(await me.json()).toEqual({ ip: "127.0.0.1", protocol: "http", startedBy: "PAGI" });
  const client = await WebSocketClient.open(`${server.url.replace("http", "ws")}/`);
  expect(await client.next()).toBe("todos: 0");
  expect((await client.closed).code).toBe(1000);
});

test("a client that leaves a stream ends it", async () => {
  await using server = await startExample("express-app");
  const address = { host: "127.0.0.1", port: server.port };
  const wire = await Wire.open(address);
  await wire.send(get("/countdown"));
  await wire.readTo("3\n");
  wire.reset();
  expect((await request(address, get("/countdown"))).body).toBe("3\n2\n1\nlift-off\n");
  expect(server.output).not.toContain("error");
});
