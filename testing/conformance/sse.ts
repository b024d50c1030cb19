import { careless, equal, holds, outcome, readText, rejection, valuesOf } from "./conformance-case.ts";
import type { ConformanceCase, ConformanceRequest } from "./conformance-case.ts";
import { dispatch } from "../../src/spec/application.ts";
import type { SendEvent, SseReceiveEvent } from "../../src/spec/events.ts";

const SEND = "Www, Send SSE";
const DECLINE = "Www, Decline SSE";
const STREAM: ConformanceRequest = { target: "/", headers: [["accept", "text/event-stream"]] };

/** A case whose application starts a stream, sends these events and ends it. */
function streams(
  name: string,
  source: string,
  events: readonly SendEvent[],
  expected: string,
): ConformanceCase {
  return {
    name,
    source,
    app: () =>
      careless("sse", async (_receive, send) => {
        await send({ type: "sse.start" });
        for (const event of events) await send(event);
      }),
    async check(client) {
      equal((await client.request(STREAM)).body, expected, "the stream");
    },
  };
}

/** A case whose application does something wrong after these events. */
function refuses(
  name: string,
  source: string,
  before: readonly SendEvent[],
  wrong: SendEvent,
  code: "ERR_PAGI_EVENT" | "ERR_PAGI_STATE",
): ConformanceCase {
  return {
    name,
    source,
    app: (notes) =>
      careless("sse", async (_receive, send) => {
        for (const event of before) await send(event);
        notes.tell("outcome", await outcome(send(wrong)));
        const isDeclined = before.some(({ type }) => type === "sse.http.response.start");
        if (before.length === 0) await send({ type: "sse.start" });
        else if (isDeclined) await send({ type: "sse.http.response.body" });
      }),
    async check(client, notes) {
      await client.request(STREAM);
      equal(await notes.heard("outcome"), code, "what send did");
    },
  };
}

async function untilDisconnect(receive: () => Promise<SseReceiveEvent>): Promise<SseReceiveEvent> {
  let event = await receive();
  while (event.type !== "sse.disconnect") event = await receive();
  return event;
}

/** Event streams. */
export const SSE_CASES: readonly ConformanceCase[] = [
  {
    name: "a request that accepts text/event-stream is an sse scope, whatever its method",
    source: "Www, SSE Connection Detection",
    app: (notes) =>
      dispatch({
        async sse(scope, receive, send) {
          const event = await receive();
          const body = event.type === "sse.request" ? Buffer.from(event.body).toString() : "";
          notes.tell("seen", [scope.type, scope.method, scope.scheme, body]);
          await send({ type: "sse.start" });
        },
      }),
    async check(client, notes) {
      await client.request({ ...STREAM, method: "POST", body: "hello" });
      equal(await notes.heard("seen"), ["sse", "POST", "http", "hello"], "scope and body");
    },
  },
  {
    name: "a stream has its type and is not cached, and the application's fields stay",
    source: "Www, Start SSE",
    app: () =>
      dispatch({
        sse: async (_scope, _receive, send) => send({ type: "sse.start", headers: [["x-a", "b"]] }),
      }),
    async check(client) {
      const { status, headers } = await client.request(STREAM);
      equal(status, 200, "status");
      holds(valuesOf(headers, "content-type")[0]?.startsWith("text/event-stream") === true, "content-type");
      equal(valuesOf(headers, "cache-control"), ["no-cache"], "cache-control");
      equal(valuesOf(headers, "x-a"), ["b"], "x-a");
      equal(valuesOf(headers, "content-length"), [], "content-length");
    },
  },
  streams("an event is its data and an empty line", SEND, [{ type: "sse.send", data: "a" }], "data: a\n\n"),
  streams(
    "each line of the data is a line of its own",
    SEND,
    [{ type: "sse.send", data: "a\nb\r\nc" }],
    "data: a\ndata: b\ndata: c\n\n",
  ),
  streams(
    "an event has its name, id and retry",
    SEND,
    [{ type: "sse.send", data: "a", event: "tick", id: "7", retry: 500 }],
    "event: tick\nid: 7\nretry: 500\ndata: a\n\n",
  ),
  streams(
    "comments begin with a colon",
    "Www, SSE Comment",
    [{ type: "sse.comment", comment: "hi" }],
    ":hi\n\n",
  ),
  streams(
    "a comment cannot forge an event",
    "Www, SSE Comment",
    [{ type: "sse.comment", comment: "hi\ndata: forged" }],
    ":hi\n:data: forged\n\n",
  ),
  streams(
    "the application closes the stream; to close it again does nothing",
    "Www, Close SSE",
    [{ type: "sse.send", data: "a" }, { type: "sse.close" }, { type: "sse.close" }],
    "data: a\n\n",
  ),
  refuses(
    "a line feed in the name is refused",
    SEND,
    [{ type: "sse.start" }],
    { type: "sse.send", data: "a", event: "b\nc" },
    "ERR_PAGI_EVENT",
  ),
  refuses(
    "a line feed in the id is refused",
    SEND,
    [{ type: "sse.start" }],
    { type: "sse.send", data: "a", id: "b\nc" },
    "ERR_PAGI_EVENT",
  ),
  refuses(
    "an event before the start is refused",
    SEND,
    [],
    { type: "sse.send", data: "a" },
    "ERR_PAGI_STATE",
  ),
  refuses(
    "a second start is refused",
    "Www, Start SSE",
    [{ type: "sse.start" }],
    { type: "sse.start" },
    "ERR_PAGI_STATE",
  ),
  refuses(
    "a response after the start is refused",
    DECLINE,
    [{ type: "sse.start" }],
    { type: "sse.http.response.start", status: 404 },
    "ERR_PAGI_STATE",
  ),
  refuses(
    "an event after declining is refused",
    DECLINE,
    [{ type: "sse.http.response.start", status: 404 }],
    { type: "sse.send", data: "a" },
    "ERR_PAGI_STATE",
  ),
  {
    name: "a stream can be declined with a response",
    source: DECLINE,
    app: () =>
      dispatch({
        async sse(_scope, _receive, send) {
          await send({
            type: "sse.http.response.start",
            status: 404,
            headers: [["content-type", "text/plain"]],
          });
          await send({ type: "sse.http.response.body", body: "no ", more: true });
          await send({ type: "sse.http.response.body", body: "stream" });
        },
      }),
    async check(client) {
      const { status, headers, body } = await client.request(STREAM);
      equal(
        [status, body, ...valuesOf(headers, "content-type")],
        [404, "no stream", "text/plain"],
        "response",
      );
    },
  },
  {
    name: "the head arrives before the first event, and events as they are sent",
    source: "Www, Start SSE",
    app: (notes) =>
      dispatch({
        async sse(_scope, _receive, send) {
          await send({ type: "sse.start" });
          await notes.heard("go on");
          await send({ type: "sse.send", data: "a" });
          await notes.heard("go on");
          await send({ type: "sse.send", data: "b" });
        },
      }),
    async check(client, notes) {
      const stream = client.stream(STREAM);
      equal((await stream.head()).status, 200, "status");
      notes.tell("go on");
      equal(await readText(stream, (text) => text.endsWith("\n\n")), "data: a\n\n", "the first event");
      notes.tell("go on");
      equal(await readText(stream), "data: b\n\n", "the rest");
    },
  },
  {
    name: "a client that goes away is a disconnect with a reason, and send does nothing from then on",
    source: "Www, SSE Disconnect",
    app: (notes) =>
      dispatch({
        async sse(_scope, receive, send) {
          await send({ type: "sse.start" });
          notes.tell("begun");
          notes.tell("event", await untilDisconnect(receive));
          notes.tell("outcome", await outcome(send({ type: "sse.send", data: "a" })));
        },
      }),
    async check(client, notes) {
      const stream = client.stream(STREAM);
      await stream.head();
      await notes.heard("begun");
      stream.drop();
      equal(await notes.heard("event"), { type: "sse.disconnect", reason: "client_closed" }, "the event");
      equal(await notes.heard("outcome"), "resolved", "what send did");
    },
  },
  {
    name: "the reason with which the application closes is what it is told",
    source: "Www, Close SSE",
    app: (notes) =>
      dispatch({
        async sse(_scope, receive, send) {
          await send({ type: "sse.start" });
          await send({ type: "sse.close", reason: "x-enough" });
          notes.tell("event", await untilDisconnect(receive));
        },
      }),
    async check(client, notes) {
      await client.request(STREAM);
      equal(await notes.heard("event"), { type: "sse.disconnect", reason: "x-enough" }, "the event");
    },
  },
  {
    name: "keepalive sends comments in its interval",
    source: "Www, SSE Keepalive",
    app: () =>
      dispatch({
        async sse(_scope, receive, send) {
          await send({ type: "sse.start" });
          await send({ type: "sse.keepalive", interval: 0.01, comment: "alive" });
          await untilDisconnect(receive);
        },
      }),
    async check(client) {
      const stream = client.stream(STREAM);
      const two = ":alive\n\n:alive\n\n";
      const text = await readText(stream, (all) => all.length >= two.length);
      holds(text.startsWith(two), `two comments have come: ${JSON.stringify(text)}`);
      stream.drop();
    },
  },
  {
    name: "an error in the middle cuts the stream",
    source: "Spec, Error Handling",
    app: () =>
      dispatch({
        async sse(_scope, _receive, send) {
          await send({ type: "sse.start" });
          await send({ type: "sse.send", data: "a" });
          throw new Error("in the middle");
        },
      }),
    async check(client) {
      await rejection(client.request(STREAM), "the client's request");
    },
  },
  {
    name: "a server that stops tells its streams, and sends their last words",
    source: "Www, Standard Disconnect Reasons",
    app: (notes) =>
      dispatch({
        async sse(_scope, receive, send) {
          await send({ type: "sse.start" });
          notes.tell("begun");
          notes.tell("event", await untilDisconnect(receive));
          await send({ type: "sse.send", data: "good bye" });
        },
      }),
    async check(client, notes) {
      const stream = client.stream(STREAM);
      await stream.head();
      await notes.heard("begun");
      const stopped = client.stop();
      equal(await notes.heard("event"), { type: "sse.disconnect", reason: "server_shutdown" }, "the event");
      equal(await readText(stream), "data: good bye\n\n", "the last words");
      await stopped;
    },
  },
];
