import { expect, test } from "bun:test";

import { describeCut } from "../../src/server/cut-connections.ts";
import { startServer } from "../support/server.ts";
import { eventually, get, post, Wire } from "../support/wire.ts";
import { upgradeRequest } from "../support/websocket.ts";

const cut = (...requests: (string | undefined)[]): string =>
  describeCut(requests.map((request) => ({ request })));

test("names what was cut: each request once, the most frequent first, and not without end", () => {
  expect(cut("GET /a")).toBe("1 connection was cut at shutdown: GET /a");
  expect(cut("GET /a", "POST /b", "GET /a")).toBe(
    "3 connections were cut at shutdown: GET /a (2 times), POST /b",
  );
  expect(cut(undefined, undefined)).toBe("2 connections were cut at shutdown");
  expect(cut(undefined, "GET /a")).toBe("2 connections were cut at shutdown: GET /a");
  const many = cut(...Array.from({ length: 1000 }, (_, i) => `GET /${i}`));
  expect(many).toStartWith("1000 connections were cut at shutdown: GET /0, GET /1, ");
  expect(many).toEndWith("GET /9, 990 more");
  expect(cut(`GET /${"x".repeat(8000)}`).length).toBeLessThan(300);
});

test("a server that cuts at shutdown logs the requests of every kind of scope, without their queries", async () => {
  await using server = await startServer(
    async (scope, receive, send) => {
      if (scope.type === "lifespan") throw new Error(scope.type);
      await receive();
      if (scope.type === "websocket") await send({ type: "websocket.accept" });
      if (scope.type === "sse") await send({ type: "sse.start" });
      await new Promise(() => {});
    },
    { shutdownTimeout: 0.1 },
  );
  const wires = await Promise.all(Array.from({ length: 4 }, () => Wire.open(server)));
  const [http, body, sse, webSocket] = wires;
  await http?.send(get("/slow?secret=1"));
  await body?.send(post("/upload", "body"));
  await sse?.send(get("/events", "Accept: text/event-stream"));
  await webSocket?.send(upgradeRequest("/chat"));
  await webSocket?.readTo("\r\n\r\n");
  await eventually("all run", () => server.server.connectionCount === 4);
  await Bun.sleep(20);
  await server.server.stop();
  const [line = ""] = server.logger.messages("warn");
  expect(line).toContain("4 connections were cut at shutdown: ");
  const named = line.slice(line.indexOf("shutdown: ") + 10).split(", ");
  expect(named.toSorted()).toEqual(["GET /chat", "GET /events", "GET /slow", "POST /upload"]);
  for (const wire of wires) await wire[Symbol.asyncDispose]();
});
