import { afterAll, expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";

import type { WebSocketScope } from "../../../index.ts";
import { Certificates } from "../../support/certificates.ts";
import { Folder } from "../../support/program.ts";
import { echoMessages, startWebSocket } from "../../support/server.ts";
import { WebSocketWire } from "../../support/websocket.ts";
import { Wire, eventually } from "../../support/wire.ts";

const certificates = new Certificates();
afterAll(() => certificates[Symbol.dispose]());
const { cert, key } = certificates.issue("/CN=localhost", { names: ["DNS:localhost"] });
const LARGE = 1_000_000;

/** Echoes a small and a large message, then the client closes. */
async function use(wire: Wire): Promise<void> {
  await using client = await WebSocketWire.upgrade(wire);
  await client.sendText("over whatever");
  expect(await client.nextMessage()).toEqual({ type: "text", text: "over whatever" });
  await client.sendBinary(new Uint8Array(LARGE).fill(7));
  const answer = await client.nextMessage();
  expect(answer?.type === "binary" && answer.bytes.every((each) => each === 7)).toBe(true);
  await client.sendClose(4000, "bye");
  expect(await client.nextMessage()).toEqual({ type: "close", code: 4000, reason: "bye" });
  await client.end();
}

/** A server that echoes, the scopes that it was called with, and the last event of each. */
function recording(options: Parameters<typeof startWebSocket>[1]) {
  const scopes: WebSocketScope[] = [];
  const server = startWebSocket((scope, receive, send) => {
    scopes.push(scope);
    return echoMessages()(scope, receive, send);
  }, options);
  return { scopes, server };
}

test("a WebSocket over TLS has the scheme wss and the tls extension", async () => {
  const { scopes, server } = recording({ sslCert: [cert], sslKey: [key] });
  await using running = await server;
  const socket = tls.connect({
    ...{ host: "127.0.0.1", port: running.port, servername: "localhost" },
    ca: fs.readFileSync(certificates.authority.cert),
  });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  await use(new Wire(socket));
  expect(scopes.map(({ scheme }) => scheme)).toEqual(["wss"]);
  expect(Object.keys(scopes[0]?.extensions ?? {}).toSorted()).toEqual(["tls", "websocket.http.response"]);
});

test("a WebSocket over a Unix socket has no client", async () => {
  using folder = new Folder();
  const path = folder.file("s");
  const { scopes, server } = recording({ port: undefined, listen: [path] });
  await using _running = await server;
  const socket = net.connect({ path, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  await use(new Wire(socket));
  expect(scopes.map(({ scheme, client, server: at }) => ({ scheme, client, at }))).toEqual([
    { scheme: "ws", client: undefined, at: [path, null] },
  ]);
});

test("the access log has a line for a WebSocket when it ends, and for a handshake that was refused", async () => {
  using folder = new Folder();
  const accessLog = folder.file("access.log");
  const options = { accessLog, accessLogFormat: '"%r" %s %B' };
  {
    await using server = await startWebSocket(async (scope, receive, send) => {
      if (scope.path === "/no") {
        await receive();
        await send({ type: "websocket.close" });
      } else await echoMessages()(scope, receive, send);
    }, options);
    const url = new URL("/chat?room=1", server.url);
    await using client = await WebSocketWire.open(url);
    await client.sendText("hello");
    await client.nextMessage();
    await client.sendClose();
    await client.nextMessage();
    await client.end();
    await expect(WebSocketWire.open(new URL("/no", server.url))).rejects.toThrow("403");
    await expect(
      WebSocketWire.open(new URL("/old", server.url), { "Sec-WebSocket-Version": "8" }),
    ).rejects.toThrow("426");
    await client[Symbol.asyncDispose]();
    await eventually("all are gone", () => server.server.connectionCount === 0);
  }
  const lines = fs.readFileSync(accessLog, "utf8").trim().split("\n");
  expect(lines.slice(0, 2)).toEqual(['"GET /chat?room=1 HTTP/1.1" 101 7', '"GET /no HTTP/1.1" 403 10']);
  expect(lines[2]).toMatch(/ 426 \d+$/);
});
