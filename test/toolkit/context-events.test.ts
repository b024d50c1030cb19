import { afterEach, beforeEach, describe, expect, spyOn, test, type Mock } from "bun:test";
import type { ReceiveEvent, WebSocketReceive } from "../../src/spec/index.ts";
import { contextOf, HttpContext } from "../../src/toolkit/context.ts";
import type { RunEnd, SseContext, WebSocketContext } from "../../src/toolkit/context.ts";
import { httpScope, server, sseScope } from "../support/fake-scope.ts";
import { webSocketScope } from "../support/routing.ts";

const CONNECT: ReceiveEvent = { type: "websocket.connect" };
const GONE: ReceiveEvent = { type: "websocket.disconnect", code: 1001, reason: "bye" };
const says = (text: string): ReceiveEvent => ({ type: "websocket.receive", text });

/** An event as middleware puts it between those of the server. */
function foreign(type: string, data: unknown): ReceiveEvent {
  return JSON.parse(JSON.stringify({ type, data }));
}

function socket(...incoming: ReceiveEvent[]) {
  const side = server(...incoming);
  return { context: contextOf(webSocketScope(), side.receive, side.send), side };
}

let emitWarning: Mock<typeof process.emitWarning>;
beforeEach(() => {
  emitWarning = spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(() => {
  emitWarning.mockRestore();
});
const warnings = (): string[] => emitWarning.mock.calls.map(([error]) => String(error));

describe("on and run", () => {
  test("handlers are called by type, in order, each when the one before it is done", async () => {
    const { context } = socket(CONNECT, says("a"), foreign("chat.message", 7), says("b"), GONE);
    const trace: unknown[] = [];
    const end: RunEnd = await context
      .on("websocket.receive", async (event) => {
        await Promise.resolve();
        trace.push(event.text);
      })
      .on("websocket.receive", (event: WebSocketReceive, c: WebSocketContext) => {
        trace.push(c === context, event.text);
      })
      .on("chat.message", (event) => void trace.push(event["data"]))
      .on("websocket.disconnect", (event) => void trace.push(event.code))
      .run();
    expect(end).toBe("disconnect");
    expect(trace).toEqual(["a", true, "a", 7, "b", true, "b", 1001]);
  });

  test("onDefault gets what has no handler, but not the end; the last one counts", async () => {
    const { context } = socket(CONNECT, says("a"), foreign("chat.message", 7), GONE);
    const trace: unknown[] = [];
    await context
      .on("websocket.receive", () => {})
      .onDefault(() => void trace.push("not this one"))
      .onDefault((event) => void trace.push(event.type))
      .run();
    expect(trace).toEqual(["websocket.connect", "chat.message"]);
  });

  test("stop ends it after the handlers of the event; it may run again, with no handlers left", async () => {
    const { context, side } = socket(says("a"), says("b"), GONE);
    const trace: unknown[] = [];
    const end = await context
      .on("websocket.receive", (event, c) => void trace.push(c.stop() === c && event.text))
      .on("websocket.receive", () => void trace.push("second"))
      .run();
    expect([end, trace, side.received()]).toEqual(["stop", ["a", "second"], 1]);
    expect(await context.run()).toBe("disconnect");
    expect(trace).toEqual(["a", "second"]);
  });

  test("a handler that a handler registers gets the next event", async () => {
    const { context } = socket(says("a"), says("b"), GONE);
    const trace: unknown[] = [];
    await context
      .on("websocket.receive", (event, c) => {
        if (event.text === "a") c.on("websocket.receive", ({ text }) => void trace.push(text));
      })
      .run();
    expect(trace).toEqual(["b"]);
  });

  test("what handlers throw goes to all of onError, and the loop goes on", async () => {
    const { context } = socket(says("a"), says("b"), GONE);
    const trace: unknown[] = [];
    const end = await context
      .on("websocket.receive", async ({ text }) => {
        throw new Error(`broken ${text}`);
      })
      .onError(() => {
        throw new Error("broken too");
      })
      .onError((error, source, c) => void trace.push(String(error), source, c === context))
      .run();
    expect(end).toBe("disconnect");
    expect(trace).toEqual(["Error: broken a", "handler", true, "Error: broken b", "handler", true]);
    expect(warnings()).toEqual(["Error: broken too", "Error: broken too"]);
  });

  test("a receive that fails ends it with error; without onError it is a warning", async () => {
    const fails = async (): Promise<never> => {
      throw new Error("no more");
    };
    const trace: unknown[] = [];
    const { send } = server();
    const context = contextOf(webSocketScope(), fails, send);
    expect(await context.onError((error, source) => void trace.push(String(error), source)).run()).toBe(
      "error",
    );
    expect([trace, warnings()]).toEqual([["Error: no more", "receive"], []]);
    expect(await context.run()).toBe("error");
    expect(warnings()).toEqual(["Error: no more"]);
  });

  test("a second run() while it runs throws at once", async () => {
    const { context, side } = socket();
    const running = context.run();
    expect(() => context.run()).toThrow("runs already");
    side.put(GONE);
    expect(await running).toBe("disconnect");
  });

  test("each scope type has its own end", async () => {
    const http = server(GONE, { type: "http.disconnect" });
    expect(await new HttpContext(httpScope(), http.receive, http.send).run()).toBe("disconnect");
    expect(http.received()).toBe(2);
    const sse = server({ type: "http.disconnect" }, { type: "sse.disconnect", reason: "client_closed" });
    const context: SseContext = contextOf(sseScope(), sse.receive, sse.send);
    const reasons: string[] = [];
    expect(await context.on("sse.disconnect", ({ reason }) => void reasons.push(reason)).run()).toBe(
      "disconnect",
    );
    expect([sse.received(), reasons]).toEqual([2, ["client_closed"]]);
  });
});
