import { afterAll, expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";

import type { WebSocketScope } from "../../src/index.ts";
import { Certificates } from "../support/certificates.ts";
import { Folder } from "../support/program.ts";
import { echoMessages, startWebSocket } from "../support/server.ts";
import { WebSocketWire } from "../support/websocket.ts";
import { Wire } from "../support/wire.ts";

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
