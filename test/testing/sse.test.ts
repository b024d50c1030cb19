import { describe, expect, test } from "bun:test";
import { dispatch } from "pagi-server/spec";
import type { SseHandler } from "pagi-server/spec";
import { ClosedError, DeclinedError, TestClient } from "pagi-server/testing";
import type { TestClientOptions } from "pagi-server/testing";

function client(sse: SseHandler, options?: TestClientOptions): TestClient {
  return new TestClient(dispatch({ sse }), options);
}

/** Waits for the end of the stream as an application that has nothing more to say. */
const untilGone = async (receive: Parameters<SseHandler>[1]): Promise<unknown> => {
  for (;;) {
    const event = await receive();
    if (event.type === "sse.disconnect") return event;
  }
};

describe("event streams", () => {
  test("events come with all their fields, comments beside them", async () => {
    const app = client(async (_scope, _receive, send) => {
      await send({ type: "sse.start", headers: [["x-a", "b"]] });
      await send({ type: "sse.comment", comment: "hello" });
      await send({ type: "sse.send", data: "one\ntwo", event: "tick", id: "7", retry: 500 });
      await send({ type: "sse.send", data: '{"n":1}' });
    });
    await using sse = await app.sse("/events");
    expect(sse.response.header("x-a")).toBe("b");
    expect(await sse.receiveEvent()).toEqual({ data: "one\ntwo", event: "tick", id: "7", retry: 500 });
    expect(sse.lastEventId).toBe("7");
    expect(await sse.receiveJson<{ n: number }>()).toEqual({ n: 1 });
    expect(await sse.receiveComment()).toBe("hello");
    await expect(sse.receiveEvent()).rejects.toThrow(ClosedError);
    expect(sse.isClosed()).toBe(true);
  });

  test("an empty body comes once: the next event is the end", async () => {
    const events: unknown[] = [];
    const app = client(async (_scope, receive, send) => {
      events.push(await receive());
      await send({ type: "sse.start" });
      events.push(await receive());
    });
    const sse = await app.sse("/events", { method: "POST", body: "" });
    await sse.close();
    expect(events).toMatchObject([{ type: "sse.request", more: false }, { type: "sse.disconnect" }]);
  });

  test("for await ends with the stream", async () => {
    const app = client(async (_scope, _receive, send) => {
      await send({ type: "sse.start" });
      for (const data of ["a", "b"]) await send({ type: "sse.send", data });
    });
    const seen: string[] = [];
    for await (const { data, event } of await app.sse("/")) seen.push(`${event} ${data}`);
    expect(seen).toEqual(["message a", "message b"]);
  });

  test("the request has a method, a body and the id of the last event", async () => {
    const app = client(async (scope, receive, send) => {
      const event = await receive();
      await send({ type: "sse.start" });
      const id = scope.headers.find(([name]) => name === "last-event-id")?.[1];
      const body = event.type === "sse.request" ? Buffer.from(event.body).toString() : "";
      await send({ type: "sse.send", data: `${scope.method} ${id} ${body}` });
    });
    await using sse = await app.sse("/", { method: "POST", lastEventId: "42", json: [1] });
    expect((await sse.receiveEvent()).data).toBe("POST 42 [1]");
  });

  test("closing is a client that goes away", async () => {
    let last: unknown;
    const app = client(async (_scope, receive, send) => {
      await send({ type: "sse.start" });
      last = await untilGone(receive);
    });
    const sse = await app.sse("/");
    await sse.close();
    expect(last).toEqual({ type: "sse.disconnect", reason: "client_closed" });
  });

  test("a stream that is declined is an error with the response", async () => {
    const app = client(async (_scope, _receive, send) => {
      await send({ type: "sse.http.response.start", status: 404 });
      await send({ type: "sse.http.response.body", body: "no such channel" });
    });
    const error = await app.sse("/").catch((thrown: unknown) => thrown);
    if (!(error instanceof DeclinedError)) throw error;
    expect(error.response.status).toBe(404);
    expect(await error.response.text()).toBe("no such channel");
  });

  test("the error of the application is thrown where the test waits", async () => {
    const broken = new Error("broken");
    const app = client(async (_scope, _receive, send) => {
      await send({ type: "sse.start" });
      await send({ type: "sse.send", data: "a" });
      throw broken;
    });
    await expect(app.sse("/").then((sse) => sse.receiveEvent())).rejects.toBe(broken);
  });

  test("stopping the client tells the streams", async () => {
    let last: unknown;
    const app = client(async (_scope, receive, send) => {
      await send({ type: "sse.start" });
      last = await untilGone(receive);
      await send({ type: "sse.send", data: "good bye" });
    });
    const sse = await app.sse("/");
    await app.stop();
    expect(last).toEqual({ type: "sse.disconnect", reason: "server_shutdown" });
    expect((await sse.receiveEvent()).data).toBe("good bye");
  });

  test("a client that does not read makes the application wait", async () => {
    const high = Promise.withResolvers<void>();
    const drained = Promise.withResolvers<void>();
    const app = client(
      async (scope, receive, send) => {
        scope["pagi.transport"].onHighWater(high.resolve);
        scope["pagi.transport"].onDrain(drained.resolve);
        await send({ type: "sse.start" });
        const first = await receive();
        expect(first.type).toBe("sse.request");
        for (let i = 0; i < 10; i++) await send({ type: "sse.send", data: "x".repeat(1000) });
      },
      { highWaterMark: 5000, lowWaterMark: 1000, socketBuffer: 0 },
    );
    const sse = await app.sse("/");
    sse.pause();
    await high.promise;
    sse.resume();
    await drained.promise;
    let count = 0;
    for await (const _event of sse) count++;
    expect(count).toBe(10);
  });
});
