import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  getConnInfo,
  hono,
  serveStatic,
  stream,
  streamSSE,
  streamText,
  type HonoEnvironment,
} from "../../../adapters/hono.ts";
import { httpScope, response, server } from "../../support/fake-scope.ts";
import { eventually } from "../../support/wire.ts";
import { startServer } from "../../support/server.ts";

type App = Hono<{ Bindings: HonoEnvironment }>;

function serve(build: (app: App) => void) {
  const app: App = new Hono();
  build(app);
  return startServer(hono(app));
}

describe("c.env", () => {
  test("has the scope, the state and how the request stands", async () => {
    await using server = await serve((app) =>
      app.get("/a", ({ env, json }) =>
        json({
          path: env.scope.path,
          headers: env.scope.headers.filter(([name]) => name === "x-a"),
          isSame: env.state === env.scope.state,
          connected: env["pagi.connection"]?.isConnected(),
          type: env.scope.type,
        }),
      ),
    );
    expect(await (await fetch(`${server.url}/a`, { headers: { "x-a": "1" } })).json()).toEqual({
      ...{ path: "/a", headers: [["x-a", "1"]], isSame: true, connected: true, type: "http" },
    });
    const sse = await fetch(`${server.url}/a`, { headers: { accept: "text/event-stream" } });
    expect(await sse.json()).toMatchObject({ type: "sse", isSame: true });
  });

  test("reaches an application that is mounted by route()", async () => {
    const inner: App = new Hono();
    inner.get("/b", (c) => c.text(c.env.scope.path));
    await using server = await serve((app) => app.route("/a", inner));
    expect(await (await fetch(`${server.url}/a/b`)).text()).toBe("/a/b");
  });
});

describe("getConnInfo", () => {
  test("tells the client's address and port", async () => {
    await using server = await serve((app) => app.get("/", (c) => c.json(getConnInfo(c))));
    expect(await (await fetch(server.url)).json()).toEqual({
      remote: { address: "127.0.0.1", port: expect.any(Number), addressType: "IPv4", transport: "tcp" },
    });
  });

  test("tells nothing on a Unix socket", async () => {
    const app: App = new Hono();
    app.get("/", (c) => c.json(getConnInfo(c)));
    const side = server();
    await hono(app)(httpScope({ server: ["/run/s", null] }), side.receive, side.send);
    expect(JSON.parse(response(side.sent).body)).toEqual({ remote: {} });
  });

  test("says what to do where there is no scope", async () => {
    const app = new Hono()
      .get("/", (c) => c.json(getConnInfo(c)))
      .onError((error, c) => c.text(error.message, 500));
    expect(await (await app.request("/")).text()).toContain("Run the application with pagi-server");
  });
});

describe("serveStatic", () => {
  let root: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "pagi-static-"));
    await mkdir(join(root, "folder"));
    await Bun.write(join(root, "page.html"), "<p>page</p>");
    await Bun.write(join(root, "page.html.gz"), gzipSync("<p>page</p>"));
    await Bun.write(join(root, "big.bin"), new Uint8Array(2_000_000).fill(7));
    await Bun.write(join(root, "empty.txt"), "");
    await Bun.write(join(root, "folder/index.html"), "index");
    await Bun.write(join(root, "../outside.txt"), "outside");
  });
  afterAll(() => rm(root, { recursive: true }));

  test("files with their type and length, an index, and on to the next handler", async () => {
    const found: string[] = [];
    await using server = await serve((app) => {
      app.use("/*", serveStatic({ root, precompressed: true, onFound: (path) => void found.push(path) }));
      app.get("*", (c) => c.text("not a file", 404));
    });
    const get = async (path: string, headers: Record<string, string> = {}) => {
      const answer = await fetch(server.url.replace(/\/$/, "") + path, { headers });
      const { headers: fields } = answer;
      const body = await answer.bytes();
      return [
        answer.status,
        fields.get("content-type"),
        fields.get("content-length"),
        body.byteLength,
        String.fromCharCode(...body.subarray(0, 11)),
      ];
    };
    const plain = { "accept-encoding": "identity" };
    expect(await get("/page.html", plain)).toEqual([
      200,
      "text/html; charset=utf-8",
      "11",
      11,
      "<p>page</p>",
    ]);
    expect(await get("/big.bin", plain)).toEqual([
      200,
      "application/octet-stream",
      "2000000",
      2_000_000,
      "\x07".repeat(11),
    ]);
    expect((await get("/folder", plain)).at(-1)).toBe("index");
    expect(await get("/empty.txt", plain)).toEqual([200, "text/plain; charset=utf-8", "0", 0, ""]);
    for (const path of ["/none", "/..%2foutside.txt", "/%2e%2e/outside.txt", "/folder/none"]) {
      expect((await get(path)).slice(0, 1)).toEqual([404]);
    }
    expect(found).toContain(join(root, "page.html"));
    const compressed = await fetch(`${server.url}/page.html`, { headers: { "accept-encoding": "gzip" } });
    expect([compressed.headers.get("content-encoding"), await compressed.text()]).toEqual([
      "gzip",
      "<p>page</p>",
    ]);
  });

  test("HEAD, and other methods", async () => {
    await using server = await serve((app) => {
      app.use("/*", serveStatic({ root }));
      app.post("*", (c) => c.text("posted"));
    });
    const head = await fetch(`${server.url}/page.html`, { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe("11");
    expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([
      200,
      "text/html; charset=utf-8",
      "",
    ]);
    expect(await (await fetch(`${server.url}/page.html`, { method: "POST" })).text()).toBe("posted");
  });
});

describe("streams end when the client goes", () => {
  const HELPERS = { stream, streamText, streamSSE } as const;

  for (const [name, accept] of [
    ["stream", "*/*"],
    ["streamText", "*/*"],
    ["streamSSE", "text/event-stream"],
    ["streamSSE", "*/*"],
  ] as const) {
    test(`${name}, accept: ${accept}`, async () => {
      let rounds = 0;
      const aborted = Promise.withResolvers<string>();
      const ended = Promise.withResolvers<void>();
      await using server = await serve((app) =>
        app.get("/", (c) =>
          HELPERS[name](c, async (out: Parameters<Parameters<typeof stream>[1]>[0]) => {
            out.onAbort(() => aborted.resolve("aborted"));
            while (!out.aborted) {
              await out.write(": round\n\n");
              rounds += 1;
              await out.sleep(1);
            }
            ended.resolve();
          }),
        ),
      );
      const abort = new AbortController();
      const answer = await fetch(server.url, { headers: { accept }, signal: abort.signal });
      const reader = answer.body?.getReader();
      expect(new TextDecoder().decode((await reader?.read())?.value)).toStartWith(": round\n\n");
      await eventually("it goes on", () => rounds > 3);
      abort.abort();
      expect(await aborted.promise).toBe("aborted");
      await ended.promise;
      expect(server.logger.messages("error")).toEqual([]);
    });
  }

  test("a client that does not read makes write() wait", async () => {
    let written = 0;
    await using server = await serve((app) =>
      app.get("/", (c) =>
        stream(c, async (out) => {
          const chunk = new Uint8Array(100_000);
          while (!out.aborted && written < 2000) {
            await out.write(chunk);
            written += 1;
          }
        }),
      ),
    );
    const abort = new AbortController();
    const answer = await fetch(server.url, { signal: abort.signal });
    let before = -1;
    await eventually("writing has stopped", () => {
      const stopped = written === before;
      before = written;
      return stopped && written > 0;
    });
    expect(written).toBeLessThan(2000);
    abort.abort();
    await answer.body?.cancel().catch(() => {});
  });
});

test("c.req.raw.signal is aborted when the client goes while the handler works", async () => {
  const aborted = Promise.withResolvers<boolean>();
  const started = Promise.withResolvers<void>();
  await using server = await serve((app) =>
    app.get("/", async (c) => {
      const { signal } = c.req.raw;
      signal.addEventListener("abort", () => aborted.resolve(signal.aborted));
      started.resolve();
      await aborted.promise;
      return c.text("too late");
    }),
  );
  const abort = new AbortController();
  const answer = fetch(server.url, { signal: abort.signal }).catch(() => {});
  await started.promise;
  abort.abort();
  await answer;
  expect(await aborted.promise).toBe(true);
});
