import { describe, expect, spyOn, test } from "bun:test";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OptionError } from "../../src/errors.ts";
import type { Application, SendEvent } from "../../src/spec/index.ts";
import { CookieSigner } from "../../src/toolkit/values/cookies.ts";
import { BodyTooLargeError, PagiRequest, ValidationError } from "../../src/toolkit/request.ts";
import { isResponder, PagiResponse, toResponder } from "../../src/toolkit/response.ts";
import { httpScope, response, server, sseScope, type Wanted } from "../support/fake-scope.ts";

/** What a response sends to a request. */
async function sent(it: PagiResponse, wanted: Wanted = {}) {
  const side = server();
  await it.respond(side.send, httpScope(wanted));
  return { ...response(side.sent), events: side.sent };
}

const headersOf = async (it: PagiResponse, wanted?: Wanted) =>
  Object.fromEntries((await sent(it, wanted)).headers);
const FILE = join(import.meta.dir, "response.test.ts");

describe("bodies", () => {
  test.each([
    [PagiResponse.text("ä"), 200, "text/plain; charset=utf-8", "ä", "2"],
    [PagiResponse.html("<p>", { status: 404 }), 404, "text/html; charset=utf-8", "<p>", "3"],
    [PagiResponse.json({ a: [1, "€"] }), 200, "application/json", '{"a":[1,"€"]}', "15"],
    [PagiResponse.send("x"), 200, "text/plain; charset=utf-8", "x", "1"],
    [PagiResponse.sendRaw(Uint8Array.of(65)), 200, undefined, "A", "1"],
    [PagiResponse.empty({ status: 200 }), 200, undefined, "", "0"],
    [PagiResponse.empty(), 204, undefined, "", undefined],
    [new PagiResponse().status(201).empty(), 201, undefined, "", "0"],
    [PagiResponse.redirect("/login"), 302, undefined, "", "0"],
    [new PagiResponse(), 200, undefined, "", "0"],
  ] as const)("%#", async (it, status, type, body, length) => {
    const result = await sent(it);
    const headers = Object.fromEntries(result.headers);
    expect([result.status, headers["content-type"], result.body, headers["content-length"]]).toEqual([
      status,
      type,
      body,
      length,
    ]);
  });

  test("an explicit type stays, and says its charset where it has one", async () => {
    const type = (it: PagiResponse) => it.contentType();
    expect(type(new PagiResponse().contentType("application/xml").html("<a/>"))).toBe(
      "application/xml; charset=utf-8",
    );
    expect(type(PagiResponse.json(1, { contentType: "application/hal+json" }))).toBe("application/hal+json");
    expect(type(PagiResponse.json(1, { contentType: "text/plain" }))).toBe("text/plain; charset=utf-8");
    expect(type(PagiResponse.text("", { contentType: "text/csv; Charset=x" }))).toBe("text/csv; Charset=x");
    expect(type(PagiResponse.html("").contentType(null).text(""))).toBe("text/plain; charset=utf-8");
    expect(type(PagiResponse.send("\xe4", { charset: "iso-8859-1" }))).toBe("text/plain; charset=iso-8859-1");
  });

  test("send() in another charset, and what is not in it", async () => {
    const side = server();
    await PagiResponse.send("\xe4", { charset: "latin1" }).respond(side.send);
    expect(side.sent[1]).toMatchObject({ body: Buffer.of(0xe4), more: false });
    expect(() => PagiResponse.send("€", { charset: "iso-8859-1" })).toThrow(/not in iso-8859-1/);
    expect(() => PagiResponse.send("ä", { charset: "us-ascii" })).toThrow(/not in us-ascii/);
    expect(() => PagiResponse.send("ä", { charset: "koi8-r" })).toThrow(/sendRaw/);
  });

  test("what has no JSON is refused when it is set", () => {
    expect(() => PagiResponse.json(undefined)).toThrow(/has no JSON/);
    expect(() => PagiResponse.json(1n)).toThrow(TypeError);
  });

  test("a length of one's own never stands beside the real one", async () => {
    const it = PagiResponse.text("abc").header("Content-Length", 99).header("Transfer-Encoding", "chunked");
    expect((await sent(it)).headers).toEqual([
      ["content-type", "text/plain; charset=utf-8"],
      ["content-length", "3"],
    ]);
  });

  test("HEAD gets the header of GET and no body", async () => {
    const result = await sent(PagiResponse.text("abc"), { method: "HEAD" });
    expect([result.body, Object.fromEntries(result.headers)["content-length"]]).toEqual(["", "3"]);
    let asked = false;
    const stream = PagiResponse.stream(() => void (asked = true));
    expect((await sent(stream, { method: "HEAD" })).body).toBe("");
    expect(asked).toBe(false);
  });

  test.each([
    ["/a b?q=ä", "/a%20b?q=%C3%A4"],
    ["/x\r\nset-cookie: a=1", "/x%0D%0Aset-cookie:%20a=1"],
    ["https://example.org/%20#f", "https://example.org/%20#f"],
    ["/\ud800", "/%EF%BF%BD"],
  ])("redirects to %j", (location, encoded) => {
    expect(PagiResponse.redirect(location, 303).header("location")).toBe(encoded);
  });

  test("statuses that are none are refused", () => {
    expect(() => new PagiResponse().status(100)).toThrow(RangeError);
    expect(() => new PagiResponse().status(1000)).toThrow(RangeError);
    expect(() => PagiResponse.redirect("/", 200)).toThrow(RangeError);
  });
});

describe("status and header", () => {
  test("try sets only what is not set", () => {
    const it = new PagiResponse();
    expect([it.status(), it.hasStatus(), it.hasBodySource(), it.hasContentType()]).toEqual([
      200,
      false,
      false,
      false,
    ]);
    it.statusTry(202)
      .statusTry(500)
      .headerTry("x", "1")
      .headerTry("X", "2")
      .contentTypeTry("a/b")
      .contentTypeTry("c/d");
    expect([it.status(), it.headerAll("x"), it.contentType(), it.hasHeader("X")]).toEqual([
      202,
      ["1"],
      "a/b",
      true,
    ]);
    expect(it.header("y", 1).header("Y", 2).header("y")).toBe("2");
    expect(it.removeHeader("Y").hasHeader("y")).toBe(false);
    expect(it.empty().hasBodySource()).toBe(true);
    expect(PagiResponse.text("", { headers: { a: 1 } }).headers.get("a")).toBe("1");
  });

  test("cookies: set, signed, deleted", () => {
    const signer = new CookieSigner("k".repeat(32));
    const it = new PagiResponse()
      .cookie("a", "1", { httpOnly: true })
      .cookie("b", "2", { signer })
      .deleteCookie("c", { path: "/x" });
    const [a, b = "", c] = it.headerAll("set-cookie");
    expect(a).toBe("a=1; Path=/; HttpOnly");
    expect(signer.verify("b", b.slice(2).split(";")[0] ?? "")).toBe("2");
    expect(c).toStartWith("c=; Max-Age=0; Path=/x; Expires=Thu, 01 Jan 1970");
  });

  test("cors", () => {
    const fields = (it: PagiResponse) => it.headers.toObject();
    expect(fields(new PagiResponse().header("vary", "accept, ORIGIN").cors())).toEqual({
      vary: "accept, ORIGIN",
      "access-control-allow-origin": "*",
    });
    expect(
      fields(
        new PagiResponse().cors({
          credentials: true,
          requestOrigin: "https://a.b",
          expose: ["X-A", "X-B"],
          preflight: true,
          methods: ["GET"],
          headers: ["X"],
          maxAge: 5,
        }),
      ),
    ).toEqual({
      "access-control-allow-origin": "https://a.b",
      vary: "Origin",
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "X-A, X-B",
      "access-control-allow-methods": "GET",
      "access-control-allow-headers": "X",
      "access-control-max-age": "5",
    });
    // Every request of the site itself, and of what is no browser, comes without an Origin.
    expect(fields(new PagiResponse().cors({ credentials: true, requestOrigin: undefined }))).toEqual({
      vary: "Origin",
    });
    expect(() => new PagiResponse().cors({ credentials: true })).toThrow(/exclude each other/);
  });
});

describe("an application and a value", () => {
  test("toApp answers http, declines sse and websocket, refuses lifespan; any number of times", async () => {
    const app: Application = PagiResponse.json({ ok: true }).toApp();
    for (let i = 0; i < 2; i++) {
      const side = server();
      await app(httpScope(), side.receive, side.send);
      expect(response(side.sent).body).toBe('{"ok":true}');
    }
    const sse = server();
    await app(sseScope(), sse.receive, sse.send);
    expect(sse.sent.map((event) => event.type)).toEqual([
      "sse.http.response.start",
      "sse.http.response.body",
    ]);
    const { "pagi.connection": _, ...request } = httpScope();
    const websocket = { ...request, type: "websocket" as const, scheme: "ws" as const, subprotocols: [] };
    const denied = server();
    await app({ ...websocket, extensions: { "websocket.http.response": {} } }, denied.receive, denied.send);
    expect(denied.sent.map((event) => event.type)).toEqual([
      "websocket.http.response.start",
      "websocket.http.response.body",
    ]);
    const closed = server();
    await app(websocket, closed.receive, closed.send);
    expect(closed.sent).toEqual([{ type: "websocket.close" }]);
    const lifespan = {
      type: "lifespan" as const,
      state: {},
      pagi: { version: "0.3", spec_version: "0.3", is_worker: 0 as const, role: "single" as const },
    };
    await expect(app(lifespan, closed.receive, closed.send)).rejects.toThrow(/lifespan/);
  });

  test("a request makes a response for its scope", async () => {
    const scope = httpScope({ method: "HEAD" });
    const side = server();
    const it = new PagiRequest(scope, side.receive).response();
    expect(it.isSent()).toBe(false);
    await it.text("abc").respond(side.send);
    expect(response(side.sent).body).toBe("");
    scope["pagi.connection"].responseStarted = () => true;
    expect([it.isSent(), new PagiResponse().isSent()]).toEqual([true, false]);
  });

  test("a Fetch Response is one too; what is none is named", async () => {
    const headers = new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x", "y"]]); // prettier-ignore
    const it = toResponder(new Response("ä", { status: 201, headers }));
    const side = server();
    await it.respond(side.send, httpScope());
    const result = response(side.sent);
    expect([result.status, result.body]).toEqual([201, "ä"]);
    expect(result.headers.filter(([name]) => name === "set-cookie")).toHaveLength(2);
    const empty = server();
    await toResponder(new Response(null, { status: 204 })).respond(empty.send);
    expect(response(empty.sent)).toMatchObject({ status: 204, body: "" });
    const own = { respond: async () => {} };
    expect([toResponder(own), isResponder(own), isResponder(null)]).toEqual([own, true, false]);
    expect(() => toResponder(undefined)).toThrow(/returned undefined/);
    expect(() => toResponder(new Map())).toThrow(/returned Map/);
    const read = new Response("x");
    await read.text();
    expect(() => toResponder(read)).toThrow(/read already/);
  });

  test("problem documents (RFC 9457)", async () => {
    const issues = [{ in: "body" as const, pointer: "/age", message: "Expected number" }];
    const result = await sent(PagiResponse.problem(new ValidationError(issues)));
    expect(result.status).toBe(422);
    expect(Object.fromEntries(result.headers)["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(result.body)).toEqual({
      type: "about:blank",
      title: "Unprocessable Content",
      status: 422,
      detail: "The request is not valid. body/age: Expected number",
      code: "ERR_PAGI_VALIDATION",
      errors: issues,
    });
    expect((await sent(PagiResponse.problem(new BodyTooLargeError(5)))).status).toBe(413);
  });
});

describe("streams", () => {
  const body = (events: SendEvent[]) =>
    events.slice(1).map((event) => ("body" in event && event.body ? Buffer.from(event.body).toString() : ""));

  test("a function with a writer, which is closed after it", async () => {
    const { events, headers } = await sent(
      PagiResponse.stream(
        async (writer) => {
          await writer.write("a");
          await writer.write(Uint8Array.of(66));
          expect(writer.bytesWritten).toBe(2);
        },
        { contentType: "text/csv" },
      ),
    );
    expect(headers).toEqual([["content-type", "text/csv"]]);
    expect(body(events)).toEqual(["a", "B", ""]);
    expect(events.at(-1)).toMatchObject({ more: false });
  });

  test.each([
    ["an array", () => ["a", "b"]],
    ["a generator", function* () { yield "a"; yield "b"; }], // prettier-ignore
    ["an async generator", async function* () { yield "a"; yield "b"; }], // prettier-ignore
    ["a ReadableStream", () => new Response("ab").body ?? []],
  ])("%s", async (_, source) => {
    expect(body((await sent(PagiResponse.stream(source()))).events).join("")).toBe("ab");
  });

  test("JSON as an array and as lines", async () => {
    const values = async function* () { yield { a: 1 }; yield "€"; yield null; }; // prettier-ignore
    const array = await sent(PagiResponse.jsonStream(values()));
    expect([array.body, Object.fromEntries(array.headers)["content-type"]]).toEqual([
      '[{"a":1},"€",null]',
      "application/json",
    ]);
    expect((await sent(PagiResponse.jsonStream([]))).body).toBe("[]");
    const lines = await sent(PagiResponse.jsonStream(values(), { format: "lines" }));
    expect([lines.body, Object.fromEntries(lines.headers)["content-type"]]).toEqual([
      '{"a":1}\n"€"\nnull\n',
      "application/x-ndjson",
    ]);
  });

  test("a chunk that is none is refused, not left out", async () => {
    // @ts-expect-error: what a JavaScript caller may do
    const it = PagiResponse.stream([1, 2]);
    await expect(it.respond(server().send, httpScope())).rejects.toThrow(/not number/);
  });

  test("what fails in the middle is thrown, and the body is not completed", async () => {
    const side = server();
    const closed: string[] = [];
    const it = PagiResponse.stream(async (writer) => {
      writer.onClose(() => void closed.push("closed"));
      await writer.write("half");
      throw new Error("broken");
    });
    await expect(it.respond(side.send, httpScope())).rejects.toThrow("broken");
    expect(side.sent).toHaveLength(2);
    expect(closed).toEqual(["closed"]);
  });

  test("when the client goes, chunks are not asked for any more, not even one that never comes", async () => {
    const scope = httpScope();
    const side = server();
    let cancelled: unknown = "no";
    const asked = Promise.withResolvers<void>();
    let pulls = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls += 1;
          if (pulls === 1) return controller.enqueue(Buffer.from("first"));
          asked.resolve();
          return new Promise(() => {});
        },
        cancel: () => void (cancelled = "yes"),
      },
      { highWaterMark: 0 },
    );
    const done = PagiResponse.stream(stream).respond(side.send, scope);
    await asked.promise;
    scope["pagi.connection"].lose("client_closed");
    await done;
    expect(cancelled).toBe("yes");
    let made = 0;
    function* endless() { for (;;) { made += 1; yield "x"; if (made === 3) gone["pagi.connection"].lose("client_closed"); } } // prettier-ignore
    const gone = httpScope();
    await PagiResponse.stream(endless()).respond(server().send, gone);
    expect(made).toBeLessThan(6);
  });

  test("a writer of one's own: once, closed once, told of the client's going", async () => {
    const scope = httpScope();
    const side = server();
    const closed: string[] = [];
    const it = new PagiResponse(scope).contentType("text/plain");
    const writer = await it.writer(side.send, { onClose: () => void closed.push("first") });
    writer.onClose(async () => void closed.push("second"));
    await writer.write("a");
    await writer.close();
    await writer.close();
    writer.onClose(() => void closed.push("late"));
    expect(closed).toEqual(["first", "second", "late"]);
    expect(side.sent.map((event) => event.type)).toEqual([
      "http.response.start",
      "http.response.body",
      "http.response.body",
    ]);
    expect(writer.isClosed()).toBe(true);
    await expect(writer.write("b")).rejects.toThrow(/was closed/);
    await expect(it.writer(side.send)).rejects.toThrow(/only one/);

    const other = httpScope();
    const left = await new PagiResponse(other).writer(side.send, { onClose: () => void closed.push("gone") });
    other["pagi.connection"].lose("client_closed");
    expect([left.isConnected(), closed.at(-1)]).toEqual([false, "gone"]);
    const before = side.sent.length;
    await left.write("nobody reads this");
    expect(side.sent).toHaveLength(before);
  });

  test("an onClose that fails keeps none of the others from running", async () => {
    const warned = spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      const closed: string[] = [];
      const writer = await new PagiResponse().writer(server().send, {
        onClose: () => Promise.reject(new Error("no")),
      });
      await writer.onClose(() => void closed.push("ran")).close();
      expect(closed).toEqual(["ran"]);
      expect(warned).toHaveBeenCalledTimes(1);
    } finally {
      warned.mockRestore();
    }
  });
});

describe("files and conditions", () => {
  test("an ETag of the body, or one's own; conditions hold for a 200 to GET and HEAD only", async () => {
    const it = PagiResponse.text("abc").etag();
    const etag = it.header("etag") ?? "";
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    expect(PagiResponse.text("abc").etag().header("etag")).toBe(etag);
    expect(PagiResponse.text("abd").etag().header("etag")).not.toBe(etag);
    expect(new PagiResponse().etag("v1", { weak: true }).header("etag")).toBe('W/"v1"');
    expect(() => new PagiResponse().etag('"v1"')).toThrow(/leave out the quotes/);
    expect(() => PagiResponse.stream([]).etag()).toThrow(/neither stream nor file/);
    const ifNoneMatch: Wanted = { headers: [["if-none-match", `"x", W/${etag}`]] };
    const unchanged = await sent(it, ifNoneMatch);
    expect([unchanged.status, unchanged.body, unchanged.headers]).toEqual([304, "", [["etag", etag]]]);
    expect((await sent(it, { ...ifNoneMatch, method: "HEAD" })).status).toBe(304);
    expect((await sent(it, { ...ifNoneMatch, method: "POST" })).status).toBe(200);
    expect((await sent(PagiResponse.text("abc", { status: 404 }).etag(), ifNoneMatch)).status).toBe(404);
    const side = server();
    await it.respond(side.send);
    expect(response(side.sent).status).toBe(200);
  });

  test("a stream that the client has already is not begun", async () => {
    let begun = false;
    const it = PagiResponse.stream(() => void (begun = true)).etag("v1");
    expect((await sent(it, { headers: [["if-none-match", '"v1"']] })).status).toBe(304);
    expect(begun).toBe(false);
  });

  // RFC 9110 sections 13.1.1 and 13.1.2: `*` asks only whether there is a response, and a tag that it has not is another's.
  test.each([
    ["if-none-match", "*", 304],
    ["if-none-match", '"v1"', 200],
    ["if-match", "*", 200],
    ["if-match", '"v1"', 412],
    ["if-modified-since", "Thu, 01 Jan 2099 00:00:00 GMT", 200],
  ] as const)("a response without validators: %s: %s", async (name, value, status) => {
    const wanted: Wanted = { headers: [[name, value]] };
    expect((await sent(PagiResponse.text("x"), wanted)).status).toBe(status);
    expect((await sent(PagiResponse.text("x", { status: 404 }), wanted)).status).toBe(404);
    expect((await sent(PagiResponse.text("x"), { ...wanted, method: "PUT" })).status).toBe(200);
  });

  test("sendFile: type, length, validators, disposition", async () => {
    const size = Bun.file(FILE).size;
    const headers = await headersOf(PagiResponse.sendFile(FILE, { filename: 'ä "b"\r\n.ts' }));
    expect(headers["content-length"]).toBe(String(size));
    expect(headers["accept-ranges"]).toBe("bytes");
    expect(headers["etag"]).toMatch(/^"[a-z0-9]+-[a-z0-9]+"$/);
    expect(headers["last-modified"]).toMatch(/GMT$/);
    expect(headers["content-disposition"]).toBe(
      `attachment; filename="? \\"b\\".ts"; filename*=UTF-8''%C3%A4%20%22b%22.ts`,
    );
    const disposition = (options: object) =>
      PagiResponse.sendFile(FILE, options).header("content-disposition");
    expect([
      disposition({}),
      disposition({ inline: true }),
      disposition({ inline: true, filename: "a" }),
    ]).toEqual([undefined, "inline", "inline; filename=a"]);
    expect(PagiResponse.sendFile(FILE, { contentType: "x/y" }).contentType()).toBe("x/y");
    expect(await headersOf(PagiResponse.sendFile(FILE, { validators: false }))).not.toContainKey("etag");
  });

  test("when the client goes, the rest of the ranges is not read", async () => {
    const path = join(tmpdir(), `pagi-response-${crypto.randomUUID()}`);
    await Bun.write(path, new Uint8Array(4_000_000));
    try {
      const scope = httpScope({ headers: [["range", "bytes=0-1500000,2000000-3900000"]] });
      let bodies = 0;
      const send = async ({ type }: SendEvent): Promise<void> => {
        if (type === "http.response.body" && ++bodies === 2) scope["pagi.connection"].lose("client_closed");
      };
      await PagiResponse.sendFile(path).respond(send, scope);
      expect(bodies).toBe(2);
    } finally {
      await rm(path);
    }
  });

  test("a part of a file is sent as it was asked for, whatever range the client wants", async () => {
    const it = PagiResponse.sendFile(FILE, { offset: 5, length: 10, status: 206 });
    const { events, status } = await sent(it, { headers: [["range", "bytes=0-0"]] });
    expect(status).toBe(206);
    expect(events[1]).toEqual({ type: "http.response.body", file: FILE, offset: 5, length: 10 });
    const beyond = await sent(PagiResponse.sendFile(FILE, { length: 1e9 }));
    expect(beyond.events[1]).toMatchObject({ length: Bun.file(FILE).size });
  });

  test("where events know no files, the bytes are sent", async () => {
    const side = server();
    await PagiResponse.sendFile(FILE, { offset: 7, length: 2 }).respond(side.send, sseScope());
    expect(response(side.sent).body).toBe((await Bun.file(FILE).text()).slice(7, 9));
  });

  test("a file that has gone since fails before anything is sent", async () => {
    const path = join(tmpdir(), `pagi-gone-${crypto.randomUUID()}`);
    await Bun.write(path, "x");
    const it = PagiResponse.sendFile(path);
    await rm(path);
    const side = server();
    await expect(it.respond(side.send, httpScope())).rejects.toMatchObject({ code: "ERR_PAGI_FILE", path });
    expect(side.sent).toEqual([]);
  });

  test("an empty file", async () => {
    const path = join(tmpdir(), `pagi-empty-${crypto.randomUUID()}`);
    await Bun.write(path, "");
    try {
      const it = PagiResponse.sendFile(path);
      expect(await sent(it)).toMatchObject({ status: 200, body: "" });
      expect((await sent(it, { headers: [["range", "bytes=0-0"]] })).status).toBe(416);
    } finally {
      await rm(path);
    }
  });

  test("what cannot be sent is refused when it is set", () => {
    const code = expect.objectContaining({ code: "ERR_PAGI_FILE" });
    expect(() => PagiResponse.sendFile("/nowhere/at/all")).toThrow(code);
    expect(() => PagiResponse.sendFile(import.meta.dir)).toThrow(code);
    expect(() => PagiResponse.sendFile(FILE, { offset: 1e9 })).toThrow(RangeError);
    expect(() => PagiResponse.sendFile(FILE, { offset: -1 })).toThrow(OptionError);
    expect(() => PagiResponse.sendFile(FILE, { length: 1.5 })).toThrow(OptionError);
  });
});
