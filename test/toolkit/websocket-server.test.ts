import { expect, test } from "bun:test";
import { z } from "zod";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { PagiWebSocket } from "../../src/toolkit/websocket.ts";
import { startWebSocket } from "../support/server.ts";
import { Journal } from "../support/sse.ts";
import { upgradeRequest, WebSocketWire } from "../support/websocket.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { eventually, Wire } from "../support/wire.ts";

const address = (url: string): string => url.replace("http", "ws");

test("for await echoes until the client closes, with its code", async () => {
  const heard = new Journal<unknown>();
  await using running = await startWebSocket(async (scope, receive, send) => {
    const ws = new PagiWebSocket(scope, receive, send);
    ws.onClose((...end) => heard.add(end));
    await ws.accept();
    for await (const message of ws) await ws.send(message);
    heard.add("returned");
  });
  const client = await WebSocketClient.open(address(running.url));
  client.send("é");
  client.send(new Uint8Array([0, 255]));
  expect([await client.next(), await client.next()]).toEqual(["é", new Uint8Array([0, 255])]);
  await client.close(4321, "bye");
  expect(await heard.first(2)).toEqual([[4321, "bye"], "returned"]);
  expect(running.logger.messages("error")).toEqual([]);
});

test("JSON with a schema: what is wrong closes with 1007, and nothing is logged", async () => {
  await using running = await startWebSocket(async (scope, receive, send) => {
    const ws = new PagiWebSocket(scope, receive, send);
    await ws.accept();
    await ws.eachJson(z.object({ n: z.number() }), ({ n }) => ws.sendJson({ double: 2 * n }));
  });
  const client = await WebSocketClient.open(address(running.url));
  client.send('{"n":2}');
  expect(await client.next()).toBe('{"double":4}');
  client.send('{"n":"2"}');
  const { code, reason } = await client.closed;
  expect([code, reason]).toEqual([1007, expect.stringContaining("The message is not valid. /n: ")]);
  expect(running.logger.messages("error")).toEqual([]);
});

test("a handler that throws closes with 1011, and is logged", async () => {
  await using running = await startWebSocket(async (scope, receive, send) => {
    const ws = new PagiWebSocket(scope, receive, send);
    await ws.accept();
    ws.onMessage(() => Promise.reject(new Error("bug in the handler")));
    await ws.run();
  });
  const client = await WebSocketClient.open(address(running.url));
  client.send("a");
  expect((await client.closed).code).toBe(1011);
  await eventually("it is logged", () =>
    running.logger.lines.some(({ error }) => String(error).includes("bug in the handler")),
  );
});

test("a handshake that is not answered before a message is waited for is refused, not left open", async () => {
  await using running = await startWebSocket(async (scope, receive, send) => {
    await new PagiWebSocket(scope, receive, send).run();
  });
  await using wire = await Wire.open(running);
  await wire.send(upgradeRequest("/"));
  expect((await wire.response()).status).toBe(500);
});

test("a denial is a response of any form", async () => {
  await using running = await startWebSocket(async (scope, receive, send) => {
    const ws = new PagiWebSocket(scope, receive, send);
    if (ws.path === "/parts") await ws.deny({ status: 401, headers: { "www-authenticate": "Bearer" } });
    else if (ws.path === "/stream") await ws.deny(PagiResponse.stream(["not ", "here"]).status(404));
    else await ws.deny(new Response("slow down", { status: 429 }));
  });
  const answer = async (path: string) => {
    await using wire = await Wire.open(running);
    await wire.send(upgradeRequest(path));
    const { status, body } = await wire.response();
    return [status, body];
  };
  expect(await answer("/parts")).toEqual([401, ""]);
  expect(await answer("/stream")).toEqual([404, "not here"]);
  expect(await answer("/fetch")).toEqual([429, "slow down"]);
  expect(running.logger.messages("error")).toEqual([]);
});

test("the subprotocol that is chosen is the client's", async () => {
  await using running = await startWebSocket(async (scope, receive, send) => {
    const ws = new PagiWebSocket(scope, receive, send);
    await ws.accept({ subprotocol: ["v3", "v1"], headers: { "x-room": "blue" } });
    await ws.run();
  });
  await using client = await WebSocketWire.open(running.url, { "Sec-WebSocket-Protocol": "v1, v2" });
  const field = (name: string) => client.response.headers.find(([each]) => each === name)?.[1];
  expect([field("sec-websocket-protocol"), field("x-room")]).toEqual(["v1", "blue"]);
});

test("one who only sends notices that the client has gone", async () => {
  const heard = new Journal<unknown>();
  await using running = await startWebSocket(async (scope, receive, send) => {
    await using ws = new PagiWebSocket(scope, receive, send);
    ws.onClose((code) => heard.add(code));
    const { signal } = ws;
    await ws.accept();
    while (ws.isConnected()) {
      await ws.trySendJson({ tick: true });
      await Bun.sleep(1);
    }
    heard.add(signal.aborted);
  });
  const client = await WebSocketClient.open(address(running.url));
  await client.next();
  client.drop();
  const entries = await heard.first(2);
  expect(entries.toSorted()).toEqual([1006, true]);
});

test("a client that does not read: send waits, isWritable is false, and onDrain runs", async () => {
  const state = { sent: 0, drains: 0, isStuck: false };
  const over = new Journal<number>();
  await using running = await startWebSocket(
    async (scope, receive, send) => {
      const ws = new PagiWebSocket(scope, receive, send);
      ws.onHighWater(() => (state.isStuck = !ws.isWritable())).onDrain(() => void state.drains++);
      ws.onClose((code) => over.add(code));
      await ws.accept();
      const bytes = new Uint8Array(50_000);
      while (ws.isConnected()) {
        await ws.sendBytes(bytes);
        state.sent++;
      }
    },
    { writeHighWatermark: 65_536 },
  );
  await using client = await WebSocketWire.open(running.url);
  client.wire.pause();
  await eventually("the server is stuck", () => state.isStuck);
  client.wire.resume();
  await eventually("it goes on", () => state.drains > 0);
  // A loop that sends without a pause: the end is seen all the same.
  client.wire.reset();
  expect(await over.first(1)).toEqual([1006]);
});

test("a server that stops ends the loops with 1001", async () => {
  const heard = new Journal<unknown>();
  await using running = await startWebSocket(async (scope, receive, send) => {
    const ws = new PagiWebSocket(scope, receive, send);
    await ws.accept();
    await ws.eachText(() => {});
    heard.add([ws.closeCode, ws.closeReason]);
  });
  const client = await WebSocketClient.open(address(running.url));
  await running.server.stop();
  expect((await client.closed).code).toBe(1001);
  expect(await heard.first(1)).toEqual([[1001, "server_shutdown"]]);
});

test("a broadcast goes past clients that have gone", async () => {
  const sockets = new Set<PagiWebSocket>();
  await using running = await startWebSocket(async (scope, receive, send) => {
    const ws = new PagiWebSocket(scope, receive, send);
    await ws.accept();
    sockets.add(ws);
    await ws.eachText(async (text) => {
      await Promise.all([...sockets].map((each) => each.trySendText(text)));
    });
  });
  const clients = await Promise.all([1, 2, 3].map(() => WebSocketClient.open(address(running.url))));
  await eventually("all are there", () => sockets.size === 3);
  clients[1]?.drop();
  clients[0]?.send("hello");
  expect([await clients[0]?.next(), await clients[2]?.next()]).toEqual(["hello", "hello"]);
});

test("close() waits for the callbacks, in a handler too", async () => {
  const heard = new Journal<string>();
  await using running = await startWebSocket(async (scope, receive, send) => {
    const ws = new PagiWebSocket(scope, receive, send);
    ws.onClose(async () => {
      await Bun.sleep(1);
      heard.add("callback");
    });
    await ws.accept();
    await ws.eachText(async () => {
      await ws.close(4000);
      heard.add("closed");
    });
    heard.add("returned");
  });
  const client = await WebSocketClient.open(address(running.url));
  client.send("a");
  expect((await client.closed).code).toBe(4000);
  expect(await heard.first(3)).toEqual(["callback", "closed", "returned"]);
});
