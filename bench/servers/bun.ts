// The same answers by `Bun.serve`, as its documentation would write them. Arguments: scenario, port.
import { work } from "./work.ts";

const [scenario = "", port = ""] = process.argv.slice(2);

const CHUNKS = 64;
const CHUNK = new Uint8Array(16 * 1024).fill(0x61);
const EVENTS = Number(process.env["BENCH_EVENTS"]);
let go = Promise.withResolvers<void>();

type Handler = (request: Request) => Response | Promise<Response>;

const HANDLERS: Record<string, Handler> = {
  hello: () => new Response("Hello, World!"),
  json: () =>
    Response.json({ message: "Hello, World!", id: 12345, tags: ["a", "b", "c"], nested: { ok: true } }),
  async post64k(request) {
    return new Response(String((await request.bytes()).byteLength));
  },
  stream() {
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(CHUNK);
        sent += 1;
        if (sent === CHUNKS) controller.close();
      },
    });
    return new Response(body, { headers: { "content-type": "application/octet-stream" } });
  },
  work: () => new Response(work()),
  file: () => new Response(Bun.file(process.env["BENCH_FILE"] ?? "")),
  sse(request) {
    if (request.url.endsWith("/go")) {
      go.resolve();
      go = Promise.withResolvers();
      return new Response(null, { status: 204 });
    }
    const begin = go.promise;
    let n = 0;
    const body = new ReadableStream({
      async pull(controller) {
        if (n === 0) {
          controller.enqueue(":ready\n\n");
          await begin;
        }
        n += 1;
        controller.enqueue(`event: tick\nid: ${n}\ndata: The quick brown fox jumps over the lazy dog\n\n`);
        if (n === EVENTS) controller.close();
      },
    });
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
    });
  },
};

const handler = HANDLERS[scenario];
if (handler === undefined) throw new Error(`unknown scenario '${scenario}'`);
const cert = Bun.file(process.env["BENCH_TLS"] ?? "");
// A second process that shares the port, for two workers.
if (process.env["BENCH_WORKERS"] === "2") {
  const environment = { ...process.env, BENCH_WORKERS: "shared" };
  Bun.spawn([process.execPath, import.meta.path, scenario, port], { env: environment, stdin: "pipe" });
} else if (process.env["BENCH_WORKERS"] === "shared") {
  // The pipe ends with the first process.
  process.stdin.on("end", () => process.exit()).resume();
}
Bun.serve({
  reusePort: process.env["BENCH_WORKERS"] !== undefined,
  hostname: "127.0.0.1",
  port: Number(port),
  idleTimeout: 255,
  development: false,
  fetch: handler,
  ...(process.env["BENCH_TLS"] !== undefined && { tls: { cert, key: cert } }),
});
