import { expect, test } from "bun:test";

import { startServer } from "../../support/server.ts";
import { Wire } from "../../support/wire.ts";

const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const REQUESTS: readonly [string, string][] = [
  ["http", "GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["http", "GET /{n} HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"],
  ["sse", "GET /{n} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"],
  ["sse", "DELETE /{n} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"],
  ["http", "GET /{n} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream;q=0\r\n\r\n"],
  ["http", "GET /{n} HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"],
  ["websocket", `GET /{n} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n${KEY}\r\n`],
];

test("requests that come again and again, on many connections, get the scope that they ask for each time", async () => {
  const seen: string[] = [];
  await using server = await startServer(async (scope, _receive, send) => {
    if (scope.type === "lifespan") throw new Error("no lifespan");
    seen.push(`${scope.type} ${scope.path}`);
    if (scope.type === "websocket") return send({ type: "websocket.close" });
    const prefix = scope.type === "sse" ? "sse.http.response" : "http.response";
    await send({ type: `${prefix}.start`, status: 200, headers: [["content-length", "0"]] });
    await send({ type: `${prefix}.body`, body: "" });
  });
  const asked: string[] = [];
  for (let round = 0; round < 12; round++) {
    for (const [kind, bytes] of REQUESTS) {
      // The same head, and heads whose target alone differs.
      const path = round % 2 === 0 ? "0" : String(round);
      asked.push(`${kind} /${path}`);
      await using wire = await Wire.open(server);
      await wire.send(bytes.replace("{n}", path));
      await wire.response();
    }
  }
  expect(seen).toEqual(asked);
});
