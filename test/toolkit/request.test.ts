import { describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { ReceiveEvent } from "../../src/spec/index.ts";
import { CookieSigner } from "../../src/toolkit/values/cookies.ts";
import { BodyStream, PagiRequest, ValidationError } from "../../src/toolkit/request.ts";
import { bytes, httpScope, server, sseScope, type Wanted } from "../support/fake-scope.ts";

const body = (...chunks: (string | Uint8Array)[]): ReceiveEvent[] =>
  chunks.map((chunk, i) => ({
    type: "http.request",
    body: typeof chunk === "string" ? bytes(chunk) : chunk,
    more: i < chunks.length - 1,
  }));

/** A request with the chunks of a body. */
function request(wanted: Wanted = {}, ...chunks: (string | Uint8Array)[]) {
  const scope = httpScope(wanted);
  const side = server(...body(...(chunks.length === 0 ? [""] : chunks)));
  return new PagiRequest(scope, side.receive);
}

const typed = (type: string, ...chunks: string[]) =>
  request({ method: "POST", headers: [["content-type", type]] }, ...chunks);
const json = (text: string) => typed("application/json", text);
const urlencoded = (text: string) => typed("application/x-www-form-urlencoded", text);

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pagi-toolkit-"));
  try {
    await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("the request line and the header", () => {
  test.each<[isCross: boolean, headers: [string, string][]]>([
    [false, []],
    [false, [["sec-fetch-site", "same-origin"]]],
    [false, [["sec-fetch-site", "none"]]],
    [true, [["sec-fetch-site", "same-site"]]],
    [true, [["sec-fetch-site", "cross-site"]]],
    [
      true,
      [
        ["sec-fetch-site", "cross-site"],
        ["origin", "https://shop.example"],
      ],
    ],
    [false, [["origin", "https://shop.example"]]],
    [false, [["origin", "http://SHOP.example"]]],
    [true, [["origin", "https://shop.example:8443"]]],
    [true, [["origin", "https://evil.example"]]],
    [true, [["origin", "https://evil.example/https://shop.example"]]],
    [true, [["origin", "null"]]],
  ])("isCrossOrigin is %p for %j", (isCross, headers) => {
    expect(request({ headers: [["host", "shop.example"], ...headers] }).isCrossOrigin()).toBe(isCross);
  });

  test("no Host is not the host of a page without an origin", () => {
    expect(request({ headers: [["origin", "null"]] }).isCrossOrigin()).toBe(true);
  });

  test("what the scope says", () => {
    const scope = httpScope({
      method: "PUT",
      path: "/ä",
      raw_path: "/%C3%A4",
      query_string: "a=1",
      state: { db: 1 },
    });
    const it = new PagiRequest({ ...scope, client: ["1.2.3.4", 5] }, server().receive);
    expect([it.method, it.path, it.rawPath, it.queryString]).toEqual(["PUT", "/ä", "/%C3%A4", "a=1"]);
    expect([it.scheme, it.httpVersion, it.host, it.client]).toEqual([
      "http",
      "1.1",
      "example.org",
      ["1.2.3.4", 5],
    ]);
    expect(it.state).toEqual({ db: 1 });
    expect(it.raw).toBe(it.scope);
    expect([it.isPut(), it.isGet(), it.isPost()]).toEqual([true, false, false]);
  });

  test("fields: the last value, all values, and a copy", () => {
    const it = request({
      headers: [
        ["accept", "text/html;q=0.5"],
        ["accept", "application/json"],
        ["content-length", "12"],
        ["content-type", "Application/Problem+JSON; charset=utf-8"],
      ],
    });
    expect(it.header("Accept")).toBe("application/json");
    expect(it.headerAll("accept")).toHaveLength(2);
    it.headers.clear();
    expect(it.contentType).toBe("application/problem+json");
    expect(it.contentLength).toBe(12);
    expect([it.isJson(), it.isForm(), it.isMultipart()]).toEqual([true, false, false]);
    expect(it.preferredType("html", "json")).toBe("json");
    expect(it.accepts("html")).toBe(true);
    expect(it.accepts("image/png")).toBe(false);
    expect(request().contentLength).toBeUndefined();
    expect(request().contentType).toBeUndefined();
  });

  test("cookies, plain and signed", () => {
    const signer = new CookieSigner("k".repeat(32));
    const it = request({ headers: [["cookie", `a=1; id=${signer.sign("id", "7")}; forged=7.AAAA`]] });
    expect(it.cookie("a")).toBe("1");
    expect(it.cookie("id", signer)).toBe("7");
    expect(it.cookie("forged", signer)).toBeUndefined();
    expect(it.cookie("constructor")).toBeUndefined();
    expect(request().cookies).toEqual({});
  });

  test("credentials", () => {
    const field = (value: string) => request({ headers: [["authorization", value]] });
    expect(field("Bearer abc").bearerToken).toBe("abc");
    expect(field(`Basic ${btoa("a:b")}`).basicAuth).toEqual({ username: "a", password: "b" });
  });

  test("query parameters", () => {
    const it = request({ query_string: "tag=a&tag=%C3%A4&n" });
    expect(it.queryParam("tag")).toBe("ä");
    expect(it.queryParams().getAll("tag")).toEqual(["a", "ä"]);
    expect(it.rawQueryParam("tag")).toBe("\xc3\xa4");
    expect(it.rawQueryParams().get("n")).toBe("");
    expect(it.queryParam("none")).toBeUndefined();
  });

  test("path parameters are strict one by one, and on demand as a whole", () => {
    const scope = { ...httpScope(), path_params: { id: "42", post: "7" } };
    const it = new PagiRequest(scope, server().receive);
    expect(it.pathParams()).toEqual({ id: "42", post: "7" });
    expect(it.pathParam("id")).toBe("42");
    expect(it.pathParam("user", { strict: false })).toBeUndefined();
    expect(() => it.pathParam("user")).toThrow("no parameter 'user'. Its parameters are: id, post.");
    expect(() => it.pathParam("toString")).toThrow(RangeError);
    expect(request().pathParams()).toEqual({});
    expect(() => request().pathParams({ strict: true })).toThrow(/no router/);
    expect(() => request().pathParam("id")).toThrow(/no router/);
  });

  test("connection and flow are passed through; an sse scope knows nothing of its connection", () => {
    const scope = httpScope();
    const it = new PagiRequest(scope, server().receive);
    const reasons: string[] = [];
    expect(it.onDisconnect((reason) => reasons.push(reason)).isConnected()).toBe(true);
    expect(it.connection).toBe(scope["pagi.connection"]);
    scope["pagi.connection"].lose("client_closed");
    expect([it.isDisconnected(), it.disconnectReason(), reasons]).toEqual([
      true,
      "client_closed",
      ["client_closed"],
    ]);
    expect([it.bufferedAmount(), it.highWaterMark(), it.lowWaterMark(), it.isWritable()]).toEqual([
      0,
      65536,
      16384,
      true,
    ]);
    const sse = new PagiRequest(sseScope(), server().receive);
    expect([sse.connection, sse.isConnected(), sse.whenDisconnected()]).toEqual([
      undefined,
      false,
      undefined,
    ]);
  });
});

describe("another server", () => {
  test("may leave out what the specification lets it leave out", () => {
    const { state, raw_path, query_string, root_path, extensions, ...rest } = httpScope({ path: "/a" });
    expect([state, raw_path, query_string, root_path, extensions]).toEqual([{}, "/", "", "", {}]);
    delete (rest as { "pagi.transport"?: unknown })["pagi.transport"];
    // @ts-expect-error Scopes of this binding have these keys.
    const it = new PagiRequest(rest);
    expect([it.state, it.rawPath, it.queryString, it.rootPath, it.queryParams().keys()]).toEqual([
      {},
      "/a",
      "",
      "",
      [],
    ]);
    expect([it.bufferedAmount(), it.highWaterMark(), it.lowWaterMark(), it.isWritable()]).toEqual([
      0,
      Infinity,
      0,
      true,
    ]);
    expect(it.onDrain(() => {}).onHighWater(() => {})).toBe(it);
  });

  test("may tell of no more than how much waits", () => {
    const scope = httpScope();
    // @ts-expect-error A transport of this binding has all of its methods.
    scope["pagi.transport"] = { bufferedAmount: () => 7 };
    const it = new PagiRequest(scope);
    expect([it.bufferedAmount(), it.highWaterMark(), it.lowWaterMark(), it.isWritable()]).toEqual([
      7,
      Infinity,
      0,
      true,
    ]);
    expect(it.onDrain(() => {}).onHighWater(() => {})).toBe(it);
  });

  test("may leave out the body of a last chunk, and that it is the last", async () => {
    const events: unknown[] = [
      { type: "http.request", body: bytes("ab"), more: true },
      { type: "http.request" },
    ];
    // @ts-expect-error Events of this binding have a body, and say whether there is more.
    const it = new PagiRequest(httpScope(), async () => events.shift());
    expect(await it.text()).toBe("ab");
  });

  test("without receive there is a head and no body", async () => {
    const it = new PagiRequest(httpScope({ headers: [["cookie", "a=1"]] }));
    expect(it.cookie("a")).toBe("1");
    await expect(it.text()).rejects.toThrow("made without receive");
  });
});

describe("the body, whole", () => {
  test("bytes, text and JSON of one body, by any request object of the scope", async () => {
    const scope = httpScope();
    const side = server(...body('{"a"', ":1}"));
    const it = new PagiRequest(scope, side.receive);
    expect(await it.text()).toBe('{"a":1}');
    expect(await new PagiRequest({ ...scope }, side.receive).json<{ a: number }>()).toEqual({ a: 1 });
    expect(await it.body()).toEqual(Buffer.from('{"a":1}'));
    expect(side.received()).toBe(2);
  });

  test("two that ask at once share one reading", async () => {
    const it = request({}, "a", "b");
    expect(await Promise.all([it.text(), it.text()])).toEqual(["ab", "ab"]);
  });

  test("an sse scope has a body too", async () => {
    const it = new PagiRequest(
      sseScope({ method: "POST" }),
      server({ type: "sse.request", body: bytes("x"), more: false }).receive,
    );
    expect(await it.text()).toBe("x");
  });

  test("a body over the limit is refused: by its length before it is read, and while it comes", async () => {
    const scope = httpScope({ headers: [["content-length", "11"]] });
    const side = server(...body("x".repeat(11)));
    const tooLarge = expect.objectContaining({ code: "ERR_PAGI_BODY_TOO_LARGE", status: 413, limit: 10 });
    await expect(new PagiRequest(scope, side.receive).bytes({ maxBytes: 10 })).rejects.toEqual(tooLarge);
    expect(side.received()).toBe(0);
    await expect(request({}, "x".repeat(6), "x".repeat(5)).text({ maxBytes: 10 })).rejects.toEqual(tooLarge);
    expect(await request({}, "x".repeat(5), "x".repeat(5)).text({ maxBytes: 10 })).toHaveLength(10);
    const read = request({}, "x".repeat(11));
    await read.bytes();
    await expect(read.bytes({ maxBytes: 10 })).rejects.toEqual(tooLarge);
    await expect(request({}, new Uint8Array(1024 * 1024 + 1)).bytes()).rejects.toMatchObject({
      limit: 1024 * 1024,
    });
  });

  test("half a body is never taken for the whole", async () => {
    const side = server(
      { type: "http.request", body: bytes("half"), more: true },
      { type: "http.disconnect" },
    );
    const it = new PagiRequest(httpScope(), side.receive);
    await expect(it.text()).rejects.toMatchObject({ code: "ERR_PAGI_INCOMPLETE_BODY" });
  });

  test("JSON that is nested too deeply is a 400, before anything calls itself for each level", async () => {
    const nested = (levels: number, inside = "") => "[".repeat(levels) + inside + "]".repeat(levels);
    const error = { status: 400, message: expect.stringContaining("deeper than 256 levels") };
    for (const text of [
      nested(300_000),
      "[".repeat(300_000),
      nested(257),
      '{"a":'.repeat(257) + "1" + "}".repeat(257),
    ]) {
      await expect(json(text).json()).rejects.toMatchObject(error);
      await expect(json(text).validate(z.json())).rejects.toMatchObject(error);
    }
    const strings = JSON.stringify(["[".repeat(1000), '"[\\'.repeat(1000), { "[{": "\\" }]);
    for (const text of [
      nested(256),
      nested(256, "[]".repeat(2)).replace("[][]", '"[]"'),
      strings,
      `[${"[],".repeat(999)}[]]`,
    ])
      expect(JSON.stringify(await json(text).json())).toBe(text);
    expect(JSON.stringify(await json(nested(3)).json({ maxDepth: 3 }))).toBe("[[[]]]");
    await expect(json(nested(4)).json({ maxDepth: 3 })).rejects.toMatchObject({ status: 400 });
    await expect(json(nested(4)).validate(z.json(), { maxDepth: 3 })).rejects.toMatchObject({ status: 400 });
  });

  test("what is no JSON, or no UTF-8, is a 400", async () => {
    const malformed = expect.objectContaining({ code: "ERR_PAGI_MALFORMED_BODY", status: 400 });
    await expect(json("{").json()).rejects.toEqual(malformed);
    await expect(json("").json()).rejects.toEqual(malformed);
    await expect(request({}, Uint8Array.of(0x22, 0xff, 0x22)).json()).rejects.toEqual(malformed);
    await expect(request({}, Uint8Array.of(0xff)).text({ strict: true })).rejects.toEqual(malformed);
    expect(await request({}, Uint8Array.of(0xff)).text()).toBe("\ufffd");
    expect(await json("\ufeff1").json()).toBe(1);
  });
});

describe("bodyStream", () => {
  test("chunks as they come, text never cut inside a char", async () => {
    const chunks = [
      Buffer.from("a€").subarray(0, 2),
      Buffer.from("a€").subarray(2),
      new Uint8Array(0),
      bytes("z"),
    ];
    const stream = request({}, ...chunks).bodyStream({ decode: "utf-8" });
    expect(await Array.fromAsync(stream)).toEqual(["a", "€", "z"]);
    expect([stream.bytesRead, stream.isDone(), stream.error]).toEqual([5, true, undefined]);
    expect(await Array.fromAsync(request({}, "a", "", "b").bodyStream())).toEqual([bytes("a"), bytes("b")]);
  });

  test("a char that the end cuts off is replaced, or refused", async () => {
    const half = Buffer.from("€").subarray(0, 2);
    expect(await Array.fromAsync(request({}, half).bodyStream({ decode: "utf-8" }))).toEqual(["\ufffd"]);
    const strict = request({}, half).bodyStream({ decode: "utf-8", strict: true });
    await expect(Array.fromAsync(strict)).rejects.toMatchObject({ status: 400 });
    expect(strict.error).toMatchObject({ code: "ERR_PAGI_MALFORMED_BODY" });
  });

  test("the limit holds while it comes; the error stays", async () => {
    const stream = request({}, "abc", "def").bodyStream({ maxBytes: 5 });
    expect(await stream.nextChunk()).toEqual(bytes("abc"));
    await expect(stream.nextChunk()).rejects.toMatchObject({ status: 413 });
    await expect(stream.nextChunk()).rejects.toMatchObject({ status: 413 });
    expect(stream.isDone()).toBe(true);
    const announced = request({ headers: [["content-length", "6"]] }, "abcdef");
    expect(() => announced.bodyStream({ maxBytes: 5 })).toThrow(expect.objectContaining({ status: 413 }));
  });

  test("a body goes one way only", async () => {
    const streamed = request({}, "a");
    streamed.bodyStream();
    expect(() => streamed.bodyStream()).toThrow(expect.objectContaining({ code: "ERR_PAGI_BODY_USED" }));
    await expect(streamed.text()).rejects.toMatchObject({ fault: "application" });
  });

  test("a body that was read whole may be read in any other way", async () => {
    const read = request({}, "a", "b");
    await read.text();
    expect(await Array.fromAsync(read.bodyStream({ decode: "utf-8" }))).toEqual(["ab"]);
    await expect(Array.fromAsync(read.bodyStream({ maxBytes: 1 }))).rejects.toMatchObject({ status: 413 });
    expect(await read.text()).toBe("ab");
  });

  test("text is not written to a file", async () => {
    const path = join(tmpdir(), `pagi-text-${crypto.randomUUID()}`);
    const stream: unknown = request({}, "ä").bodyStream({ decode: "utf-8" });
    if (!(stream instanceof BodyStream)) throw new Error("it is no BodyStream");
    await expect(stream.streamToFile(path)).rejects.toThrow("without 'decode'");
    expect(await Bun.file(path).exists()).toBe(false);
  });

  test("streamTo waits for its sink", async () => {
    const order: string[] = [];
    const side = server(...body("a", "b"));
    const it = new PagiRequest(httpScope(), () => (order.push("receive"), side.receive()));
    const size = await it.bodyStream().streamTo(async () => {
      await Bun.sleep(0);
      order.push("written");
    });
    expect(size).toBe(2);
    expect(order).toEqual(["receive", "written", "receive", "written"]);
  });

  test("streamToFile makes a private file, replaces none, and leaves none behind", () =>
    inFolder(async (folder) => {
      const path = join(folder, "body");
      expect(await request({}, "abc", "def").bodyStream().streamToFile(path)).toBe(6);
      expect(await Bun.file(path).text()).toBe("abcdef");
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      await expect(request({}, "x").bodyStream().streamToFile(path)).rejects.toMatchObject({
        code: "EEXIST",
      });
      expect(await Bun.file(path).text()).toBe("abcdef");
      await request({}, "x").bodyStream().streamToFile(path, { overwrite: true });
      expect(await Bun.file(path).text()).toBe("x");
      const link = join(folder, "link");
      await symlink(join(folder, "target"), link);
      await expect(request({}, "x").bodyStream().streamToFile(link)).rejects.toMatchObject({
        code: "EEXIST",
      });
      const stream = request({}, "abc", "def").bodyStream({ maxBytes: 4 });
      await expect(stream.streamToFile(join(folder, "half"))).rejects.toMatchObject({ status: 413 });
      const cut = request({}, "abc", "def").bodyStream({ maxBytes: 4 });
      await expect(cut.streamToFile(path, { overwrite: true })).rejects.toMatchObject({ status: 413 });
      expect(await Bun.file(path).text()).toBe("x");
      await request({}, "new").bodyStream().streamToFile(link, { overwrite: true });
      expect(await Bun.file(link).text()).toBe("new");
      expect((await readdir(folder)).sort()).toEqual(["body", "link"]);
    }));
});

describe("urlencoded forms", () => {
  test("fields with several values; read again with other decoding", async () => {
    const it = urlencoded("a=1&b=%C3%A4&a=2");
    expect(await it.formParam("a")).toBe("2");
    expect((await it.formParams()).getAll("a")).toEqual(["1", "2"]);
    expect(await it.rawFormParam("b")).toBe("\xc3\xa4");
    expect([...(await it.form())]).toEqual([["a", "1"], ["b", "ä"], ["a", "2"]]); // prettier-ignore
    expect((await it.uploads()).size).toBe(0);
  });

  test("limits and strictness", async () => {
    await expect(urlencoded("a&b").form({ maxFields: 1 })).rejects.toMatchObject({ status: 413 });
    await expect(urlencoded("a=12345").form({ maxBytes: 6 })).rejects.toMatchObject({ status: 413 });
    await expect(urlencoded("a=%ff").form({ strict: true })).rejects.toMatchObject({ status: 400 });
  });

  test("what is no form is a 415 that says what is one; no body at all is an empty form", async () => {
    await expect(json("{}").form()).rejects.toMatchObject({
      status: 415,
      headers: [["accept", "application/x-www-form-urlencoded, multipart/form-data"]],
    });
    await expect(request({}, "a=1").form()).rejects.toMatchObject({ status: 415 });
    expect((await request().form()).size).toBe(0);
  });
});

describe("validate", () => {
  test("the answer does not grow with what is wrong", async () => {
    const many = JSON.stringify(Array(200_000).fill("x"));
    const long = JSON.stringify({ ["k".repeat(500_000)]: [1, 2, 3] });
    for (const [text, schema, count] of [
      [many, z.array(z.number()), 100],
      [long, z.record(z.string(), z.array(z.string())), 3],
      [long, z.strictObject({}), 1],
    ] as const) {
      const error: unknown = await json(text)
        .validate(schema)
        .catch((thrown: unknown) => thrown);
      if (!(error instanceof ValidationError)) throw error;
      expect(error.issues).toHaveLength(count);
      expect(JSON.stringify(error.issues).length + error.message.length).toBeLessThan(20_000);
    }
  });

  const Person = z.object({ name: z.string().min(1), age: z.coerce.number().int() });

  test("the body as JSON or as a form, by its type; the result has the schema's type", async () => {
    const person: { name: string; age: number } = await json('{"name":"Ann","age":"7"}').validate(Person);
    expect(person).toEqual({ name: "Ann", age: 7 });
    expect(await urlencoded("name=Ann&age=7").validate(Person)).toEqual({ name: "Ann", age: 7 });
    const tags = z.object({ tag: z.array(z.string()) });
    expect(await urlencoded("tag=a&tag=b").validate(tags)).toEqual({ tag: ["a", "b"] });
    await expect(typed("text/plain", "x").validate(Person)).rejects.toMatchObject({ status: 415 });
  });

  test("schemas that would not be used are refused: an unknown part, and what is no schema", async () => {
    const misspelt = json("{}").validate({ qurey: Person } as object);
    await expect(misspelt).rejects.toThrow(
      "one for each of path, query, headers, cookies, body; 'qurey' is none",
    );
    const plain = json("{}").validate({ body: { name: "string" } } as object);
    await expect(plain).rejects.toThrow("what is given for 'body' is no schema");
  });

  test("all parts are looked at before it fails, each issue with its place", async () => {
    const scope = httpScope({
      method: "POST",
      query_string: "page=x",
      headers: [["content-type", "application/json"], ["cookie", "theme=dark"], ["x-n", "1"], ["x-n", "2"]], // prettier-ignore
    });
    const it = new PagiRequest(
      { ...scope, path_params: { id: "7" } },
      server(...body('{"people":[{"na/me":1}]}')).receive,
    );
    const schemas = {
      body: z.object({ people: z.array(z.object({ "na/me": z.string() })) }),
      query: z.object({ page: z.coerce.number() }),
      path: z.object({ id: z.coerce.number() }),
      headers: z.object({ "x-n": z.literal("1, 2") }),
      cookies: z.object({ theme: z.enum(["dark", "light"]) }),
    };
    await expect(it.validate(schemas)).rejects.toMatchObject({
      code: "ERR_PAGI_VALIDATION",
      status: 422,
      issues: [
        { in: "query", pointer: "/page" },
        { in: "body", pointer: "/people/0/na~1me" },
      ],
    });
    const { path, cookies, headers } = await it.validate({
      path: schemas.path,
      cookies: schemas.cookies,
      headers: schemas.headers,
    });
    const id: number = path.id;
    expect([id, cookies.theme, headers["x-n"]]).toEqual([7, "dark", "1, 2"]);
  });

  test("any Standard Schema will do, an asynchronous one and a function too", async () => {
    const Even = Object.assign(() => {}, {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: async (value: unknown) =>
          typeof value === "number" && value % 2 === 0
            ? { value: value / 2 }
            : { issues: [{ message: "is odd", path: [{ key: "half" }] }] },
      },
    });
    expect(await json("8").validate(Even)).toBe(4);
    await expect(json("7").validate(Even)).rejects.toThrow("body/half: is odd");
  });
});
