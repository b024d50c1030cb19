import { PLAIN_PAGE_POLICY } from "../../src/toolkit/plain-page.ts";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directory, type DirectoryOptions } from "../../src/apps/directory.ts";
import { UnsupportedScopeError } from "../../src/errors.ts";
import type { HeaderPair, LifespanScope, WebSocketScope } from "../../src/spec/index.ts";
import { Router } from "../../src/toolkit/router.ts";
import { REQUEST, bytes, httpScope, response, server, sseScope, type Wanted } from "../support/fake-scope.ts";

let base = "";
let root = "";
const MODIFIED = new Date("2024-05-06T07:08:09.500Z");

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "directory-"));
  root = join(base, "root");
  const files = {
    "root/a.txt": "hello",
    "root/data.json": "{}",
    "root/unknown.zzz": "?",
    "root/.env": "secret",
    "root/empty.txt": "",
    "root/a b&<c>.txt": "odd",
    "root/café.txt": "utf-8",
    "root/with-index/index.html": "<p>index",
    "root/with-index/home.htm": "<p>home",
    "root/sub/deep/file.txt": "deep",
    "root/.hidden/file.txt": "secret",
    "root/sub/100%.txt": "percent",
    "root-other/file.txt": "secret",
    "secret.txt": "secret",
  };
  for (const [name, content] of Object.entries(files)) await Bun.write(join(base, name), content);
  await utimes(join(root, "a.txt"), MODIFIED, MODIFIED);
  await mkdir(join(root, "bare"));
  await symlink(join(base, "secret.txt"), join(root, "out.txt"));
  await symlink(join(base, "root-other"), join(root, "out-folder"));
  await symlink("a.txt", join(root, "in.txt"));
  await symlink(".env", join(root, "env.txt"));
  await symlink("loop", join(root, "loop"));
  await symlink("sub", join(root, "sub-link"));
});

afterAll(() => rm(base, { recursive: true }));

/** Answers a request for `path`, as sent. */
async function get(path: string, wanted: Wanted = {}, options: Partial<DirectoryOptions> = {}) {
  const [raw_path = "", query_string = ""] = path.split("?", 2);
  const side = server();
  const scope = httpScope({ raw_path, query_string, path: decodeURIComponent(raw_path), ...wanted });
  await directory({ root, ...options })(scope, side.receive, side.send);
  const { status, headers, body } = response(side.sent);
  const sent = side.sent[1];
  const file = sent?.type === "http.response.body" ? sent.file : undefined;
  return { status, headers: new Map(headers), body, file, sent };
}

describe("a file", () => {
  test("is sent as a file event, with type, length and time", async () => {
    const { status, headers, sent } = await get("/a.txt");
    expect(status).toBe(200);
    expect([...headers]).toEqual([
      ["content-type", "text/plain;charset=utf-8"],
      ["etag", expect.stringMatching(/^"[0-9a-z]+-5"$/)],
      ["last-modified", "Mon, 06 May 2024 07:08:09 GMT"],
      ["accept-ranges", "bytes"],
      ["content-length", "5"],
    ]);
    expect(sent).toEqual({ type: "http.response.body", file: join(root, "a.txt"), offset: 0, length: 5 });
  });

  test("HEAD has the same headers and no body", async () => {
    const { headers, sent } = await get("/a.txt", { method: "HEAD" });
    expect(headers.get("content-length")).toBe("5");
    expect(sent).toEqual({ type: "http.response.body", body: "", more: false });
  });

  test.each([
    ["/data.json", "application/json;charset=utf-8"],
    ["/unknown.zzz", "application/octet-stream"],
    ["/with-index/index.html", "text/html;charset=utf-8"],
  ])("%s is %s", async (path, type) => {
    expect((await get(path)).headers.get("content-type")).toBe(type);
  });

  test.each([
    ["/a%20b%26%3Cc%3E.txt", "a b&<c>.txt"],
    ["/caf%C3%A9.txt", "café.txt"],
    ["/sub/100%25.txt", "sub/100%.txt"],
    ["/sub%2Fdeep/file.txt", "sub/deep/file.txt"],
    ["/in.txt", "a.txt"],
    ["/sub-link/deep/file.txt", "sub/deep/file.txt"],
    ["/a.txt?version=1", "a.txt"],
  ])("%s is %s", async (path, name) => {
    expect((await get(path)).file).toBe(join(root, name));
  });

  test("an empty one", async () => {
    const { status, headers } = await get("/empty.txt");
    expect([status, headers.get("content-length")]).toEqual([200, "0"]);
  });

  test("below a mount, which alone cuts the prefix", async () => {
    const below = async (prefix: string, target: string) => {
      const app = new Router().mount(prefix, directory({ root })).toApp();
      const [raw_path = "", query_string = ""] = target.split("?", 2);
      const side = server();
      await app(
        httpScope({ raw_path, query_string, path: decodeURIComponent(raw_path) }),
        side.receive,
        side.send,
      );
      const { status, headers, body } = response(side.sent);
      const sent = side.sent[1];
      const file = sent?.type === "http.response.body" ? sent.file : undefined;
      return { status, location: new Map(headers).get("location"), body, file };
    };
    expect((await below("/sub", "/sub/a.txt")).file).toBe(join(root, "a.txt"));
    // The folder below has the name of the prefix.
    expect((await below("/sub", "/sub/sub/deep/file.txt")).file).toBe(join(root, "sub/deep/file.txt"));
    expect((await below("/sub", "/sub/deep/file.txt")).status).toBe(404);
    expect((await below("/sub", "/subx/a.txt")).status).toBe(404);
    expect(await below("/sub", "/sub?a=1&b=%2F")).toMatchObject({
      status: 301,
      location: "./sub/?a=1&b=%2F",
    });
    expect(await below("/:x", "/a%2Fb?c")).toMatchObject({ status: 301, location: "./a%2Fb/?c" });
    expect(await below("/:x", "/a%2Fb/sub")).toMatchObject({ status: 301, location: "./sub/" });
    expect(await below("/sub", "/sub/")).toMatchObject({
      status: 200,
      body: expect.stringContaining("/sub/</title>"),
    });
    expect((await below("/sub", "/sub/")).body).not.toContain('href="../"');
    expect((await below("/", "/sub/deep/file.txt")).file).toBe(join(root, "sub/deep/file.txt"));
  });

  test("root_path is never looked for in path", async () => {
    expect((await get("/sub/deep/file.txt", { root_path: "/sub" })).file).toBe(
      join(root, "sub/deep/file.txt"),
    );
    expect((await get("/sub", { root_path: "/su" })).headers.get("location")).toBe("./sub/");
  });
});

describe("If-Modified-Since (RFC 9110 section 13.1.3)", () => {
  const since = (...headers: HeaderPair[]) => get("/a.txt", { headers });

  test.each([
    ["the same second", "Mon, 06 May 2024 07:08:09 GMT", 304],
    ["later", "Tue, 07 May 2024 00:00:00 GMT", 304],
    ["earlier", "Mon, 06 May 2024 07:08:08 GMT", 200],
    ["the same second, in the form of RFC 850", "Monday, 06-May-24 07:08:09 GMT", 304],
    ["the same second, in the form of asctime()", "Mon May  6 07:08:09 2024", 304],
    ["earlier, in the form of asctime()", "Mon May  6 07:08:08 2024", 200],
    ["no date", "yesterday GMT", 200],
    ["no HTTP date", "2030-01-01", 200],
  ])("%s: %s is %d", async (_, date, status) => {
    expect((await since(["if-modified-since", date])).status).toBe(status);
  });

  test("304 has the time, and neither body nor length", async () => {
    const { headers, sent } = await since(["if-modified-since", "Mon, 06 May 2024 07:08:09 GMT"]);
    expect([...headers]).toEqual([
      ["etag", expect.stringMatching(/^"[0-9a-z]+-5"$/)],
      ["last-modified", "Mon, 06 May 2024 07:08:09 GMT"],
    ]);
    expect(sent).toEqual({ type: "http.response.body", body: "", more: false });
  });

  test("is ignored beside If-None-Match", async () => {
    const { status } = await since(
      ["if-modified-since", "Tue, 07 May 2024 00:00:00 GMT"],
      ["if-none-match", '"x"'],
    );
    expect(status).toBe(200);
  });
});

describe("If-None-Match and If-Match (RFC 9110 sections 13.1.1 and 13.1.2)", () => {
  test.each([
    ["if-none-match", "*", 304],
    ["if-none-match", "THE TAG", 304],
    ["if-none-match", "W/THE TAG", 304],
    ["if-none-match", '"other", THE TAG', 304],
    ["if-none-match", '"other"', 200],
    ["if-match", "*", 200],
    ["if-match", "THE TAG", 200],
    ["if-match", '"other"', 412],
  ])("%s: %s is %d", async (name, value, status) => {
    const tag = (await get("/a.txt")).headers.get("etag") ?? "";
    const headers: HeaderPair[] = [[name, value.replace("THE TAG", tag)]];
    expect((await get("/a.txt", { headers })).status).toBe(status);
    expect((await get("/a.txt", { headers, method: "HEAD" })).status).toBe(status);
  });

  test("an index file has a tag too, a list has none, but there is one", async () => {
    const headers: HeaderPair[] = [["if-none-match", "*"]];
    expect((await get("/with-index/", { headers })).status).toBe(304);
    expect((await get("/sub/", { headers })).status).toBe(304);
    expect((await get("/sub/", { headers: [["if-none-match", '"x"']] })).status).toBe(200);
    expect((await get("/sub/", { headers: [["if-match", "*"]] })).status).toBe(200);
    expect((await get("/none/", { headers })).status).toBe(404);
  });
});

test.each([
  "/missing",
  "/a.txt/",
  "/a.txt/more",
  "/../secret.txt",
  "/sub/../a.txt",
  "/%2e%2e/secret.txt",
  "/..%2fsecret.txt",
  "/..%5csecret.txt",
  "/sub/..",
  "/./a.txt",
  "/.env",
  "/.hidden/file.txt",
  "/.hidden/",
  "/env.txt",
  "/a.txt%00",
  "/%00",
  "//a.txt",
  "//",
  "//etc/passwd",
  "/sub//deep/",
  "/out.txt",
  "/out-folder",
  "/out-folder/file.txt",
  "/../root-other/file.txt",
  "/loop",
  "a.txt",
  "*",
  `/${"x".repeat(300)}`,
])("not found: %s", async (path) => {
  const { status, body, file } = await get(path);
  expect([status, body, file]).toEqual([404, "Not Found\n", undefined]);
});

test.each(["POST", "PUT", "DELETE", "OPTIONS", "get"])("%s is not allowed", async (method) => {
  const { status, headers } = await get("/a.txt", { method });
  expect([status, headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

describe("a folder", () => {
  test.each([
    ["/sub", "./sub/"],
    ["/sub/deep?a=1&b=//x", "./deep/?a=1&b=//x"],
    ["/sub%2Fdeep", "./sub%2Fdeep/"],
    ["/sub-link", "./sub-link/"],
  ])("without its slash: %s redirects to %s", async (path, location) => {
    const { status, headers } = await get(path);
    expect([status, headers.get("location")]).toEqual([301, location]);
  });

  test("a redirect never leads to another host", async () => {
    const scope = { raw_path: "//evil.example/sub", path: "/sub", root_path: "//evil.example" };
    const location = (await get("", scope)).headers.get("location") ?? "";
    expect(new URL(location, "http://here.example//evil.example/sub").host).toBe("here.example");
    expect((await get("//evil.example/..%2fsub")).status).toBe(404);
  });

  test("a redirect's bytes are safe in a header", async () => {
    const { headers } = await get("/sub", { raw_path: '/\xe9"sub', path: "/sub", query_string: "\xff" });
    expect(headers.get("location")).toBe("./%E9%22sub/?%FF");
  });

  test("answers with its index file, the first that is there", async () => {
    expect((await get("/with-index/")).file).toBe(join(root, "with-index/index.html"));
    const index = ["none.html", "home.htm", "index.html"];
    expect((await get("/with-index/", {}, { index })).file).toBe(join(root, "with-index/home.htm"));
  });

  test("lists its files: folders first, by name, escaped, nothing hidden or outside", async () => {
    const { status, headers, body } = await get("/");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/html;charset=utf-8");
    expect(headers.get("content-length")).toBe(String(bytes(body).byteLength));
    expect([...body.matchAll(/<a href="([^"]*)">([^<]*)</g)].map(([, href, name]) => [href, name])).toEqual([
      ["./bare/", "bare/"],
      ["./sub/", "sub/"],
      ["./sub-link/", "sub-link/"],
      ["./with-index/", "with-index/"],
      ["./a%20b%26%3Cc%3E.txt", "a b&amp;&lt;c&gt;.txt"],
      ["./a.txt", "a.txt"],
      ["./caf%C3%A9.txt", "café.txt"],
      ["./data.json", "data.json"],
      ["./empty.txt", "empty.txt"],
      ["./in.txt", "in.txt"],
      ["./unknown.zzz", "unknown.zzz"],
    ]);
    expect(body).not.toContain(base);
  });

  test("a list leads up, but not out of the root", async () => {
    expect((await get("/bare/")).body).toContain('<a href="../">');
    expect((await get("/")).body).not.toContain('<a href="../">');
  });

  test("the title is escaped", async () => {
    const { body } = await get("/bare/", { root_path: "/<x>" });
    expect(body).toContain("<title>Index of /&lt;x&gt;/bare/</title>");
  });

  test("is not found when listing is off", async () => {
    expect((await get("/", {}, { listing: false })).status).toBe(404);
    expect((await get("/with-index/", {}, { listing: false })).status).toBe(200);
  });
});

describe("a message", () => {
  const browser: Wanted = {
    headers: [["accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]],
  };

  test.each([
    ["/none", {}, 404, "404 Not Found"],
    ["/a.txt", { method: "POST" }, 405, "405 Method Not Allowed"],
    ["/sub", {}, 301, "301 Moved Permanently"],
  ] as const)("of %s %j is a page for browsers", async (path, wanted, status, title) => {
    const { body, ...answer } = await get(path, { ...browser, ...wanted });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("text/html;charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toBe(PLAIN_PAGE_POLICY);
    expect(answer.headers.get("vary")).toBe("accept");
    expect(body).toContain(`<title>${title}</title>`);
    expect(body).toContain('name="viewport"');
  });

  test.each(["", "*/*", "text/plain", "text/html;q=0, */*", "text/event-stream"])(
    "is a line of text for %j",
    async (accept) => {
      const headers: Wanted["headers"] = accept === "" ? [] : [["accept", accept]];
      const answer = await get("/none", { headers });
      expect([answer.body, answer.headers.get("vary")]).toEqual(["Not Found\n", "accept"]);
    },
  );
});

describe("an sse scope gets the same answer by the events that decline", () => {
  async function decline(path: string, method = "GET") {
    const side = server({ type: "sse.request", body: bytes(""), more: false });
    await directory({ root })(sseScope({ path, raw_path: path, method }), side.receive, side.send);
    return { ...response(side.sent), types: new Set(side.sent.map((event) => event.type)) };
  }

  test("a file, a page, an error", async () => {
    const file = await decline("/a.txt");
    expect([file.status, file.body]).toEqual([200, "hello"]);
    expect([...file.types]).toEqual(["sse.http.response.start", "sse.http.response.body"]);
    expect((await decline("/")).body).toContain("a.txt");
    expect((await decline("/none")).status).toBe(404);
    expect((await decline("/a.txt", "HEAD")).body).toBe("");
  });

  test("reading stops when the client goes", async () => {
    await Bun.write(join(root, "sub/big.bin"), new Uint8Array(8 << 20));
    const side = server(
      { type: "sse.request", body: bytes(""), more: false },
      { type: "sse.disconnect", reason: "client_closed" },
    );
    const path = "/sub/big.bin";
    await directory({ root })(sseScope({ path, raw_path: path }), side.receive, side.send);
    expect(side.sent.length).toBeLessThan(5);
  });
});

test("a root that is no folder is refused at once", () => {
  expect(() => directory({ root: join(base, "none") })).toThrow("give a folder that exists");
  expect(() => directory({ root: join(base, "secret.txt") })).toThrow("is no folder");
});

test("websocket and lifespan scopes are not handled", async () => {
  const app = directory({ root });
  const side = server();
  const websocket: WebSocketScope = { ...REQUEST, type: "websocket", scheme: "ws", subprotocols: [] };
  const lifespan: LifespanScope = {
    type: "lifespan",
    pagi: { version: "0.3", spec_version: "0.3", is_worker: 0, role: "single" },
    state: {},
  };
  expect(app(websocket, side.receive, side.send)).rejects.toBeInstanceOf(UnsupportedScopeError);
  expect(app(lifespan, side.receive, side.send)).rejects.toBeInstanceOf(UnsupportedScopeError);
});
