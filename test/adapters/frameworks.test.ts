import { expect, test } from "bun:test";
import { ServerProcess } from "../support/example.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

// `pagi-server file.ts` serves what a framework exports, without a flag.

const start = (name: string): Promise<ServerProcess> =>
  ServerProcess.start([`test/adapters/frameworks/${name}.ts`, "-p", "0"]);

test.each(["hono", "elysia", "itty-router", "bun-serve"])("%s", async (name) => {
  await using server = await start(name);
  for (const accept of ["*/*", "text/event-stream"]) {
    const user = await fetch(`${server.url}/user/5%206`, { headers: { accept } });
    expect(decodeURIComponent(String(Object(await user.json()).id))).toBe("5 6");
  }
  const echoed = await fetch(`${server.url}/echo`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "Grüße" }),
  });
  expect(await echoed.json()).toEqual({ name: "Grüße" });
  expect(await server.stop("SIGTERM")).toBe(0);
  expect(server.output).not.toMatch(/error/i);
});

test("Elysia: a refusal of its own, and a stream", async () => {
  await using server = await start("elysia");
  const refused = await fetch(`${server.url}/echo`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect(refused.status).toBe(422);
  expect(await (await fetch(`${server.url}/stream`)).text()).toContain("one");
});

test("Hono: c.env and WebSockets, though nobody has called hono()", async () => {
  await using server = await start("hono");
  expect(await (await fetch(`${server.url}/user/1`)).json()).toEqual({ id: "1", from: "127.0.0.1" });
  const client = await WebSocketClient.open(`ws://127.0.0.1:${server.port}/ws`);
  client.send("hello");
  expect(await client.next()).toBe("hello");
  await client.close();
});
