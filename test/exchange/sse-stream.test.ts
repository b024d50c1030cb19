import { expect, test } from "bun:test";

import type { HeaderPair, SendEvent, SseSendEvent } from "../../src/spec/index.ts";
import type { PartialOptions } from "../../src/options/resolve.ts";
import { startServer, startSse } from "../support/server.ts";
import { Journal, failureOf, openStream, openWire, streamRequest } from "../support/sse.ts";
import type { StreamRequest } from "../support/sse.ts";
import { field, request } from "../support/wire.ts";

// PAGI Www, "Server-Sent Events": sse.start, sse.send, sse.comment, sse.keepalive.

/** Starts a server whose application sends these events and returns. */
const startSending = (events: SseSendEvent[], options?: PartialOptions) =>
  startSse(async (_scope, _receive, send) => {
    for (const event of events) await send(event);
  }, options);

/** What a stream of these events is on the wire, de-chunked. */
async function streamOf(events: SseSendEvent[], wanted?: StreamRequest) {
  await using server = await startSending(events);
  const response = await request(server, streamRequest(wanted));
  expect(server.logger.messages("error")).toEqual([]);
  return response;
}

/**
 * What sending these events, one after the other, is answered with, in an application that then returns; with the
 * checks of `validateEvents` and without.
 */
async function failuresOf(events: SendEvent[], validateEvents: boolean) {
  const failures: unknown[] = [];
  await using server = await startServer(
    async (scope, _receive, send) => {
      if (scope.type !== "sse") return;
      for (const event of events) failures.push(await failureOf(send(event)));
    },
    { validateEvents },
  );
  const response = await request(server, streamRequest());
  return { failures, response };
}

// ── sse.start ───────────────────────────────────────────────────────────────────────────────────────────────────────

test.concurrent(
  "sse.start supplies the headers of an event stream; HTTP/1.1 chunks it and says keep-alive",
  async () => {
    const response = await streamOf([{ type: "sse.start" }]);
    expect(response.status).toBe(200);
    expect(field(response, "content-type")).toBe("text/event-stream");
    expect(field(response, "cache-control")).toBe("no-cache");
    expect(field(response, "date")).toEndWith(" GMT");
    expect(field(response, "connection")).toBe("keep-alive");
    expect(field(response, "transfer-encoding")).toBe("chunked");
    expect(response.headers).toHaveLength(5);
  },
);

test.concurrent("over HTTP/1.0 the stream ends with the connection", async () => {
  const events: SseSendEvent[] = [{ type: "sse.start" }, { type: "sse.send", data: "a" }];
  const response = await streamOf(events, { version: "1.0", fields: ["Connection: keep-alive"] });
  expect(response.status).toBe(200);
  expect(field(response, "content-type")).toBe("text/event-stream");
  expect(field(response, "cache-control")).toBe("no-cache");
  expect(field(response, "date")).toEndWith(" GMT");
  expect(field(response, "connection")).toBe("close");
  expect(field(response, "transfer-encoding")).toBeUndefined();
  expect(response.body).toBe("data: a\n\n");
});

test.concurrent("a client that asked for close is told close", async () => {
  const response = await streamOf([{ type: "sse.start" }], { fields: ["Connection: close"] });
  expect(field(response, "connection")).toBe("close");
});

test.concurrent("given headers are kept, in their order, and nothing is supplied twice", async () => {
  const headers: HeaderPair[] = [
    ["x-first", "1"],
    ["content-type", "text/event-stream; charset=utf-8"],
    ["cache-control", "no-store"],
    ["date", "Thu, 01 Jan 1970 00:00:00 GMT"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ];
  const response = await streamOf([{ type: "sse.start", status: 200, headers }]);
  expect(response.headers.filter(([name]) => name !== "connection" && name !== "transfer-encoding")).toEqual(
    headers,
  );
});

test.concurrent("a supplied header is left out whatever the case of the given one", async () => {
  const start: SendEvent = {
    type: "sse.start",
    headers: [
      ["Content-Type", "text/event-stream; charset=utf-8"],
      ["CACHE-CONTROL", "no-store"],
    ],
  };
  const { failures, response } = await failuresOf([start], false);
  expect(failures).toEqual([undefined]);
  expect(field(response, "content-type")).toBe("text/event-stream; charset=utf-8");
  expect(field(response, "cache-control")).toBe("no-store");
});

test.concurrent("framing and connection are the server's", async () => {
  const headers: HeaderPair[] = [
    ["transfer-encoding", "gzip"],
    ["connection", "keep-alive"],
  ];
  const response = await streamOf([
    { type: "sse.start", headers },
    { type: "sse.send", data: "a" },
  ]);
  expect(field(response, "transfer-encoding")).toBe("chunked");
  expect(field(response, "connection")).toBe("keep-alive");
  expect(response.body).toBe("data: a\n\n");
});

test.concurrent("another status is sent as it is", async () => {
  const response = await streamOf([{ type: "sse.start", status: 203 }]);
  expect(response.status).toBe(203);
});

test.concurrent("the head leaves at once, before the first event", async () => {
  const go = Promise.withResolvers<void>();
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await go.promise;
    await send({ type: "sse.send", data: "later" });
  });
  await using wire = await openWire(server);
  expect(await wire.readTo("\r\n\r\n")).toStartWith("HTTP/1.1 200 OK\r\n");
  expect(wire.pending).toBe("");
  go.resolve();
  await wire.readTo("data: later\n\n");
});

test.concurrent(
  "HEAD gets the head alone, and its events go nowhere; the connection is not free, and says close",
  async () => {
    await using server = await startSending([{ type: "sse.start" }, { type: "sse.send", data: "a" }]);
    await using wire = await openWire(server, { method: "HEAD" });
    const response = await wire.response("HEAD");
    expect(response.status).toBe(200);
    expect(field(response, "content-type")).toBe("text/event-stream");
    expect(field(response, "connection")).toBe("close");
    expect(await wire.readToEnd()).toBe("");
    expect(server.logger.messages("error")).toEqual([]);
  },
);

// ── sse.send and sse.comment ────────────────────────────────────────────────────────────────────────────────────────

const SENT: [about: string, event: SseSendEvent, text: string][] = [
  ["data", { type: "sse.send", data: "hello" }, "data: hello\n\n"],
  ["empty data", { type: "sse.send", data: "" }, "data: \n\n"],
  [
    "all fields",
    { type: "sse.send", event: "tick", data: "1", id: "7", retry: 1500 },
    "event: tick\nid: 7\nretry: 1500\ndata: 1\n\n",
  ],
  ["null fields", { type: "sse.send", data: "x", event: null, id: null, retry: null }, "data: x\n\n"],
  ["lines", { type: "sse.send", data: "a\nb\r\nc\rd" }, "data: a\ndata: b\ndata: c\ndata: d\n\n"],
  ["UTF-8", { type: "sse.send", event: "ü", id: "é", data: "日本😀" }, "event: ü\nid: é\ndata: 日本😀\n\n"],
  ["half a surrogate pair", { type: "sse.send", data: "\ud83d!" }, "data: \ufffd!\n\n"],
  ["a comment", { type: "sse.comment", comment: "ping" }, ":ping\n\n"],
  ["a comment with its colon", { type: "sse.comment", comment: ":ping" }, ":ping\n\n"],
  ["an empty comment", { type: "sse.comment", comment: "" }, ":\n\n"],
  ["a comment of lines", { type: "sse.comment", comment: "a\ndata: b" }, ":a\n:data: b\n\n"],
];

test.concurrent.each(SENT)("sent: %s", async (_, event, text) => {
  const response = await streamOf([{ type: "sse.start" }, event]);
  expect(Buffer.from(response.body, "latin1").toString()).toBe(text);
});

test.concurrent("an event far larger than a buffer arrives whole", async () => {
  const data = "0123456789abcdé".repeat(50_000);
  const response = await streamOf([{ type: "sse.start" }, { type: "sse.send", data }]);
  expect(Buffer.from(response.body, "latin1").toString()).toBe(`data: ${data}\n\n`);
});

test.concurrent("each event leaves at once", async () => {
  const next = new Journal<string>();
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    for (let i = 0; i < 3; i++) {
      await send({ type: "sse.send", data: String(i) });
      await next.first(i + 1);
    }
  });
  await using wire = await openStream(server);
  for (let i = 0; i < 3; i++) {
    expect(await wire.readTo("\n\n")).toEndWith(`data: ${i}\n\n`);
    expect(wire.pending.trim()).toBe("");
    next.add("next");
  }
});

/** Not what the types allow, as a program without types may send it. */
const untyped = (event: { type: string; [field: string]: unknown }): SendEvent =>
  Object.assign(Object.create(null), event);

const REFUSED: [about: string, event: SendEvent, field: string | undefined][] = [
  ["LF in event", { type: "sse.send", data: "x", event: "a\ndata: forged" }, "event"],
  ["CR in event", { type: "sse.send", data: "x", event: "a\r" }, "event"],
  ["LF in id", { type: "sse.send", data: "x", id: "1\n" }, "id"],
  ["CR in id", { type: "sse.send", data: "x", id: "1\r\n" }, "id"],
  ["NUL in id", { type: "sse.send", data: "x", id: "1\0" }, "id"],
  ["no data", untyped({ type: "sse.send" }), "data"],
  ["data that is no string", untyped({ type: "sse.send", data: new Uint8Array(1) }), "data"],
  ["event that is no string", untyped({ type: "sse.send", data: "x", event: 1 }), "event"],
  ["id that is no string", untyped({ type: "sse.send", data: "x", id: 1 }), "id"],
  ["negative retry", { type: "sse.send", data: "x", retry: -1 }, "retry"],
  ["fractional retry", { type: "sse.send", data: "x", retry: 1.5 }, "retry"],
  ["retry that is text", untyped({ type: "sse.send", data: "x", retry: "1" }), "retry"],
  ["no comment", untyped({ type: "sse.comment" }), "comment"],
  ["keepalive without interval", untyped({ type: "sse.keepalive" }), "interval"],
  ["negative interval", { type: "sse.keepalive", interval: -1 }, "interval"],
  ["interval that is no number", { type: "sse.keepalive", interval: NaN }, "interval"],
  ["endless interval", { type: "sse.keepalive", interval: Infinity }, "interval"],
  ["keepalive comment", untyped({ type: "sse.keepalive", interval: 1, comment: 1 }), "comment"],
  ["http.response.start", { type: "http.response.start", status: 200 }, undefined],
  ["http.response.body", { type: "http.response.body", body: "x" }, undefined],
  ["websocket.close", { type: "websocket.close" }, undefined],
  ["an unknown type", untyped({ type: "sse.sent", data: "x" }), undefined],
];

for (const validateEvents of [true, false]) {
  test.concurrent.each(REFUSED)(`refused, validateEvents ${validateEvents}: %s`, async (_, event, field) => {
    const after: SendEvent = { type: "sse.send", data: "after" };
    const { failures, response } = await failuresOf([{ type: "sse.start" }, event, after], validateEvents);
    const [started, refused, sent] = failures;
    expect(started).toBeUndefined();
    expect(refused).toMatchObject({ code: "ERR_PAGI_EVENT", eventType: event.type, field });
    // The stream goes on, without a byte of what was refused.
    expect(sent).toBeUndefined();
    expect(response.body).toBe("data: after\n\n");
  });

  const BEFORE_START: SseSendEvent[] = [
    { type: "sse.send", data: "x" },
    { type: "sse.comment", comment: "x" },
    { type: "sse.keepalive", interval: 1 },
    { type: "sse.close" },
    { type: "sse.http.response.body", body: "x" },
  ];
  test.concurrent.each(BEFORE_START)(
    `not before sse.start, validateEvents ${validateEvents}: $type`,
    async (event) => {
      const { failures, response } = await failuresOf([event, { type: "sse.start" }], validateEvents);
      expect(failures[0]).toMatchObject({ code: "ERR_PAGI_STATE", eventType: event.type, state: "waiting" });
      expect(failures[1]).toBeUndefined();
      expect(response.status).toBe(200);
      expect(response.body).toBe("");
    },
  );

  const BAD_START: [about: string, event: SendEvent, field: string][] = [
    ["LF in a header", { type: "sse.start", headers: [["x-a", "b\nc: d"]] }, "headers"],
    ["a char over U+00FF", { type: "sse.start", headers: [["x-a", "€"]] }, "headers"],
    ["a space in a name", { type: "sse.start", headers: [["x a", "b"]] }, "headers"],
    ["headers that are no list", untyped({ type: "sse.start", headers: { a: "b" } }), "headers"],
    ["a header that is no pair", untyped({ type: "sse.start", headers: [null] }), "headers"],
    ["a name that is no string", untyped({ type: "sse.start", headers: [[1, "b"]] }), "headers"],
    ["a length, which no stream has", { type: "sse.start", headers: [["content-length", "5"]] }, "headers"],
    ["an interim status", { type: "sse.start", status: 103 }, "status"],
    ["status as text", untyped({ type: "sse.start", status: "200" }), "status"],
  ];
  test.concurrent.each(BAD_START)(
    `a refused start can be mended, validateEvents ${validateEvents}: %s`,
    async (_, event, field) => {
      const mended: SendEvent[] = [
        { type: "sse.start", status: 201 },
        { type: "sse.send", data: "ok" },
      ];
      const { failures, response } = await failuresOf([event, ...mended], validateEvents);
      expect(failures[0]).toMatchObject({ code: "ERR_PAGI_EVENT", eventType: "sse.start", field });
      expect(failures.slice(1)).toEqual([undefined, undefined]);
      expect(response.status).toBe(201);
      expect(response.body).toBe("data: ok\n\n");
    },
  );
}

test.concurrent("sse.start comes once", async () => {
  const { failures, response } = await failuresOf(
    [{ type: "sse.start" }, { type: "sse.start" }, { type: "sse.send", data: "x" }],
    true,
  );
  expect(failures[1]).toMatchObject({ code: "ERR_PAGI_STATE", eventType: "sse.start", state: "streaming" });
  expect(response.body).toBe("data: x\n\n");
});

test.concurrent("fields that no event has are ignored", async () => {
  const { failures, response } = await failuresOf(
    [untyped({ type: "sse.start", trailers: true, x: 1 }), untyped({ type: "sse.send", data: "a", x: 1 })],
    true,
  );
  expect(failures).toEqual([undefined, undefined]);
  expect(response.body).toBe("data: a\n\n");
});

// ── http.fullflush ──────────────────────────────────────────────────────────────────────────────────────────────────

test.concurrent(
  "fullflush is advertised and taken in every state but the first, by a stream and by a decline",
  async () => {
    const flush: SendEvent = { type: "http.fullflush" };
    const runs: readonly [sent: SendEvent[], refused: number, body: string][] = [
      [[flush, { type: "sse.start" }, flush, { type: "sse.send", data: "a" }, flush], 0, "data: a\n\n"],
      [[{ type: "sse.start" }, { type: "sse.close" }, flush], -1, ""],
      [
        [
          { type: "sse.http.response.start", status: 404 },
          flush,
          { type: "sse.http.response.body", body: "no" },
          flush,
        ],
        -1,
        "no",
      ],
    ];
    for (const validateEvents of [true, false]) {
      for (const [events, refused, body] of runs) {
        const { failures, response } = await failuresOf(events, validateEvents);
        for (const [i, failure] of failures.entries()) {
          if (i === refused) expect(failure).toMatchObject({ code: "ERR_PAGI_STATE", state: "waiting" });
          else expect(failure).toBeUndefined();
        }
        expect(response.body).toBe(body);
      }
    }
  },
);

test.concurrent("fullflush sends the head of a decline before its body", async () => {
  const go = Promise.withResolvers<void>();
  await using server = await startSse(async (scope, _receive, send) => {
    expect(scope.extensions).toEqual({ fullflush: {} });
    await send({ type: "sse.http.response.start", status: 404 });
    await send({ type: "http.fullflush" });
    await go.promise;
    await send({ type: "sse.http.response.body", body: "late" });
  });
  await using wire = await openWire(server);
  expect(await wire.readTo("\r\n\r\n")).toStartWith("HTTP/1.1 404");
  go.resolve();
  await wire.readTo("late");
});

// ── sse.keepalive ───────────────────────────────────────────────────────────────────────────────────────────────────

test.concurrent(
  "keepalive sends its comment again and again, changes with the last event, and stops at 0",
  async () => {
    const steps = new Journal<"next">();
    await using server = await startSse(async (_scope, receive, send) => {
      await receive();
      await send({ type: "sse.start" });
      await send({ type: "sse.keepalive", interval: 0.1, comment: "one" });
      await steps.first(1);
      await send({ type: "sse.keepalive", interval: 0.2 });
      await steps.first(2);
      await send({ type: "sse.keepalive", interval: 0, comment: "never" });
      await send({ type: "sse.send", data: "stopped" });
      await receive();
    });
    await using wire = await openStream(server);
    await wire.readTo(":one\n\n");
    await wire.readTo(":one\n\n");
    steps.add("next");
    await wire.readTo(":\n\n");
    const before = performance.now();
    await wire.readTo(":\n\n");
    expect(performance.now() - before).toBeGreaterThan(150);
    steps.add("next");
    await wire.readTo("data: stopped\n\n");
    await Bun.sleep(450);
    expect(wire.pending.trim()).toBe("");
  },
);

test.concurrent("an event puts the keepalive off", async () => {
  const INTERVAL = 500;
  let longestGap = 0;
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.keepalive", interval: INTERVAL / 1000, comment: "idle" });
    for (let i = 0, last = performance.now(); i < 8; i++) {
      await Bun.sleep(100);
      await send({ type: "sse.send", data: String(i) });
      const now = performance.now();
      longestGap = Math.max(longestGap, now - last);
      last = now;
    }
  });
  await using wire = await openStream(server);
  const idles = (await wire.readTo("0\r\n\r\n")).split(":idle").length - 1;
  // On a busy machine an event may come too late to put anything off.
  if (longestGap < INTERVAL - 50) expect(idles).toBe(0);
  else expect(idles).toBeLessThan(8);
});

test.concurrent("keepalive ends with the stream, although the application runs on", async () => {
  const go = Promise.withResolvers<void>();
  await using server = await startSse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.keepalive", interval: 0.1, comment: "on" });
    await go.promise;
    await send({ type: "sse.close" });
    await Bun.sleep(300);
  });
  await using wire = await openStream(server);
  await wire.readTo(":on\n\n");
  go.resolve();
  expect(await wire.readTo("0\r\n\r\n")).toEndWith("0\r\n\r\n");
});
