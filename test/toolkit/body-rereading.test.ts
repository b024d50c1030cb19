import { describe, expect, test } from "bun:test";
import { text as readText } from "node:stream/consumers";
import express from "express";
import { Hono } from "hono";
import { fromFetch, toFetch } from "../../adapters/fetch.ts";
import { hono } from "../../adapters/hono.ts";
import { fromNode } from "../../adapters/node.ts";
import { UnsupportedScopeError } from "../../src/errors.ts";
import type {
  Application,
  HttpScope,
  Receive,
  ReceiveEvent,
  Scope,
  Send,
  SseScope,
} from "../../src/spec/index.ts";
import { contextOf, handler } from "../../src/toolkit/context.ts";
import { HttpEndpoint } from "../../src/toolkit/endpoint.ts";
import { around, compose, toApp } from "../../src/toolkit/middleware.ts";
import { PagiRequest } from "../../src/toolkit/request.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { Router } from "../../src/toolkit/router.ts";
import { Simple } from "../../src/toolkit/simple.ts";
import { PagiSse } from "../../src/toolkit/sse.ts";
import { bytes, httpScope, response, server, sseScope } from "../support/fake-scope.ts";
import { MULTIPART, multipartBody } from "../support/multipart.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

/** A middleware that anyone may write, without anything of this package but what it reads with. */
type Reads = (request: PagiRequest, receive: Receive, scope: HttpScope | SseScope) => Promise<unknown>;

const before =
  (reads: Reads) =>
  (app: Application): Application =>
  async (scope, receive, send) => {
    if (scope.type !== "lifespan" && scope.type !== "websocket")
      await reads(new PagiRequest(scope, receive), receive, scope);
    await app(scope, receive, send);
  };

/** Another reader of the same request. */
const WAYS_TO_READ: { readonly [name: string]: Reads } = {
  "bytes()": (request) => request.bytes(),
  "text() and json()": async (request) => {
    await request.text();
    await request.json().catch(() => {});
  },
  "bytes() with a limit that is too low": (request) => request.bytes({ maxBytes: 7 }).catch(() => {}),
  "formParams()": (request) => request.formParams().catch(() => {}),
  "bytes(), by two request objects": async (request, receive, scope) => {
    await Promise.all([request.bytes(), new PagiRequest({ ...scope }, receive).bytes()]);
  },
};

async function rawBody(receive: Receive): Promise<string> {
  let body = "";
  for (;;) {
    const event = await receive();
    if (event.type !== "http.request" && event.type !== "sse.request") throw new Error(`got ${event.type}`);
    body += Buffer.from(event.body).toString();
    if (!event.more) return body;
  }
}

const answer = (body: string, scope: Scope, send: Send): Promise<void> =>
  PagiResponse.text(body).respond(send, scope as HttpScope);

const router = new Router();
router.post(
  "/",
  handler(async (c) => c.text(await c.request.text())),
);
router.post("/raw", async (scope: HttpScope, receive: Receive, send: Send) =>
  answer(await rawBody(receive), scope, send),
);
const simple = new Simple();
simple.post("/", async (c) => c.text(await c.request.text()));
class Endpoint extends HttpEndpoint {
  override async post(call: Parameters<NonNullable<HttpEndpoint["post"]>>[0]) {
    return PagiResponse.text(await new PagiRequest(call.scope, call.receive).text());
  }
}
const honoApp = new Hono();
honoApp.post("/", async (c) => c.text(await c.req.text()));
const expressApp = express();
expressApp.post("/", express.text({ type: () => true }), (request, reply) => {
  reply.type("text").send(typeof request.body === "string" ? request.body : "");
});

const READERS: { readonly [name: string]: Application } = {
  "receive()": async (scope, receive, send) => answer(await rawBody(receive), scope, send),
  "a PagiRequest": async (scope, receive, send) =>
    answer(await new PagiRequest(scope as HttpScope, receive).text(), scope, send),
  "a PagiRequest over a copied scope": async (scope, receive, send) =>
    answer(await new PagiRequest({ ...(scope as HttpScope) }, receive).text(), scope, send),
  "a PagiRequest over a scope that was made by hand": async (scope, receive, send) => {
    const entries = Object.entries(scope).filter(([name]) => !name.startsWith("pagi.request"));
    const made = Object.fromEntries(entries) as unknown as HttpScope;
    await answer(await new PagiRequest(made, receive).text(), scope, send);
  },
  "bodyStream()": async (scope, receive, send) => {
    const chunks = await Array.fromAsync(new PagiRequest(scope as HttpScope, receive).bodyStream());
    await answer(Buffer.concat(chunks).toString(), scope, send);
  },
  "a context": async (scope, receive, send) => {
    const c = contextOf(scope as HttpScope, receive, send);
    await c.respond(c.text(await c.request.text()));
  },
  "a router": router.toApp(),
  "a router's own application": async (scope, receive, send) =>
    router.toApp()({ ...(scope as HttpScope), path: "/raw", raw_path: "/raw" }, receive, send),
  "a Simple": simple.toApp(),
  "an endpoint": toApp(new Endpoint()),
  "fromFetch, text()": fromFetch(async (request) => new Response(await request.text())),
  "fromFetch, formData() or text()": fromFetch(async (request) => new Response(await request.clone().text())),
  "fromFetch, the stream sent back": fromFetch((request) => new Response(request.body)),
  Hono: hono(honoApp),
  "fromNode, the stream": fromNode(async (request, reply) => void reply.end(await readText(request))),
  "fromNode, piped": fromNode((request, reply) => request.pipe(reply)),
  Express: fromNode(expressApp),
  "receive() below around()": around(async (_scope, _receive, _send, next) => next())(
    async (scope, receive, send) => answer(await rawBody(receive), scope, send),
  ),
  "another middleware that reads, and receive()": before((request) => request.text())(
    async (scope, receive, send) => answer(await rawBody(receive), scope, send),
  ),
  "middleware that reads with receive() itself, and a PagiRequest": before((_request, receive) =>
    rawBody(receive),
  )(async (scope, receive, send) =>
    answer(await new PagiRequest(scope as HttpScope, receive).text(), scope, send),
  ),
  "middleware that reads with receive() itself, and fromFetch": before((_request, receive) =>
    rawBody(receive),
  )(fromFetch(async (request) => new Response(await request.text()))),
};

/** Those that read the request as it is, whatever its type. */
const PLAIN = Object.entries(READERS).filter(([name]) => name !== "Express");

const BODY = "a=1&b=%C3%A4&text=the whole body";
const FORM = multipartBody(
  { name: "title", content: "ä" },
  { name: "photo", filename: "a.png", content: "x".repeat(100_000) },
);

/** A body that is sent in several pieces, without a length in front. */
interface Pieces {
  readonly pieces: readonly string[];
}

function chunked(body: string): Pieces {
  const length = Math.ceil(body.length / 4);
  return { pieces: [0, 1, 2, 3].map((at) => body.slice(at * length, (at + 1) * length)) };
}

async function post(
  running: TestServer,
  body: string | Pieces,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  await using wire = await Wire.open(running);
  const isWhole = typeof body === "string";
  const framing = isWhole
    ? ["content-length", String(Buffer.byteLength(body))]
    : ["transfer-encoding", "chunked"];
  const fields = [["host", "a"], framing, ...Object.entries(headers)].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  await wire.send(`POST / HTTP/1.1\r\n${fields.join("")}\r\n`);
  if (isWhole) await wire.send(Buffer.from(body));
  else {
    for (const piece of body.pieces) {
      const data = Buffer.from(piece);
      await wire.send(Buffer.concat([bytes(`${data.length.toString(16)}\r\n`), data, bytes("\r\n")]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await wire.send("0\r\n\r\n");
  }
  const answered = await wire.response("POST");
  return { status: answered.status, text: Buffer.from(answered.body, "latin1").toString() };
}

const URL_ENCODED = { "content-type": "application/x-www-form-urlencoded" };

describe("what middleware has read whole comes again", () => {
  describe.each(Object.entries(WAYS_TO_READ))("after %s", (_way, reads) => {
    test.each(Object.entries(READERS))("for %s", async (name, app) => {
      if (reads === WAYS_TO_READ["bytes() with a limit that is too low"] && name.includes("receive() itself"))
        return; // it gets the pieces, and nobody keeps them
      await using running = await startServer(before(reads)(app));
      expect(await post(running, BODY, URL_ENCODED)).toEqual({ status: 200, text: BODY });
      expect(await post(running, chunked(BODY), URL_ENCODED)).toEqual({ status: 200, text: BODY });
      expect(await post(running, "", URL_ENCODED)).toEqual({ status: 200, text: "" });
      expect(running.logger.messages("error")).toEqual([]);
    });
  });

  test.each(PLAIN)("a small multipart form, for %s", async (_name, app) => {
    await using running = await startServer(before((request) => request.form())(app));
    for (const body of [FORM, chunked(FORM)])
      expect(await post(running, body, { "content-type": MULTIPART })).toEqual({ status: 200, text: FORM });
  });

  test.each(PLAIN)("a multipart form over a limit, for %s", async (name, app) => {
    if (name.includes("receive() itself")) return; // it gets the pieces, and nobody keeps them
    await using running = await startServer(
      before((request) => request.form({ maxFileSize: 10 }).catch(() => {}))(app),
    );
    for (const body of [FORM, chunked(FORM)])
      expect(await post(running, body, { "content-type": MULTIPART })).toEqual({ status: 200, text: FORM });
  });

  test("a large multipart form is shared by all that ask for the form, and an error for all others", async () => {
    const large = multipartBody({ name: "photo", filename: "a", content: "x".repeat(2 ** 21) });
    const sizes: Application = async (scope, receive, send) => {
      const upload = await new PagiRequest({ ...(scope as HttpScope) }, receive).upload("photo");
      await answer(`${upload?.isOnDisk()} ${(await upload?.bytes())?.byteLength}`, scope, send);
    };
    const readsForm = before((request) => request.form());
    await using shared = await startServer(readsForm(sizes));
    expect(await post(shared, large, { "content-type": MULTIPART })).toEqual({
      status: 200,
      text: `true ${2 ** 21}`,
    });
    const counting: Application = (scope, receive, send) => sizes(scope, () => receive(), send);
    await using wrapped = await startServer(readsForm(counting));
    expect((await post(wrapped, large, { "content-type": MULTIPART })).text).toBe(`true ${2 ** 21}`);
    for (const name of ["receive()", "bodyStream()", "fromFetch, text()", "fromNode, the stream"]) {
      await using running = await startServer(readsForm(READERS[name] ?? sizes));
      expect((await post(running, large, { "content-type": MULTIPART })).status).toBe(500);
      expect(running.logger.lines.map(({ error }) => String(error)).join("\n")).toContain(
        "multipart form that is too large to be kept",
      );
    }
  });
});

const STREAMED: { readonly [name: string]: Reads } = {
  "to its end": (request) => Array.fromAsync(request.bodyStream()),
  "in part": (request) => request.bodyStream().nextChunk(),
  "in part, and then whole": async (request) => {
    await request.bodyStream().nextChunk();
    await request.bytes().catch(() => {});
  },
};

describe("while middleware still reads, whoever comes next waits for it and gets the whole body", () => {
  const concurrent =
    (app: Application): Application =>
    async (scope, receive, send) => {
      if (scope.type !== "http") return await app(scope, receive, send);
      const reading = new PagiRequest(scope, receive).bytes();
      await app(scope, receive, send);
      expect(Buffer.from(await reading).toString()).toBe(BODY);
    };

  const others = Object.entries(READERS).filter(([name]) => name !== "bodyStream()");
  test.each(others)("for %s", async (_name, app) => {
    await using running = await startServer(concurrent(app));
    for (const body of [BODY, chunked(BODY)])
      expect(await post(running, body, URL_ENCODED)).toEqual({ status: 200, text: BODY });
    expect(running.logger.messages("error")).toEqual([]);
  });

  test("but a stream of it is an error", async () => {
    const app: Application = async (scope, receive, send) => {
      if (scope.type !== "http") throw new UnsupportedScopeError(scope.type);
      const request = new PagiRequest(scope, receive);
      const reading = request.bytes();
      expect(() => request.bodyStream()).toThrow("was received already");
      await answer(Buffer.from(await reading).toString(), scope, send);
    };
    await using running = await startServer(app);
    expect(await post(running, BODY)).toEqual({ status: 200, text: BODY });
  });
});

describe("what middleware has streamed is an error for the next reader, never a wait and never a part", () => {
  const readers = Object.entries(READERS).filter(([name]) => !name.includes("receive() itself"));
  describe.each(Object.entries(STREAMED))("%s", (_how, reads) => {
    test.each(readers)("for %s", async (name, app) => {
      await using running = await startServer(before(reads)(app));
      const sent = post(running, chunked(BODY), URL_ENCODED);
      const status = await sent.then(
        (each) => each.status,
        () => "cut", // where the head of the response had left
      );
      expect([500, "cut"]).toContain(status);
      if (name === "Hono") return; // which answers and logs errors itself
      expect(running.logger.lines.map(({ error }) => String(error)).join("\n")).toMatch(
        /request body was (read as a stream|received) already/,
      );
    });
  });

  test("an empty body is nothing that could be lost", async () => {
    await using running = await startServer(
      before((request) => Array.fromAsync(request.bodyStream()))(READERS["receive()"] ?? router.toApp()),
    );
    expect(await post(running, "")).toEqual({ status: 200, text: "" });
  });
});

describe("middleware that reads after next()", () => {
  /** What `bytes()` gives afterwards. */
  async function after(app: Application, wrap: (receive: Receive) => Receive = (each) => each) {
    const seen = Promise.withResolvers<unknown>();
    await using running = await startServer(async (scope, receive, send) => {
      await app(scope, wrap(receive), send);
      new PagiRequest(scope as HttpScope, receive).text().then(seen.resolve, seen.resolve);
    });
    await post(running, chunked(BODY));
    return await seen.promise;
  }

  test("gets what a PagiRequest below has read, through a wrapped receive too", async () => {
    const below = READERS["a PagiRequest over a copied scope"] ?? router.toApp();
    expect(await after(below)).toBe(BODY);
    expect(await after(below, (receive) => () => receive())).toBe(BODY);
    expect(await after(router.toApp())).toBe(BODY);
  });

  test.each(["receive()", "fromFetch, text()", "fromNode, the stream", "bodyStream()"])(
    "is told that the body was read by %s",
    async (name) => {
      expect(await after(READERS[name] ?? router.toApp())).toMatchObject({ code: "ERR_PAGI_BODY_USED" });
    },
  );

  test("is told that it comes too late where nobody has read it", async () => {
    const ignores: Application = (scope, _receive, send) => answer("", scope, send);
    expect(await after(ignores)).toMatchObject({
      code: "ERR_PAGI_BODY_USED",
      message: expect.stringContaining("once the response is complete"),
    });
  });
});

describe("a receive of middleware", () => {
  const wrapping =
    (wrap: (receive: Receive) => Receive) =>
    (app: Application): Application =>
    (scope, receive, send) =>
      app(scope, wrap(receive), send);
  const upperCase = wrapping((receive) => async () => {
    const event = await receive();
    if (event.type !== "http.request") return event;
    return { ...event, body: bytes(Buffer.from(event.body).toString().toUpperCase()) };
  });
  /** As one that inflates: what it gives is made of the whole body, once. */
  const reversed = wrapping((receive) => {
    let isDone = false;
    return async () => {
      if (isDone) return await receive();
      isDone = true;
      const body = bytes([...(await rawBody(receive))].reverse().join(""));
      return { type: "http.request", body, more: false };
    };
  });
  const backwards = [...BODY].reverse().join("");
  const reads = before((request) => request.bytes());

  test.each(Object.entries(READERS))("that changes the body is read once, for %s", async (name, app) => {
    await using running = await startServer(reversed(reads(app)));
    expect(await post(running, chunked(BODY), URL_ENCODED)).toEqual({ status: 200, text: backwards });
    if (name.includes("receive() itself")) return;
    await using composed = await startServer(compose([reversed, reads])(app));
    expect(await post(composed, chunked(BODY), URL_ENCODED)).toEqual({ status: 200, text: backwards });
  });

  test("middleware outside reads what the client has sent, and the handler what middleware makes of it", async () => {
    const outside: string[] = [];
    const app = before(async (request) => outside.push(await request.text()))(
      reversed(READERS["a PagiRequest"] ?? router.toApp()),
    );
    await using running = await startServer(app);
    expect((await post(running, BODY)).text).toBe(backwards);
    expect(outside).toEqual([BODY]);
    await using upper = await startServer(reads(upperCase(READERS["fromFetch, text()"] ?? router.toApp())));
    expect((await post(upper, BODY)).text).toBe(BODY.toUpperCase());
  });

  test("that counts sees the body once where the chain is one of the toolkit", async () => {
    let counted = 0;
    const counts = wrapping((receive) => async () => {
      const event = await receive();
      if (event.type === "http.request") counted += event.body.byteLength;
      return event;
    });
    await using running = await startServer(compose([counts, reads])(READERS["receive()"] ?? router.toApp()));
    expect((await post(running, chunked(BODY))).text).toBe(BODY);
    expect(counted).toBe(BODY.length);
  });

  test.each([
    ["to its end", (request: PagiRequest) => Array.fromAsync(request.bodyStream())],
    ["in part", (request: PagiRequest) => request.bodyStream().nextChunk()],
  ])("through which a body was streamed %s rejects a reader of the body", async (_how, reads) => {
    const through = wrapping((receive) => async () => receive());
    for (const name of ["receive()", "a PagiRequest", "fromFetch, text()", "fromNode, the stream"]) {
      await using running = await startServer(through(before(reads)(READERS[name] ?? router.toApp())));
      expect([name, (await post(running, chunked(BODY))).status]).toEqual([name, 500]);
    }
  });

  test("behind a body that was streamed rejects a reader of the body", async () => {
    const streams = before((request) => Array.fromAsync(request.bodyStream()));
    for (const name of ["receive()", "a PagiRequest", "fromFetch, text()", "fromNode, the stream"]) {
      const app = streams(wrapping((receive) => async () => receive())(READERS[name] ?? router.toApp()));
      await using running = await startServer(app);
      expect((await post(running, chunked(BODY))).status).toBe(500);
    }
  });
});

describe("the end of the request", () => {
  test.each([
    ["http", "text/plain"],
    ["sse", "text/event-stream"],
  ])("comes behind a body that was read again, in an %s scope", async (type, accept) => {
    const seen: string[] = [];
    const over = Promise.withResolvers<void>();
    const app = before((request) => request.bytes())(async (scope, receive) => {
      if (scope.type === "lifespan") throw new UnsupportedScopeError(scope.type);
      for (;;) {
        const event = await receive();
        seen.push("body" in event ? `${event.type} ${Buffer.from(event.body).toString()}` : event.type);
        if (event.type.endsWith(".disconnect")) return over.resolve();
        if (seen.length === 1) wire.reset();
      }
    });
    await using running = await startServer(app);
    const wire = await Wire.open(running);
    void wire.send(
      `POST / HTTP/1.1\r\nHost: a\r\nAccept: ${accept}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n`,
    );
    await over.promise;
    expect(seen).toEqual([`${type}.request abcdef`, `${type}.disconnect`]);
  });

  test("comes to those who look for it behind a stream, at the second call of receive()", async () => {
    const side = server({ type: "http.request", body: bytes("ab"), more: false });
    const scope = httpScope();
    const reads = before((request) => Array.fromAsync(request.bodyStream()));
    const app = compose([reads])(async (_scope, receive) => {
      await expect(receive()).rejects.toMatchObject({ code: "ERR_PAGI_BODY_USED" });
      const end = receive();
      side.put({ type: "http.disconnect" });
      expect(await end).toEqual({ type: "http.disconnect" });
    });
    await app(scope, side.receive, side.send);
  });

  test("is seen by an event stream and by a Hono stream whose body middleware has read or streamed", async () => {
    for (const reads of [
      (request: PagiRequest) => request.text(),
      (request: PagiRequest) => Array.fromAsync(request.bodyStream()),
    ]) {
      const over = Promise.withResolvers<string>();
      const pagi = before(reads)(async (scope, receive, send) => {
        const sse = new PagiSse(scope as SseScope, receive, send);
        await sse.send("here");
        sse.onClose((reason) => over.resolve(reason));
        await sse.run();
      });
      const aborted = Promise.withResolvers<string>();
      const fetched = before(reads)(
        fromFetch((request) => {
          request.signal.addEventListener("abort", () => aborted.resolve("aborted"));
          const events = new ReadableStream({ start: (each) => each.enqueue(bytes("data: here\n\n")) });
          return new Response(events, { headers: { "content-type": "text/event-stream" } });
        }),
      );
      for (const [app, end] of [
        [pagi, over],
        [fetched, aborted],
      ] as const) {
        await using running = await startServer(app);
        const wire = await Wire.open(running);
        await wire.send(
          "POST / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nContent-Length: 2\r\n\r\nab",
        );
        await wire.readTo("data: here\n\n");
        wire.reset();
        expect(["client_closed", "read_error", "aborted"]).toContain(await end.promise);
      }
    }
  });
});

describe("an event stream", () => {
  test("has the body that middleware has read, for PagiSse and for receive()", async () => {
    const app = before((request) => request.json())(async (scope, receive, send) => {
      const sse = new PagiSse(scope as SseScope, receive, send);
      const { to } = await new PagiSse(scope as SseScope, receive, send).request.json<{ to: string }>();
      expect(await sse.request.json<{ to: string }>()).toEqual({ to });
      await sse.send(`${to} ${await rawBody(receive)}`);
      await sse.close();
    });
    await using running = await startServer(app);
    expect((await post(running, '{"to":"you"}', { accept: "text/event-stream" })).text).toContain(
      'data: you {"to":"you"}\n',
    );
  });

  test("says that its body was dropped", async () => {
    const side = server({ type: "sse.request", body: bytes("ab"), more: false });
    const sse = new PagiSse(sseScope({ method: "POST" }), side.receive, side.send);
    const running = sse.run();
    await new Promise((resolve) => setImmediate(resolve));
    await expect(sse.request.bytes()).rejects.toThrow("was dropped when the event stream started");
    side.put({ type: "sse.disconnect", reason: "client_closed" });
    await running;
  });
});

test("a Request that the host of toFetch() has read is an error for an application that wants its body", async () => {
  const used = async (): Promise<Request> => {
    const request = new Request("http://localhost/", { method: "POST", body: BODY });
    await request.text();
    return request;
  };
  const errors: unknown[] = [];
  const onError = (_message: string, error?: unknown): void => void errors.push(String(error));
  for (const name of ["receive()", "a PagiRequest"]) {
    const answered = await toFetch(READERS[name] ?? router.toApp(), { onError })(await used());
    expect(answered.status).toBe(500);
  }
  expect(errors).toEqual(Array(2).fill(expect.stringContaining("has been used already")));
  const ignores = toFetch((scope, _receive, send) => answer("fine", scope, send));
  expect(await (await ignores(await used())).text()).toBe("fine");
});

test("on a server that knows nothing of this, where the toolkit or an adapter reads or calls", async () => {
  const reads = before((request) => request.bytes());
  const { "receive()": raw = router.toApp() } = READERS;
  for (const app of [
    compose([reads])(raw),
    compose([reads, (inner) => inner])(raw),
    reads(around((_scope, _receive, _send, next) => next())(raw)),
    reads(READERS["a router's own application"] ?? raw),
    reads(READERS["a PagiRequest over a copied scope"] ?? raw),
    reads(READERS["fromFetch, text()"] ?? raw),
  ]) {
    const side = server(
      { type: "http.request", body: bytes("ab"), more: true },
      { type: "http.request", body: bytes("cd"), more: false },
    );
    const headers: [string, string][] = [
      ["host", "a"],
      ["content-length", "4"],
    ];
    await app(httpScope({ method: "POST", headers }), side.receive, side.send);
    expect(response(side.sent).body).toBe("abcd");
  }
});

test("over servers that leave out what has a default, for adapters", async () => {
  const listener = express();
  listener.use((request, response, next) => {
    readText(request).then((text) => response.end(text), next);
  });
  const events = (type: "http.request" | "sse.request"): ReceiveEvent[] =>
    // Neither `body` nor `more` is there where it has its default; TypeScript knows them as required.
    [
      { type, body: bytes("ab"), more: true },
      { type, more: true },
      { type, body: bytes("cd") },
    ] as ReceiveEvent[];
  const headers: [string, string][] = [
    ["host", "a"],
    ["content-length", "4"],
  ];
  for (const app of [
    fromNode(listener),
    fromFetch(async (request) => new Response(await request.text())),
    fromFetch((request) => new Response(request.body)),
  ]) {
    const side = server(...events("http.request"));
    await app(httpScope({ method: "POST", headers }), side.receive, side.send);
    expect(response(side.sent).body).toBe("abcd");
  }
});
