import { expect, test } from "bun:test";

import { dispatch } from "../../src/spec/index.ts";
import type { SseReceiveEvent } from "../../src/spec/index.ts";
import { startServer, startSse } from "../support/server.ts";
import { Journal } from "../support/sse.ts";

// Event streams as real clients see them: fetch and curl. (Bun has no EventSource.)

/** Reads a text stream up to a text. */
function reader(stream: ReadableStream<Uint8Array>) {
  const source = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  return {
    async readTo(end: string): Promise<string> {
      while (!text.includes(end)) {
        const { value, done } = await source.read();
        if (done) throw new Error(`the stream ended after ${JSON.stringify(text)}`);
        text += decoder.decode(value, { stream: true });
      }
      const at = text.indexOf(end) + end.length;
      const taken = text.slice(0, at);
      text = text.slice(at);
      return taken;
    },
    async rest(): Promise<string> {
      for (let next = await source.read(); !next.done; next = await source.read()) {
        text += decoder.decode(next.value, { stream: true });
      }
      return text;
    },
  };
}

const EVENT_STREAM = { accept: "text/event-stream" };

test("fetch gets the head at once, each event when it is sent, and the end", async () => {
  const steps = new Journal<"next">();
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    for (let i = 1; i <= 3; i++) {
      await steps.first(i);
      await send({ type: "sse.send", event: "tick", data: `${i} é` });
    }
  });
  const response = await fetch(server.url, { headers: EVENT_STREAM });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const stream = reader(response.body ?? new ReadableStream());
  for (let i = 1; i <= 3; i++) {
    steps.add("next");
    expect(await stream.readTo("\n\n")).toBe(`event: tick\ndata: ${i} é\n\n`);
  }
  expect(await stream.rest()).toBe("");
});

test("fetch posts its question and reads the answer as a stream", async () => {
  await using server = await startSse(async (_scope, receive, send) => {
    let question = "";
    for (let more = true; more;) {
      const event = await receive();
      if (event.type !== "sse.request") return;
      question += Buffer.from(event.body).toString();
      more = event.more;
    }
    await send({ type: "sse.start" });
    for (const word of question.split(" ")) await send({ type: "sse.send", data: word });
  });
  const response = await fetch(server.url, { method: "POST", headers: EVENT_STREAM, body: "why not so" });
  expect(await response.text()).toBe("data: why\n\ndata: not\n\ndata: so\n\n");
});

test("fetch that is aborted: the application is told", async () => {
  const events = new Journal<SseReceiveEvent>();
  await using server = await startSse(async (_scope, receive, send) => {
    await receive();
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "a" });
    events.add(await receive());
  });
  const controller = new AbortController();
  const response = await fetch(server.url, { headers: EVENT_STREAM, signal: controller.signal });
  await reader(response.body ?? new ReadableStream()).readTo("data: a\n\n");
  controller.abort();
  const [event] = await events.first(1);
  expect(event?.type).toBe("sse.disconnect");
});

test("fetch that is cut in the stream fails instead of ending", async () => {
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "a" });
    throw new Error("broken");
  });
  const response = await fetch(server.url, { headers: EVENT_STREAM });
  let failure: unknown;
  try {
    await response.text();
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(Error);
});

test("a pool of fetch goes on after a stream, a decline and an ordinary request", async () => {
  await using server = await startServer(
    dispatch({
      http: async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: "page" });
      },
      sse: async (scope, _receive, send) => {
        if (scope.path === "/none") {
          await send({ type: "sse.http.response.start", status: 204 });
          await send({ type: "sse.http.response.body" });
          return;
        }
        await send({ type: "sse.start" });
        await send({ type: "sse.send", data: "event" });
      },
    }),
  );
  for (let i = 0; i < 20; i++) {
    expect(await (await fetch(server.url)).text()).toBe("page");
    expect(await (await fetch(server.url, { headers: EVENT_STREAM })).text()).toBe("data: event\n\n");
    expect((await fetch(`${server.url}none`, { headers: EVENT_STREAM })).status).toBe(204);
  }
});

/** Runs curl without buffering. */
function curl(...words: string[]) {
  return Bun.spawn(["curl", "--silent", "--show-error", "--no-buffer", "--max-time", "10", ...words], {
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
  });
}

test("curl -N gets each event when it is sent, and ends well", async () => {
  const steps = new Journal<"next">();
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "first" });
    await steps.first(1);
    await send({ type: "sse.send", data: "second" });
    await send({ type: "sse.close" });
  });
  await using client = curl("-H", "Accept: text/event-stream", server.url);
  const stream = reader(client.stdout);
  expect(await stream.readTo("\n\n")).toBe("data: first\n\n");
  steps.add("next");
  expect(await stream.rest()).toBe("data: second\n\n");
  expect(await client.exited).toBe(0);
});

test("curl over HTTP/1.0 reads up to the end of the connection", async () => {
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "a" });
  });
  await using client = curl("--http1.0", "-H", "Accept: text/event-stream", server.url);
  expect(await reader(client.stdout).rest()).toBe("data: a\n\n");
  expect(await client.exited).toBe(0);
});

test("curl sees a truncated stream as an error", async () => {
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "a" });
    throw new Error("broken");
  });
  await using client = curl("-H", "Accept: text/event-stream", server.url);
  expect(await reader(client.stdout).rest()).toBe("data: a\n\n");
  expect(await client.exited).toBe(18); // partial file
  // Without chunks only a reset can say so, which may overtake the event.
  await using old = curl("--http1.0", "-H", "Accept: text/event-stream", server.url);
  await reader(old.stdout).rest();
  expect(await old.exited).toBe(56); // failure in receiving
});

test("curl that is killed: client_closed", async () => {
  const events = new Journal<SseReceiveEvent>();
  await using server = await startSse(async (_scope, receive, send) => {
    await receive();
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "a" });
    events.add(await receive());
  });
  await using client = curl("-H", "Accept: text/event-stream", server.url);
  await reader(client.stdout).readTo("data: a\n\n");
  client.kill();
  expect(await events.first(1)).toEqual([{ type: "sse.disconnect", reason: "client_closed" }]);
});
