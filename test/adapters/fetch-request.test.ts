import { describe, expect, test } from "bun:test";
import { fromFetch, type FetchHandler } from "../../adapters/fetch.ts";
import { urlOf } from "../../adapters/fetch/request.ts";
import type { HeaderPair, ReceiveEvent } from "../../src/spec/index.ts";
import { bytes, httpScope, response, server, type Wanted } from "../support/fake-scope.ts";
import { startServer } from "../support/server.ts";

// The request that a handler gets is made as it is asked. It has to be a Request in every other way too.

const POST: Wanted = {
  method: "POST",
  raw_path: "/a",
  query_string: "b=1",
  headers: [
    ["host", "example.org"],
    ["content-length", "5"],
    ["content-type", "text/plain"],
    ["x-a", "1"],
  ] satisfies HeaderPair[],
};
const BODY: ReceiveEvent[] = [
  { type: "http.request", body: bytes("he"), more: true },
  { type: "http.request", body: bytes("llo"), more: false },
];

/** What the handler makes of the request, as the body of its response. */
async function made(
  handler: (request: Request) => unknown,
  wanted: Wanted = POST,
  incoming = BODY,
): Promise<unknown> {
  const side = server(...incoming);
  const answer: FetchHandler = async (request) => Response.json((await handler(request)) ?? null);
  await fromFetch(answer)(httpScope(wanted), side.receive, side.send);
  return JSON.parse(response(side.sent).body);
}

const summary = async (
  request: Pick<Request, "method" | "url" | "text"> & { headers: { get(name: string): string | null } },
): Promise<unknown> => ({
  method: request.method,
  url: request.url,
  a: request.headers.get("x-a"),
  body: await request.text(),
});
const SUMMARY = { method: "POST", url: "http://example.org/a?b=1", a: "1", body: "hello" };

test.each<[string, (request: Request) => unknown, unknown]>([
  ["is an instance of Request", (request) => request instanceof Request, true],
  ["as it is", summary, SUMMARY],
  ["new Request(it)", (request) => summary(new Request(request)), SUMMARY],
  [
    "new Request(it, init)",
    (request) => summary(new Request(request, { headers: { "x-a": "2" } })),
    { ...SUMMARY, a: "2" },
  ],
  [
    "new Request(url, it)",
    (request) => summary(new Request("http://h/", request)),
    { ...SUMMARY, url: "http://h/" },
  ],
  ["its clone", (request) => summary(request.clone()), SUMMARY],
  [
    "itself after its clone",
    async (request) => [await summary(request.clone()), await summary(request)],
    [SUMMARY, SUMMARY],
  ],
  [
    "a header that was set is there in the clone",
    (request) => {
      request.headers.set("x-a", "3");
      return summary(request.clone());
    },
    { ...SUMMARY, a: "3" },
  ],
  ["arrayBuffer()", async (request) => (await request.arrayBuffer()).byteLength, 5],
  [
    "blob()",
    async (request) => [(await request.blob()).type, request.bodyUsed],
    ["text/plain;charset=utf-8", true],
  ],
  ["bytes()", async (request) => [...(await request.bytes())], [...bytes("hello")]],
  [
    "the first read of the body alone is good",
    (request) => request.text().then(() => failed(request.text())),
    "TypeError",
  ],
  [
    "after a read there is a body, and it is locked",
    (request) => request.text().then(() => request.body?.locked),
    true,
  ],
  [
    "after a read there is no clone",
    (request) => request.text().then(() => failed(() => request.clone())),
    "TypeError",
  ],
  [
    "bodyUsed before and after",
    async (request) => [request.bodyUsed, await request.text(), request.bodyUsed],
    [false, "hello", true],
  ],
])("%s", async (_, handler, expected) => {
  expect(await made(handler)).toEqual(expected);
});

test("without a body it reads as nothing, which uses nothing up", async () => {
  const seen = await made(
    async (request) => [request.body, await request.text(), await request.text(), request.bodyUsed],
    { method: "GET" },
    [],
  );
  expect(seen).toEqual([null, "", "", false]);
});

test("the URL is what new URL() makes of it", async () => {
  for (const raw_path of ["/a/../b", "/%2e%2e/x", "/.", "/a\"<>`{}^'|b", "/a//..//b", "/.well-known/x"]) {
    const url = await made((request) => [request.url, new URL(request.url).href], { raw_path }, []);
    expect(url).toEqual(expect.arrayContaining([new URL(`http://example.org${raw_path}`).href]));
    expect(new Set(Array.isArray(url) ? url : []).size).toBe(1);
  }
  expect(await made(({ url }) => url, { headers: [["host", "EXAMPLE.org:80"]] }, [])).toBe(
    "http://example.org/",
  );
});

test("any target gives the URL that the parser makes of its bytes, sent as they are where that changes nothing", async () => {
  const alphabet = [
    ..."ab/.%2eE3f",
    ..."?#\\\"<>`{}^'|[]:@;&=+~!$*()_-",
    "\u00e9",
    "\u0080",
    "\u007f",
    " ",
    "/..",
    "/.",
  ];
  let seed = 1;
  const random = (below: number): number => (seed = (seed * 48_271) % 0x7fff_ffff) % below;
  const text = (): string =>
    Array.from({ length: random(9) }, () => alphabet[random(alphabet.length)] ?? "").join("");
  const encoded = (target: string): string =>
    target.replace(
      /[^!-~]|[#\\]/g,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
    );
  for (let round = 0; round < 20_000; round++) {
    const raw_path = `/${text().replaceAll("?", "")}`;
    const query_string = random(2) === 0 ? "" : text();
    const query = query_string === "" ? "" : `?${encoded(query_string)}`;
    const found = urlOf(httpScope({ raw_path, query_string, path: raw_path, headers: [["host", "h"]] }));
    expect(found).toBe(new URL(`http://h${encoded(raw_path)}${query}`).href);
  }
});

test("JSON that is invalid is a rejection, also where the body has come already", async () => {
  expect(await made((request) => failed(request.json()))).toBe("SyntaxError");
  const whole: ReceiveEvent[] = [{ type: "http.request", body: bytes("hello"), more: false }];
  expect(await made((request) => failed(request.json()), POST, whole)).toBe("SyntaxError");
});

test("arrayBuffer() has the bytes of the body and no others, wherever they are in the memory that came in", async () => {
  const came = bytes("head hello next");
  const body = came.subarray(5, 10);
  const text = await made(async (request) => new TextDecoder().decode(await request.arrayBuffer()), POST, [
    { type: "http.request", body, more: false },
  ]);
  expect(text).toBe("hello");
});

test("a body that has come already is at hand in the same turn", async () => {
  const side = server({ type: "http.request", body: bytes("hello"), more: false });
  let status = "";
  await fromFetch((request) => {
    status = Bun.peek.status(request.text());
    return new Response();
  })(httpScope(POST), side.receive, side.send);
  expect(status).toBe("fulfilled");
});

describe("what nobody asks for is not made", () => {
  test("method, URL and a header: no signal, and nothing is received", async () => {
    const scope = httpScope(POST);
    let registered = 0;
    const { "pagi.connection": connection } = scope;
    const onDisconnect = connection.onDisconnect.bind(connection);
    connection.onDisconnect = (callback) => {
      registered += 1;
      onDisconnect(callback);
    };
    const side = server(...BODY);
    await fromFetch((request) => new Response(request.method + request.url + request.headers.get("x-a")))(
      scope,
      side.receive,
      side.send,
    );
    expect(response(side.sent).body).toBe("POSThttp://example.org/a?b=11");
    expect([registered, side.received()]).toEqual([0, 0]);
  });

  test("a signal that is asked for after the client has gone is aborted", async () => {
    const scope = httpScope();
    const side = server();
    let aborted: boolean | undefined;
    await fromFetch((request) => {
      scope["pagi.connection"].lose("client_closed");
      aborted = request.signal.aborted;
      return new Response();
    })(scope, side.receive, side.send);
    expect(aborted).toBe(true);
  });
});

test("a proxy sends it on with fetch(request): method, path, headers and a streamed body", async () => {
  using behind = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { method, url, headers } = request;
      return Response.json({
        method,
        path: url.slice(-6),
        a: headers.get("x-a"),
        body: await request.text(),
      });
    },
  });
  await using front = await startServer(
    fromFetch((request) => {
      const { pathname, search } = new URL(request.url);
      return fetch(new Request(behind.url.origin + pathname + search, request));
    }),
  );
  const answer = await fetch(`${front.url}/p?q=1`, {
    method: "POST",
    body: "hello",
    headers: { "x-a": "1" },
  });
  expect(await answer.json()).toEqual({ method: "POST", path: "/p?q=1", a: "1", body: "hello" });
});

async function failed(what: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof what === "function" ? what() : what);
    return "it did not fail";
  } catch (error) {
    return error instanceof Error ? error.name : "something else";
  }
}
