import { expect, test } from "bun:test";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { PagiSse } from "../../src/toolkit/sse.ts";
import { startSse } from "../support/server.ts";
import { Journal, openStream, openWire } from "../support/sse.ts";
import { eventually } from "../support/wire.ts";

const EVENT_STREAM = { accept: "text/event-stream" };

test("events of all kinds, as fetch reads them", async () => {
  await using running = await startSse(async (scope, receive, send) => {
    const sse = new PagiSse(scope, receive, send);
    await sse.send("plain");
    await sse.sendEvent({ data: { a: 1 }, event: "update", id: 7, retry: 500 });
    await sse.send("two\nlines");
    await sse.sendComment("quiet");
    await sse.each([1, 2], (data, id) => ({ data, id }));
    await sse.close();
  });
  const answer = await fetch(running.url, { headers: EVENT_STREAM });
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  expect(await answer.text()).toBe(
    "data: plain\n\n" +
      'event: update\nid: 7\nretry: 500\ndata: {"a":1}\n\n' +
      "data: two\ndata: lines\n\n" +
      ":quiet\n\n" +
      "id: 0\ndata: 1\n\nid: 1\ndata: 2\n\n",
  );
  expect(running.logger.messages("error")).toEqual([]);
});

test("a question is posted and answered as a stream", async () => {
  await using running = await startSse(async (scope, receive, send) => {
    const sse = new PagiSse(scope, receive, send);
    const { words } = await sse.request.json<{ words: string[] }>();
    await sse.each(words, (word) => ({ data: word.toUpperCase(), event: "token" }));
  });
  const body = JSON.stringify({ words: ["a", "b"], padding: "x".repeat(200_000) });
  const answer = await fetch(running.url, { method: "POST", headers: EVENT_STREAM, body });
  expect(await answer.text()).toBe("event: token\ndata: A\n\nevent: token\ndata: B\n\n");
});

test("a keepalive comes by itself", async () => {
  await using running = await startSse(async (scope, receive, send) => {
    const sse = new PagiSse(scope, receive, send);
    await sse.keepalive(0.01, "still here");
    await sse.run();
  });
  await using wire = await openStream(running);
  await wire.readTo(":still here\n\n");
});

test("every() ends when the client goes, and the rest of the handler runs", async () => {
  const heard = new Journal<unknown>();
  await using running = await startSse(async (scope, receive, send) => {
    const sse = new PagiSse(scope, receive, send).onClose((reason) => heard.add(reason));
    await sse.every(0.001, () => sse.sendJson({ time: 1 }));
    heard.add(sse.signal.aborted);
  });
  const wire = await openStream(running);
  await wire.readTo("data:");
  await wire[Symbol.asyncDispose]();
  expect(await heard.first(2)).toEqual(["client_closed", true]);
});

test("the client is noticed to go behind a body that nobody reads", async () => {
  const heard = new Journal<unknown>();
  await using running = await startSse(async (scope, receive, send) => {
    const sse = new PagiSse(scope, receive, send);
    await sse.run();
    heard.add(sse.disconnectReason());
  });
  const body = "x".repeat(300_000);
  const wire = await openStream(running, {
    method: "POST",
    fields: [`Content-Length: ${body.length}`],
    body,
  });
  wire.reset();
  expect(await heard.first(1)).toEqual(["read_error"]);
});

test("an error cuts the stream, so that no client takes it for whole", async () => {
  await using running = await startSse(async (scope, receive, send) => {
    const sse = new PagiSse(scope, receive, send);
    await sse.each([1, 2], (data) => {
      if (data === 2) throw new Error("bug in the map");
      return { data };
    });
  });
  await using wire = await openWire(running);
  const received = await wire.readToEnd();
  expect(received).toContain("data: 1");
  expect(received).not.toEndWith("0\r\n\r\n");
  await eventually("it is logged", () =>
    running.logger.lines.some(({ error }) => String(error).includes("bug in the map")),
  );
});

test("a stream is declined with a response of any form", async () => {
  await using running = await startSse(async (scope, receive, send) => {
    const sse = new PagiSse(scope, receive, send);
    if (sse.path === "/gone") await sse.decline(PagiResponse.empty());
    else await sse.decline({ status: 401, body: "who?" });
  });
  const get = async (path: string) => {
    const answer = await fetch(new URL(path, running.url), { headers: EVENT_STREAM });
    return [answer.status, await answer.text()];
  };
  expect(await get("/gone")).toEqual([204, ""]);
  expect(await get("/other")).toEqual([401, "who?"]);
  expect(running.logger.messages("error")).toEqual([]);
});

test("a client that does not read: send waits, isWritable is false, and onDrain runs", async () => {
  const state = { sent: 0, drains: 0, isStuck: false };
  const over = new Journal<string>();
  await using running = await startSse(async (scope, receive, send) => {
    const sse = new PagiSse(scope, receive, send);
    sse.onHighWater(() => (state.isStuck = !sse.isWritable())).onDrain(() => void state.drains++);
    await sse.start();
    const data = "x".repeat(20_000);
    while (sse.isConnected()) {
      await sse.send(data);
      state.sent++;
    }
    over.add("over");
  });
  const wire = await openStream(running);
  wire.pause();
  await eventually("the server is stuck", () => state.isStuck);
  wire.resume();
  await eventually("it goes on", () => state.drains > 0);
  wire.reset();
  expect(await over.first(1)).toEqual(["over"]);
  await wire[Symbol.asyncDispose]();
});

test("a server that stops ends the loops, and the last words arrive", async () => {
  await using running = await startSse(async (scope, receive, send) => {
    const sse = new PagiSse(scope, receive, send);
    await sse.send("first");
    await sse.run();
    if (sse.disconnectReason() === "server_shutdown") await sse.sendEvent({ event: "bye", data: "" });
  });
  const answer = await fetch(running.url, { headers: EVENT_STREAM });
  const stopped = running.server.stop();
  expect(await answer.text()).toBe("data: first\n\nevent: bye\ndata: \n\n");
  await stopped;
});

test("Last-Event-ID says what was missed", async () => {
  await using running = await startSse(async (scope, receive, send) => {
    const sse = new PagiSse(scope, receive, send);
    const from = Number(sse.lastEventId ?? 0);
    await sse.each(
      [1, 2, 3].filter((id) => id > from),
      (id) => ({ id, data: id }),
    );
  });
  const answer = await fetch(running.url, { headers: { ...EVENT_STREAM, "last-event-id": "2" } });
  expect(await answer.text()).toBe("id: 3\ndata: 3\n\n");
});
