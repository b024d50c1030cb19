// The same answers by `node:http`, run by node. Arguments: scenario, port.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";

const [scenario, port] = process.argv.slice(2);

const CHUNKS = 64;
const CHUNK = new Uint8Array(16 * 1024).fill(0x61);
const FILE = process.env.BENCH_FILE;
const EVENTS = Number(process.env.BENCH_EVENTS);
let go = resolvers();

function resolvers() {
  let resolve;
  const promise = new Promise((given) => (resolve = given));
  return { promise, resolve };
}

const text = { "content-type": "text/plain;charset=utf-8" };
const bytes = { "content-type": "application/octet-stream" };

const HANDLERS = {
  hello(_request, response) {
    response.writeHead(200, { ...text, "content-length": 13 }).end("Hello, World!");
  },
  json(_request, response) {
    const body = JSON.stringify({
      message: "Hello, World!",
      id: 12345,
      tags: ["a", "b", "c"],
      nested: { ok: true },
    });
    response
      .writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
      .end(body);
  },
  post64k(request, response) {
    let length = 0;
    request.on("data", (chunk) => (length += chunk.length));
    request.on("end", () => {
      const body = String(length);
      response.writeHead(200, { ...text, "content-length": body.length }).end(body);
    });
  },
  async stream(_request, response) {
    response.writeHead(200, bytes);
    for (let sent = 1; sent <= CHUNKS; sent++) {
      if (!response.write(CHUNK) && !response.destroyed) {
        await Promise.race([once(response, "drain"), once(response, "close")]);
      }
    }
    response.end();
  },
  file(_request, response) {
    response.writeHead(200, { ...bytes, "content-length": statSync(FILE).size });
    createReadStream(FILE, { highWaterMark: 256 * 1024 }).pipe(response);
  },
  async sse(request, response) {
    if (request.url === "/go") {
      go.resolve();
      go = resolvers();
      response.writeHead(204).end();
      return;
    }
    const begin = go.promise;
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    response.write(":ready\n\n");
    await begin;
    for (let n = 1; n <= EVENTS; n++) {
      const event = `event: tick\nid: ${n}\ndata: The quick brown fox jumps over the lazy dog\n\n`;
      if (!response.write(event)) await once(response, "drain");
    }
    response.end();
  },
};

createServer({ keepAliveTimeout: 600_000 }, HANDLERS[scenario]).listen(Number(port), "127.0.0.1", 4096);
