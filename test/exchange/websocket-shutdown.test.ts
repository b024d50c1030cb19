import { expect, test } from "bun:test";

import type { WebSocketReceiveEvent } from "../../src/spec/index.ts";
import { echoMessages, startWebSocket } from "../support/server.ts";
import { Journal } from "../support/sse.ts";
import { WebSocketWire, upgradeRequest } from "../support/websocket.ts";
import { Wire, field } from "../support/wire.ts";

const SHUTDOWN = { type: "websocket.disconnect", code: 1001, reason: "server_shutdown" } as const;

test("every open WebSocket gets a Close frame with 1001, its application server_shutdown, and both are waited for", async () => {
  const journal = new Journal<WebSocketReceiveEvent>();
  const returned = new Journal<string>();
  const go = Promise.withResolvers<void>();
  const echo = echoMessages((event) => journal.add(event));
  await using server = await startWebSocket(async (scope, receive, send) => {
    await echo(scope, receive, send);
    await go.promise;
    returned.add(scope.path);
  });
  await using first = await WebSocketWire.open(new URL("/1", server.url));
  await using second = await WebSocketWire.open(new URL("/2", server.url));
  const stopped = server.server.stop();
  for (const client of [first, second]) {
    expect(await client.nextMessage()).toEqual({ type: "close", code: 1001, reason: "" });
    await client.sendClose(1001);
    await client.end();
    client.wire.halfClose();
  }
  expect((await journal.first(4)).filter((event) => event.type !== "websocket.connect")).toEqual([
    SHUTDOWN,
    SHUTDOWN,
  ]);
  expect(returned.entries).toEqual([]);
  go.resolve();
  expect(await stopped).toBe(true);
  expect(returned.entries.toSorted()).toEqual(["/1", "/2"]);
});

test("messages that were sent go out before the Close frame", async () => {
  await using server = await startWebSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    for (let i = 0; i < 3; i++) await send({ type: "websocket.send", text: String(i) });
    void server.server.stop();
    await receive();
  });
  await using client = await WebSocketWire.open(server.url);
  for (let i = 0; i < 3; i++) expect(await client.nextMessage()).toEqual({ type: "text", text: String(i) });
  expect(await client.nextMessage()).toMatchObject({ type: "close", code: 1001 });
});

test("a handshake that waits for its answer is waited for; what is accepted then is closed with 1001", async () => {
  const go = Promise.withResolvers<void>();
  const journal = new Journal<unknown>();
  await using server = await startWebSocket(async (_scope, receive, send) => {
    journal.add(await receive());
    await go.promise;
    await send({ type: "websocket.accept" });
    journal.add(await receive());
  });
  await using wire = await Wire.open(server);
  await wire.send(upgradeRequest());
  await journal.first(1);
  const stopped = server.server.stop();
  go.resolve();
  const head = await wire.readTo("\r\n\r\n");
  expect(head).toStartWith("HTTP/1.1 101 ");
  expect(await wire.readToEnd()).toBe("\x88\x02\x03\xe9");
  expect(await journal.first(2)).toEqual([{ type: "websocket.connect" }, SHUTDOWN]);
  wire.halfClose();
  expect(await stopped).toBe(true);
});

test("a handshake that is refused while the server drains is answered like any request", async () => {
  const go = Promise.withResolvers<void>();
  const journal = new Journal<unknown>();
  await using server = await startWebSocket(async (_scope, receive, send) => {
    journal.add(await receive());
    await go.promise;
    await send({ type: "websocket.close" });
  });
  await using wire = await Wire.open(server);
  await wire.send(upgradeRequest());
  await journal.first(1);
  const stopped = server.server.stop();
  go.resolve();
  const response = await wire.response();
  expect(response.status).toBe(403);
  expect(field(response, "connection")).toBe("close");
  expect(await stopped).toBe(true);
});

test("an application that goes on, or a client that takes nothing, is cut when the shutdown timeout is over", async () => {
  const journal = new Journal<WebSocketReceiveEvent>();
  await using server = await startWebSocket(
    async (scope, receive, send) => {
      journal.add(await receive());
      await send({ type: "websocket.accept" });
      if (scope.path === "/deaf")
        await send({ type: "websocket.send", bytes: new Uint8Array(32 * 1024 * 1024) });
      journal.add(await receive());
      if (scope.path === "/stubborn") await new Promise(() => {});
    },
    { shutdownTimeout: 0.4 },
  );
  await using stubborn = await WebSocketWire.open(new URL("/stubborn", server.url));
  await using deaf = await WebSocketWire.open(new URL("/deaf", server.url));
  deaf.wire.pause();
  await journal.first(2);
  const stopped = server.server.stop();
  expect(await stubborn.nextMessage()).toMatchObject({ type: "close", code: 1001 });
  expect(await stopped).toBe(false);
  expect((await journal.first(4)).slice(2)).toEqual([SHUTDOWN, SHUTDOWN]);
  expect(server.logger.messages("warn")).toContain("1 request has not returned");
});
