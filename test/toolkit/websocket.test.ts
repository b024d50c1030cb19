import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { EventError } from "../../src/errors.ts";
import { MessageError, PagiWebSocket } from "../../src/toolkit/websocket.ts";
import { bytes, server, sseScope, webSocketScope } from "../support/fake-scope.ts";
import { failureOf } from "../support/sse.ts";
import { accepted, all, closes, gone, isSettled, make, message } from "../support/fake-websocket.ts";

describe("sending", () => {
  test("text, bytes, and JSON", async () => {
    const { ws, side } = await accepted();
    await ws.send("a");
    await ws.send(bytes("b"));
    await ws.sendText("c");
    await ws.sendBytes(bytes("d"));
    await ws.sendJson({ e: [1] });
    expect(side.sent).toEqual([
      { type: "websocket.send", text: "a" },
      { type: "websocket.send", bytes: bytes("b") },
      { type: "websocket.send", text: "c" },
      { type: "websocket.send", bytes: bytes("d") },
      { type: "websocket.send", text: '{"e":[1]}' },
    ]);
    expect(await failureOf(ws.sendJson(undefined))).toBeInstanceOf(TypeError);
  });

  test("after close it is an error, after the client has gone it is none", async () => {
    const mine = await accepted();
    await mine.ws.close();
    expect(String(await failureOf(mine.ws.send("a")))).toContain("the application has closed");
    const theirs = await accepted(gone());
    await theirs.ws.whenClosed();
    await theirs.ws.sendText("a");
    expect(await theirs.ws.trySendText("a")).toBe(false);
    await theirs.ws.sendTextIfConnected("a");
    await theirs.ws.sendBytesIfConnected(bytes("a"));
    await theirs.ws.sendJsonIfConnected("a");
    // What `send` was given went to the server, which ignores it; the others did not try.
    expect(theirs.side.sent).toEqual([{ type: "websocket.send", text: "a" }]);
  });

  test("a loop that does not ask for the end does not stop all others", async () => {
    const { ws } = await accepted(gone());
    await ws.whenClosed();
    let isOver = false;
    setTimeout(() => (isOver = true), 1);
    while (!isOver) await ws.send("a");
    expect(ws.isClosed()).toBe(true);
  });

  test("trySend says whether it sent, and gives errors to onError", async () => {
    const { ws, side } = await accepted();
    expect(await ws.trySend("a")).toBe(true);
    expect(await ws.trySend(bytes("b"))).toBe(true);
    expect(await ws.trySendJson({})).toBe(true);
    await ws.sendTextIfConnected("c");
    await ws.sendBytesIfConnected(bytes("d"));
    await ws.sendJsonIfConnected(1);
    expect(side.sent.length).toBe(6);
    const errors: unknown[] = [];
    const failing = new PagiWebSocket(webSocketScope(), side.receive, async (event) => {
      if (event.type === "websocket.send") throw new Error("broken");
    });
    await failing.accept();
    expect(await failing.trySendText("a")).toBe(false);
    failing.onError((error) => void errors.push(String(error)));
    expect(await failing.trySendJson(1)).toBe(false);
    expect([errors, failing.isClosed(), failing.closeCode]).toEqual([["Error: broken"], false, undefined]);
  });

  test("keepalive", async () => {
    const { ws, side } = await accepted();
    await ws.keepalive(30, 20);
    await ws.keepalive(25);
    await ws.keepalive(false);
    expect(side.sent).toEqual([
      { type: "websocket.keepalive", interval: 30, timeout: 20 },
      { type: "websocket.keepalive", interval: 25, timeout: undefined },
      { type: "websocket.keepalive", interval: 0, timeout: undefined },
    ]);
  });
});

describe("receiving one by one", () => {
  test("events, texts, bytes and JSON, and undefined at the end", async () => {
    const { ws } = await accepted("a", "b", bytes("c"), '{"d":1}', gone(4000, "bye"));
    expect(await ws.receive()).toEqual({ type: "websocket.receive", text: "a" });
    expect(await ws.receiveText()).toBe("b");
    expect(await ws.receiveBytes()).toEqual(bytes("c"));
    expect(await ws.receiveJson<{ d: number }>()).toEqual({ d: 1 });
    expect(await ws.receiveText()).toBeUndefined();
    expect([ws.isClosed(), ws.closeCode, ws.closeReason]).toEqual([true, 4000, "bye"]);
    for (const receive of [ws.receive(), ws.receiveBytes(), ws.receiveJson()])
      expect(await receive).toBeUndefined();
  });

  test("an empty message is a message", async () => {
    const { ws } = await accepted("", new Uint8Array(0), gone());
    expect(await ws.receiveText()).toBe("");
    expect(await ws.receiveBytes()).toEqual(new Uint8Array(0));
    expect(await ws.receiveText()).toBeUndefined();
  });

  test("the wrong kind and no JSON are errors with the code to close with; the connection stays open", async () => {
    const { ws, side } = await accepted("a", bytes("b"), bytes("c"), "{");
    const codes: unknown[] = [];
    for (const receive of [() => ws.receiveBytes(), () => ws.receiveText(), () => ws.receiveJson()]) {
      const error = await failureOf(receive());
      codes.push(error instanceof MessageError && [error.closeCode, error.code, error.fault]);
    }
    expect(codes).toEqual(Array.from({ length: 3 }, () => [1003, "ERR_PAGI_MESSAGE", "client"]));
    expect(await failureOf(ws.receiveJson())).toMatchObject({ closeCode: 1007, issues: [] });
    expect([ws.isConnected(), side.sent]).toEqual([true, []]);
  });

  test("a schema makes the value, or says all that is wrong", async () => {
    const schema = z.object({ n: z.coerce.number(), s: z.string() });
    const { ws } = await accepted('{"n":"1","s":"x"}', '{"n":"x"}');
    const value = await ws.receiveJson(schema);
    expect(value).toEqual({ n: 1, s: "x" });
    const error = await failureOf(ws.receiveJson(schema));
    if (!(error instanceof MessageError)) throw error;
    expect(error.closeCode).toBe(1007);
    expect(error.issues.map(({ pointer }) => pointer)).toEqual(["/n", "/s"]);
    expect(error.message).toStartWith("The message is not valid. /n: ");
  });

  test("JSON that is nested too deeply is refused, before a schema calls itself for each level", async () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    const { ws } = await accepted(nested(500_000), "[".repeat(500_000), nested(256));
    const error = { closeCode: 1007, message: "The message is nested too deeply." };
    for (const schema of [z.json(), z.json()])
      expect(await failureOf(ws.receiveJson(schema))).toMatchObject(error);
    expect(JSON.stringify(await ws.receiveJson(z.json()))).toBe(nested(256));
  });

  test("several that wait get the messages in their order", async () => {
    const { ws, side } = await accepted();
    const waiting = [ws.receiveText(), ws.receiveText(), ws.receiveText()];
    side.put(message("a"));
    side.put(message("b"));
    side.put(gone());
    expect(await Promise.all(waiting)).toEqual(["a", "b", undefined]);
  });

  test("it reads one message ahead and no more", async () => {
    const { ws, side } = await accepted("a", "b", "c");
    await Bun.sleep(0);
    // The handshake's event, and one message.
    expect(side.received()).toBe(2);
    expect(await ws.receiveText()).toBe("a");
    await Bun.sleep(0);
    expect(side.received()).toBe(3);
  });

  test("what receive fails with reaches the reader, and ends the connection", async () => {
    const ws = new PagiWebSocket(webSocketScope(), () => Promise.reject(new Error("lost")), server().send);
    const ends: unknown[] = [];
    ws.onClose((code, reason) => void ends.push([code, reason]));
    await ws.accept();
    expect(String(await failureOf(ws.run()))).toBe("Error: lost");
    expect(ends).toEqual([[1006, "read_error"]]);
    expect(String(await failureOf(ws.receive()))).toBe("Error: lost");
  });
});

describe("loops", () => {
  test("for await over all messages, texts, bytes and values", async () => {
    const { ws } = await accepted("a", bytes("b"), gone());
    expect(await all(ws)).toEqual(["a", bytes("b")]);
    const texts = await accepted("a", "", "c", gone());
    expect(await all(texts.ws.texts())).toEqual(["a", "", "c"]);
    const binaries = await accepted(bytes("a"), gone());
    expect(await all(binaries.ws.binaries())).toEqual([bytes("a")]);
    const values = await accepted("1", '{"a":2}', gone());
    expect(await all(values.ws.values())).toEqual([1, { a: 2 }]);
  });

  test("with a schema values are typed", async () => {
    const { ws } = await accepted('{"n":1}', gone());
    let sum = 0;
    for await (const { n } of ws.messages(z.object({ n: z.number() }))) sum += n;
    expect(sum).toBe(1);
  });

  test("a loop can be left and gone on with", async () => {
    const { ws, side } = await accepted("login", "a", "b", gone());
    for await (const text of ws.texts()) {
      expect(text).toBe("login");
      break;
    }
    expect(ws.isConnected()).toBe(true);
    expect(await all(ws.texts())).toEqual(["a", "b"]);
    expect(side.sent).toEqual([]);
  });

  test.each([
    ["texts", 1003, "The message is binary; send text.", bytes("a")],
    ["binaries", 1003, "The message is text; send a binary one.", "a"],
    ["values", 1003, "The message is binary; send text.", bytes("1")],
    ["values", 1007, "The message is no JSON.", "{"],
  ] as const)("%s: a message of the wrong sort closes with %d '%s'", async (name, code, reason, sent) => {
    const { ws, side } = await accepted(sent, "after");
    const ends: unknown[] = [];
    ws.onClose((...end) => void ends.push(end));
    expect(await all<unknown>(ws[name]())).toEqual([]);
    expect(side.sent).toEqual([{ type: "websocket.close", code, reason }]);
    expect(ends).toEqual([[code, reason]]);
  });

  test("with onError such a message is left out, and the loop goes on", async () => {
    const { ws, side } = await accepted("1", "{", '"x"', "2", gone());
    const errors: unknown[] = [];
    ws.onError((error) => void errors.push(error instanceof MessageError && error.closeCode));
    expect(await all(ws.values(z.number()))).toEqual([1, 2]);
    expect([errors, side.sent]).toEqual([[1007, 1007], []]);
  });

  test("what a schema says about a message is cut to what a Close frame holds", async () => {
    const { ws, side } = await accepted("1");
    await all(ws.values(z.number().refine(() => false, { message: "é".repeat(200) })));
    const [close] = closes(side.sent);
    const reason = close?.type === "websocket.close" ? (close.reason ?? "") : "";
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    expect(reason).toEndWith("é");
  });

  test("a schema that throws is an error of the application", async () => {
    const { ws } = await accepted("1");
    const schema = z.number().transform(() => {
      throw new Error("bug");
    });
    expect(String(await failureOf(all(ws.values(schema))))).toBe("Error: bug");
  });

  test("each...: callbacks, one after the other", async () => {
    const { ws, side } = await accepted("a", "b", gone());
    const order: string[] = [];
    await ws.eachText(async (text) => {
      order.push(`${text} in`);
      await Bun.sleep(0);
      await ws.send(`echo ${text}`);
      order.push(`${text} out`);
    });
    expect(order).toEqual(["a in", "a out", "b in", "b out"]);
    expect(side.sent).toHaveLength(2);
    const found: unknown[] = [];
    const keep = (value: unknown): void => void found.push(value);
    await (await accepted("a", bytes("b"), gone())).ws.eachMessage(keep);
    await (await accepted(bytes("c"), gone())).ws.eachBytes(keep);
    await (await accepted("4", gone())).ws.eachJson<number>(keep);
    await (await accepted("5", gone())).ws.eachJson(z.number(), (n) => keep(n + 1));
    expect(found).toEqual(["a", bytes("b"), bytes("c"), 4, 6]);
  });

  test("a callback that throws closes with 1011 and the error goes on", async () => {
    const { ws, side } = await accepted("a", "b");
    const ends: unknown[] = [];
    ws.onClose((code) => void ends.push(code));
    const error = await failureOf(
      ws.eachText(() => {
        throw new Error("bug");
      }),
    );
    expect([String(error), ends]).toEqual(["Error: bug", [1011]]);
    expect(side.sent).toEqual([{ type: "websocket.close", code: 1011, reason: "" }]);
  });

  test("with onError the loop goes on after it", async () => {
    const { ws, side } = await accepted("a", "b", gone());
    const heard: unknown[] = [];
    ws.onError(async (error) => void heard.push(String(error)));
    await ws.eachText((text) => {
      if (text === "a") throw new Error("bug");
      heard.push(text);
    });
    expect([heard, side.sent]).toEqual([["Error: bug", "b"], []]);
  });
});

describe("run", () => {
  test("gives each message to all callbacks, until the end", async () => {
    const { ws } = await accepted("a", bytes("b"), gone(1001, "away"));
    const heard: unknown[] = [];
    ws.on("message", (data, event) => void heard.push(["one", data, event.type]))
      .on("message", async (data) => void heard.push(["two", data]))
      .on("close", (code, reason) => void heard.push([code, reason]))
      .on("error", (error) => void heard.push(error));
    await ws.run();
    expect(heard).toEqual([
      ["one", "a", "websocket.receive"],
      ["two", "a"],
      ["one", bytes("b"), "websocket.receive"],
      ["two", bytes("b")],
      [1001, "away"],
    ]);
  });

  test("an error of one callback goes to onError, and the others still run", async () => {
    const { ws } = await accepted("a", gone());
    const heard: unknown[] = [];
    ws.onError((error) => void heard.push(String(error)));
    ws.onMessage(() => Promise.reject(new Error("bug")));
    ws.onMessage((data) => void heard.push(data));
    await ws.run();
    expect(heard).toEqual(["Error: bug", "a"]);
  });

  test("without onError it closes with 1011 and throws", async () => {
    const { ws, side } = await accepted("a");
    ws.onMessage(() => Promise.reject(new Error("bug")));
    expect(String(await failureOf(ws.run()))).toBe("Error: bug");
    expect(closes(side.sent)).toEqual([{ type: "websocket.close", code: 1011, reason: "" }]);
  });

  test("ends when the connection is closed from elsewhere", async () => {
    const { ws } = await accepted();
    const running = ws.run();
    expect(await isSettled(running)).toBe(false);
    await ws.close(1000, "enough");
    await running;
  });

  test("an event that there is not is named", () => {
    const { ws } = make();
    // @ts-expect-error for JavaScript
    expect(() => ws.on("open", () => {})).toThrow("has no event 'open'; it has message, close and error");
  });
});

describe("the end", () => {
  test("close sends once, and waits for the callbacks", async () => {
    const { ws, side } = await accepted();
    const order: unknown[] = [];
    ws.onClose(async (code, reason) => {
      await Bun.sleep(0);
      order.push([code, reason]);
    });
    ws.onClose(() => void order.push("second"));
    await Promise.all([ws.close(4000, "custom"), ws.close(4001)]);
    order.push("closed");
    await ws.close();
    expect(order).toEqual([[4000, "custom"], "second", "closed"]);
    expect(side.sent).toEqual([{ type: "websocket.close", code: 4000, reason: "custom" }]);
    expect([ws.closeCode, ws.closeReason, ws.connectionState]).toEqual([4000, "custom", "closed"]);
  });

  test("a close that the server refuses leaves it open", async () => {
    const ws = new PagiWebSocket(webSocketScope(), server().receive, async (event) => {
      if (event.type === "websocket.close") throw new EventError(event.type, "code", "is wrong");
    });
    await ws.accept();
    expect(await failureOf(ws.close(999))).toBeInstanceOf(EventError);
    expect([ws.isConnected(), ws.closeCode]).toEqual([true, undefined]);
  });

  test("the client's going is noticed while nobody receives", async () => {
    const { ws, side } = await accepted();
    const { signal } = ws;
    const ends: unknown[] = [];
    ws.onClose((code) => void ends.push(code));
    side.put(gone(1001));
    await ws.whenClosed();
    await ws[Symbol.asyncDispose]();
    expect([ends, signal.aborted, ws.isConnected()]).toEqual([[1001], true, false]);
    expect(signal.reason).toMatchObject({ name: "AbortError" });
    expect(ws.signal).toBe(signal);
  });

  test("whoever waits for a message learns of the end after the callbacks", async () => {
    const { ws, side } = await accepted();
    const order: string[] = [];
    ws.onClose(async () => {
      await Bun.sleep(0);
      order.push("callback");
    });
    const received = ws.receive().then(() => order.push("received"));
    side.put(gone());
    await received;
    expect(order).toEqual(["callback", "received"]);
  });

  test("callbacks for the client's going wait for a handler that is at work, which sees the signal at once", async () => {
    const { ws, side } = await accepted("a");
    const order: unknown[] = [];
    ws.onClose(() => void order.push("closed"));
    await ws.eachText(async () => {
      side.put(gone());
      await ws.whenClosed();
      order.push(["handler", ws.signal.aborted, ws.isConnected()]);
      await Bun.sleep(0);
      order.push("handler done");
    });
    expect(order).toEqual([["handler", true, false], "handler done", "closed"]);
  });

  test("a handler may close, and wait for that", async () => {
    const { ws, side } = await accepted("a", "b");
    const order: string[] = [];
    ws.onClose(() => void order.push("closed"));
    await ws.eachText(async (text) => {
      order.push(text);
      await ws.close();
      order.push("handler done");
    });
    expect(order).toEqual(["a", "closed", "handler done"]);
    expect(closes(side.sent)).toHaveLength(1);
  });

  test("a handler may wait for the next message, and be told of the end", async () => {
    const { ws } = await accepted("question", "answer", "question", gone());
    const heard: unknown[] = [];
    ws.onClose(() => void heard.push("closed"));
    await ws.eachText(async () => void heard.push(await ws.receiveText()));
    expect(heard).toEqual(["answer", undefined, "closed"]);
  });

  test("with for await the last message comes before the end is told of", async () => {
    const { ws } = await accepted("a", gone());
    const order: string[] = [];
    ws.onClose(() => void order.push("closed"));
    for await (const text of ws.texts()) order.push(text);
    expect(order).toEqual(["a", "closed"]);
  });

  test("a callback may close and receive: it waits for nothing", async () => {
    const { ws, side } = await accepted();
    const heard: unknown[] = [];
    ws.onClose(async () => {
      await ws.close();
      heard.push(await ws.receive());
    });
    side.put(gone());
    await ws[Symbol.asyncDispose]();
    expect(heard).toEqual([undefined]);
  });

  test("a callback that fails becomes a warning, and the others run", async () => {
    const warned = Promise.withResolvers<Error>();
    process.once("warning", warned.resolve);
    const { ws } = await accepted();
    const heard: unknown[] = [];
    ws.onClose(() => Promise.reject(new Error("cleanup failed"))).onClose(() => void heard.push("second"));
    await ws.close();
    expect(heard).toEqual(["second"]);
    expect(String(await warned.promise)).toContain("cleanup failed");
  });

  test("a callback that comes late runs at once", async () => {
    const { ws } = await accepted();
    await ws.close(4000);
    const late = Promise.withResolvers<number>();
    ws.onClose((code) => late.resolve(code));
    expect(await late.promise).toBe(4000);
    expect(ws.signal.aborted).toBe(true);
  });

  test("await using closes what is open, and answers nothing", async () => {
    const { ws, side } = await accepted();
    {
      await using open = ws;
      await open.send("a");
    }
    expect(side.sent.at(-1)).toEqual({ type: "websocket.close", code: 1000, reason: "" });
    const unanswered = make();
    {
      await using waiting = unanswered.ws;
      expect(waiting.isClosed()).toBe(false);
    }
    expect(unanswered.side.sent).toEqual([]);
  });
});

test("several objects over one scope, or a copy of it, are one connection", async () => {
  const { ws, scope, side } = make({}, message("a"), gone(4000));
  const other = new PagiWebSocket({ ...scope, path_params: { room: "blue" } }, side.receive, side.send);
  const ends: unknown[] = [];
  ws.onClose((code) => void ends.push(code));
  await other.accept();
  expect(ws.isConnected()).toBe(true);
  expect(await ws.receiveText()).toBe("a");
  expect(await other.receiveText()).toBeUndefined();
  expect(ends).toEqual([4000]);
  expect(other.pathParam("room")).toBe("blue");
});

test("what the scope says, and flow control", () => {
  const { ws } = make({ path: "/chat", query_string: "a=1&a=2" });
  expect([ws.path, ws.scheme, ws.queryParam("a"), ws.isWritable(), ws.bufferedAmount()]).toEqual([
    "/chat",
    "ws",
    "2",
    true,
    0,
  ]);
});

test("param() looks in the path before the query", () => {
  const { ws } = make({ query_string: "room=red&name=ann", path_params: { room: "blue" } });
  expect([ws.param("room"), ws.param("name"), ws.param("toString")]).toEqual(["blue", "ann", undefined]);
});

test("a scope of another type is refused", () => {
  const { receive, send } = server();
  // @ts-expect-error for JavaScript
  expect(() => new PagiWebSocket(sseScope(), receive, send)).toThrow("type 'sse', not");
});
