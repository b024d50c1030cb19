import { expect, test } from "bun:test";

import type { SendEvent, SseHandler, SseSendEvent } from "../../src/spec/index.ts";
import { dispatch } from "../../src/spec/index.ts";
import { startServer, startSse, text } from "../support/server.ts";
import { Journal, failureOf, openStream, openWire, streamRequest } from "../support/sse.ts";
import { Wire, eventually, field, get, request } from "../support/wire.ts";

// PAGI Www, "Server-Sent Events": the ends that an application gives its stream: sse.close, return, decline, failure.

/** Every event that a stream can send. */
const STREAM_EVENTS: SseSendEvent[] = [
  { type: "sse.send", data: "late" },
  { type: "sse.comment", comment: "late" },
  { type: "sse.keepalive", interval: 1 },
];
const DECLINE_EVENTS: SseSendEvent[] = [
  { type: "sse.http.response.start", status: 404 },
  { type: "sse.http.response.body", body: "late" },
];

// ── sse.close ───────────────────────────────────────────────────────────────────────────────────────────────────────

test("sse.close ends the stream before the application returns", async () => {
  const go = Promise.withResolvers<void>();
  const returned = new Journal<string>();
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "last" });
    await send({ type: "sse.close" });
    await go.promise;
    returned.add("returned");
  });
  await using wire = await openStream(server);
  const stream = await wire.readTo("0\r\n\r\n");
  expect(stream).toContain("data: last\n\n");
  expect(stream).toEndWith("0\r\n\r\n");
  expect(returned.entries).toEqual([]);
  expect(wire.error).toBeUndefined();
  go.resolve();
  await returned.first(1);
});

test("the reason of sse.close reaches receive, and never the client", async () => {
  const events = new Journal<unknown>();
  await using server = await startSse(async (_scope, receive, send) => {
    await receive();
    await send({ type: "sse.start" });
    const waiting = receive();
    await send({ type: "sse.close", reason: "job_complete" });
    events.add(await waiting);
    events.add(await receive());
  });
  await using wire = await openWire(server);
  expect(await wire.readTo("0\r\n\r\n")).not.toContain("job_complete");
  const closed = { type: "sse.disconnect", reason: "job_complete" };
  expect(await events.first(2)).toEqual([closed, closed]);
});

test("without a reason sse.disconnect still has one, and no standard one", async () => {
  const events = new Journal<unknown>();
  await using server = await startSse(async (_scope, receive, send) => {
    await receive();
    await send({ type: "sse.start" });
    await send({ type: "sse.close" });
    events.add(await receive());
  });
  await using wire = await openStream(server);
  await wire.readTo("0\r\n\r\n");
  expect(await events.first(1)).toEqual([{ type: "sse.disconnect", reason: "x-closed" }]);
});

test("after sse.close every other event is refused; a second sse.close is ignored", async () => {
  const failures = new Journal<unknown>();
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.close", reason: "first" });
    for (const event of [...STREAM_EVENTS, ...DECLINE_EVENTS]) failures.add(await failureOf(send(event)));
    failures.add(await failureOf(send({ type: "sse.start" })));
    failures.add(await failureOf(send({ type: "sse.close", reason: "second" })));
  });
  await using wire = await openStream(server);
  expect(await wire.readTo("0\r\n\r\n")).toBe("0\r\n\r\n");
  const found = await failures.first(7);
  for (const failure of found.slice(0, 6)) {
    expect(failure).toMatchObject({ code: "ERR_PAGI_STATE", state: "closed" });
  }
  expect(found[6]).toBeUndefined();
});

test("also once the connection is gone, for that was the application's own doing", async () => {
  const gone = Promise.withResolvers<void>();
  const failures = new Journal<unknown>();
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.close" });
    await gone.promise;
    failures.add(await failureOf(send({ type: "sse.send", data: "late" })));
  });
  await using wire = await openStream(server);
  await wire.readTo("0\r\n\r\n");
  gone.resolve();
  expect(await failures.first(1)).toMatchObject([{ code: "ERR_PAGI_STATE", state: "closed" }]);
});

// ── return ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test("return and sse.close are the same on the wire", async () => {
  const withClose: SseHandler = async (_scope, _receive, send) => {
    await send({ type: "sse.start", headers: [["date", "x"]] });
    await send({ type: "sse.send", data: "a" });
    await send({ type: "sse.close", reason: "done" });
  };
  const withReturn: SseHandler = async (_scope, _receive, send) => {
    await send({ type: "sse.start", headers: [["date", "x"]] });
    await send({ type: "sse.send", data: "a" });
  };
  for (const version of ["1.1", "1.0"] as const) {
    const streams: string[] = [];
    for (const handler of [withClose, withReturn]) {
      await using server = await startSse(handler);
      await using wire = await openWire(server, { version });
      streams.push(await (version === "1.1" ? wire.readTo("0\r\n\r\n") : wire.readToEnd()));
      expect(wire.error).toBeUndefined();
      expect(server.logger.messages("error")).toEqual([]);
    }
    expect(streams[0]).toEndWith(version === "1.1" ? "data: a\n\n\r\n0\r\n\r\n" : "\r\n\r\ndata: a\n\n");
    expect(streams[1]).toBe(streams[0] ?? "");
  }
});

test("what was sent before the end is delivered to a client that is slow to read it", async () => {
  const data = "x".repeat(64 * 1024);
  let sent = 0;
  const all = 150;
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    for (; sent < all; sent++) await send({ type: "sse.send", data });
  });
  await using wire = await openStream(server);
  wire.pause();
  await settled(() => sent);
  wire.resume();
  const stream = await wire.readTo("0\r\n\r\n");
  expect(stream.split("data: ")).toHaveLength(all + 1);
  expect(stream).toEndWith("0\r\n\r\n");
});

test("the connection stays, as the head has said: requests that follow on it are served", async () => {
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "a" });
  });
  await using wire = await Wire.open(server);
  await wire.send(streamRequest() + streamRequest());
  for (let i = 0; i < 3; i++) {
    const response = await wire.response();
    expect(response.body).toBe("data: a\n\n");
    expect(field(response, "connection")).toBe("keep-alive");
    if (i === 1) await wire.send(streamRequest());
  }
});

test("at a reload, the connection of a stream serves one more request after it, and announces its end", async () => {
  await using server = await startServer(
    dispatch({
      http: text("hi"),
      async sse(_scope, receive, send) {
        await receive();
        await send({ type: "sse.start" });
        await receive();
        await send({ type: "sse.send", data: "bye" });
      },
    }),
  );
  await using wire = await openStream(server);
  const stopped = server.server.stop({ isFollowed: true });
  expect(await wire.readTo("0\r\n\r\n")).toContain("data: bye\n\n");
  await wire.send(get("/"));
  const response = await wire.response();
  expect([response.body, field(response, "connection")]).toEqual(["hi", "close"]);
  expect(await wire.readToEnd()).toBe("");
  expect(await stopped).toBe(true);
});

test("a stream that begins while the server ends says that its connection closes", async () => {
  const go = Promise.withResolvers<void>();
  await using server = await startSse(async (_scope, _receive, send) => {
    await go.promise;
    await send({ type: "sse.start" });
  });
  await using wire = await openWire(server);
  await eventually("it runs", () => server.server.connectionCount === 1);
  await Bun.sleep(10);
  void server.server.stop({ isFollowed: true });
  await Bun.sleep(10);
  go.resolve();
  expect(field(await wire.response(), "connection")).toBe("close");
  expect(await wire.readToEnd()).toBe("");
});

// ── decline ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test("a declined stream is an ordinary response, after which the connection closes", async () => {
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({
      type: "sse.http.response.start",
      status: 404,
      headers: [
        ["content-type", "text/plain"],
        ["content-length", "14"],
      ],
    });
    await send({ type: "sse.http.response.body", body: "No such stream" });
  });
  await using wire = await openWire(server);
  const response = await wire.response();
  expect(response.status).toBe(404);
  expect(response.body).toBe("No such stream");
  expect(field(response, "content-type")).toBe("text/plain");
  expect(field(response, "connection")).toBe("close");
  expect(field(response, "cache-control")).toBeUndefined();
  expect(await wire.readToEnd()).toBe("");
  expect(server.logger.messages("error")).toEqual([]);
});

test("204 tells an EventSource to stay away", async () => {
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.http.response.start", status: 204 });
    await send({ type: "sse.http.response.body" });
  });
  await using wire = await openWire(server);
  const response = await wire.response();
  expect(response.status).toBe(204);
  expect(response.headers.map(([name]) => name).sort()).toEqual(["connection", "date"]);
  expect(await wire.readToEnd()).toBe("");
});

test("the body of a declining response may be streamed", async () => {
  const steps = new Journal<"next">();
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.http.response.start", status: 401, headers: [["www-authenticate", "Bearer"]] });
    await send({ type: "sse.http.response.body", body: "one ", more: true });
    await steps.first(1);
    await send({ type: "sse.http.response.body", body: new TextEncoder().encode("two"), more: true });
    await send({ type: "sse.http.response.body" });
  });
  await using wire = await openWire(server);
  await wire.until((all) => (all.includes("one ") ? true : undefined));
  steps.add("next");
  const response = await wire.response();
  expect(response.status).toBe(401);
  expect(field(response, "transfer-encoding")).toBe("chunked");
  expect(response.body).toBe("one two");
  expect(await wire.readToEnd()).toBe("");
});

test("the first choice wins: after a decline the stream's events are refused", async () => {
  const failures: unknown[] = [];
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.http.response.start", status: 403 });
    for (const event of [...STREAM_EVENTS, { type: "sse.close" } as const, { type: "sse.start" } as const]) {
      failures.push(await failureOf(send(event)));
    }
    await send({ type: "sse.http.response.body", body: "no" });
    failures.push(await failureOf(send({ type: "sse.send", data: "late" })));
    failures.push(await failureOf(send({ type: "sse.http.response.body", body: "late" })));
  });
  const response = await request(server, streamRequest());
  expect(response.status).toBe(403);
  expect(response.body).toBe("no");
  expect(failures).toHaveLength(7);
  for (const failure of failures) expect(failure).toMatchObject({ code: "ERR_PAGI_STATE" });
});

test("the first choice wins: after sse.start a decline is refused", async () => {
  const failures: unknown[] = [];
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    for (const event of DECLINE_EVENTS) failures.push(await failureOf(send(event)));
    await send({ type: "sse.send", data: "on" });
  });
  const response = await request(server, streamRequest());
  expect(response.status).toBe(200);
  expect(response.body).toBe("data: on\n\n");
  for (const failure of failures)
    expect(failure).toMatchObject({ code: "ERR_PAGI_STATE", state: "streaming" });
  expect(failures).toHaveLength(2);
});

test("a decline has no trailers, whatever its start says", async () => {
  const start = { type: "sse.http.response.start", status: 200, trailers: true } as const;
  await using server = await startServer(
    async (scope, _receive, send) => {
      if (scope.type !== "sse") return;
      const untyped: SendEvent = start;
      await send(untyped);
      await send({ type: "sse.http.response.body", body: "whole" });
    },
    { validateEvents: false },
  );
  const response = await request(server, streamRequest());
  expect(response.body).toBe("whole");
  expect(server.logger.messages("error")).toEqual([]);
});

test("a decline whose file cannot be sent may start again; a second start without that is refused", async () => {
  const failures: unknown[] = [];
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.http.response.start", status: 200 });
    failures.push(await failureOf(send({ type: "sse.http.response.start", status: 201 })));
    failures.push(await failureOf(send({ type: "sse.http.response.body", file: "/nowhere/at/all" })));
    failures.push(await failureOf(send({ type: "sse.send", data: "x" })));
    await send({ type: "sse.http.response.start", status: 404 });
    await send({ type: "sse.http.response.body", body: "no" });
  });
  const response = await request(server, streamRequest());
  expect([response.status, response.body]).toEqual([404, "no"]);
  expect(failures).toMatchObject([
    { code: "ERR_PAGI_STATE", state: "started" },
    { code: "ERR_PAGI_EVENT" },
    { code: "ERR_PAGI_STATE", state: "declining" },
  ]);
});

test.each(["GET", "POST"])(
  "after the end of a stream receive gives sse.disconnect only: %s",
  async (method) => {
    const events = new Journal<string>();
    await using server = await startSse(async (_scope, receive, send) => {
      await send({ type: "sse.start" });
      await send({ type: "sse.close" });
      events.add((await receive()).type);
      events.add((await receive()).type);
    });
    const fields = method === "POST" ? ["Content-Length: 2"] : [];
    await using wire = await openWire(server, { method, fields, body: method === "POST" ? "ab" : "" });
    await wire.response();
    expect(await events.first(2)).toEqual(["sse.disconnect", "sse.disconnect"]);
  },
);

test("no sse.disconnect follows a decline", async () => {
  const events: string[] = [];
  const over = Promise.withResolvers<void>();
  await using server = await startSse(async (_scope, receive, send) => {
    events.push((await receive()).type);
    void receive().then((event) => events.push(event.type));
    await send({ type: "sse.http.response.start", status: 404 });
    await send({ type: "sse.http.response.body", body: "no" });
    over.resolve();
  });
  await using wire = await openWire(server);
  await wire.readToEnd();
  await over.promise;
  while (server.server.connectionCount > 0) await Bun.sleep(1);
  expect(events).toEqual(["sse.request"]);
});

// ── failure ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const FAILURES: [about: string, handler: SseHandler, message: RegExp][] = [
  ["returns at once", async () => {}, /^GET \/: the application returned without starting a response/],
  [
    "throws at once",
    async () => {
      throw new Error("secret");
    },
    /^GET \/: the application threw/,
  ],
  [
    "throws before it is a promise",
    () => {
      throw new Error("secret");
    },
    /^GET \/: the application threw/,
  ],
  [
    "throws after reading the request",
    async (_scope, receive) => {
      await receive();
      throw new Error("secret");
    },
    /^GET \/: the application threw/,
  ],
  [
    "throws between a decline's head and its body",
    async (_scope, _receive, send) => {
      await send({ type: "sse.http.response.start", status: 403, headers: [["x-secret", "1"]] });
      throw new Error("secret");
    },
    /^GET \/: the application threw/,
  ],
];

test.each(FAILURES)("an application that %s is answered for with a bare 500", async (_, handler, message) => {
  await using server = await startSse(handler);
  await using wire = await openWire(server);
  const response = await wire.response();
  expect(response.status).toBe(500);
  expect(field(response, "content-type")).toBe("text/plain; charset=utf-8");
  expect(field(response, "connection")).toBe("close");
  expect(response.head + response.body).not.toContain("secret");
  expect(await wire.readToEnd()).toBe("");
  const errors = server.logger.messages("error");
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(message);
});

test("a throw within the stream truncates it: the client sees that the end is missing", async () => {
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "a" });
    throw new Error("broken");
  });
  await using wire = await openStream(server);
  const stream = await wire.readToEnd();
  expect(stream).toEndWith("data: a\n\n\r\n");
  expect(server.logger.messages("error")).toEqual(["GET /: the application threw"]);
});

test("over HTTP/1.0 only a reset can show the truncation", async () => {
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "a" });
    throw new Error("broken");
  });
  await using wire = await openStream(server, { version: "1.0" });
  await wire.readToEnd();
  expect(wire.error).toMatchObject({ code: "ECONNRESET" });
});

test("a throw after sse.close is logged and hurts nobody", async () => {
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.close" });
    throw new Error("late");
  });
  await using wire = await openStream(server);
  expect(await wire.readTo("0\r\n\r\n")).toBe("0\r\n\r\n");
  await server.logger.seen(/^GET \/: the application threw after the end of the request$/);
});

test("a throw after the stream has begun to close leaves the rest of it to a slow client", async () => {
  const data = "x".repeat(64 * 1024);
  const closed = Promise.withResolvers<void>();
  let sent = 0;
  await using server = await startSse(async (scope, _receive, send) => {
    const transport = scope["pagi.transport"];
    await send({ type: "sse.start" });
    while (transport.bufferedAmount() === 0) {
      void send({ type: "sse.send", data });
      sent++;
      await Bun.sleep(0);
    }
    void send({ type: "sse.close" });
    closed.resolve();
    throw new Error("late");
  });
  await using wire = await openStream(server);
  wire.pause();
  await closed.promise;
  wire.resume();
  const stream = await wire.readTo("\r\n0\r\n\r\n");
  expect(stream.split("data: ")).toHaveLength(sent + 1);
  expect(stream).toEndWith("0\r\n\r\n");
});

/** Waits until a number has stopped growing. */
async function settled(value: () => number): Promise<void> {
  for (let last = -1; last !== value();) {
    last = value();
    await Bun.sleep(50);
  }
}
