import { expect, test } from "bun:test";
import { startExample } from "../support/example.ts";
import { field, request } from "../support/wire.ts";

test("answers every method and path with the same text", async () => {
  await using server = await startExample("01-hello-http");
  for (const [method, path] of [
    ["GET", "/"],
    ["POST", "/any/path?and=query"],
    ["PURGE", "/"],
  ]) {
    const response = await fetch(`${server.url}${path}`, { method: method ?? "GET" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toBe("Hello from PAGI\n");
  }
});

test("declines other scope types: 500, and the reason in the log", async () => {
  await using server = await startExample("01-hello-http");
  const response = await request(
    { host: "127.0.0.1", port: server.port },
    "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n",
  );
  expect(response.status).toBe(500);
  expect(field(response, "connection")).toBe("close");
  await server.shows(/does not handle the scope type 'sse'/);
});

test("declines the lifespan without a complaint, and ends with 0", async () => {
  await using server = await startExample("01-hello-http", { args: ["--log-level", "warn"] });
  expect(await server.stop("SIGTERM")).toBe(0);
  expect(server.output).not.toMatch(/error|warn/i);
});
