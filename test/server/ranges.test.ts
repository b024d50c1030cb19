import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { fromFetch } from "../../adapters/fetch.ts";
import { hono, serveStatic } from "../../adapters/hono.ts";
import { directory } from "../../src/apps/directory.ts";
import type { Application } from "../../src/spec/index.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { applicationOf } from "../support/fetch-adapters.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { field, get, request, type WireResponse } from "../support/wire.ts";

// RFC 9110 section 14 for everything that sends a file, beside what `Bun.serve` answers.

const CONTENT = "0123456789";
let root: string;
const path = (): string => join(root, "file.txt");

function applications(): Record<string, Application> {
  const statics = new Hono();
  statics.use("/*", serveStatic({ root }));
  // Both make another response of the one that they get.
  const behindCors = new Hono();
  behindCors.use(cors());
  behindCors.use("/*", serveStatic({ root }));
  const withField = new Hono();
  withField.use(async (c, next) => {
    await next();
    c.header("x-after", "1");
  });
  withField.use("/*", serveStatic({ root }));
  return {
    "new Response(Bun.file())": fromFetch(() => new Response(Bun.file(path()))),
    "Hono, new Response(Bun.file())": applicationOf("hono", () => new Response(Bun.file(path()))),
    "Hono, serveStatic": hono(statics),
    "Hono, serveStatic behind cors()": hono(behindCors),
    "Hono, serveStatic and c.header() after it": hono(withField),
    "the toolkit, new Response(Bun.file())": applicationOf("toolkit", () => new Response(Bun.file(path()))),
    "PagiResponse.sendFile": async (scope, receive, send) =>
      await PagiResponse.sendFile(path()).toApp()(scope, receive, send),
    "the directory": directory({ root }),
  };
}
const NAMES = [
  "new Response(Bun.file())",
  "Hono, new Response(Bun.file())",
  "Hono, serveStatic",
  "Hono, serveStatic behind cors()",
  "Hono, serveStatic and c.header() after it",
  "the toolkit, new Response(Bun.file())",
  "PagiResponse.sendFile",
  "the directory",
];
/** These identify the state of a file, and send several ranges. */
const OF_THE_TOOLKIT = new Set(NAMES.slice(5));

let bun: ReturnType<typeof Bun.serve>;
const servers = new Map<string, TestServer>();

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "pagi-ranges-"));
  await Bun.write(path(), CONTENT);
  await Bun.write(join(root, "empty.txt"), "");
  bun = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(Bun.file(path())) });
  for (const [name, app] of Object.entries(applications())) servers.set(name, await startServer(app));
});
afterAll(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]();
  await bun.stop(true);
  await rm(root, { recursive: true });
});

function addressOf(name: string): { host: string; port: number } {
  return servers.get(name) ?? { host: "", port: 0 };
}

function told(response: WireResponse): (string | number | undefined)[] {
  const { status, body } = response;
  return [status, body, field(response, "content-range"), field(response, "content-length")];
}

const RANGES = [
  "bytes=2-4",
  "bytes=0-0",
  "bytes=5-",
  "bytes=-3",
  "bytes=-99",
  "bytes=0-99",
  "bytes=9-9",
  "bytes=10-",
  "bytes=10-12",
  "bytes=-0",
  "bytes=4-2",
  "bytes=x-y",
  "bytes=",
  "bytes=2-4, x",
  "lines=2-4",
  "BYTES=2-4",
  "bytes= 2-4",
];

describe.each(NAMES)("%s", (name) => {
  test.each(RANGES)("%s", async (range) => {
    const target = get("/file.txt", `Range: ${range}`);
    const [there, here] = await Promise.all([
      request({ host: "127.0.0.1", port: bun.port ?? 0 }, target),
      request(addressOf(name), target),
    ]);
    expect(told(here)).toEqual(told(there));
    if (there.status !== 200) expect(field(here, "accept-ranges")).toBe("bytes");
  });

  test("a last position beyond all numbers is beyond the end (section 14.1.2)", async () => {
    const range = "Range: bytes=2-99999999999999999999";
    expect(told(await request(addressOf(name), get("/file.txt", range)))).toEqual([
      206,
      "23456789",
      "bytes 2-9/10",
      "8",
    ]);
  });

  test("only GET has ranges (section 14.2)", async () => {
    const head = await request(addressOf(name), get("/file.txt", "Range: bytes=2-4").replace("GET", "HEAD"));
    // Hono takes the body away from its answer to HEAD, and the length with it.
    const length = name === "Hono, new Response(Bun.file())" ? undefined : "10";
    expect([head.status, field(head, "content-length"), field(head, "content-range")]).toEqual([
      200,
      length,
      undefined,
    ]);
  });

  test("If-Range: another state of the file is sent whole (section 13.1.5)", async () => {
    const range = "Range: bytes=2-4";
    for (const condition of ['"other"', "Mon, 06 May 2024 07:08:09 GMT", 'W/"x"']) {
      const response = await request(addressOf(name), get("/file.txt", range, `If-Range: ${condition}`));
      expect([response.status, response.body]).toEqual([200, CONTENT]);
    }
    if (!OF_THE_TOOLKIT.has(name)) return;
    const tag = field(await request(addressOf(name), get("/file.txt")), "etag");
    const response = await request(addressOf(name), get("/file.txt", range, `If-Range: ${tag}`));
    expect([response.status, response.body]).toEqual([206, "234"]);
  });

  test("several ranges: in parts, or all (sections 14.2 and 14.6)", async () => {
    const response = await request(addressOf(name), get("/file.txt", "Range: bytes=0-1,4-5"));
    // Parts would be longer than ten bytes.
    expect([response.status, response.body]).toEqual([200, CONTENT]);
    const joined = await request(addressOf(name), get("/file.txt", "Range: bytes=0-3,4-5"));
    expect([joined.status, joined.body]).toEqual(OF_THE_TOOLKIT.has(name) ? [206, "012345"] : [200, CONTENT]);
  });
});

test.each([
  ["bytes=0-", 416, "bytes */0"],
  ["bytes=-5", 200, undefined],
  ["bytes=-0", 416, "bytes */0"],
])("an empty file, %s", async (range, status, contentRange) => {
  for (const name of ["Hono, serveStatic", "the directory"]) {
    const response = await request(addressOf(name), get("/empty.txt", `Range: ${range}`));
    expect(told(response)).toEqual([status, "", contentRange, "0"]);
  }
});

test.each(["Hono, serveStatic", "the directory"])("%s: a range in an event stream's scope", async (name) => {
  const target = get("/file.txt", "Accept: text/event-stream", "Range: bytes=2-4");
  expect(told(await request(addressOf(name), target))).toEqual([206, "234", "bytes 2-4/10", "3"]);
});

test("a status or a Content-Range of the application's own is kept", async () => {
  const answers = [
    new Response(Bun.file(path()), { status: 404 }),
    new Response(Bun.file(path()), { headers: { "content-range": "bytes 0-9/20" } }),
  ];
  await using server = await startServer(fromFetch(() => answers.shift() ?? new Response("none")));
  const range = get("/", "Range: bytes=2-4");
  expect(told(await request(server, range))).toEqual([404, CONTENT, undefined, "10"]);
  expect(told(await request(server, range))).toEqual([200, CONTENT, "bytes 0-9/20", "10"]);
});
