import { expect, test } from "bun:test";

import type { SendEvent, SseDisconnect, SseHandler, SseReceiveEvent } from "../../src/spec/index.ts";
import { startServer, startSse } from "../support/server.ts";
import { Flood, Journal, failureOf, openStream, openWire, streamRequest } from "../support/sse.ts";
import { Wire, request } from "../support/wire.ts";

// PAGI Www, "SSE Disconnect" and "Standard Disconnect Reasons": the ends that others give a stream.

/** Starts a stream and notes what `receive` says after the request. */
function watching(events: Journal<SseReceiveEvent>): SseHandler {
  return async (_scope, receive, send) => {
    await receive();
    await send({ type: "sse.start" });
    events.add(await receive());
    events.add(await receive());
  };
}

const gone = (reason: SseDisconnect["reason"]): SseReceiveEvent => ({ type: "sse.disconnect", reason });

/** Waits for a condition that nothing announces. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(2);
}

// ── the client goes ─────────────────────────────────────────────────────────────────────────────────────────────────

test.concurrent("a client's FIN is the end at once: client_closed, again and again", async () => {
  const events = new Journal<SseReceiveEvent>();
  await using server = await startSse(watching(events), { halfCloseGrace: 60 });
  await using wire = await openStream(server);
  wire.halfClose();
  expect(await events.first(2)).toEqual([gone("client_closed"), gone("client_closed")]);
  expect(await wire.readToEnd()).toBe("");
  await until(() => server.server.connectionCount === 0);
});

test.concurrent("a FIN together with the request too", async () => {
  const events = new Journal<SseReceiveEvent>();
  await using server = await startSse(
    async (_scope, receive, send) => {
      events.add(await receive());
      events.add(await receive());
      await send({ type: "sse.start" });
    },
    { halfCloseGrace: 60 },
  );
  await using wire = await openWire(server);
  wire.halfClose();
  expect((await events.first(2))[1]).toEqual(gone("client_closed"));
  expect(await wire.readToEnd()).toBe("");
  expect(server.logger.messages("error")).toEqual([]);
});

test.concurrent("a FIN within the request body: what has come is delivered, then the end", async () => {
  const events = new Journal<SseReceiveEvent>();
  await using server = await startSse(async (_scope, receive, send) => {
    await send({ type: "sse.start" });
    for (let i = 0; i < 3; i++) events.add(await receive());
  });
  await using wire = await openStream(server, { method: "POST", fields: ["Content-Length: 10"] });
  await wire.send("abc");
  const [first] = await events.first(1);
  expect(first).toMatchObject({ type: "sse.request", more: true });
  wire.halfClose();
  expect((await events.first(3)).slice(1)).toEqual([gone("client_closed"), gone("client_closed")]);
});

test.concurrent("a reset of a stream on which nothing is on its way: read_error", async () => {
  const events = new Journal<SseReceiveEvent>();
  await using server = await startSse(watching(events));
  await using wire = await openStream(server);
  wire.reset();
  expect(await events.first(1)).toEqual([gone("read_error")]);
});

test.concurrent(
  "a reset by a client that has left events unread: write_error, and the waiting send goes on",
  async () => {
    const flood = new Flood();
    await using server = await startSse(flood.handler);
    await using wire = await openStream(server);
    wire.pause();
    await flood.stalled();
    wire.reset();
    expect(await flood.ended).toEqual(gone("write_error"));
    await flood.returned;
    expect(server.logger.messages("error")).toEqual([]);
  },
);

test.concurrent("after the client has gone every send does nothing and resolves", async () => {
  const results: unknown[] = [];
  const done = new Journal<string>();
  const invalid: SendEvent = { type: "sse.send", data: "x", id: "a\nb" };
  const late: SendEvent[] = [
    { type: "sse.send", data: "late" },
    invalid,
    { type: "sse.comment", comment: "late" },
    { type: "sse.keepalive", interval: 0.05 },
    { type: "sse.close" },
    { type: "sse.http.response.start", status: 404 },
    { type: "http.response.start", status: 200 },
  ];
  await using server = await startServer(async (scope, receive, send) => {
    if (scope.type !== "sse") return;
    await receive();
    await send({ type: "sse.start" });
    await receive();
    for (const event of late) results.push(await failureOf(send(event)));
    done.add("done");
    throw new Error("after all");
  });
  await using wire = await openStream(server);
  wire.halfClose();
  await done.first(1);
  expect(results).toEqual(late.map(() => undefined));
  expect(await wire.readToEnd()).toBe("");
  // It is still the application's error.
  await server.logger.seen(/^GET \/: the application threw after the end of the request$/);
});

test.concurrent("an application that returns after the client has gone is no error", async () => {
  const events = new Journal<SseReceiveEvent>();
  await using server = await startSse(async (_scope, receive) => {
    await receive();
    events.add(await receive());
  });
  await using wire = await openWire(server);
  wire.halfClose();
  await events.first(1);
  expect(await wire.readToEnd()).toBe("");
  expect(server.logger.messages("error")).toEqual([]);
});

test.concurrent("a client that goes while the stream is being declined", async () => {
  const events = new Journal<SseReceiveEvent>();
  await using server = await startSse(async (_scope, receive, send) => {
    await receive();
    await send({ type: "sse.http.response.start", status: 401 });
    await send({ type: "sse.http.response.body", body: "part", more: true });
    events.add(await receive());
  });
  await using wire = await openStream(server);
  wire.halfClose();
  expect(await events.first(1)).toEqual([gone("client_closed")]);
});

test.concurrent("a client that breaks the framing of its body: protocol_error", async () => {
  const events = new Journal<SseReceiveEvent>();
  await using server = await startSse(async (_scope, receive, send) => {
    await send({ type: "sse.start" });
    events.add(await receive());
  });
  const fields = ["Transfer-Encoding: chunked"];
  await using wire = await openStream(server, { method: "POST", fields });
  await wire.send("no chunk size\r\n");
  expect(await events.first(1)).toEqual([gone("protocol_error")]);
  expect(await wire.readToEnd()).toBe("");
});

test.concurrent("a body that is too large: 413 and body_too_large", async () => {
  const events = new Journal<SseReceiveEvent>();
  await using server = await startSse(
    async (_scope, receive) => {
      for (let type = ""; type !== "sse.disconnect";) {
        const event = await receive();
        events.add(event);
        type = event.type;
      }
    },
    { maxBodySize: 10 },
  );
  const fields = ["Transfer-Encoding: chunked"];
  await using wire = await openWire(server, {
    method: "POST",
    fields,
    body: "b\r\n01234567890\r\n0\r\n\r\n",
  });
  expect((await wire.response()).status).toBe(413);
  await until(() => events.entries.at(-1)?.type === "sse.disconnect");
  expect(events.entries.at(-1)).toEqual({ type: "sse.disconnect", reason: "body_too_large" });
});

// ── timeouts ────────────────────────────────────────────────────────────────────────────────────────────────────────

test.concurrent("a client that reads nothing for the write timeout: write_timeout, and a reset", async () => {
  const flood = new Flood();
  await using server = await startSse(flood.handler, { writeTimeout: 0.3 });
  await using wire = await openStream(server);
  wire.pause();
  expect(await flood.ended).toEqual(gone("write_timeout"));
  await flood.returned;
  wire.resume();
  expect(await wire.readToEnd()).not.toContain("0\r\n\r\n");
  // An end could be taken for the end of the stream, and the kernel would keep what nobody reads.
  expect(wire.error).toMatchObject({ code: "ECONNRESET" });
  expect(server.logger.messages("error")).toEqual([]);
});

test.concurrent("a client that reads slowly, but reads, is no stalled one", async () => {
  const flood = new Flood();
  await using server = await startSse(flood.handler, { writeTimeout: 0.4 });
  await using wire = await openStream(server);
  for (let i = 0; i < 12; i++) {
    wire.pause();
    await Bun.sleep(70);
    wire.resume();
    await wire.readTo("\n\n");
    await Bun.sleep(5);
  }
  expect(flood.reason).toBeUndefined();
  wire.halfClose();
  expect(await flood.ended).toEqual(gone("client_closed"));
});

test("an idle stream ends after the idle timeout, and what is sent later goes nowhere", async () => {
  const events = new Journal<SseReceiveEvent>();
  const late = new Journal<unknown>();
  await using server = await startSse(
    async (_scope, receive, send) => {
      await receive();
      await send({ type: "sse.start" });
      await send({ type: "sse.send", data: "only" });
      events.add(await receive());
      late.add(await failureOf(send({ type: "sse.send", data: "late" })));
      late.add(await failureOf(send({ type: "sse.keepalive", interval: 1 })));
      late.add(await failureOf(send({ type: "sse.close" })));
    },
    { sseIdleTimeout: 0.2 },
  );
  await using wire = await openStream(server);
  const from = performance.now();
  const stream = await wire.readTo("0\r\n\r\n");
  expect(performance.now() - from).toBeGreaterThan(150);
  expect(stream).toEndWith("data: only\n\n\r\n0\r\n\r\n");
  expect(await events.first(1)).toEqual([gone("idle_timeout")]);
  expect(await late.first(3)).toEqual([undefined, undefined, undefined]);
  expect(server.logger.messages("error")).toEqual([]);
});

test.concurrent("events and keepalive comments put the idle timeout off", async () => {
  await using server = await startSse(
    async (_scope, receive, send) => {
      await receive();
      await send({ type: "sse.start" });
      await send({ type: "sse.keepalive", interval: 0.1, comment: "on" });
      await receive();
    },
    { sseIdleTimeout: 1.2 },
  );
  await using wire = await openStream(server);
  for (let i = 0; i < 14; i++) await wire.readTo(":on\n\n");
});

test("the idle timeout is over with the stream, and the timers of requests do not touch it", async () => {
  const done = new Journal<string>();
  await using server = await startSse(
    async (_scope, _receive, send) => {
      await send({ type: "sse.start" });
      await Bun.sleep(400);
      await send({ type: "sse.send", data: "still here" });
      await send({ type: "sse.close" });
      await Bun.sleep(300);
      done.add("done");
    },
    { headerTimeout: 0.1, bodyTimeout: 0.1, timeout: 0.1, writeTimeout: 0.1, sseIdleTimeout: 0.6 },
  );
  await using wire = await openStream(server);
  expect(await wire.readTo("0\r\n\r\n")).toEndWith("data: still here\n\n\r\n0\r\n\r\n");
  await done.first(1);
  expect(server.logger.messages("error")).toEqual([]);
});

// ── the server shuts down ───────────────────────────────────────────────────────────────────────────────────────────

test.concurrent(
  "at shutdown a stream is told before it is waited for, and ends in its own words",
  async () => {
    await using server = await startSse(async (_scope, receive, send) => {
      await receive();
      await send({ type: "sse.start" });
      const event = await receive();
      if (event.type !== "sse.disconnect") return;
      await Bun.sleep(50);
      await send({ type: "sse.send", event: "bye", data: event.reason });
    });
    await using wire = await openStream(server);
    const stopped = server.server.stop();
    const stream = await wire.readToEnd();
    expect(stream).toContain("event: bye\ndata: server_shutdown\n\n");
    expect(stream).toEndWith("0\r\n\r\n");
    await stopped;
    expect(server.logger.messages("warn")).toEqual([]);
  },
);

test.concurrent(
  "one that has not started yet gets its request whole, and is told once it starts",
  async () => {
    const events = new Journal<string>();
    await using server = await startSse(async (_scope, receive, send) => {
      let body = "";
      for (let more = true; more;) {
        const event = await receive();
        events.add(event.type);
        if (event.type !== "sse.request") return;
        body += Buffer.from(event.body).toString();
        more = event.more;
      }
      await send({ type: "sse.start" });
      const end = await receive();
      if (end.type === "sse.disconnect") await send({ type: "sse.send", event: end.reason, data: body });
    });
    await using wire = await openWire(server, { method: "POST", fields: ["Content-Length: 6"], body: "abc" });
    await events.first(1);
    const stopped = server.server.stop();
    await wire.send("def");
    const stream = await wire.readToEnd();
    expect(stream).toContain("connection: close\r\n");
    expect(stream).toContain("event: server_shutdown\ndata: abcdef\n\n");
    expect(stream).toEndWith("0\r\n\r\n");
    await stopped;
    expect(events.entries).toEqual(["sse.request", "sse.request"]);
  },
);

test.concurrent("also one whose request comes while the server drains", async () => {
  await using server = await startSse(async (_scope, receive, send) => {
    await receive();
    await send({ type: "sse.start" });
    const event = await receive();
    if (event.type === "sse.disconnect") await send({ type: "sse.send", data: event.reason });
  });
  await using wire = await Wire.open(server);
  const bytes = streamRequest();
  await wire.send(bytes.slice(0, 20));
  await request(server, bytes.replace("text/event-stream", "*/*")); // after which the server has seen those bytes
  const stopped = server.server.stop();
  await wire.send(bytes.slice(20));
  const stream = await wire.readToEnd();
  expect(stream).toContain("data: server_shutdown\n\n");
  expect(stream).toEndWith("0\r\n\r\n");
  await stopped;
});

test.concurrent("one that is being declined is waited for like any response, and told nothing", async () => {
  const events = new Journal<string>();
  const go = Promise.withResolvers<void>();
  await using server = await startSse(async (_scope, receive, send) => {
    await receive();
    await send({ type: "sse.http.response.start", status: 401 });
    await send({ type: "sse.http.response.body", body: "no", more: true });
    void receive().then((event) => events.add(event.type));
    await go.promise;
    await send({ type: "sse.http.response.body", body: " way" });
  });
  await using wire = await openWire(server);
  await wire.until((all) => (all.includes("no") ? true : undefined));
  const stopped = server.server.stop();
  go.resolve();
  expect((await wire.response()).body).toBe("no way");
  await stopped;
  expect(events.entries).toEqual([]);
});

test.concurrent(
  "an event stream of the application's own, which declines the scope, is ended and told of",
  async () => {
    const events = new Journal<unknown>();
    await using server = await startSse(async (_scope, receive, send) => {
      await receive();
      await send({
        type: "sse.http.response.start",
        status: 200,
        headers: [["content-type", "text/event-stream; charset=utf-8"]],
      });
      await send({ type: "sse.http.response.body", body: "data: 1\n\n", more: true });
      events.add(await receive());
      events.add(await failureOf(send({ type: "sse.http.response.body", body: "late", more: true })));
    });
    await using wire = await openWire(server);
    await wire.until((all) => (all.includes("data: 1") ? true : undefined));
    const stopped = server.server.stop();
    expect(await wire.readToEnd()).toEndWith("data: 1\n\n\r\n0\r\n\r\n");
    expect(await events.first(2)).toEqual([{ type: "sse.disconnect", reason: "server_shutdown" }, undefined]);
    expect(await stopped).toBe(true);
    expect(server.logger.messages("error")).toEqual([]);
  },
);

test.concurrent(
  "one that goes on is cut when the shutdown timeout is over, and its sends do nothing from then on",
  async () => {
    const ticks = new Journal<unknown>();
    let stop = false;
    await using server = await startSse(
      async (_scope, _receive, send) => {
        await send({ type: "sse.start" });
        while (!stop) {
          ticks.add(await failureOf(send({ type: "sse.send", data: "tick" })));
          await Bun.sleep(10);
        }
        ticks.add("returned");
      },
      { shutdownTimeout: 0.3 },
    );
    await using wire = await openStream(server);
    const from = performance.now();
    await server.server.stop();
    expect(performance.now() - from).toBeGreaterThan(250);
    expect(await wire.readToEnd()).not.toContain("0\r\n\r\n");
    const count = ticks.entries.length;
    await ticks.first(count + 2);
    stop = true;
    await until(() => ticks.entries.at(-1) === "returned");
    expect(ticks.entries.slice(0, -1).every((each) => each === undefined)).toBe(true);
    expect(server.logger.messages("warn").join("\n")).toContain("1 connection was cut at shutdown");
  },
);

test.concurrent("a stream cut at shutdown over HTTP/1.0 does not look complete", async () => {
  await using server = await startSse(async (_scope, receive, send) => {
    await receive();
    await send({ type: "sse.start" });
    await new Promise(() => {});
  });
  await using wire = await openStream(server, { version: "1.0" });
  await server.server.stop({ force: true });
  await wire.readToEnd();
  expect(wire.error).toMatchObject({ code: "ECONNRESET" });
});
