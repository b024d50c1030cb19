import { describe, expect, test } from "bun:test";
import { EventError, StateError } from "../../src/errors.ts";
import type { ReceiveEvent } from "../../src/spec/index.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { PagiSse } from "../../src/toolkit/sse.ts";
import { bytes, response, server, sseScope, webSocketScope, type Wanted } from "../support/fake-scope.ts";
import { failureOf } from "../support/sse.ts";

const part = (text: string, more = false): ReceiveEvent => ({ type: "sse.request", body: bytes(text), more });
const NO_BODY = part("");
const gone = (reason = "client_closed"): ReceiveEvent => ({ type: "sse.disconnect", reason });
const KEEPALIVE = { type: "sse.keepalive", interval: 15, comment: "" } as const;

/** A stream, and the server's side of it. */
function make(wanted: Wanted = {}, ...incoming: ReceiveEvent[]) {
  const scope = sseScope(wanted);
  const side = server(...(incoming.length === 0 ? [NO_BODY] : incoming));
  return { sse: new PagiSse(scope, side.receive, side.send), scope, side };
}

/** One that has started. */
async function started(...incoming: ReceiveEvent[]) {
  const made = make({}, ...incoming);
  await made.sse.start();
  made.side.sent.length = 0;
  return made;
}

/** Once what is due now is done. */
const turn = (): Promise<void> => Bun.sleep(0);

describe("the start", () => {
  test("start sends the head and asks for a keepalive, once", async () => {
    const { sse, side } = make();
    expect([sse.connectionState, sse.isStarted(), sse.isClosed()]).toEqual(["pending", false, false]);
    await Promise.all([sse.start({ status: 201, headers: { "X-A": "1" } }), sse.start()]);
    await sse.start();
    expect(side.sent).toEqual([{ type: "sse.start", status: 201, headers: [["x-a", "1"]] }, KEEPALIVE]);
    expect([sse.connectionState, sse.isStarted(), sse.isConnected()]).toEqual(["started", true, true]);
  });

  test("the first event starts it, and several at once keep their order", async () => {
    const { sse, side } = make();
    await Promise.all([sse.send("a"), sse.sendComment("b"), sse.sendJson({ c: 1 })]);
    expect(side.sent.slice(2)).toEqual([
      { type: "sse.send", data: "a" },
      { type: "sse.comment", comment: "b" },
      { type: "sse.send", data: '{"c":1}' },
    ]);
  });

  test("what is sent while the first keepalive is on its way stays behind what waits for the start", async () => {
    const { scope, side } = make();
    const late: Promise<void>[] = [];
    const sse: PagiSse = new PagiSse(scope, side.receive, async (event) => {
      await side.send(event);
      if (event.type === "sse.keepalive") late.push(sse.send("c"));
    });
    await Promise.all([sse.send("a"), sse.send("b")]);
    await Promise.all(late);
    expect(side.sent.slice(1)).toEqual([
      KEEPALIVE,
      { type: "sse.send", data: "a" },
      { type: "sse.send", data: "b" },
      { type: "sse.send", data: "c" },
    ]);
  });

  test("a keepalive that is refused is told of, and the stream does not start a second time", async () => {
    const { scope, side } = make();
    const refused = new EventError("sse.keepalive", "interval", "is no number of seconds");
    const sse = new PagiSse(scope, side.receive, async (event) => {
      await side.send(event);
      if (event.type === "sse.keepalive") throw refused;
    });
    expect(await failureOf(sse.start({ keepalive: 30 }))).toBe(refused);
    await sse.start();
    await sse.send("a");
    expect(side.sent.map(({ type }) => type)).toEqual(["sse.start", "sse.keepalive", "sse.send"]);
  });

  test("keepalive: other times, and none", async () => {
    const option = make();
    await option.sse.start({ keepalive: 30 });
    expect(option.side.sent[1]).toEqual({ ...KEEPALIVE, interval: 30 });
    const off = make();
    await off.sse.start({ keepalive: false });
    expect(off.side.sent).toHaveLength(1);
    const before = make();
    await before.sse.keepalive(5, "ping");
    expect(before.side.sent).toEqual([]);
    await before.sse.send("a");
    expect(before.side.sent[1]).toEqual({ type: "sse.keepalive", interval: 5, comment: "ping" });
    await before.sse.keepalive(false);
    expect(before.side.sent.at(-1)).toEqual({ ...KEEPALIVE, interval: 0 });
  });

  test("a start that the server refuses can be tried again", async () => {
    let isBad = true;
    const sse = new PagiSse(sseScope(), server(NO_BODY).receive, async () => {
      if (isBad) throw new Error("bad");
    });
    expect(String(await failureOf(sse.start()))).toBe("Error: bad");
    expect(sse.connectionState).toBe("pending");
    isBad = false;
    await sse.start();
    expect(sse.connectionState).toBe("started");
  });

  test("decline with parts, a PagiResponse, and a Fetch Response", async () => {
    const { sse, side } = make();
    const heard: unknown[] = [];
    sse.onClose(() => void heard.push("closed"));
    await sse.decline({ status: 401, body: "who?" });
    expect(response(side.sent)).toMatchObject({ status: 401, body: "who?" });
    expect([sse.isClosed(), sse.disconnectReason(), heard]).toEqual([true, undefined, []]);
    expect(await failureOf(sse.send("a"))).toBeInstanceOf(StateError);
    await sse.run();
    await sse.every(1, () => void heard.push("every"));
    expect(heard).toEqual([]);
    const made = make();
    await made.sse.decline(PagiResponse.empty());
    expect(response(made.side.sent)).toMatchObject({ status: 204 });
    const fetched = make();
    await fetched.sse.decline(new Response("x", { status: 503 }));
    expect(response(fetched.side.sent)).toMatchObject({ status: 503, body: "x" });
    const late = await started();
    expect(await failureOf(late.sse.decline())).toBeInstanceOf(StateError);
  });

  test("the last event's id, which may be more than ASCII", () => {
    const latin1 = Buffer.from("é-1").toString("latin1");
    expect(make({ headers: [["last-event-id", latin1]] }).sse.lastEventId).toBe("é-1");
    expect(make().sse.lastEventId).toBeUndefined();
  });
});

describe("sending", () => {
  test("events with all fields", async () => {
    const { sse, side } = await started();
    await sse.sendEvent({ data: { a: [1] }, event: "alert", id: 7, retry: 5000 });
    await sse.sendEvent({ data: "two\nlines" });
    await sse.sendEvent({ data: null });
    expect(side.sent).toEqual([
      { type: "sse.send", data: '{"a":[1]}', event: "alert", id: "7", retry: 5000 },
      { type: "sse.send", data: "two\nlines" },
      { type: "sse.send", data: "null" },
    ]);
  });

  test.each(["a\nb", "a\rb", "a\0b"])("%j is no name and no id", async (value) => {
    const { sse, side } = await started();
    for (const field of ["event", "id"] as const) {
      const error = await failureOf(sse.sendEvent({ data: "x", [field]: value }));
      expect(error).toBeInstanceOf(EventError);
      expect(String(error)).toContain(`'${field}' must be one line`);
      expect(await failureOf(sse.trySendEvent({ data: "x", [field]: value }))).toBeInstanceOf(EventError);
    }
    expect(side.sent).toEqual([]);
  });

  test("data that is missing, or has no JSON", async () => {
    const { sse } = await started();
    expect(String(await failureOf(sse.sendEvent({ data: undefined })))).toContain("'data' is missing");
    expect(await failureOf(sse.sendJson(() => 1))).toBeInstanceOf(TypeError);
  });

  test("trySend says whether it sent, and gives errors to onError", async () => {
    const { sse, side } = make();
    expect(await sse.trySend("a")).toBe(true);
    expect(await sse.trySendJson(1)).toBe(true);
    expect(await sse.trySendEvent({ data: 1 })).toBe(true);
    expect(await sse.trySendComment("c")).toBe(true);
    expect(side.sent).toHaveLength(6);
    side.put(gone());
    await sse.whenClosed();
    expect(await sse.trySend("a")).toBe(false);
    expect(side.sent).toHaveLength(6);
    const errors: unknown[] = [];
    const failing = new PagiSse(sseScope(), server(NO_BODY).receive, () =>
      Promise.reject(new Error("broken")),
    );
    failing.onError((error) => void errors.push(String(error)));
    expect([await failing.trySendJson(1), errors]).toEqual([false, ["Error: broken"]]);
  });

  test("after close it is an error, after the client has gone it is none", async () => {
    const mine = await started();
    await mine.sse.close();
    expect(String(await failureOf(mine.sse.send("a")))).toContain("the application has ended");
    const theirs = await started(NO_BODY, gone());
    await theirs.sse.whenClosed();
    await theirs.sse.send("last words");
    expect(theirs.side.sent).toEqual([{ type: "sse.send", data: "last words" }]);
  });
});

test("a loop that does not ask for the end does not stop all others", async () => {
  const { sse } = await started(NO_BODY, gone());
  await sse.whenClosed();
  let isOver = false;
  setTimeout(() => (isOver = true), 1);
  while (!isOver) await sse.send("a");
  expect(sse.isClosed()).toBe(true);
});

describe("the end", () => {
  test("close sends once, with its reason, and waits for the callbacks", async () => {
    const { sse, side } = await started();
    const order: unknown[] = [];
    sse.onClose(async (reason) => {
      await turn();
      order.push(reason);
    });
    await Promise.all([sse.close("job_done"), sse.close()]);
    order.push("closed");
    expect(order).toEqual(["job_done", "closed"]);
    expect(side.sent).toEqual([{ type: "sse.close", reason: "job_done" }]);
    expect([sse.isClosed(), sse.isConnected(), sse.disconnectReason()]).toEqual([true, false, "job_done"]);
  });

  test("close of one that has not started gives the client an empty one", async () => {
    const { sse, side } = make();
    await sse.close();
    expect(side.sent.map(({ type }) => type)).toEqual(["sse.start", "sse.close"]);
    expect(sse.disconnectReason()).toBe("x-closed");
  });

  test("the client's going is noticed without run()", async () => {
    const { sse, side } = await started();
    const reasons: unknown[] = [];
    const { signal } = sse;
    sse.on("close", (reason) => void reasons.push(reason));
    side.put(gone("write_error"));
    await sse.whenClosed();
    await sse[Symbol.asyncDispose]();
    expect([reasons, signal.aborted, sse.isClosed()]).toEqual([["write_error"], true, true]);
    expect(sse.disconnectReason()).toBe("write_error");
  });

  test("run starts the stream and ends with it, after the callbacks", async () => {
    const { sse, side } = make();
    const order: string[] = [];
    sse.onClose(async () => {
      await turn();
      order.push("callback");
    });
    const running = sse.run().then(() => order.push("run"));
    await side.sentAtLeast(2);
    side.put(gone());
    await running;
    expect(order).toEqual(["callback", "run"]);
  });

  test("run ends when the stream is closed from elsewhere, and says what receive has failed with", async () => {
    const { sse, side } = make();
    const running = sse.run();
    await side.sentAtLeast(2);
    await sse.close();
    await running;
    const broken = new PagiSse(sseScope(), () => Promise.reject(new Error("lost")), side.send);
    expect(String(await failureOf(broken.run()))).toBe("Error: lost");
    expect(broken.disconnectReason()).toBe("read_error");
  });

  test("await using closes what has started", async () => {
    const { sse, side } = await started();
    {
      await using open = sse;
      await open.send("a");
    }
    expect(side.sent.at(-1)).toEqual({ type: "sse.close", reason: undefined });
    const unanswered = make();
    {
      await using waiting = unanswered.sse;
      expect(waiting.isClosed()).toBe(false);
    }
    expect(unanswered.side.sent).toEqual([]);
  });

  test("an event that there is not is named", () => {
    const { sse } = make();
    // @ts-expect-error for JavaScript
    expect(() => sse.on("message", () => {})).toThrow("has no event 'message'; it has close and error");
  });
});

describe("every", () => {
  test("calls again and again, one after the other, until the client goes", async () => {
    const { sse, side } = make();
    let calls = 0;
    let running = 0;
    let most = 0;
    const ticking = sse.every(0.001, async () => {
      most = Math.max(most, ++running);
      await turn();
      await sse.sendJson(++calls);
      running--;
    });
    await side.sentAtLeast(5);
    side.put(gone());
    await ticking;
    expect(most).toBe(1);
  });

  test("the end is not waited for until the next time", async () => {
    const { sse, side } = make();
    let calls = 0;
    await sse.every(1000, () => {
      calls++;
      side.put(gone());
    });
    expect(calls).toBe(1);
  });

  test("an error ends the stream for the application, and not for the client", async () => {
    const { sse, side } = make();
    const reasons: unknown[] = [];
    sse.onClose((reason) => void reasons.push(reason));
    const failing = sse.every(0.001, () => Promise.reject(new Error("bug")));
    expect(String(await failureOf(failing))).toBe("Error: bug");
    // No sse.close: the server cuts it, so that the client does not take it for whole.
    expect(side.sent.map(({ type }) => type)).toEqual(["sse.start", "sse.keepalive"]);
    expect([reasons, sse.isClosed(), sse.signal.aborted]).toEqual([["server_error"], true, true]);
  });

  test("an error of a loop within, after the client has gone, waits for nobody", async () => {
    const { sse, side } = make();
    const failing = sse.each(["outer"], async () => {
      await sse.every(1000, async () => {
        side.put(gone());
        await sse.whenClosed();
        throw new Error("bug");
      });
    });
    expect(String(await failureOf(failing))).toBe("Error: bug");
    expect(sse.disconnectReason()).toBe("client_closed");
  });

  test("with onError it goes on", async () => {
    const { sse } = make();
    const errors: unknown[] = [];
    sse.onError((error) => void errors.push(error));
    let calls = 0;
    await sse.every(0.001, async () => {
      if (++calls === 1) throw "bug";
      await sse.close();
    });
    expect([errors, calls]).toEqual([["bug"], 2]);
  });

  test.each([0, -1, NaN, Infinity, 3_000_000, "5" as never, true as never])(
    "%p is not an interval",
    async (seconds) => {
      expect(await failureOf(make().sse.every(seconds, () => {}))).toBeInstanceOf(RangeError);
    },
  );

  test("a body that nobody reads does not hide the end", async () => {
    const { sse, side } = make({}, part("a", true), part("b", true), part("c"));
    const ticking = sse.every(1000, () => {});
    await side.sentAtLeast(2);
    side.put(gone());
    await ticking;
    expect(sse.disconnectReason()).toBe("client_closed");
  });
});

describe("each", () => {
  test("a function is asked until it has no more", async () => {
    const { sse, side } = await started();
    const items = [1, 0, 2];
    await sse.each(
      () => items.shift(),
      (data, id) => ({ data, id }),
    );
    await sse.each(async () => (items.push(9) > 1 ? undefined : "later"));
    expect(side.sent).toEqual([
      { type: "sse.send", data: "1", id: "0" },
      { type: "sse.send", data: "0", id: "1" },
      { type: "sse.send", data: "2", id: "2" },
      { type: "sse.send", data: "later" },
    ]);
    expect(sse.isConnected()).toBe(true);
  });

  const sentEvents = (side: ReturnType<typeof server>) => side.sent.filter(({ type }) => type === "sse.send");

  test("items as they are, and as the events that a function makes of them", async () => {
    const plain = make();
    await plain.sse.each(["a", { b: 1 }]);
    expect(sentEvents(plain.side)).toEqual([
      { type: "sse.send", data: "a" },
      { type: "sse.send", data: '{"b":1}' },
    ]);
    expect(plain.sse.isConnected()).toBe(true);
    const mapped = make();
    await mapped.sse.each(new Set(["a", "skip", "c"]), async (data, id) =>
      data === "skip" ? undefined : { data, id, event: "item" },
    );
    expect(sentEvents(mapped.side)).toEqual([
      { type: "sse.send", data: "a", event: "item", id: "0" },
      { type: "sse.send", data: "c", event: "item", id: "2" },
    ]);
  });

  test("a source that waits is left when the client goes, and told", async () => {
    const { sse, side } = make();
    const told = Promise.withResolvers<string>();
    const source: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => {
        let count = 0;
        return {
          next: () =>
            count++ === 0 ? Promise.resolve({ done: false, value: "first" }) : new Promise(() => {}),
          return: async () => (told.resolve("told"), { done: true, value: undefined }),
        };
      },
    };
    const sending = sse.each(source);
    await side.sentAtLeast(3);
    side.put(gone());
    await sending;
    expect(await told.promise).toBe("told");
  });

  test("the next item is asked for when the last is sent", async () => {
    const gates: (() => void)[] = [];
    let asked = 0;
    const sse = new PagiSse(sseScope(), server(NO_BODY).receive, (event) =>
      event.type === "sse.send" ? new Promise<void>((resolve) => gates.push(resolve)) : Promise.resolve(),
    );
    function* numbers() {
      for (; asked < 2; asked++) yield asked;
    }
    const sending = sse.each(numbers());
    await turn();
    expect([asked, gates.length]).toEqual([0, 1]);
    gates[0]?.();
    await turn();
    expect([asked, gates.length]).toEqual([1, 2]);
    gates[1]?.();
    await sending;
  });

  test("errors of the source and of the function are thrown, and the stream is over", async () => {
    async function* failing() {
      yield 1;
      throw new Error("source");
    }
    const one = make();
    expect(String(await failureOf(one.sse.each(failing())))).toBe("Error: source");
    expect([sentEvents(one.side).length, one.sse.disconnectReason()]).toEqual([1, "server_error"]);
    const two = make();
    const bug = (): never => {
      throw new Error("map");
    };
    expect(String(await failureOf(two.sse.each([1], bug)))).toBe("Error: map");
    expect(two.sse.disconnectReason()).toBe("server_error");
    const three = make();
    const errors: unknown[] = [];
    three.sse.onError((error) => void errors.push(String(error)));
    await three.sse.each([1, 2], (n) => (n === 1 ? bug() : { data: n }));
    expect([errors, sentEvents(three.side).length]).toEqual([["Error: map"], 1]);
  });
});

describe("the request's body", () => {
  test("is read before the start", async () => {
    const { sse, side } = make({ method: "POST" }, part('{"q":', true), part("1}"));
    expect(await sse.request.json<{ q: number }>()).toEqual({ q: 1 });
    await sse.send("a");
    side.put(gone());
    await sse.run();
    expect(sse.disconnectReason()).toBe("client_closed");
  });

  test("is read after the start too, and while the stream runs", async () => {
    const { sse, side } = make({ method: "POST" }, part("a", true));
    await sse.start();
    await turn();
    const sending = sse.each(sse.request.bodyStream({ decode: "utf-8" }));
    side.put(part("b", true));
    side.put(part("c"));
    await sending;
    const data = side.sent.flatMap((event) => (event.type === "sse.send" ? [event.data] : []));
    expect(data).toEqual(["a", "b", "c"]);
    side.put(gone());
    await sse.whenClosed();
  });

  test("a body that the client does not finish is an error for its reader", async () => {
    const { sse, side } = make({ method: "POST" }, part("a", true), gone());
    expect(await failureOf(sse.request.text())).toMatchObject({ code: "ERR_PAGI_INCOMPLETE_BODY" });
    expect(side.sent).toEqual([]);
  });

  test("the last part is there for its reader when the client has gone", async () => {
    const { sse } = await started(part("all"), gone());
    await sse.whenClosed();
    expect(await sse.request.text()).toBe("all");
  });
});

test("several objects over one scope, or a copy of it, are one stream", async () => {
  const { sse, scope, side } = make();
  const other = new PagiSse({ ...scope }, side.receive, side.send);
  await Promise.all([sse.send("a"), other.send("b")]);
  expect(side.sent.filter(({ type }) => type === "sse.start")).toHaveLength(1);
  await other.close("done");
  expect(sse.disconnectReason()).toBe("done");
});

test("what the scope says, and flow control", () => {
  const { sse } = make({ path: "/feed", query_string: "a=1", headers: [["accept", "text/event-stream"]] });
  expect([sse.path, sse.queryParam("a"), sse.header("Accept"), sse.isWritable()]).toEqual([
    "/feed",
    "1",
    "text/event-stream",
    true,
  ]);
});

test("a scope of another type is refused", () => {
  const { receive, send } = server();
  // @ts-expect-error for JavaScript
  expect(() => new PagiSse(webSocketScope(), receive, send)).toThrow("type 'websocket', not");
});
