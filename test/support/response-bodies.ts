import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chunk, ENCODERS, startUpstream, type Piece, type Upstream } from "./upstream.ts";

// Every kind of body that a Response can have, as a handler makes it.

export type Make = (method: string) => Response | Promise<Response>;

export interface Case {
  readonly make: Make;
  /** Fields that Bun.serve sends and pagi-server does not, or otherwise; and why. */
  readonly differs?: readonly [fields: readonly string[], why: string];
  /** When the body comes is not in the hands of the server, so that its length may be known or not. */
  readonly timed?: true;
}

let root = "";
let upstream: Upstream | undefined;

/** Starts what the cases fetch from, and makes the files that they send. */
export async function openSources(): Promise<AsyncDisposable> {
  root = await mkdtemp(join(tmpdir(), "pagi-bodies-"));
  await Bun.write(join(root, "file.txt"), "0123456789");
  await Bun.write(join(root, "empty.txt"), "");
  await Bun.write(join(root, "large.bin"), new Uint8Array(3_000_000).fill(7));
  upstream = await startUpstream(answerOf);
  return {
    [Symbol.asyncDispose]: async () => {
      upstream?.[Symbol.dispose]();
      await rm(root, { recursive: true });
    },
  };
}

export const fetched = (method: string, path: string, init: BunFetchRequestInit = {}) =>
  fetch(`${upstream?.url}${path}`, { method, ...init });
export const bytes = (text: string): Uint8Array => Buffer.from(text);
const late = (): Promise<void> => Bun.sleep(20);

// ── what the upstream answers ───────────────────────────────────────────────────────────────────────────────────────

const HTML = "<p>hel" + "lo</p>";
const PLAIN = "plain text, ".repeat(30);

/** The body at once, or late and in two pieces. */
function pieces(body: string | Uint8Array, isLate: boolean, wrap = (part: Uint8Array) => part): Piece[] {
  const whole = Buffer.from(body);
  if (!isLate) return [{ bytes: wrap(whole) }];
  const half = whole.byteLength >> 1;
  return [
    { bytes: wrap(whole.subarray(0, half)), after: late },
    { bytes: wrap(whole.subarray(half)), after: late },
  ];
}

function answerOf(target: string) {
  const [, how = "", what = ""] = target.split("/");
  const isLate = how.startsWith("late-");
  const framing = how.replace("late-", "");
  const encoder = Object.hasOwn(ENCODERS, what) ? ENCODERS[what as keyof typeof ENCODERS] : undefined;
  const body = encoder === undefined ? (what === "empty" ? "" : HTML) : encoder(PLAIN);
  const fields = ["HTTP/1.1 200 OK", "Content-Type: text/html", 'ETag: "1"'];
  if (encoder !== undefined) fields.push(`Content-Encoding: ${what}`);
  switch (framing) {
    case "length":
      fields.push(`Content-Length: ${Buffer.byteLength(body)}`);
      return { head: fields, pieces: pieces(body, isLate) };
    case "chunked":
      fields.push("Transfer-Encoding: chunked");
      return {
        head: fields,
        pieces: [...(what === "empty" ? [] : pieces(body, isLate, chunk)), { bytes: chunk("") }],
      };
    case "close":
      return { head: fields, pieces: pieces(body, isLate), end: "fin" as const };
    case "cut-length":
      fields.push("Content-Length: 100");
      return {
        head: fields,
        pieces: [...pieces(body, true), { bytes: "", after: late }],
        end: "fin" as const,
      };
    case "cut-chunked":
      fields.push("Transfer-Encoding: chunked");
      return {
        head: fields,
        pieces: [...pieces(body, true, chunk), { bytes: "", after: late }],
        end: "fin" as const,
      };
    case "204":
      return { head: ["HTTP/1.1 204 No Content", "X-A: 1"], pieces: [] };
    case "304":
      return { head: ["HTTP/1.1 304 Not Modified", 'ETag: "1"'], pieces: [] };
    case "hop":
      return {
        head: [
          ...[
            "HTTP/1.1 200 OK",
            "Connection: close, X-Hop",
            "X-Hop: 1",
            "X-Stay: 2",
            "Keep-Alive: timeout=5",
          ],
          ...["Proxy-Connection: keep-alive", "TE: trailers", "Upgrade: h2c", "Trailer: X-T"],
          ...["Content-Type: text/html", `Content-Length: ${HTML.length}`],
        ],
        pieces: pieces(HTML, false),
      };
    case "untyped":
      return {
        head: ["HTTP/1.1 200 OK", `Content-Length: ${HTML.length}`],
        pieces: pieces(HTML, isLate),
      };
    default:
      return undefined;
  }
}

// ── the handlers ────────────────────────────────────────────────────────────────────────────────────────────────────

function slowStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      await late();
      controller.enqueue(bytes("one "));
      await late();
      controller.enqueue(bytes("two"));
      controller.close();
    },
  });
}

const formData = (): FormData => {
  const form = new FormData();
  form.set("field", "value");
  form.set("file", new File(["content"], "name.txt"));
  return form;
};
export const rewriter = (): HTMLRewriter =>
  new HTMLRewriter().on("p", { element: (element) => void element.setAttribute("class", "x") });
/** Bun's types of clone() are those of another library. */
export const cloneOf = (response: Response): Response => {
  const clone: unknown = response.clone();
  if (clone instanceof Response) return clone;
  throw new Error("a clone is a Response");
};
const file = (name = "file.txt"): ReturnType<typeof Bun.file> => Bun.file(join(root, name));
const WITH = { headers: { "content-type": "text/x-own" } };

const HELD: Record<string, Case> = {
  nothing: { make: () => new Response() },
  null: { make: () => new Response(null) },
  "a string": { make: () => new Response("text") },
  "an empty string": { make: () => new Response("") },
  "a string outside ASCII": { make: () => new Response("Grüße, €, 😀") },
  "a long string": { make: () => new Response("x".repeat(1_000_000)) },
  "a string with a type": { make: () => new Response("text", WITH) },
  "a string with a status text": { make: () => new Response("text", { statusText: "Very Fine" }) },
  "a Uint8Array": { make: () => new Response(bytes("text")) },
  "a Uint8Array of other bytes": { make: () => new Response(Uint8Array.of(0, 1, 2, 255)) },
  "an ArrayBuffer": { make: () => new Response(new Uint8Array(bytes("text")).buffer) },
  "a DataView": {
    make: () => new Response(new DataView(Uint8Array.of(65, 66).buffer)),
    differs: [["content-type"], "text in a DataView cannot be told from text in a Blob"],
  },
  JSON: { make: () => Response.json({ a: ["ü"] }) },
  "a Blob": { make: () => new Response(new Blob(["text"])) },
  "a Blob with a type": { make: () => new Response(new Blob(["text"], { type: "text/x-own" })) },
  "an empty Blob": { make: () => new Response(new Blob([])) },
  "a large Blob": { make: () => new Response(new Blob(["text".repeat(100_000)])) },
  "a File": { make: () => new Response(new File(["<p>"], "a.html", { type: "text/html" })) },
  URLSearchParams: { make: () => new Response(new URLSearchParams("a=b&c=d")) },
  FormData: { make: () => new Response(formData()) },
  "a clone": { make: () => cloneOf(new Response("text", WITH)) },
  "a body that was looked at": {
    make: () => {
      const response = new Response("text", WITH);
      void response.body;
      return response;
    },
  },
  "the body of another": { make: () => new Response(new Response("text").body, WITH) },
  "a data URL": { make: () => fetch("data:text/plain,text") },
  "rewritten text": { make: () => rewriter().transform(new Response("<p>", WITH)) },
};

const STATUSES: Record<string, Case> = {
  ...Object.fromEntries(
    [201, 205, 404, 500, 599].map((status): [string, Case] => [
      `${status}`,
      { make: () => new Response(status === 205 ? null : "text", { status }) },
    ]),
  ),
  "204": { make: () => new Response(null, { status: 204 }) },
  "204 with a body": { make: () => new Response("text", { status: 204, ...WITH }) },
  "304": { make: () => new Response(null, { status: 304, headers: { etag: '"1"' } }) },
  "a redirect": { make: () => Response.redirect("https://example.org/x", 303) },
  "several cookies": {
    make: () => {
      const headers = new Headers([
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["vary", "a"],
        ["vary", "b"],
      ]);
      return new Response("text", { headers });
    },
  },
};

const LENGTHS: Record<string, Case> = {
  "text, length too small": { make: () => new Response("text", { headers: { "content-length": "1" } }) },
  "text, length too large": { make: () => new Response("text", { headers: { "content-length": "9" } }) },
  "text, length malformed": { make: () => new Response("text", { headers: { "content-length": "x" } }) },
  "bytes, length too large": {
    make: () => new Response(bytes("text"), { headers: { "content-length": "9" } }),
  },
  "a file, length too small": { make: () => new Response(file(), { headers: { "content-length": "1" } }) },
  "a stream, length right": {
    make: () => new Response(slowStream(), { headers: { "content-length": "7" } }),
  },
  "a stream, length too large": {
    make: () => new Response(slowStream(), { headers: { "content-length": "9" } }),
  },
  "a stream, length too small": {
    make: () => new Response(slowStream(), { headers: { "content-length": "1" } }),
  },
  "nothing, length too large": { make: () => new Response(null, { headers: { "content-length": "9" } }) },
  "Transfer-Encoding": { make: () => new Response("text", { headers: { "transfer-encoding": "gzip" } }) },
};

const ofChunks = (...chunks: (string | Uint8Array)[]): ReadableStream =>
  new ReadableStream({
    start(controller) {
      for (const each of chunks) controller.enqueue(each);
      controller.close();
    },
  });

const STREAMS: Record<string, Case> = {
  "a stream of a string": { make: () => new Response(ofChunks("text")) },
  "a stream of bytes": { make: () => new Response(ofChunks(bytes("text"))) },
  "a stream of three": { make: () => new Response(ofChunks(bytes("a"), "b", bytes("c"))) },
  "an empty stream": { make: () => new Response(ofChunks()) },
  "a slow stream": { make: () => new Response(slowStream()) },
  "a slow stream with a type": { make: () => new Response(slowStream(), WITH) },
  "a slow stream with a status text": { make: () => new Response(slowStream(), { statusText: "Very Fine" }) },
  "a byte stream": {
    make: () => {
      const stream = new ReadableStream({
        type: "bytes",
        start(controller) {
          controller.enqueue(Uint8Array.of(65, 66));
          controller.close();
        },
      });
      return new Response(stream);
    },
  },
  "a direct stream": {
    make: () => {
      const stream = new ReadableStream({
        type: "direct",
        async pull(controller) {
          controller.write("one ");
          await late();
          controller.write("two");
          controller.close();
        },
      });
      return new Response(stream);
    },
  },
  "a generator": {
    make: () =>
      new Response(
        (async function* () {
          yield "one ";
          await late();
          yield bytes("two");
        })(),
      ),
  },
  "an async iterable": {
    make: () =>
      new Response({
        async *[Symbol.asyncIterator]() {
          yield "one ";
          yield "two";
        },
      }),
  },
  "a transformed stream": {
    make: () => new Response(ofChunks(bytes("text")).pipeThrough(new TransformStream())),
  },
  "a decompressed stream": {
    make: () =>
      new Response(new Blob([ENCODERS.gzip(PLAIN)]).stream().pipeThrough(new DecompressionStream("gzip"))),
    timed: true,
  },
  "a process": {
    make: () => new Response(Bun.spawn(["sh", "-c", "echo one; echo two"], { stdout: "pipe" }).stdout, WITH),
    timed: true,
  },
  "one half of a tee": { make: () => new Response(slowStream().tee()[0]) },
  "a Blob's stream": { make: () => new Response(new Blob(["text"]).stream(), WITH) },
};

const FILE_NAME = "Bun tells the file's name on its disk, which the handler did not ask for";
export const FILES: Record<string, Case> = {
  "a file": { make: () => new Response(file()) },
  "a file with another type": {
    make: () => new Response(file(), WITH),
    differs: [["content-disposition"], FILE_NAME],
  },
  "a large file": {
    make: () => new Response(file("large.bin")),
    differs: [["content-disposition"], FILE_NAME],
  },
  "an empty file": { make: () => new Response(file("empty.txt")) },
  "a file, 404": { make: () => new Response(file(), { status: 404 }) },
  "a file with a status text": { make: () => new Response(file(), { statusText: "OK" }) },
  "a file that was cloned": { make: () => cloneOf(new Response(file())) },
  "a slice": { make: () => new Response(file().slice(2, 5)) },
  "a slice from the start": { make: () => new Response(file().slice(0, 3)) },
  "a slice to the end": { make: () => new Response(file().slice(2)) },
  "a slice beyond the end": { make: () => new Response(file().slice(2, 500)) },
  "a slice of all": { make: () => new Response(file().slice(0, 10)) },
  "a slice with its Content-Range": {
    make: () =>
      new Response(file().slice(2, 5), { status: 206, headers: { "content-range": "bytes 2-4/10" } }),
  },
  "a file's stream without a type": {
    make: () => new Response(file().stream()),
    differs: [
      ["content-type", "content-disposition"],
      "of a stream that nobody has described it is not known what it is",
    ],
    timed: true,
  },
  "a file's stream": {
    make: () => new Response(file().stream(), WITH),
    differs: [["content-disposition"], FILE_NAME],
    timed: true,
  },
};

const passed = (path: string, init?: BunFetchRequestInit): Case => ({
  make: (method) => fetched(method, path, init),
  timed: true,
});
const DECODED = "the body was decoded, so that the field would make clients fail";
const FETCHED: Record<string, Case> = {
  ...Object.fromEntries(
    ["length", "late-length", "chunked", "late-chunked", "close", "late-close"].map((how): [string, Case] => [
      `fetched, ${how}`,
      passed(`/${how}/html`),
    ]),
  ),
  ...Object.fromEntries(
    ["length", "chunked"].map((how): [string, Case] => [`fetched, ${how}, empty`, passed(`/${how}/empty`)]),
  ),
  ...Object.fromEntries(
    Object.keys(ENCODERS).flatMap((coding) =>
      ["length", "late-length", "late-chunked"].map((how): [string, Case] => [
        `fetched, ${how}, ${coding}`,
        { ...passed(`/${how}/${coding}`), differs: [["content-encoding"], DECODED] },
      ]),
    ),
  ),
  ...Object.fromEntries(
    Object.keys(ENCODERS).map((coding): [string, Case] => [
      `fetched, not decoded, ${coding}`,
      passed(`/late-chunked/${coding}`, { decompress: false }),
    ]),
  ),
  "fetched, 204": passed("/204"),
  "fetched, 304": passed("/304"),
  "fetched by HEAD": { make: () => fetched("HEAD", "/length/html") },
  "fetched, about its connection": {
    ...passed("/hop"),
    differs: [
      ["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "x-hop"],
      "RFC 9110 section 7.6.1",
    ],
  },
  "fetched, without a type": {
    make: async (method) => {
      const response = await fetched(method, "/untyped");
      await late();
      return response;
    },
  },
  "fetched late, without a type": passed("/late-untyped"),
  "fetched and complete": {
    make: async (method) => {
      const response = await fetched(method, "/length/html");
      await late();
      return response;
    },
  },
  "made from a fetched one": {
    make: async (method) => {
      const from = await fetched(method, "/late-length/html");
      return new Response(from.body, from);
    },
    timed: true,
  },
  "the body of a fetched one": {
    make: async (method) => new Response((await fetched(method, "/late-length/html")).body, WITH),
    timed: true,
  },
  "made from a fetched one, gzip": {
    make: async (method) => {
      const from = await fetched(method, "/late-chunked/gzip");
      return new Response(from.body, from);
    },
    differs: [["content-encoding"], DECODED],
    timed: true,
  },
  "the text of a fetched one, gzip": {
    make: async (method) => {
      const from = await fetched(method, "/late-length/gzip");
      return new Response(await from.text(), from);
    },
    differs: [["content-encoding"], DECODED],
  },
  "a clone of a fetched one": {
    make: async (method) => cloneOf(await fetched(method, "/late-chunked/html")),
    timed: true,
  },
  "a fetched one that was cloned": {
    make: async (method) => {
      const response = await fetched(method, "/late-chunked/html");
      response.clone();
      return response;
    },
    timed: true,
  },
  ...Object.fromEntries(
    ["late-length", "late-chunked", "length"].map((how): [string, Case] => [
      `rewritten, ${how}`,
      { make: async (method) => rewriter().transform(await fetched(method, `/${how}/html`)), timed: true },
    ]),
  ),
  "encoded by the application": {
    make: () => new Response(ENCODERS.gzip(PLAIN), { headers: { "content-encoding": "gzip" } }),
  },
  "encoded by the application while it is sent": {
    make: () =>
      new Response(new Blob([PLAIN]).stream().pipeThrough(new CompressionStream("gzip")), {
        headers: { "content-encoding": "gzip" },
      }),
    timed: true,
  },
};

/** The bodies whose length is known before they are read. */
export const MEASURED = new Set([...Object.keys(HELD), ...Object.keys(FILES)]);
for (const name of ["nothing", "null", "an empty string", "the body of another"]) MEASURED.delete(name);
for (const name of ["a file's stream", "a file's stream without a type"]) MEASURED.delete(name);

export const CASES: Record<string, Case> = {
  ...HELD,
  ...STATUSES,
  ...LENGTHS,
  ...STREAMS,
  ...FILES,
  ...FETCHED,
};
