import { readdirSync } from "node:fs";

import { expect, test } from "bun:test";

import { echoMessages, startWebSocket } from "../../support/server.ts";
import { WebSocketWire } from "../../support/websocket.ts";
import { eventually } from "../../support/wire.ts";

/** Descriptors of this process, those of the clients of a test included. */
function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

async function openAll(url: string, count: number): Promise<WebSocketWire[]> {
  const clients: WebSocketWire[] = [];
  for (let i = 0; i < count; i += 50)
    clients.push(...(await Promise.all(Array.from({ length: 50 }, () => WebSocketWire.open(url)))));
  return clients;
}

test.skipIf(process.platform !== "linux")(
  "1000 WebSockets opened, used and dropped leave neither descriptors nor memory behind",
  async () => {
    let ended = 0;
    await using server = await startWebSocket(
      echoMessages((event) => {
        if (event.type === "websocket.disconnect") ended++;
      }),
      { maxConnections: 2000 },
    );
    const round = async (count: number): Promise<void> => {
      const before = ended;
      const clients = await openAll(server.url, count);
      await Promise.all(
        clients.map(async (client, i) => {
          await client.sendText(`message ${i}`);
          expect(await client.nextMessage()).toEqual({ type: "text", text: `message ${i}` });
        }),
      );
      // A third closes in order, a third ends the connection, a third resets it.
      await Promise.all(
        clients.map(async (client, i) => {
          if (i % 3 === 0) await client.sendClose();
          if (i % 3 === 1) client.wire.halfClose();
          if (i % 3 === 2) client.wire.reset();
          else await client.wire.readToEnd();
          await client[Symbol.asyncDispose]();
        }),
      );
      await eventually("all are gone", () => ended - before === count && server.server.connectionCount === 0);
    };
    await round(100); // what is loaded and opened once stays: modules, the bridge's listening socket
    const baseline = descriptors();
    Bun.gc(true);
    const memory = process.memoryUsage.rss();
    await round(1000);
    await eventually("the descriptors are back", () => descriptors() <= baseline);
    await round(1000);
    await eventually("the descriptors are back", () => descriptors() <= baseline);
    Bun.gc(true);
    // A kilobyte for each of them would be nothing; what is kept for one is over ten.
    expect(process.memoryUsage.rss() - memory).toBeLessThan(60_000_000);
  },
  30_000,
);

test.skipIf(process.platform !== "linux")("a WebSocket costs three descriptors of the server", async () => {
  await using server = await startWebSocket(echoMessages());
  await using _first = await WebSocketWire.open(server.url);
  const before = descriptors();
  const clients = await openAll(server.url, 50);
  expect(descriptors() - before).toBe(50 * (3 + 1)); // the client's own is the fourth
  for (const client of clients) await client[Symbol.asyncDispose]();
});

test.skipIf(process.platform !== "linux")(
  "the bridge is built with the first WebSocket and is gone with the server",
  async () => {
    const sockets = (): string[] =>
      [
        ...require("node:fs")
          .readFileSync("/proc/net/unix", "utf8")
          .matchAll(new RegExp(`@pagi-${process.pid}-\\S+`, "g")),
      ].map(([name]) => name);
    const before = sockets();
    const server = await startWebSocket(echoMessages());
    expect(sockets()).toEqual(before);
    const client = await WebSocketWire.open(server.url);
    expect(sockets().length).toBeGreaterThan(before.length);
    await client[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await eventually("it is gone", () => sockets().length === before.length);
  },
);
