import { describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromFetch, type FetchHandler } from "../../adapters/fetch.ts";
import { fetchBody, type FetchBody } from "../../src/toolkit/response/fetch-body.ts";
import { UnsupportedScopeError } from "../../src/errors.ts";
import type { HeaderPair, LifespanScope, ReceiveEvent, SendEvent } from "../../src/spec/index.ts";
import { bytes, httpScope, response, server, sseScope, text, type Wanted } from "../support/fake-scope.ts";

async function answer(handler: FetchHandler, scope = httpScope(), ...incoming: ReceiveEvent[]) {
  const side = server(...incoming);
  await fromFetch(handler)(scope, side.receive, side.send);
  return side;
}

/** The request that the handler sees for a scope. */
async function seen(wanted: Wanted): Promise<Request> {
  const { promise, resolve } = Promise.withResolvers<Request>();
  await answer((request) => {
    resolve(request);
    return new Response();
  }, httpScope(wanted));
  return promise;
}

describe("the Request", () => {
  test.each([
    ["scheme, Host, path and query", {}, "http://example.org/"],
    [
      "https",
      { scheme: "https" as const, raw_path: "/a", query_string: "b=1&b=2" },
      "https://example.org/a?b=1&b=2",
    ],
    [
      "percent-encoding is kept",
      { raw_path: "/a%2Fb%20c", query_string: "%41=%" },
      "http://example.org/a%2Fb%20c?%41=%",
    ],
    [
      "a path of two slashes stays a path",
      { raw_path: "//evil.example/x" },
      "http://example.org//evil.example/x",
    ],
    [
      "raw bytes are percent-encoded as they are",
      { raw_path: "/caf\xe9", query_string: "\xff" },
      "http://example.org/caf%E9?%FF",
    ],
    ["a hash or a backslash is part of the path", { raw_path: "/a#b\\c" }, "http://example.org/a%23b%5Cc"],
    ["the asterisk form", { method: "OPTIONS", raw_path: "*" }, "http://example.org/*"],
    ["a port", { headers: [["host", "h:8080"]] as HeaderPair[] }, "http://h:8080/"],
    ["IPv6", { headers: [["host", "[::1]:81"]] as HeaderPair[] }, "http://[::1]:81/"],
    ["no Host", { headers: [] }, "http://127.0.0.1:5000/"],
    ["an empty Host", { headers: [["host", ""]] as HeaderPair[] }, "http://127.0.0.1:5000/"],
    [
      "no Host, IPv6 listener",
      { headers: [], server: ["::1", 5000] as [string, number] },
      "http://[::1]:5000/",
    ],
    [
      "no Host, Unix socket",
      { headers: [], server: ["/run/s", null] as [string, null] },
      "http://localhost/",
    ],
  ])("URL: %s", async (_, wanted, url) => {
    expect((await seen(wanted)).url).toBe(url);
  });

  test.each([
    "evil/path",
    "a@b",
    "a b",
    "a#b",
    "a?b",
    "a\\b",
    "h:99999",
    "1.2.3.999",
    "[::1",
    "%zz",
    "caf\xe9",
    "h:8x",
    ":80",
  ])("a forged Host '%s' gives way to the server's address", async (host) => {
    expect((await seen({ headers: [["host", host]], raw_path: "/x" })).url).toBe("http://127.0.0.1:5000/x");
  });

  test.each(["GET", "HEAD", "POST", "DELETE", "PROPFIND", "FOO", "get", "TRACE", "CONNECT"])(
    "method %s",
    async (method) => {
      expect((await seen({ method })).method).toBe(method);
    },
  );

  test("headers are byte strings; repeated ones are joined, and env.scope has them apart", async () => {
    const headers: HeaderPair[] = [
      ["host", "example.org"],
      ["x-name", "caf\xe9"],
      ["accept", "a"],
      ["accept", "b"],
    ];
    let apart: HeaderPair[] | undefined;
    let request: Request | undefined;
    await answer((given, env) => {
      request = given;
      apart = env.scope.headers;
      return new Response();
    }, httpScope({ headers }));
    expect(request?.headers.get("x-name")).toBe("caf\xe9");
    expect(request?.headers.get("accept")).toBe("a, b");
    expect(apart).toEqual(headers);
  });

  test("env.state is the scope's state", async () => {
    const state = { db: {} };
    let given: unknown;
    await answer((_, env) => {
      given = env.state;
      return new Response();
    }, httpScope({ state }));
    expect(given).toBe(state);
  });
});

const POST: Wanted = {
  method: "POST",
  headers: [
    ["host", "h"],
    ["transfer-encoding", "chunked"],
  ],
};

describe("the request body", () => {
  test("is never received before the handler reads it", async () => {
    const side = await answer(
      (request) => new Response(String(request.body instanceof ReadableStream)),
      httpScope(POST),
      { type: "http.request", body: bytes("x"), more: false },
    );
    expect(side.received()).toBe(0);
    expect(response(side.sent).body).toBe("true");
  });

  test("is pulled fragment by fragment", async () => {
    const side = server(
      { type: "http.request", body: bytes("one"), more: true },
      { type: "http.request", body: bytes(""), more: true },
      { type: "http.request", body: bytes("two"), more: true },
      { type: "http.request", body: bytes(""), more: false },
    );
    const counts: number[] = [];
    await fromFetch(async (request) => {
      const got: string[] = [];
      for await (const chunk of request.body ?? []) {
        got.push(text(chunk));
        counts.push(side.received());
      }
      return Response.json(got);
    })(httpScope(POST), side.receive, side.send);
    expect(response(side.sent).body).toBe('["one","two"]');
    expect(counts).toEqual([1, 3]);
  });

  test.each(["text", "json", "bytes", "formData"] as const)("request.%s()", async (method) => {
    const body = method === "formData" ? "a=1" : "[1]";
    const scope = httpScope({
      method: "POST",
      headers: [
        ["content-length", "3"],
        ["content-type", "application/x-www-form-urlencoded"],
      ],
    });
    const side = await answer(
      async (request) => new Response(Bun.inspect(await request[method]())),
      scope,
      { type: "http.request", body: bytes(body.slice(0, 1)), more: true },
      { type: "http.request", body: bytes(body.slice(1)), more: false },
    );
    expect(response(side.sent)).toMatchObject({ status: 200 });
    expect(response(side.sent).body).toContain("1");
  });

  test.each([
    ["GET", {}],
    ["HEAD", { method: "HEAD" }],
    ["POST without framing on HTTP/1.1", { method: "POST" }],
    ["POST of length 0", { method: "POST", headers: [["content-length", "0"]] as HeaderPair[] }],
  ])("is null for %s", async (_, wanted) => {
    expect((await seen(wanted)).body).toBeNull();
  });

  test("may come without framing fields in HTTP/2", async () => {
    expect((await seen({ method: "POST", http_version: "2" })).body).not.toBeNull();
  });

  test("fails with an AbortError when the client goes", async () => {
    const scope = httpScope(POST);
    const side = server({ type: "http.request", body: bytes("part"), more: true });
    const done = fromFetch(async (request) => {
      const failure: unknown = await request.text().catch((error: unknown) => error);
      return new Response(failure instanceof DOMException ? failure.name : "no");
    })(scope, side.receive, side.send);
    while (side.received() < 2) await Promise.resolve();
    scope["pagi.connection"].lose("client_closed");
    side.put({ type: "http.disconnect" });
    await done;
    expect(side.sent).toEqual([]);
  });
});

describe("the response", () => {
  test("status, headers and a body with its length", async () => {
    const side = await answer(() => new Response("héllo", { status: 201, headers: { "X-A": "caf\xe9" } }));
    expect(response(side.sent)).toEqual({
      status: 201,
      headers: [
        ["x-a", "caf\xe9"],
        ["content-type", "text/plain;charset=utf-8"],
        ["content-length", "6"],
      ],
      body: "héllo",
    });
    expect(side.sent).toHaveLength(2);
  });

  test("every Set-Cookie is a field of its own", async () => {
    const headers = new Headers([
      ["set-cookie", "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
      ["vary", "a"],
      ["set-cookie", "b=2"],
      ["vary", "b"],
    ]);
    const sent = response((await answer(() => new Response(null, { headers }))).sent).headers;
    expect(sent.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual([
      "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      "b=2",
    ]);
    expect(sent).toContainEqual(["vary", "a, b"]);
  });

  test("a redirect", async () => {
    const side = await answer(() => Response.redirect("/elsewhere", 307));
    expect(response(side.sent)).toEqual({
      status: 307,
      headers: [
        ["location", "/elsewhere"],
        ["content-length", "0"],
      ],
      body: "",
    });
  });

  test.each([204, 304])("%d has no body and no length", async (status) => {
    const side = await answer(() => new Response(null, { status }));
    expect(side.sent).toEqual([
      { type: "http.response.start", status, headers: [] },
      { type: "http.response.body", body: "", more: false },
    ]);
  });

  test("JSON, form and Blob bodies keep their type", async () => {
    const types = await Promise.all(
      [
        Response.json({ a: 1 }),
        new Response(new URLSearchParams("a=b")),
        new Response(new Blob(["x"], { type: "a/b" })),
      ].map(async (given) => {
        const { headers } = response((await answer(() => given)).sent);
        return headers.find(([name]) => name === "content-type")?.[1];
      }),
    );
    expect(types).toEqual([
      "application/json;charset=utf-8",
      "application/x-www-form-urlencoded;charset=UTF-8",
      "a/b",
    ]);
  });

  test("to HEAD: the type and length that GET would get, and no body", async () => {
    const head = (given: Response) => answer(() => given, httpScope({ method: "HEAD" }));
    expect(response((await head(new Response("hello"))).sent)).toMatchObject({
      headers: [
        ["content-type", "text/plain;charset=utf-8"],
        ["content-length", "5"],
      ],
      body: "",
    });
    expect(response((await head(new Response(null))).sent).headers).toEqual([]);
    let cancelled = false;
    const stream = new ReadableStream({
      pull() {},
      cancel() {
        cancelled = true;
      },
    });
    expect(response((await head(new Response(stream))).sent)).toEqual({ status: 200, headers: [], body: "" });
    expect(cancelled).toBe(true);
  });

  test("a Bun.file goes out as a file", async () => {
    const path = join(tmpdir(), `fetch-adapter-${process.pid}.txt`);
    await Bun.write(path, "from a file");
    try {
      const side = await answer(() => new Response(Bun.file(path)));
      expect(response(side.sent).headers).toEqual([
        ["content-type", "text/plain;charset=utf-8"],
        ["content-length", "11"],
      ]);
      expect(side.sent.slice(1)).toEqual([{ type: "http.response.body", file: path, offset: 0, length: 11 }]);

      const slices: [slice: Blob, offset: number, length: number][] = [
        [Bun.file(path).slice(0, 4), 0, 4],
        [Bun.file(path).slice(5, 16), 5, 6],
        [Bun.file(path).slice(5), 5, 6],
      ];
      for (const [slice, offset, length] of slices) {
        const { sent } = await answer(() => new Response(slice));
        expect(response(sent).headers).toContainEqual(["content-length", String(length)]);
        expect(sent[1]).toEqual({ type: "http.response.body", file: path, offset, length });
      }

      const declined = server();
      await fromFetch(() => new Response(Bun.file(path)))(sseScope(), declined.receive, declined.send);
      expect(response(declined.sent).body).toBe("from a file");
    } finally {
      await Bun.file(path).delete();
    }
  });

  test("an uploaded File whose name is a path is bytes, not that file", async () => {
    const side = await answer(() => new Response(new File(["mine"], "/etc/hostname")));
    expect(response(side.sent).body).toBe("mine");
  });

  test("a stream goes out chunk by chunk, each read once the last is taken", async () => {
    const scope = httpScope();
    const gates: (() => void)[] = [];
    const sent: SendEvent[] = [];
    let pulled = 0;
    const stream = new ReadableStream(
      {
        pull(controller) {
          pulled += 1;
          controller.enqueue(bytes(String(pulled).repeat(40_000)));
          if (pulled === 4) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const sentMore = () => new Promise<void>((resolve) => void (notify = resolve));
    let notify = (): void => {};
    const done = fromFetch(() => new Response(stream))(scope, server().receive, (event) => {
      sent.push(event);
      notify();
      return new Promise((resolve) => gates.push(resolve));
    });
    // 64 KiB are looked at before the head leaves: a stream that ends within them goes out with its length.
    for (const expected of [2, 2, 2, 3, 4]) {
      while (gates.length === 0) await sentMore();
      expect(pulled).toBe(expected);
      gates.shift()?.();
    }
    while (gates.length === 0) await sentMore();
    gates.shift()?.();
    await done;
    expect(sent.slice(1)).toEqual([
      ...["1", "2", "3", "4"].map((digit): SendEvent => ({
        type: "http.response.body",
        body: bytes(digit.repeat(40_000)),
        more: true,
      })),
      { type: "http.response.body", body: "", more: false },
    ]);
  });

  test("the head of a stream leaves before its first chunk", async () => {
    const side = server();
    const { promise, resolve } = Promise.withResolvers<void>();
    const stream = new ReadableStream({
      async pull(controller) {
        await promise;
        controller.close();
      },
    });
    const done = fromFetch(() => new Response(stream))(httpScope(), side.receive, side.send);
    await side.sentAtLeast(1);
    expect(side.sent).toHaveLength(1);
    resolve();
    await done;
  });

  test("an echo streams the request through", async () => {
    const side = await answer(
      (request) => new Response(request.body),
      httpScope(POST),
      { type: "http.request", body: bytes("ping "), more: true },
      { type: "http.request", body: bytes("pong"), more: false },
    );
    expect(response(side.sent).body).toBe("ping pong");
  });

  test("a stream that fails is thrown on, for the server to cut the response", async () => {
    const stream = new ReadableStream({
      pull() {
        throw new Error("source broke");
      },
    });
    expect(answer(() => new Response(stream))).rejects.toThrow("source broke");
  });

  test("when send refuses, the stream is cancelled and the refusal thrown on", async () => {
    let cancelled: unknown;
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(bytes("x"));
      },
      cancel(reason) {
        cancelled = reason;
      },
    });
    const refusal = new Error("no");
    const done = fromFetch(() => new Response(stream))(httpScope(), server().receive, async (event) => {
      if (event.type === "http.response.body") throw refusal;
    });
    expect(done).rejects.toBe(refusal);
    await done.catch(() => {});
    expect(cancelled).toBe(refusal);
  });

  test("a handler that throws throws through", async () => {
    expect(
      answer(() => {
        throw new Error("mine");
      }),
    ).rejects.toThrow("mine");
  });

  test("a handler that returns something else is told so", async () => {
    const broken = (() => undefined) as unknown as FetchHandler;
    expect(answer(broken)).rejects.toThrow("returned undefined for GET /; it has to return a Response");
  });

  test("a Response that was read already is refused", async () => {
    const used = new Response("x");
    await used.text();
    expect(answer(() => used)).rejects.toThrow("has been read already");
  });

  const bodies: [kind: FetchBody["kind"], given: Response][] = [
    ["none", new Response(null)],
    ["stream", new Response("")],
    ["bytes", new Response("x")],
    ["bytes", new Response("\u00e9")],
    ["bytes", new Response("\u20ac")],
    ["bytes", new Response("\u20ac".repeat(50_000))],
    ["bytes", new Response(bytes("x"))],
    ["bytes", new Response(bytes("x".repeat(100_000)))],
    ["bytes", new Response(new Blob(["x"]))],
    ["bytes", new Response(new File(["x"], "/etc/hostname"))],
    ["bytes", new Response("x".repeat(3_000_000))],
    ["bytes", new Response("x", { headers: { a: "b" }, statusText: "\n  bodyUsed: false,\n  FileRef (" })],
    ["stream", new Response(new ReadableStream(), { statusText: "Longer than nothing" })],
    ["stream", withProperty(new Response(new ReadableStream()))],
    ["file", new Response(Bun.file("/nonexistent"))],
    ["file", new Response(Bun.file(import.meta.path), { headers: { "content-type": "a/b", "x-y": "z" } })],
    ["file", new Response(Bun.file(import.meta.path), { statusText: "OK" })],
    ["file", withProperty(new Response(Bun.file(import.meta.path)))],
    ["file", new Response(Bun.file(import.meta.path).slice(3))],
    ["stream", new Response(new ReadableStream())],
    ["stream", new Response(Bun.file(import.meta.path).stream(), { headers: { a: "b" } })],
  ];
  test.each(bodies)("what a body is made of: %s", (kind, given) => {
    expect(fetchBody(given).kind).toBe(kind);
  });
});

/** As frameworks leave them on responses. */
function withProperty(response: Response): Response {
  Object.defineProperty(response, "own", { value: "property" });
  return response;
}

/** A handler whose response never ends by itself; resolves with what its stream was cancelled with. */
function endless() {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const handler: FetchHandler = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(bytes("data: 1\n\n"));
        },
        cancel: resolve,
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  return { handler, cancelled: promise };
}

describe("when the client goes", () => {
  test("request.signal is aborted while the handler works", async () => {
    const scope = httpScope();
    let reason: unknown;
    const done = answer(async (request) => {
      const aborted = new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      scope["pagi.connection"].lose("client_closed");
      await aborted;
      reason = request.signal.reason;
      return new Response("too late");
    }, scope);
    expect((await done).sent).toEqual([]);
    expect(reason).toBeInstanceOf(DOMException);
    expect(reason).toMatchObject({ name: "AbortError", message: "The client has gone (client_closed)." });
  });

  test("the response stream is cancelled, even while it waits", async () => {
    const scope = httpScope();
    const side = server();
    const { handler, cancelled } = endless();
    const done = fromFetch(handler)(scope, side.receive, side.send);
    await side.sentAtLeast(2);
    scope["pagi.connection"].lose("client_closed");
    await done;
    expect(await cancelled).toMatchObject({ name: "AbortError" });
    expect(side.sent).toHaveLength(2);
  });

  test("a response that comes too late is cancelled unsent", async () => {
    const scope = httpScope();
    const { handler, cancelled } = endless();
    const side = await answer((request, env) => {
      scope["pagi.connection"].lose("client_timeout");
      return handler(request, env);
    }, scope);
    expect(await cancelled).toMatchObject({ name: "AbortError" });
    expect(side.sent).toEqual([]);
  });
});

describe("an sse scope", () => {
  const gone: ReceiveEvent = { type: "sse.disconnect", reason: "client_closed" };

  test("is declined with the handler's response", async () => {
    const side = server({ type: "sse.request", body: bytes(""), more: false });
    await fromFetch(() => new Response("plain"))(sseScope(), side.receive, side.send);
    expect(side.sent.map((event) => event.type)).toEqual([
      "sse.http.response.start",
      "sse.http.response.body",
    ]);
    expect(response(side.sent).body).toBe("plain");
  });

  test("a stream is cancelled when the client goes", async () => {
    const side = server({ type: "sse.request", body: bytes(""), more: false });
    const { handler, cancelled } = endless();
    const done = fromFetch(handler)(sseScope(), side.receive, side.send);
    await side.sentAtLeast(2);
    side.put(gone);
    await done;
    expect(await cancelled).toMatchObject({ message: "The client has gone (client_closed)." });
    expect(response(side.sent).body).toBe("data: 1\n\n");
  });

  test("without a request body the signal is aborted while the handler works", async () => {
    const side = server({ type: "sse.request", body: bytes(""), more: false }, gone);
    await fromFetch(async (request) => {
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      return new Response("too late");
    })(sseScope(), side.receive, side.send);
    expect(side.sent).toEqual([]);
  });

  test("the body is read before the stream, and the disconnect seen after it", async () => {
    const side = server(
      { type: "sse.request", body: bytes("que"), more: true },
      { type: "sse.request", body: bytes("stion"), more: false },
    );
    const { handler, cancelled } = endless();
    let body = "";
    const done = fromFetch(async (request, env) => {
      body = await request.text();
      return handler(request, env);
    })(sseScope(POST), side.receive, side.send);
    await side.sentAtLeast(2);
    side.put(gone);
    await done;
    await cancelled;
    expect(body).toBe("question");
  });

  test("a body is not received before it is read", async () => {
    const side = server({ type: "sse.request", body: bytes("x"), more: true });
    let before = -1;
    await fromFetch(() => {
      before = side.received();
      return new Response("done");
    })(sseScope(POST), side.receive, side.send);
    expect(before).toBe(0);
  });

  test("a body that nobody reads does not hide that the client has gone", async () => {
    const part: ReceiveEvent = { type: "sse.request", body: bytes("x"), more: true };
    const side = server(part, part, part);
    const { handler, cancelled } = endless();
    let request: Request | undefined;
    const done = fromFetch((given, env) => {
      request = given;
      return handler(given, env);
    })(sseScope(POST), side.receive, side.send);
    await side.sentAtLeast(2);
    side.put(gone);
    await done;
    await cancelled;
    expect(request?.text()).rejects.toThrow("not read before the response began");
  });

  test("an echo streams both ways, at the reader's pace, and ends with the client", async () => {
    const side = server({ type: "sse.request", body: bytes("a"), more: true });
    const done = fromFetch((request) => new Response(request.body))(sseScope(POST), side.receive, side.send);
    await side.sentAtLeast(2);
    side.put({ type: "sse.request", body: bytes("b"), more: true });
    await side.sentAtLeast(3);
    side.put(gone);
    await done.catch((error: unknown) => expect(error).toMatchObject({ name: "AbortError" }));
    expect(response(side.sent).body).toBe("ab");
  });
});

test("lifespan scopes are not handled", async () => {
  const app = fromFetch(() => new Response());
  const side = server();
  const lifespan: LifespanScope = {
    type: "lifespan",
    pagi: { version: "0.3", spec_version: "0.3", is_worker: 0, role: "single" },
    state: {},
  };
  expect(app(lifespan, side.receive, side.send)).rejects.toBeInstanceOf(UnsupportedScopeError);
});
