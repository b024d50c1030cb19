import { afterEach, beforeEach, describe, expect, spyOn, test, type Mock } from "bun:test";
import type { ReceiveEvent, WebSocketReceive } from "../../src/spec/index.ts";
import { contextOf, HttpContext, sseHandler, webSocketHandler } from "../../src/toolkit/context.ts";
import type { RunEnd, SseContext, WebSocketContext } from "../../src/toolkit/context.ts";
import { MAX_WAITING } from "../../src/toolkit/context/shared-receive.ts";
import { MalformedBodyError } from "../../src/toolkit/request.ts";
import { Router } from "../../src/toolkit/router.ts";
import { bytes, httpScope, response, server, sseScope } from "../support/fake-scope.ts";
import { webSocketScope } from "../support/routing.ts";
import { startServer } from "../support/server.ts";
import { WebSocketClient } from "../support/websocket-client.ts";

const CONNECT: ReceiveEvent = { type: "websocket.connect" };
const GONE: ReceiveEvent = { type: "websocket.disconnect", code: 1001, reason: "bye" };
const says = (text: string): ReceiveEvent => ({ type: "websocket.receive", text });

/** An event as middleware puts it between those of the server. */
function foreign(type: string, data: unknown): ReceiveEvent {
  return JSON.parse(JSON.stringify({ type, data }));
}

/** Some turns of the event loop, in which whatever can happen has happened. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
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

describe("run with the connection's own object", () => {
  test("after accept() the loop gets its events from it, and those of middleware between them", async () => {
    const { context, side } = socket(CONNECT, says("a"), foreign("chat.message", 1));
    const trace: unknown[] = [];
    context
      .on("websocket.receive", ({ text }) => context.websocket.sendText(`echo ${text}`))
      .on("chat.message", (event) => void trace.push(event["data"]))
      .on("websocket.disconnect", ({ code, reason }) => void trace.push(code, reason));
    context.websocket.onClose((code) => void trace.push(`closed ${code}`));
    await context.websocket.accept();
    const running = context.run();
    await side.sentAtLeast(2);
    side.put(foreign("chat.message", 2));
    side.put(foreign("chat.unknown", 3));
    side.put(says("b"));
    await side.sentAtLeast(3);
    side.put(GONE);
    expect(await running).toBe("disconnect");
    expect(side.sent.slice(1)).toEqual([
      { type: "websocket.send", text: "echo a" },
      { type: "websocket.send", text: "echo b" },
    ]);
    expect(trace).toEqual([1, 2, "closed 1001", 1001, "bye"]);
    expect([context.isConnected(), context.isDisconnected(), context.websocket.closeCode]).toEqual([
      false,
      true,
      1001,
    ]);
  });

  test("accept() in a handler of the loop, and close() in another", async () => {
    const { context, side } = socket(CONNECT, says("a"), says("b"));
    const trace: unknown[] = [];
    const end = await context
      .on("websocket.connect", () => context.websocket.accept())
      .on("websocket.receive", ({ text }) => {
        trace.push(text, context.isConnected());
        return context.websocket.close(4000, "enough");
      })
      .on("websocket.disconnect", ({ code, reason }) => void trace.push(code, reason))
      .run();
    expect([end, trace]).toEqual(["disconnect", ["a", true, 4000, "enough"]]);
    expect(side.sent.at(-1)).toEqual({ type: "websocket.close", code: 4000, reason: "enough" });
  });

  test("a receive that fails behind the connection's object is an error of the loop", async () => {
    let isFailing = false;
    const failing = async (): Promise<ReceiveEvent> => {
      if (isFailing) throw new Error("no more");
      isFailing = true;
      return says("a");
    };
    const context = contextOf(webSocketScope(), failing, server().send);
    await context.websocket.accept();
    const trace: unknown[] = [];
    const end = await context
      .on("websocket.receive", ({ text }) => void trace.push(text))
      .onError((error, source) => void trace.push(String(error), source))
      .run();
    expect([end, trace]).toEqual(["error", ["a", "Error: no more", "receive"]]);
  });

  test("what middleware sends while no loop runs is kept for it, and messages are not", async () => {
    const { context } = socket(
      CONNECT,
      foreign("chat.message", 1),
      says("a"),
      foreign("chat.message", 2),
      GONE,
    );
    await context.websocket.accept();
    expect(await context.websocket.receiveText()).toBe("a");
    await context.websocket.whenClosed();
    const trace: unknown[] = [];
    expect(await context.onDefault((event) => void trace.push(event)).run()).toBe("disconnect");
    expect(trace).toEqual([
      { type: "chat.message", data: 1 },
      { type: "chat.message", data: 2 },
    ]);
  });

  test("those that come between the parts of a request body wait for whoever receives next", async () => {
    for (const reads of [
      (c: HttpContext) => c.request.text(),
      async (c: HttpContext) => (await Array.fromAsync(c.request.bodyStream({ decode: "utf-8" }))).join(""),
    ]) {
      const side = server(
        foreign("app.tick", 1),
        { type: "http.request", body: bytes("a"), more: true },
        foreign("app.tick", 2),
        { type: "http.request", body: bytes("b"), more: false },
        foreign("app.tick", 3),
        { type: "http.disconnect" },
      );
      const context = new HttpContext(httpScope({ method: "POST" }), side.receive, side.send);
      expect(await reads(context)).toBe("ab");
      const ticks: unknown[] = [];
      expect(await context.on("app.tick", (event) => void ticks.push(event["data"])).run()).toBe(
        "disconnect",
      );
      expect(ticks).toEqual([1, 2, 3]);
    }
  });

  test("between accept() and on() and run() something may be awaited", async () => {
    const { context, side } = socket(CONNECT, foreign("chat.message", 1));
    await context.websocket.accept();
    await turns();
    side.put(foreign("chat.message", 2));
    side.put(says("a"));
    side.put(foreign("chat.message", 3));
    await turns();
    const trace: unknown[] = [];
    context.on("websocket.receive", ({ text }) => void trace.push(text));
    await turns();
    context.on("chat.message", (event) => void trace.push(event["data"]));
    await turns();
    const running = context.run();
    await turns();
    side.put(foreign("chat.message", 4));
    side.put(GONE);
    expect(await running).toBe("disconnect");
    expect(trace).toEqual([1, 2, "a", 3, 4]);
  });

  test("between start() and run() of an event stream too, and between two runs", async () => {
    const side = server({ type: "sse.request", body: new Uint8Array(), more: false });
    const context = contextOf(sseScope(), side.receive, side.send);
    await context.sse.start({ keepalive: false });
    side.put(foreign("app.tick", 1));
    await turns();
    const trace: unknown[] = [];
    const first = context
      .on("app.tick", (event, c) => {
        trace.push(event["data"]);
        c.stop();
      })
      .run();
    expect(await first).toBe("stop");
    side.put(foreign("app.tick", 2));
    await turns();
    const second = context.on("app.tick", (event) => void trace.push(event["data"])).run();
    await turns();
    side.put({ type: "sse.disconnect", reason: "client_closed" });
    expect(await second).toBe("disconnect");
    expect(trace).toEqual([1, 2]);
  });

  test("events of types without a handler are dropped once the loop runs, and keep nobody from the end", async () => {
    const { context, side } = socket(CONNECT);
    await context.websocket.accept();
    const trace: unknown[] = [];
    const running = context.on("chat.message", (event) => void trace.push(event["data"])).run();
    await turns();
    for (let n = 0; n <= MAX_WAITING; n++) side.put(foreign("chat.other", n));
    side.put(foreign("chat.message", 1));
    side.put(GONE);
    expect(await running).toBe("disconnect");
    expect(trace).toEqual([1]);
  });

  test("a connection on which nobody calls run() loses nothing by it; one that does later is told what was lost", async () => {
    const { context, side } = socket(CONNECT);
    await context.websocket.accept();
    for (let n = 0; n < MAX_WAITING + 2; n++) side.put(foreign("app.tick", n));
    side.put(says("a"));
    expect(await context.websocket.receiveText()).toBe("a");
    const trace: unknown[] = [];
    const end = await context
      .on("app.tick", (event) => void trace.push(event["data"]))
      .onError((error, source) => void trace.push(String(error), source))
      .run();
    expect([end, trace]).toEqual([
      "error",
      [expect.stringContaining("2 events of middleware were dropped"), "receive"],
    ]);
    const rest: unknown[] = [];
    const again = context.on("app.tick", (event) => void rest.push(event["data"])).run();
    side.put(GONE);
    expect(await again).toBe("disconnect");
    expect([rest.length, rest[0], rest.at(-1)]).toEqual([MAX_WAITING, 2, MAX_WAITING + 1]);
  });

  test("messages and what middleware puts between them keep their order", async () => {
    const { context, side } = socket(CONNECT);
    const trace: unknown[] = [];
    await context.websocket.accept();
    const running = context
      .on("websocket.receive", ({ text }) => void trace.push(text))
      .on("chat.message", (event) => void trace.push(event["data"]))
      .run();
    for (const n of [1, 2, 3]) {
      side.put(says(`message ${n}`));
      side.put(foreign("chat.message", n));
    }
    side.put(GONE);
    expect(await running).toBe("disconnect");
    expect(trace).toEqual(["message 1", 1, "message 2", 2, "message 3", 3]);
  });

  test("what waits for a slow loop has a limit, below which the end is noticed at once", async () => {
    for (const [count, isTooMuch] of [
      [MAX_WAITING, false],
      [MAX_WAITING + 1, true],
    ] as const) {
      const ticks = Array.from({ length: count }, (_, index) => foreign("app.tick", index));
      const { context, side } = socket(CONNECT);
      const trace: unknown[] = [];
      const busy = Promise.withResolvers<void>();
      await context.websocket.accept();
      context
        .on("websocket.receive", async () => {
          busy.resolve();
          await context.websocket.whenClosed();
        })
        .on("app.tick", (event) => void trace.push(event["data"]))
        .onError((error, source) => void trace.push(String(error), source));
      const running = context.run();
      side.put(says("a"));
      await busy.promise;
      for (const event of [...ticks, GONE]) side.put(event);
      expect(await running).toBe(isTooMuch ? "error" : "disconnect");
      expect(context.websocket.closeCode).toBe(isTooMuch ? 1006 : 1001);
      if (!isTooMuch) expect(trace).toEqual(ticks.map((_, index) => index));
      else expect(trace).toEqual([expect.stringContaining("the last one of the type 'app.tick'"), "receive"]);
    }
  });

  test("an event stream that has started: its end, and what middleware sends", async () => {
    const side = server({ type: "sse.request", body: new Uint8Array(), more: false });
    const context = contextOf(sseScope(), side.receive, side.send);
    const trace: unknown[] = [];
    context
      .on("app.tick", (event) => context.sse.sendJson(event["data"]))
      .on("sse.disconnect", ({ reason }) => void trace.push(reason));
    await context.sse.start({ keepalive: false });
    expect(context.isConnected()).toBe(true);
    const running = context.run();
    side.put(foreign("app.tick", [1]));
    side.put(foreign("app.tick", [2]));
    await side.sentAtLeast(3);
    side.put({ type: "sse.disconnect", reason: "client_closed" });
    expect(await running).toBe("disconnect");
    expect(side.sent.slice(1)).toEqual([
      { type: "sse.send", data: "[1]" },
      { type: "sse.send", data: "[2]" },
    ]);
    expect([trace, context.isConnected()]).toEqual([["client_closed"], false]);
  });

  test("through a server", async () => {
    const router = new Router()
      .websocket(
        "/echo/:name",
        webSocketHandler(async (c) => {
          await c.websocket.accept();
          await c
            .on("websocket.receive", ({ text }) => c.websocket.sendText(`${c.params.name} ${text}`))
            .run();
        }),
      )
      .sse(
        "/count/:to",
        sseHandler(async (c) => {
          for (let n = 1; n <= Number(c.params.to); n++) await c.sse.sendEvent({ data: n, id: n });
          await c.sse.close();
        }),
      );
    await using running = await startServer(router.toApp());
    const at = (path: string) => new URL(path, running.url);
    const client = await WebSocketClient.open(at("/echo/me").href.replace("http", "ws"));
    for (const text of ["a", "b"]) {
      client.send(text);
      expect(await client.next()).toBe(`me ${text}`);
    }
    await client.close();
    const stream = await fetch(at("/count/2"), { headers: { accept: "text/event-stream" } });
    expect(await stream.text()).toBe("id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n");
  });

  test("what is wrong with the request refuses a connection that is not open, with a problem document", async () => {
    const strict = sseHandler(async (c) => {
      const { to } = await c.request.json<{ to: number }>();
      await c.sse.send(String(to));
      throw new MalformedBodyError("late");
    });
    const run = async (body: string) => {
      const side = server({ type: "sse.request", body: bytes(body), more: false });
      const routed = { path_params: {}, "pagi.router": { route: "/" } };
      const error: unknown = await strict(
        { ...sseScope({ method: "POST" }), ...routed },
        side.receive,
        side.send,
      ).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      return { sent: side.sent, error };
    };
    const wrong = await run("{");
    expect(wrong.error).toBeUndefined();
    expect(response(wrong.sent)).toMatchObject({ status: 400, body: expect.stringContaining("MALFORMED") });
    const late = await run(`{"to":3}`);
    expect(late.error).toBeInstanceOf(MalformedBodyError);
    expect(late.sent).toContainEqual({ type: "sse.send", data: "3" });

    const denying = webSocketHandler((c) => {
      c.queryParams({ strict: true });
    });
    const side = server(CONNECT);
    const scope = {
      ...webSocketScope({ query_string: "a=%ff" }),
      path_params: {},
      "pagi.router": { route: "/" },
    };
    await denying(scope, side.receive, side.send);
    expect(side.sent).toEqual([expect.objectContaining({ type: "websocket.close" })]);
    const accepted = server(CONNECT);
    const open = webSocketHandler(async (c) => {
      await c.websocket.accept();
      c.queryParams({ strict: true });
    });
    await expect(
      open({ ...scope, ["pagi.websocket"]: undefined }, accepted.receive, accepted.send),
    ).rejects.toThrow(MalformedBodyError);
  });
});
