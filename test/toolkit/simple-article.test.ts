import { describe, expect, test } from "bun:test";
import { DeclinedError, TestClient } from "../../testing/testing.ts";
import type { SimpleSse, SimpleWebSocket } from "../../src/toolkit/simple.ts";
import { MemoryPubSub, Simple } from "../../src/toolkit/simple.ts";
import { startServer } from "../support/server.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { eventually } from "../support/wire.ts";

// What articles on PAGI::Simple show, in the words of this toolkit.

describe("event streams", () => {
  test("on('connect') runs when the stream has started, and send() makes JSON of objects", async () => {
    const order: string[] = [];
    const app = new Simple().sse("/events", (sse) => {
      sse.on("connect", async () => {
        order.push(`first ${sse.connectionState}`);
        await sse.send({ count: 1 });
        await sse.send("two\nlines");
      });
      sse.on("connect", () => sse.send([3]));
      sse.on("connect", () => sse.close("x-done"));
      sse.on("close", (reason) => order.push(`closed ${reason}`));
      order.push(`handler ${sse.connectionState}`);
    });
    await using server = await startServer(app.toApp());
    const answer = await fetch(new URL("/events", server.url), { headers: { accept: "text/event-stream" } });
    const text = (await answer.text()).replace(/^:.*\n\n/gm, "");
    expect(text).toBe('data: {"count":1}\n\ndata: two\ndata: lines\n\ndata: [3]\n\n');
    expect(order).toEqual(["handler pending", "first started", "closed x-done"]);
  });

  test("it runs as well where the handler starts the stream itself, once, and at once after that", async () => {
    const app = new Simple().sse("/events", async (sse) => {
      sse.onConnect(() => sse.send("connected"));
      await sse.start();
      await sse.start();
      sse.onConnect(() => sse.send("late"));
      await sse.every(1000, () => {});
    });
    await using client = new TestClient(app);
    await using stream = await client.sse("/events");
    expect([(await stream.receiveEvent()).data, (await stream.receiveEvent()).data]).toEqual([
      "connected",
      "late",
    ]);
  });

  test("every value of trySend() and channels is sent alike", async () => {
    const app = new Simple().sse("/events", async (sse) => {
      await sse.subscribe("channel");
      sse.on("connect", async () => {
        expect(await sse.trySend({ a: 1 })).toBe(true);
        await app.publish("channel", { a: 1 });
        await sse.send(new Uint8Array([1, 2]));
        await sse.send(null);
      });
    });
    await using client = new TestClient(app);
    await using stream = await client.sse("/events");
    const data = [];
    for (let count = 0; count < 4; count++) data.push((await stream.receiveEvent()).data);
    expect(data.toSorted()).toEqual(["AQI=", "null", '{"a":1}', '{"a":1}']);
  });

  test("an error in it ends the stream as one in the handler does, or goes to on('error')", async () => {
    const failing = new Simple().sse("/events", (sse) => {
      sse.on("connect", () => {
        throw new Error("connect failed");
      });
    });
    const client = new TestClient(failing);
    await expect(client.sse("/events").then((stream) => stream.receiveEvent())).rejects.toThrow(
      "connect failed",
    );

    const told: unknown[] = [];
    const kept = new Simple().sse("/events", (sse) => {
      sse.on("error", (error) => told.push(error));
      sse.on("connect", () => Promise.reject(new Error("told")));
      sse.on("connect", () => sse.send("still there"));
    });
    await using stream = await new TestClient(kept).sse("/events");
    expect((await stream.receiveEvent()).data).toBe("still there");
    expect(told).toEqual([expect.objectContaining({ message: "told" })]);
  });

  const circle: { self?: unknown } = {};
  circle.self = circle;
  const WRONG: [what: string, use: (sse: SimpleSse) => unknown][] = [
    ["undefined", (sse) => Reflect.apply(sse.send, sse, [])],
    ["a function", (sse) => Reflect.apply(sse.send, sse, [() => {}])],
    ["a circle", (sse) => sse.send(circle)],
    ["JSON of undefined", (sse) => sse.sendJson(undefined)],
    ["an event without data", (sse) => Reflect.apply(sse.sendEvent, sse, [{ event: "x" }])],
    ["an event of two lines", (sse) => sse.sendEvent({ data: "x", event: "a\nb" })],
    ["an event that is a number", (sse) => Reflect.apply(sse.sendEvent, sse, [{ data: "x", event: 5 }])],
    ["a retry that is no time", (sse) => sse.sendEvent({ data: "x", retry: -1 })],
    ["a retry that is text", (sse) => Reflect.apply(sse.sendEvent, sse, [{ data: "x", retry: "5" }])],
    ["a comment that is an object", (sse) => Reflect.apply(sse.sendComment, sse, [{}])],
    ["a keepalive that is no time", (sse) => sse.keepalive(Number.NaN)],
    ["a start with such a keepalive", (sse) => sse.start({ keepalive: -1 })],
    ["a comment of the keepalive", (sse) => Reflect.apply(sse.keepalive, sse, [1, 5])],
    ["an unknown event", (sse) => Reflect.apply(sse.on, sse, ["open", () => {}])],
    ["a message without content", (sse) => Reflect.apply(sse.publish, sse, ["channel"])],
    ["a channel without a name", (sse) => sse.publish("", "x")],
  ];
  test.each(WRONG)("%s is an error before the head has left", async (_what, use) => {
    const app = new Simple().sse("/events", async (sse) => {
      await use(sse);
    });
    const client = new TestClient(app, { throwErrors: false });
    const error = await client.sse("/events").then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DeclinedError);
    expect(error instanceof DeclinedError ? error.response.status : 0).toBe(500);
  });
});

describe("WebSockets", () => {
  test("broadcast(message) reaches every WebSocket of the application, in whichever room", async () => {
    const app: Simple = new Simple()
      .websocket("/chat/:room", async (ws) => {
        await ws.join(ws.params.room);
        ws.on("message", (text) =>
          text === "others" ? ws.broadcastOthers({ from: ws.params.room }) : ws.broadcast(text),
        );
      })
      .websocket("/plain", () => {})
      .get("/say", async () => ({ heard: await app.broadcast("from http") }));
    await using server = await startServer(app.toApp());
    const at = server.url.replace("http", "ws").replace(/\/$/, "");
    const ada = await WebSocketClient.open(`${at}/chat/blue`);
    const bob = await WebSocketClient.open(`${at}/chat/red`);
    const eve = await WebSocketClient.open(`${at}/plain`);
    ada.send("hello");
    for (const each of [ada, bob, eve]) expect(await each.next()).toBe("hello");
    ada.send("others");
    for (const each of [bob, eve]) expect(await each.next()).toBe('{"from":"blue"}');
    expect(await (await fetch(new URL("/say", server.url))).json()).toEqual({ heard: 3 });
    for (const each of [ada, bob, eve]) expect(await each.next()).toBe("from http");
    await bob.close(1000);
    await eventually("Bob is out", () => app.pubsub.subscribers("pagi:all") === 2);
    expect(await app.broadcast("again")).toBe(2);
    await ada.close(1000);
    await eve.close(1000);
    await eventually("nobody is left", () => app.pubsub.subscribers("pagi:all") === 0);
  });

  test("one whose handshake is not accepted hears nothing, and all is no room", async () => {
    const seen: unknown[] = [];
    const app = new Simple({ maxChannels: 1 })
      .websocket("/denied", (ws) => ws.deny())
      .websocket("/open", async (ws) => {
        await ws.join("one");
        await expect(ws.join("two")).rejects.toThrow("maxChannels");
        await expect(ws.join("pagi:all")).rejects.toThrow("is taken");
        await ws.leave("pagi:all");
        await ws.leaveAll();
        seen.push(ws.rooms(), ws.inRoom("pagi:all"));
        ws.on("open", () => ws.broadcast("everybody"));
      });
    await using client = new TestClient(app);
    await expect(client.websocket("/denied")).rejects.toThrow(DeclinedError);
    expect(await app.broadcast("x")).toBe(0);
    await using socket = await client.websocket("/open");
    expect(await socket.receive()).toBe("everybody");
    expect(seen).toEqual([[], false]);
    expect(app.pubsub.channels()).toEqual([]);
    await expect(app.publish("pagi:all", "x")).rejects.toThrow("is taken");
  });

  test("a broker that fails is told of, and keeps nobody from the connection", async () => {
    class Broken extends MemoryPubSub {
      override subscribe(): Promise<void> {
        return Promise.reject(new Error("no broker"));
      }
    }
    const told: unknown[] = [];
    const app = new Simple({ pubsub: new Broken() }).websocket("/ws", (ws) => {
      ws.on("error", (error) => told.push(error));
      ws.on("open", () => ws.send("open"));
    });
    await using client = new TestClient(app);
    await using socket = await client.websocket("/ws");
    expect(await socket.receive()).toBe("open");
    expect(told).toEqual([expect.objectContaining({ message: "no broker" })]);
  });

  const WRONG: [what: string, use: (ws: SimpleWebSocket) => unknown][] = [
    ["an object", (ws) => Reflect.apply(ws.send, ws, [{}])],
    ["nothing", (ws) => Reflect.apply(ws.send, ws, [])],
    ["text that is a number", (ws) => Reflect.apply(ws.sendText, ws, [5])],
    ["bytes that are a list", (ws) => Reflect.apply(ws.sendBytes, ws, [[1]])],
    ["JSON of undefined", (ws) => ws.sendJson(undefined)],
    ["a room without a message", (ws) => Reflect.apply(ws.broadcast, ws, ["room", undefined])],
    ["no message to others", (ws) => Reflect.apply(ws.broadcastOthers, ws, [])],
    ["a message that is a function", (ws) => Reflect.apply(ws.broadcast, ws, [() => {}])],
    ["an unknown event", (ws) => Reflect.apply(ws.on, ws, ["connect", () => {}])],
  ];
  test.each(WRONG)("%s is an error before the handshake is answered", async (_what, use) => {
    const app = new Simple().websocket("/ws", async (ws) => {
      await use(ws);
    });
    const client = new TestClient(app, { throwErrors: false });
    const error = await client.websocket("/ws").then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DeclinedError);
  });
});

describe("http", () => {
  test("jsonBody()", async () => {
    const app = new Simple().post("/", async (c) => {
      const { name } = await c.jsonBody<{ name: string }>();
      return { hello: name };
    });
    const client = new TestClient(app);
    expect(await (await client.post("/", { json: { name: "Ada" } })).json()).toEqual({ hello: "Ada" });
    expect((await client.post("/", { body: "{" })).status).toBe(400);
  });

  test.each<[what: string, method: string, ...values: unknown[]]>([
    ["text of an object", "text", {}],
    ["text of nothing", "text"],
    ["HTML of an object", "html", {}],
    ["HTML of nothing", "html"],
    ["JSON of nothing", "json"],
    ["a stream of nothing", "stream"],
    ["a stream of text", "stream", "text"],
    ["a stream of a number", "stream", 5],
    ["JSON of no list", "jsonStream", 5],
    ["a redirect to nowhere", "redirect"],
    ["a file that is not there", "sendFile", "/nothing/there"],
  ])("%s is an error of the handler", async (_what, method, ...values) => {
    const app = new Simple()
      .get("/", (c) => Reflect.apply(Reflect.get(c, method), c, values))
      .error(Error, (c) => c.text("handled", { status: 500 }));
    const response = await new TestClient(app, { throwErrors: false }).get("/");
    expect([response.status, await response.text()]).toEqual([500, "handled"]);
  });
});
