import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Simple } from "../../src/toolkit/simple.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

let folder: string;
let server: TestServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pagi-simple-static-"));
  const root = join(folder, "public");
  await mkdir(join(root, "sub"), { recursive: true });
  await mkdir(join(root, "bare"));
  await mkdir(join(root, ".git"));
  await Bun.write(join(root, "site.css"), "body {}\n");
  await Bun.write(join(root, "index.html"), "<h1>home</h1>");
  await Bun.write(join(root, "sub/index.html"), "<h1>sub</h1>");
  await Bun.write(join(root, ".env"), "SECRET=1");
  await Bun.write(join(root, ".git/config"), "secret");
  await Bun.write(join(folder, "outside.txt"), "secret");
  await symlink(join(folder, "outside.txt"), join(root, "link.txt"));
  const app = new Simple()
    .static("/assets", root, { maxAge: 60 })
    .static("/bare", join(root, "bare"), { index: [] })
    .get("/assets/site.js", () => "from a route")
    .hook("before", (c) => void c.setHeader("x-hook", "1"))
    .notFound((c) => c.text(`no ${c.path}`));
  server = await startServer(app.toApp());
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(new URL(path, server.url), { headers, redirect: "manual" });

test("a file with its type, its age and what a cache asks by; 304 and ranges", async () => {
  const response = await get("/assets/site.css");
  expect([response.status, await response.text()]).toEqual([200, "body {}\n"]);
  const { headers } = response;
  expect([headers.get("content-type"), headers.get("cache-control"), headers.get("x-hook")]).toEqual([
    "text/css;charset=utf-8",
    "public, max-age=60",
    "1",
  ]);
  const etag = headers.get("etag") ?? "none";
  expect((await get("/assets/site.css", { "if-none-match": etag })).status).toBe(304);
  const part = await get("/assets/site.css", { range: "bytes=0-3" });
  expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([
    206,
    "body",
    "bytes 0-3/8",
  ]);
  expect((await get("/assets/site.css", { range: "bytes=99-" })).status).toBe(416);
});

test("the index of a folder, which is reached with a slash; folders are not listed", async () => {
  expect(await (await get("/assets/")).text()).toBe("<h1>home</h1>");
  expect(await (await get("/assets/sub/")).text()).toBe("<h1>sub</h1>");
  for (const [path, location] of [
    ["/assets", "./assets/"],
    ["/assets/sub?a=b", "./sub/?a=b"],
  ] as const) {
    const response = await get(path);
    expect([response.status, response.headers.get("location")]).toEqual([301, location]);
  }
  expect((await get("/bare/")).status).toBe(404);
});

test("a route goes before a file; what is not there is the application's 404; only GET and HEAD", async () => {
  expect(await (await get("/assets/site.js")).text()).toBe("from a route");
  const none = await get("/assets/none.css");
  expect([none.status, await none.text(), none.headers.get("cache-control")]).toEqual([
    404,
    "no /none.css",
    null,
  ]);
  const posted = await fetch(new URL("/assets/site.css", server.url), { method: "POST" });
  expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test.each([
  "/assets/.env",
  "/assets/.git/config",
  "/assets/../outside.txt",
  "/assets/%2e%2e/outside.txt",
  "/assets/..%2foutside.txt",
  "/assets/sub/../../outside.txt",
  "/assets/..%5coutside.txt",
  "/assets//etc/passwd",
  "/assets/%2fetc/passwd",
  "/assets/link.txt",
  "/assets/site.css/",
  "/assets/site.css%00.png",
])("%s is not found", async (path) => {
  await using wire = await Wire.open({ host: server.host, port: server.port });
  await wire.send(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  const { status, body } = await wire.response();
  expect([404, 400]).toContain(status);
  expect(body).not.toContain("secret");
});

test("a folder that is not there, and an age that is none, are refused at once", () => {
  expect(() => new Simple().static("/x", join(folder, "none"))).toThrow("static: the folder");
  expect(() => new Simple().static("/x", join(folder, "public/site.css"))).toThrow("is no folder");
  expect(() => new Simple().static("/x", folder, { maxAge: -1 })).toThrow("maxAge");
});
