import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ADAPTERS, applicationOf } from "../support/fetch-adapters.ts";
import { bytes, cloneOf, rewriter } from "../support/response-bodies.ts";
import { startServer } from "../support/server.ts";
import { chunk, startUpstream } from "../support/upstream.ts";
import { eventually, get, request, Wire } from "../support/wire.ts";

// The body of a Response comes as it is made, and ends with its source or its client.

describe.each(ADAPTERS)("%s", (adapter) => {
  let gate: PromiseWithResolvers<void>;
  const gated = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    controller.enqueue(bytes("first "));
    await gate.promise;
    controller.enqueue(bytes("second"));
    controller.close();
  };
  const gatedStream = (): ReadableStream<Uint8Array> =>
    new ReadableStream({ start: (controller) => void gated(controller) });
  const inTwo = (how: "length" | "chunked" | "close") => ({
    head: [
      "HTTP/1.1 200 OK",
      "Content-Type: text/html",
      ...(how === "length"
        ? ["Content-Length: 12"]
        : how === "chunked"
          ? ["Transfer-Encoding: chunked"]
          : []),
    ],
    pieces: [
      { bytes: how === "chunked" ? chunk("first ") : "first " },
      {
        bytes: how === "chunked" ? Buffer.concat([chunk("second"), chunk("")]) : "second",
        after: () => gate.promise,
      },
    ],
    ...(how === "close" ? { end: "fin" as const } : {}),
  });
  const KINDS: [
    name: string,
    how: "length" | "chunked" | "close",
    make: (url: string) => Response | Promise<Response>,
  ][] = [
    ...(["length", "chunked", "close"] as const).map((how): (typeof KINDS)[number] => [
      `fetched, ${how}`,
      how,
      (url) => fetch(url),
    ]),
    [
      "made from a fetched one",
      "length",
      async (url) => {
        const from = await fetch(url);
        return new Response(from.body, from);
      },
    ],
    ["the body of a fetched one", "length", async (url) => new Response((await fetch(url)).body)],
    ["a clone", "length", async (url) => cloneOf(await fetch(url))],
    ["rewritten", "length", async (url) => rewriter().transform(await fetch(url))],
    ["a stream", "length", () => new Response(gatedStream())],
    ["a stream with a status text", "length", () => new Response(gatedStream(), { statusText: "Fine" })],
    [
      "a stream with a length",
      "length",
      () => new Response(gatedStream(), { headers: { "content-length": "12" } }),
    ],
    ["a transformed stream", "length", () => new Response(gatedStream().pipeThrough(new TransformStream()))],
    [
      "a generator",
      "length",
      () =>
        new Response(
          (async function* () {
            yield "first ";
            await gate.promise;
            yield "second";
          })(),
        ),
    ],
    [
      "a direct stream",
      "length",
      () =>
        new Response(
          new ReadableStream({
            type: "direct",
            async pull(controller) {
              controller.write("first ");
              controller.flush();
              await gate.promise;
              controller.write("second");
              controller.close();
            },
          }),
        ),
    ],
  ];

  test.each(KINDS)("%s: the first piece arrives before the second is there", async (_, how, make) => {
    gate = Promise.withResolvers();
    using source = await startUpstream(() => inTwo(how));
    await using server = await startServer(applicationOf(adapter, () => make(source.url)));
    await using wire = await Wire.open(server);
    await wire.send(get("/x"));
    await wire.until((received) => (received.includes("first ") ? true : undefined));
    gate.resolve();
    const { status, body } = await wire.response();
    expect([status, body]).toEqual([200, "first second"]);
  });

  test.each([
    ["Content-Length: 100", "first"],
    ["Transfer-Encoding: chunked", "5\r\nfirst\r\n"],
  ])("an upstream that breaks off (%s) cuts the response", async (framing, piece) => {
    const cut = Promise.withResolvers<void>();
    using source = await startUpstream(() => ({
      head: ["HTTP/1.1 200 OK", framing],
      pieces: [{ bytes: piece }, { bytes: "", after: () => cut.promise }],
      end: "fin",
    }));
    await using server = await startServer(applicationOf(adapter, () => fetch(source.url)));
    await using wire = await Wire.open(server);
    await wire.send(get("/x"));
    await wire.until((received) => (received.includes("first") ? true : undefined));
    cut.resolve();
    const received = await wire.readToEnd();
    expect(received).toStartWith("HTTP/1.1 200 ");
    expect(received).not.toContain("\r\n0\r\n");
    expect(received).not.toContain("content-length");
    expect(server.logger.messages("error")).toHaveLength(1);
  });

  test.each([
    ["while its first bytes are waited for", { "content-encoding": "gzip" }],
    ["while it is sent", {}],
  ])("a client that leaves cancels a body, %s", async (_, headers) => {
    const begun = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const stream = new ReadableStream({
      pull() {
        begun.resolve();
        return new Promise(() => {});
      },
      cancel: () => cancelled.resolve(),
    });
    await using server = await startServer(applicationOf(adapter, () => new Response(stream, { headers })));
    await using wire = await Wire.open(server);
    await wire.send(get("/x"));
    await begun.promise;
    wire.reset();
    await cancelled.promise;
  });

  test.each([
    ["a missing file", "/nonexistent/file", "does not exist"],
    ["a directory", import.meta.dir, "is a directory"],
  ])("%s is 500, for GET and HEAD, and logged", async (_, path, problem) => {
    await using server = await startServer(applicationOf(adapter, () => new Response(Bun.file(path))));
    for (const method of ["GET", "HEAD"]) {
      const answer = await request(server, get("/x").replace("GET", method));
      // Hono makes its answer to HEAD without looking at the file.
      if (adapter !== "hono" || method === "GET") expect(answer.status).toBe(500);
    }
    const [logged] = server.logger.lines.filter(({ level }) => level === "error");
    expect(String(logged?.error)).toContain(problem);
  });

  test("a pipe arrives, though it has no length", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pagi-pipe-"));
    const pipe = join(folder, "pipe");
    try {
      expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
      const writer = Bun.spawn(["sh", "-c", 'echo through the pipe > "$0"', pipe]);
      await using server = await startServer(applicationOf(adapter, () => new Response(Bun.file(pipe))));
      const { status, body } = await request(server, get("/x"));
      expect([status, body]).toEqual([200, "through the pipe\n"]);
      expect(await writer.exited).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("one half of a tee does not hold up the end of a request whose client has left", async () => {
    let ended = false;
    const app = applicationOf(adapter, () => {
      const [half, other] = new ReadableStream({
        start: (controller) => controller.enqueue(bytes("x")),
      }).tee();
      void other.getReader().read();
      return new Response(half);
    });
    await using server = await startServer(async (scope, receive, send) => {
      await app(scope, receive, send).finally(() => (ended = true));
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/x"));
    await wire.until((received) => (received.includes("x\r\n") ? true : undefined));
    wire.reset();
    await eventually("the application has returned", () => ended);
  });
});
