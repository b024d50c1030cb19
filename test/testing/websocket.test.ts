import { describe, expect, test } from "bun:test";
import { dispatch } from "pagi-server/spec";
import type { WebSocketHandler } from "pagi-server/spec";
import { ClosedError, DeclinedError, TestClient, UnexpectedMessageError } from "pagi-server/testing";
import type { TestClientOptions } from "pagi-server/testing";
import { echoMessages } from "../support/server.ts";
import { eventually } from "../support/wire.ts";

function client(websocket: WebSocketHandler, options?: TestClientOptions): TestClient {
  return new TestClient(dispatch({ websocket }), options);
}

describe("WebSocket", () => {
  test("messages of text, bytes and JSON", async () => {
    await using ws = await client(echoMessages()).websocket("/chat");
    ws.sendText("hé");
    expect(await ws.receiveText()).toBe("hé");
    ws.sendBytes(new Uint8Array([1, 2]));
    expect(await ws.receiveBytes()).toEqual(new Uint8Array([1, 2]));
    ws.sendJson({ a: [1] });
    expect(await ws.receiveJson<{ a: number[] }>()).toEqual({ a: [1] });
    ws.sendText("text");
    await expect(ws.receiveBytes()).rejects.toThrow(UnexpectedMessageError);
  });

  test("the client closes with a code and a reason, and waits for the application", async () => {
    const events: unknown[] = [];
    const ws = await client(echoMessages((event) => events.push(event))).websocket("/");
    ws.sendText("last");
    await ws.close(4001, "bye");
    expect(events.at(-2)).toEqual({ type: "websocket.receive", text: "last" });
    expect(events.at(-1)).toEqual({ type: "websocket.disconnect", code: 4001, reason: "bye" });
    expect(() => ws.sendText("more")).toThrow(ClosedError);
  });

  test("the application closes, after what it has sent", async () => {
    const app = client(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      for (const text of ["a", "b"]) await send({ type: "websocket.send", text });
      await send({ type: "websocket.close", code: 3000, reason: "done" });
    });
    const ws = await app.websocket("/");
    const messages: unknown[] = [];
    for await (const message of ws) messages.push(message);
    expect(messages).toEqual(["a", "b"]);
    expect([ws.isClosed(), ws.closeCode, ws.closeReason]).toEqual([true, 3000, "done"]);
    await expect(ws.receiveText()).rejects.toThrow('closed with 3000 "done"');
  });

  test("subprotocols, headers and query", async () => {
    const app = client(async (scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept", subprotocol: "json", headers: [["x-a", "b"]] });
      const { subprotocols, query_string, scheme } = scope;
      await send({ type: "websocket.send", text: JSON.stringify({ subprotocols, query_string, scheme }) });
      await receive();
    });
    await using ws = await app.websocket("wss://example.org/?a=1", { subprotocols: ["chat", "json"] });
    expect(ws.subprotocol).toBe("json");
    expect(ws.response.status).toBe(101);
    expect(ws.response.header("x-a")).toBe("b");
    expect(await ws.receiveJson()).toEqual({
      subprotocols: ["chat", "json"],
      query_string: "a=1",
      scheme: "wss",
    });
  });

  test("a denial is an error with the response", async () => {
    const app = client(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.http.response.start", status: 401, headers: [["x-a", "b"]] });
      await send({ type: "websocket.http.response.body", body: "who are you?" });
    });
    const error = await app.websocket("/").catch((thrown: unknown) => thrown);
    if (!(error instanceof DeclinedError)) throw error;
    expect(error.response.status).toBe(401);
    expect(error.response.header("x-a")).toBe("b");
    expect(await error.response.text()).toBe("who are you?");
  });

  test("an application without WebSockets answers 501, one that closes at once 403", async () => {
    const none = new TestClient(dispatch({})).websocket("/");
    await expect(none).rejects.toThrow("answered with 501");
    const closing = client(async (_scope, _receive, send) => send({ type: "websocket.close" })).websocket(
      "/",
    );
    await expect(closing).rejects.toThrow("answered with 403");
  });

  test("the error of the application is thrown where the test waits", async () => {
    const broken = new Error("broken");
    const app = (options?: TestClientOptions): TestClient =>
      client(async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept" });
        await receive();
        throw broken;
      }, options);
    const ws = await app().websocket("/");
    ws.sendText("go");
    await expect(ws.receiveText()).rejects.toBe(broken);
    const quiet = await app({ throwErrors: false }).websocket("/");
    quiet.sendText("go");
    expect(await quiet.whenClosed()).toEqual({ code: 1011, reason: "" });
    const early = client(async () => {
      throw broken;
    });
    await expect(early.websocket("/")).rejects.toBe(broken);
  });

  test("a wait in vain takes nothing of what comes later", async () => {
    const ws = await client(echoMessages()).websocket("/");
    await expect(ws.receiveText({ timeout: 10 })).rejects.toThrow("Waited 0.01 s for a message on GET /");
    ws.sendText("late");
    expect(await ws.receiveText()).toBe("late");
    await ws.close();
  });

  test("a client that is gone is 1006 to the application", async () => {
    const last = Promise.withResolvers<unknown>();
    const echoing = echoMessages((event) => {
      if (event.type === "websocket.disconnect") last.resolve(event);
    });
    const ws = await client(echoing).websocket("/");
    ws.abort();
    expect(await last.promise).toEqual({ type: "websocket.disconnect", code: 1006, reason: "client_closed" });
    expect(ws.closeCode).toBe(1006);
  });

  test("a client that does not read makes the application wait", async () => {
    let sent = 0;
    const app = client(
      async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept" });
        for (; sent < 5; sent++) await send({ type: "websocket.send", text: "x".repeat(1000) });
        await receive();
      },
      { highWaterMark: 2000, lowWaterMark: 0, socketBuffer: 0 },
    );
    const ws = await app.websocket("/");
    ws.pause();
    const before = sent;
    ws.resume();
    await eventually("all is sent", () => sent === 5);
    expect(before).toBeLessThan(5);
    await ws.close();
  });

  test("a client that does not answer pings is found out", async () => {
    const last = Promise.withResolvers<unknown>();
    const app = client(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.keepalive", interval: 0.01, timeout: 0.02 });
      last.resolve(await receive());
    });
    const ws = await app.websocket("/", { answersPings: false });
    expect(await last.promise).toEqual({
      type: "websocket.disconnect",
      code: 1006,
      reason: "keepalive_timeout",
    });
    expect(ws.pings).toBeGreaterThan(0);
  });

  test("what is too long is refused with 1009", async () => {
    const ws = await client(echoMessages(), { maxWsMessageSize: 10 }).websocket("/");
    ws.sendText("x".repeat(11));
    expect(await ws.whenClosed()).toEqual({ code: 1009, reason: "" });
  });

  test("stopping the client closes what is open, as a server does", async () => {
    const app = client(echoMessages());
    const ws = await app.websocket("/");
    await app.stop();
    expect(await ws.whenClosed()).toEqual({ code: 1001, reason: "" });
  });
});
