import { describe, expect, test } from "bun:test";
import { DeclinedError, TestClient } from "../../testing/testing.ts";
import { sessions } from "../../src/toolkit/session.ts";
import type { Subscriber } from "../../src/toolkit/simple.ts";
import { HttpError, MemoryPubSub, Simple, step } from "../../src/toolkit/simple.ts";
import { startServer } from "../support/server.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { eventually } from "../support/wire.ts";

function chat(): Simple {
  const app = new Simple();
  app.websocket("/chat/:room", (ws) => {
    const { room } = ws.params;
    ws.on("open", async () => {
      await ws.join(room);
      await ws.broadcastOthers(room, { joined: ws.param("name") });
    });
    ws.on("message", (data) => ws.broadcast(room, data));
    ws.on("close", (code) => ws.broadcastOthers(room, { left: ws.param("name"), code }));
  });
  app.post("/say/:room", async (c) => ({ heard: await app.publish(c.params.room, await c.request.text()) }));
  return app;
}

describe("WebSocket", () => {
  test("rooms: everybody, everybody else, from a handler of http, and the end", async () => {
    const app = chat();
    await using client = new TestClient(app);
    await using ada = await client.websocket("/chat/blue?name=Ada");
    await using bob = await client.websocket("/chat/blue?name=Bob");
    await using eve = await client.websocket("/chat/red?name=Eve");
    expect(await ada.receiveJson()).toEqual({ joined: "Bob" });
    bob.sendText("hello");
    expect([await ada.receive(), await bob.receive()]).toEqual(["hello", "hello"]);
    ada.sendBytes(new Uint8Array([1, 2]));
    expect([await ada.receive(), await bob.receive()]).toEqual([
      new Uint8Array([1, 2]),
      new Uint8Array([1, 2]),
    ]);
    expect(await (await client.post("/say/blue", { body: "from http" })).json()).toEqual({ heard: 2 });
    expect([await ada.receive(), await bob.receive()]).toEqual(["from http", "from http"]);
    await bob.close(4000, "enough");
    expect(await ada.receiveJson()).toEqual({ left: "Bob", code: 4000 });
    expect(app.pubsub.subscribers("blue")).toBe(1);
    await ada.close();
    await eve.close();
    await eventually("nobody is in a channel", () => app.pubsub.channels().length === 0);
  });

  test("what is published is made JSON once for all, each time it is published", async () => {
    const app = new Simple()
      .websocket("/room", (ws) => ws.join("all"))
      .sse("/channel", (sse) => sse.subscribe("all"));
    await using client = new TestClient(app);
    const sockets = [await client.websocket("/room"), await client.websocket("/room")];
    const streams = [await client.sse("/channel"), await client.sse("/channel")];
    await eventually("all are in", () => app.pubsub.subscribers("all") === 4);
    let made = 0;
    const message = { toJSON: () => ({ made: ++made }) };
    for (const round of [1, 2]) {
      expect(await app.publish("all", message)).toBe(4);
      for (const socket of sockets) expect(await socket.receiveJson()).toEqual({ made: round });
      for (const stream of streams) expect((await stream.receiveEvent()).data).toBe(`{"made":${round}}`);
      expect(made).toBe(round);
    }
    expect(await app.publish("all", "text")).toBe(4);
    expect(await sockets[0]?.receive()).toBe("text");
    for (const each of [...sockets, ...streams]) await each.close();
  });

  test("a PubSub that gives no JSON leaves it to the connections", async () => {
    class Plain extends MemoryPubSub {
      override subscribe(channel: string, subscriber: Subscriber): Promise<void> {
        const { id } = subscriber;
        return super.subscribe(channel, { id, deliver: (message) => subscriber.deliver(message, channel) });
      }
    }
    const app = new Simple({ pubsub: new Plain() }).websocket("/room", (ws) => ws.join("all"));
    await using client = new TestClient(app);
    await using socket = await client.websocket("/room");
    await eventually("it is in", () => app.pubsub.subscribers("all") === 1);
    await app.publish("all", { a: 1 });
    expect(await socket.receiveJson()).toEqual({ a: 1 });
  });

  test("a loop over the messages accepts the connection, as sending does", async () => {
    const app = new Simple().websocket("/upper", async (ws) => {
      for await (const data of ws) await ws.send(String(data).toUpperCase());
    });
    await using client = new TestClient(app);
    await using socket = await client.websocket("/upper");
    socket.sendText("a");
    socket.sendText("b");
    expect([await socket.receive(), await socket.receive()]).toEqual(["A", "B"]);
  });

  test("the second worker of several warns of rooms that others do not see, when one is used", async () => {
    const warnings: string[] = [];
    const listen = ({ name }: Error): number => warnings.push(name);
    process.on("warning", listen);
    try {
      for (const worker_num of [1, 2]) {
        const app = chat();
        const pagi = {
          version: "0.3",
          spec_version: "0.3",
          is_worker: 1,
          role: "worker",
          worker_num,
        } as const;
        const told: unknown[] = [];
        await app.toApp()(
          { type: "lifespan", pagi, state: {} },
          () => Promise.resolve({ type: told.length === 0 ? "lifespan.startup" : "lifespan.shutdown" }),
          async (event) => void told.push(event),
        );
        expect(told).toHaveLength(2);
        await using client = new TestClient(app);
        for (const name of ["Ada", "Bob"]) {
          await using socket = await client.websocket(`/chat/blue?name=${name}`);
          await eventually("it is in", () => app.pubsub.subscribers("blue") === 1);
          await socket.close();
          await eventually("it is out", () => app.pubsub.subscribers("blue") === 0);
        }
      }
      // They are emitted in a later turn, in order.
      process.emitWarning("the last one", "Last");
      await eventually("the warnings", () => warnings.includes("Last"));
    } finally {
      process.off("warning", listen);
    }
    expect(warnings).toEqual(["PagiPubSubWarning", "Last"]);
  });

  test("on a real server, in two connections", async () => {
    const app = chat();
    await using server = await startServer(app.toApp());
    const at = server.url.replace("http", "ws").replace(/\/$/, "");
    const ada = await WebSocketClient.open(`${at}/chat/blue?name=Ada`);
    await eventually("Ada is in", () => app.pubsub.subscribers("blue") === 1);
    const bob = await WebSocketClient.open(`${at}/chat/blue?name=Bob`);
    expect(await ada.next()).toBe('{"joined":"Bob"}');
    bob.send("grüße");
    expect([await ada.next(), await bob.next()]).toEqual(["grüße", "grüße"]);
    await bob.close();
    expect(await ada.next()).toStartWith('{"left":"Bob"');
    await ada.close();
  });

  test("what is sent in the handler accepts; what is to be known of a connection", async () => {
    const app = new Simple().use(sessions()).websocket("/ws/:a", async (ws) => {
      await ws.sendJson([ws.params.a, ws.param("q"), ws.session.get("user", "nobody"), ws.app.appName]);
      await ws.join("x");
      await ws.join("y");
      await ws.leave("x");
      await ws.send(`${ws.rooms()} ${ws.inRoom("x")} ${ws.inRoom("y")} ${ws.dropped}`);
      await ws.leaveAll();
      await ws.sendBytes(new Uint8Array([ws.rooms().length]));
      ws.on("open", () => ws.send("open"));
    });
    await using ws = await new TestClient(app).websocket("/ws/1?q=2");
    expect(await ws.receiveJson()).toEqual(["1", "2", "nobody", "simple"]);
    expect(await ws.receive()).toBe("y false true 0");
    expect(await ws.receive()).toEqual(new Uint8Array([0]));
    expect(await ws.receive()).toBe("open");
  });

  test("what is sent without waiting for it keeps its order", async () => {
    const app = new Simple().websocket("/", async (ws) => {
      await Promise.all([ws.sendText("first"), ws.sendJson("second"), ws.sendBytes(new Uint8Array([3]))]);
    });
    await using ws = await new TestClient(app).websocket("/");
    expect([await ws.receive(), await ws.receive(), await ws.receive()]).toEqual([
      "first",
      '"second"',
      new Uint8Array([3]),
    ]);
    await ws.close();
  });

  test("the handler may deny, choose a subprotocol, and read by itself", async () => {
    const app = new Simple()
      .websocket("/denied", (ws) => ws.deny({ status: 401, body: "log in" }))
      .websocket("/thrown", () => {
        throw new HttpError(402, "pay", { headers: [["x-price", "5"]] });
      })
      .websocket("/own", async (ws) => {
        await ws.accept({ subprotocol: ["b"] });
        for await (const text of ws.texts()) await ws.send(text.toUpperCase());
      });
    await using client = new TestClient(app);
    const denied = await client.websocket("/denied").catch((error: unknown) => error);
    expect(denied instanceof DeclinedError && [denied.response.status, await denied.response.text()]).toEqual(
      [401, "log in"],
    );
    const thrown = await client.websocket("/thrown").catch((error: unknown) => error);
    expect(
      thrown instanceof DeclinedError && [thrown.response.status, thrown.response.header("x-price")],
    ).toEqual([402, "5"]);
    await using own = await client.websocket("/own", { subprotocols: ["a", "b"] });
    expect(own.subprotocol).toBe("b");
    own.sendText("abc");
    expect(await own.receive()).toBe("ABC");
    const none = await client.websocket("/none").catch((error: unknown) => error);
    expect(none instanceof DeclinedError && none.response.status).toBe(404);
  });

  test("an error closes with 1011, or goes to the error callback", async () => {
    const errors: unknown[] = [];
    const app = new Simple()
      .websocket("/throws", (ws) => {
        ws.on("message", () => {
          throw new Error("no");
        });
      })
      .websocket("/tells", (ws) => {
        ws.on("error", (error) => void errors.push(error));
        ws.on("message", (data) => {
          if (data === "bad") throw new Error("no");
          return ws.send("fine");
        });
      });
    await using client = new TestClient(app, { throwErrors: false });
    const throws = await client.websocket("/throws");
    throws.sendText("x");
    expect((await throws.whenClosed()).code).toBe(1011);
    const tells = await client.websocket("/tells");
    tells.sendText("bad");
    tells.sendText("good");
    expect(await tells.receive()).toBe("fine");
    expect(errors).toHaveLength(1);
    await tells.close();
  });

  test("steps before a WebSocket are refused, in a group and in a list: they would guard nothing", async () => {
    const guard = step((c) => c.redirect("/"));
    expect(() => new Simple().websocket("/ws", [guard], () => {})).toThrow("steps are for http only");
    expect(() => new Simple().group("/g", [guard], (g) => g.sse("/sse", () => {}))).toThrow(
      "steps are for http only",
    );
    const app = new Simple().websocket("/ws", (ws) => void ws.on("opened" as "open", () => {}));
    await expect(new TestClient(app).websocket("/ws")).rejects.toThrow("open, message, close and error");
  });

  test("a connection cannot be in more rooms than maxChannels", async () => {
    const app = new Simple({ maxChannels: 2 }).websocket("/ws", (ws) => {
      ws.on("message", async (room) => {
        await ws.join(String(room)).catch((error: unknown) => ws.send(String(error)));
      });
    });
    await using ws = await new TestClient(app).websocket("/ws");
    for (const room of ["a", "b", "b", "c"]) ws.sendText(room);
    expect(await ws.receive()).toContain("can be in 2 rooms or channels");
  });

  test("a slow client is closed with 1013, or hears less; nobody waits for it", async () => {
    const message = "x".repeat(10_000);
    const options = { socketBuffer: 20_000, highWaterMark: 10_000 };
    for (const whenSlow of ["close", "drop-oldest"] as const) {
      const app = new Simple({ slowClients: { whenSlow, maxQueued: 5 } });
      app.websocket("/ws", (ws) => void ws.on("open", () => ws.join("blue")));
      await using client = new TestClient(app, options);
      const slow = await client.websocket("/ws");
      const fast = await client.websocket("/ws");
      await eventually("both are in", () => app.pubsub.subscribers("blue") === 2);
      slow.pause();
      for (let n = 0; n < 40; n++) {
        await app.publish("blue", `${n} ${message}`);
        expect(await fast.receiveText()).toStartWith(`${n} `);
      }
      slow.resume();
      const heard: number[] = [];
      if (whenSlow === "close") {
        expect((await slow.whenClosed()).code).toBe(1013);
        expect([app.pubsub.subscribers("blue"), app.dropped]).toEqual([1, 0]);
      } else {
        while (heard.at(-1) !== 39) heard.push(Number.parseInt(await slow.receiveText(), 10));
        expect(heard.length + app.dropped).toBe(40);
        expect([heard[0], heard.slice(-3), app.dropped > 20]).toEqual([0, [37, 38, 39], true]);
        await slow.close();
      }
      await fast.close();
    }
  });
});

describe("event streams", () => {
  const app = new Simple()
    .sse("/news/:topic", async (sse) => {
      await sse.subscribe(sse.params.topic);
      await sse.subscribe("numbers", (n) => sse.sendEvent({ event: "number", id: Number(n), data: n }));
      await sse.sendEvent({
        event: "hello",
        data: [sse.lastEventId ?? null, sse.param("q"), sse.channels()],
      });
    })
    .sse("/no", (sse) => sse.decline({ status: 410, body: "over" }))
    .sse("/thrown", () => {
      throw new HttpError(401, "log in");
    })
    .sse("/broken", async (sse) => {
      await sse.subscribe("break", () => {
        throw new Error("no");
      });
    })
    .sse("/talk", async (sse) => {
      await sse.subscribe("talk");
      await sse.publish("talk", "to all");
      await sse.publishOthers("talk", "to others");
      await sse.unsubscribe("talk");
      await sse.send(String(sse.inChannel("talk")));
    });

  test("channels: data as it is, as JSON, and by a callback", async () => {
    await using client = new TestClient(app);
    const stream = await client.sse("/news/tech?q=1", { lastEventId: "7" });
    expect(await stream.receiveJson()).toEqual(["7", "1", ["tech", "numbers"]]);
    expect(await app.publish("tech", "a\nb")).toBe(1);
    await app.publish("tech", { c: 1 });
    await app.publish("other", "nobody");
    await app.publish("numbers", 5);
    expect((await stream.receiveEvent()).data).toBe("a\nb");
    expect(await stream.receiveJson()).toEqual({ c: 1 });
    expect(await stream.receiveEvent()).toMatchObject({ event: "number", id: "5", data: "5" });
    await stream.close();
    await eventually("nobody is in a channel", () => app.pubsub.channels().length === 0);
  });

  test("publish, publishOthers and unsubscribe of a stream", async () => {
    await using client = new TestClient(app);
    const first = await client.sse("/talk");
    expect((await first.receiveEvent()).data).toBe("to all");
    expect((await first.receiveEvent()).data).toBe("false");
    await first.close();
  });

  test("declined: by the handler, by an error, and where there is none", async () => {
    await using client = new TestClient(app);
    for (const [path, status] of [
      ["/no", 410],
      ["/thrown", 401],
      ["/nothing", 404],
    ] as const) {
      const error = await client.sse(path).catch((thrown: unknown) => thrown);
      expect(error instanceof DeclinedError && error.response.status).toBe(status);
    }
    await eventually("nobody is in a channel", () => app.pubsub.channels().length === 0);
  });

  test("a callback that throws ends the stream, and the server is told", async () => {
    await using client = new TestClient(app, { throwErrors: false });
    const stream = await client.sse("/broken");
    await app.publish("break", 1);
    await expect(stream.receiveEvent()).rejects.toThrow("cut before it was complete");
    expect(stream.response.exception).toEqual(new Error("no"));
    expect(app.pubsub.channels()).toEqual([]);
  });

  test("on a real server", async () => {
    await using server = await startServer(app.toApp());
    const response = await fetch(new URL("/news/tech", server.url), {
      headers: { accept: "text/event-stream" },
    });
    const reader = response.body?.getReader();
    let text = "";
    const until = async (part: string): Promise<void> => {
      while (!text.includes(part)) text += new TextDecoder().decode((await reader?.read())?.value);
    };
    await until("event: hello");
    await app.publish("tech", "it works");
    await until("data: it works\n");
    await reader?.cancel();
    await eventually("nobody is in a channel", () => app.pubsub.channels().length === 0);
  });
});
