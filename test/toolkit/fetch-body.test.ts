import { afterAll, beforeAll, expect, test } from "bun:test";
import { EXAMINED_VERSIONS, fetchBody } from "../../src/toolkit/response/fetch-body.ts";
import { bytes, cloneOf, fetched, openSources, rewriter } from "../support/response-bodies.ts";

// In the versions of Bun that are named as examined, the estimate of a Response's size alone proves that its body is in
// memory: where it has a type, no clone is asked. So none of these may be taken for bytes that are not at hand, above all
// those streams that know their length.

let sources: AsyncDisposable;
beforeAll(async () => {
  sources = await openSources();
});
afterAll(() => sources[Symbol.asyncDispose]());

const WITH = { headers: { "content-type": "text/x-own", "x-a": "1" } };
const LARGE = 100_000;

/** The body of a request that a server of Bun's gets, made into a response. */
async function requestBody(length: number): Promise<Response> {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      resolve(new Response(request.body, WITH));
      return new Response();
    },
  });
  void fetch(server.url, { method: "POST", body: "x".repeat(length) }).catch(() => {});
  const response = await promise;
  void server.stop();
  return response;
}

const STREAMS: [name: string, make: () => Response | Promise<Response>][] = [
  ["a stream", () => new Response(new ReadableStream(), WITH)],
  ["a generator", () => new Response(chunks(), WITH)],
  ["a byte stream", () => new Response(new ReadableStream({ type: "bytes" }), WITH)],
  ["a Blob's stream", () => new Response(new Blob(["text"]).stream(), WITH)],
  ["a large Blob's stream", () => new Response(new Blob(["x".repeat(LARGE)]).stream(), WITH)],
  ["a file's stream", () => new Response(Bun.file(import.meta.path).stream(), WITH)],
  [
    "a slice's stream",
    () =>
      new Response(
        Bun.file(import.meta.path)
          .slice(1, 9)
          .stream(),
        WITH,
      ),
  ],
  ["the body of another", () => new Response(new Response("text").body, WITH)],
  ["the body of a large one", () => new Response(new Response(bytes("x".repeat(LARGE))).body, WITH)],
  [
    "a body that was looked at",
    () => {
      const response = new Response("text", WITH);
      void response.body;
      return response;
    },
  ],
  [
    "a half of a tee",
    () => {
      const [half] = new Response("text").body?.tee() ?? [];
      return new Response(half, WITH);
    },
  ],
  ["a clone of a stream", () => cloneOf(new Response(new Blob(["text"]).stream(), WITH))],
  [
    "a transformed stream",
    () => new Response(new Blob(["a"]).stream().pipeThrough(new TransformStream()), WITH),
  ],
  ["a rewritten stream", () => rewriter().transform(new Response(new Blob(["<p>"]).stream(), WITH))],
  ...(["length", "chunked", "close", "late-length", "late-chunked"] as const).flatMap(
    (how): [string, () => Promise<Response>][] => [
      [`fetched, ${how}`, () => fetched("GET", `/${how}/plain`)],
      [
        `the body of a fetched one, ${how}`,
        async () => new Response((await fetched("GET", `/${how}/plain`)).body, WITH),
      ],
      [
        `made from a fetched one, ${how}`,
        async () => {
          const from = await fetched("GET", `/${how}/plain`);
          return new Response(from.body, from);
        },
      ],
      [`a clone of a fetched one, ${how}`, async () => cloneOf(await fetched("GET", `/${how}/plain`))],
    ],
  ),
  ["the body of a small request", () => requestBody(5)],
  ["the body of a large request", () => requestBody(LARGE)],
];

async function* chunks(): AsyncGenerator<string> {
  yield "text";
}

test.each(STREAMS)("%s is not waited for as bytes", async (_name, make) => {
  const response = await make();
  const body = fetchBody(response);
  // What Bun has received whole already is bytes, with nothing to wait for.
  if (body.kind === "bytes") expect(body.held ?? Bun.peek(response.bytes())).toBeInstanceOf(Uint8Array);
  else expect(body.kind).toBe("stream");
  // Not waited for: one half of a tee is cancelled when the other is.
  if (body.kind === "stream") body.stream.cancel().catch(() => {});
});

test.each<[string, Response]>([
  ["a file", new Response(Bun.file(import.meta.path), WITH)],
  ["a slice of a file", new Response(Bun.file(import.meta.path).slice(2, 5), WITH)],
  ["a missing file", new Response(Bun.file("/nonexistent"), WITH)],
])("%s is a file", (_name, response) => {
  expect(fetchBody(response).kind).toBe("file");
});

test.each<[string, Response]>([
  ["a string", new Response("text", WITH)],
  ["a string outside ASCII", new Response("\u20ac", WITH)],
  ["bytes", new Response(bytes("text"), WITH)],
  ["many bytes", new Response(bytes("x".repeat(LARGE)), WITH)],
  ["JSON", Response.json({ a: 1 })],
])("%s is at hand in the same turn", (_name, response) => {
  expect(fetchBody(response)).toMatchObject({ kind: "bytes" });
  expect(Bun.peek(response.bytes())).toBeInstanceOf(Uint8Array);
});

test("this version of Bun was examined; where it was not, run this file with its name added", () => {
  expect(EXAMINED_VERSIONS).toContain(Bun.version);
});
