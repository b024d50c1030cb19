import { expect, test } from "bun:test";

import { dispatch } from "../../src/spec/index.ts";
import type { SseHandler, SseScope } from "../../src/spec/index.ts";
import { startServer, startSse } from "../support/server.ts";
import { Journal, openStream, openWire, streamRequest } from "../support/sse.ts";
import { field, request } from "../support/wire.ts";

// PAGI Www, "SSE Connection Detection", "SSE Connection Scope" and "Request Body" of "Server-Sent Events".

/** Answers with the type of the scope, whichever it is. */
const nameScope = dispatch({
  http: async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "http" });
  },
  sse: async (_scope, _receive, send) => {
    await send({ type: "sse.http.response.start", status: 200 });
    await send({ type: "sse.http.response.body", body: "sse" });
  },
});

const DETECTION: [about: string, head: string, scope: "http" | "sse"][] = [
  ["the media type", "GET / HTTP/1.1\r\nAccept: text/event-stream", "sse"],
  ["in a list", "GET / HTTP/1.1\r\nAccept: text/html, text/event-stream;q=0.5", "sse"],
  ["in another case", "GET / HTTP/1.1\r\naCCEPT: Text/EVENT-Stream", "sse"],
  ["with parameters", "GET / HTTP/1.1\r\nAccept: text/event-stream; charset=utf-8", "sse"],
  ["in the second field", "GET / HTTP/1.1\r\nAccept: text/html\r\nAccept: text/event-stream", "sse"],
  ["over HTTP/1.0", "GET / HTTP/1.0\r\nAccept: text/event-stream", "sse"],
  ["POST", "POST / HTTP/1.1\r\nAccept: text/event-stream\r\nContent-Length: 0", "sse"],
  ["PUT", "PUT / HTTP/1.1\r\nAccept: text/event-stream\r\nContent-Length: 0", "sse"],
  ["DELETE", "DELETE / HTTP/1.1\r\nAccept: text/event-stream", "sse"],
  ["a method of its own", "SUBSCRIBE / HTTP/1.1\r\nAccept: text/event-stream", "sse"],
  ["no Accept", "GET / HTTP/1.1", "http"],
  ["a wildcard", "GET / HTTP/1.1\r\nAccept: */*", "http"],
  ["a wildcard subtype", "GET / HTTP/1.1\r\nAccept: text/*", "http"],
  ["weight 0", "GET / HTTP/1.1\r\nAccept: text/html, text/event-stream;q=0", "http"],
  ["the path decides nothing", "GET /events/text/event-stream HTTP/1.1\r\nAccept: text/html", "http"],
];

test.each(DETECTION)("detection: %s", async (_, head, scope) => {
  await using server = await startServer(nameScope);
  const response = await request(server, `${head}\r\nHost: example.org\r\n\r\n`);
  expect(response.status).toBe(200);
  expect(response.body).toBe(scope);
});

test("the scope has the keys of an http scope, without pagi.connection", async () => {
  const scopes = new Journal<SseScope>();
  await using server = await startServer(
    dispatch({
      lifespan: async (scope, receive, send) => {
        await receive();
        scope.state["shared"] = { count: 1 };
        await send({ type: "lifespan.startup.complete" });
        await receive();
      },
      sse: async (scope, _receive, send) => {
        scopes.add(scope);
        await send({ type: "sse.start" });
      },
    }),
    { rootPath: "/mounted", writeHighWatermark: 5000, writeLowWatermark: 1000 },
  );
  const target = "/a%20b/%C3%A9?q=%20&x";
  const fields = ["X-One: 1", "Cookie: a=1", "x-ONE: 2", "Cookie: b=2"];
  await using wire = await openWire(server, { target, fields });
  await wire.readTo("0\r\n\r\n");
  const [scope] = await scopes.first(1);
  expect(scope).toMatchObject({
    type: "sse",
    pagi: { version: "0.3", spec_version: "0.3" },
    http_version: "1.1",
    method: "GET",
    scheme: "http",
    path: "/a b/é",
    raw_path: "/a%20b/%C3%A9",
    query_string: "q=%20&x",
    root_path: "/mounted",
    server: [server.host, server.port],
    state: { shared: { count: 1 } },
    extensions: { fullflush: {} },
  });
  expect(scope?.headers).toEqual([
    ["host", "example.org"],
    ["accept", "text/event-stream"],
    ["x-one", "1"],
    ["cookie", "a=1; b=2"],
    ["x-one", "2"],
  ]);
  expect(scope?.client?.[0]).toBe("127.0.0.1");
  expect(scope).not.toHaveProperty("pagi.connection");
  const transport = scope?.["pagi.transport"];
  expect(transport?.bufferedAmount()).toBe(0);
  expect(transport?.highWaterMark()).toBe(5000);
  expect(transport?.lowWaterMark()).toBe(1000);
});

test("a stream that starts before a large request body has been read announces that its connection closes", async () => {
  for (const [fields, connection] of [
    [["Content-Length: 100000"], "close"],
    [["Transfer-Encoding: chunked"], "close"],
    [["Content-Length: 10"], "keep-alive"],
  ] as const) {
    await using server = await startSse(async (_scope, _receive, send) => {
      await send({ type: "sse.start" });
    });
    await using wire = await openWire(server, { method: "POST", fields });
    expect(field(await wire.response(), "connection")).toBe(connection);
    if (connection === "close") expect(await wire.readToEnd()).toBe("");
  }
});

test("state is a copy for each request, and what it holds is shared", async () => {
  const shared = { visits: 0 };
  await using server = await startServer(
    dispatch({
      lifespan: async (scope, receive, send) => {
        await receive();
        scope.state["shared"] = shared;
        await send({ type: "lifespan.startup.complete" });
        await receive();
      },
      sse: async (scope, _receive, send) => {
        shared.visits++;
        const before = Object.keys(scope.state).join();
        scope.state["mine"] = true;
        await send({ type: "sse.start" });
        await send({ type: "sse.send", data: before });
      },
    }),
  );
  for (let visit = 1; visit <= 2; visit++) {
    await using wire = await openStream(server);
    expect(await wire.readTo("0\r\n\r\n")).toContain("data: shared\n\n");
    expect(shared.visits).toBe(visit);
  }
});

/** Sends back each sse.request as an event. */
const echoBody: SseHandler = async (_scope, receive, send) => {
  await send({ type: "sse.start" });
  for (let more = true; more;) {
    const event = await receive();
    if (event.type !== "sse.request") throw new Error(`unexpected ${event.type}`);
    more = event.more;
    expect(event.body).toBeInstanceOf(Uint8Array);
    await send({ type: "sse.send", data: JSON.stringify([Buffer.from(event.body).toString(), more]) });
  }
};

/** The bodies that {@link echoBody} saw, put together, and the flag of the last one. */
function echoed(stream: string): { body: string; more: boolean } {
  const events = [...stream.matchAll(/^data: (.*)$/gm)].map(([, text]) => JSON.parse(text ?? "") as unknown);
  let body = "";
  let more = true;
  for (const event of events) {
    expect(more).toBe(true);
    if (!Array.isArray(event)) throw new Error("no event of echoBody");
    body += String(event[0]);
    more = event[1] === true;
  }
  return { body, more };
}

const BODIES: [about: string, request: string, body: string][] = [
  ["GET has one empty sse.request", streamRequest(), ""],
  ["POST without a body too", streamRequest({ method: "POST" }), ""],
  ["POST with Content-Length 0", streamRequest({ method: "POST", fields: ["Content-Length: 0"] }), ""],
  [
    "POST with Content-Length",
    streamRequest({ method: "POST", fields: ["Content-Length: 9"], body: '{"q":"e"}' }),
    '{"q":"e"}',
  ],
  ["GET with a body", streamRequest({ fields: ["Content-Length: 5"], body: "hello" }), "hello"],
  [
    "chunked, de-chunked",
    streamRequest({
      method: "PUT",
      fields: ["Transfer-Encoding: chunked"],
      body: "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n",
    }),
    "abcde",
  ],
];

test.each(BODIES)("the request body: %s", async (_, bytes, body) => {
  await using server = await startSse(echoBody);
  const response = await request(server, bytes);
  expect(response.status).toBe(200);
  expect(echoed(response.body)).toEqual({ body, more: false });
  expect(server.logger.messages("error")).toEqual([]);
});

test("the request body arrives in pieces while the stream runs", async () => {
  await using server = await startSse(echoBody);
  await using wire = await openStream(server, { method: "POST", fields: ["Content-Length: 6"] });
  await wire.send("abc");
  await wire.readTo('data: ["abc",true]\n\n');
  await wire.send("def");
  await wire.readTo('data: ["def",false]\n\n');
  await wire.readTo("0\r\n\r\n");
});

test("100 Continue comes before the stream's head when the application asks for the body first", async () => {
  await using server = await startSse(async (_scope, receive, send) => {
    const event = await receive();
    await send({ type: "sse.start" });
    const body = event.type === "sse.request" ? event.body : new Uint8Array();
    await send({ type: "sse.send", data: Buffer.from(body).toString() });
  });
  const fields = ["Content-Length: 2", "Expect: 100-continue"];
  await using wire = await openWire(server, { method: "POST", fields });
  expect(await wire.readTo("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  await wire.send("ok");
  expect(await wire.readTo("0\r\n\r\n")).toContain("data: ok\n\n");
});

test("after the body, receive waits for the disconnect", async () => {
  const events = new Journal<string>();
  await using server = await startSse(async (_scope, receive, send) => {
    events.add((await receive()).type);
    await send({ type: "sse.start" });
    for (let i = 0; i < 2; i++) events.add((await receive()).type);
  });
  await using wire = await openStream(server);
  expect(events.entries).toEqual(["sse.request"]);
  wire.halfClose();
  expect(await events.first(3)).toEqual(["sse.request", "sse.disconnect", "sse.disconnect"]);
});
