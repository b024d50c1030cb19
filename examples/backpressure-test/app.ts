import type { HttpScope, HttpSendEvent } from "pagi-server";
import { dispatch } from "pagi-server";

// Streams much more than a connection can hold, as fast as `send` allows, and reports how flow control went.

const IS_ENABLED = process.env["PAGI_BACKPRESSURE_TEST"] === "1";
/** Bytes in one event. */
const CHUNK_SIZE = wholeNumber("PAGI_CHUNK_SIZE", 4096);
/** Mebibytes that /stream sends. */
const STREAM_MB = wholeNumber("PAGI_STREAM_MB", 10);
const MOST_MB = 1000;

type Send = (event: HttpSendEvent) => Promise<void>;

export default dispatch({
  async http(scope, _receive, send) {
    if (scope.path === "/") return answer(send, 200, info(scope));
    const megabytes = /^\/stream(?:\/(\d+))?$/.exec(scope.path);
    if (megabytes === null) return answer(send, 404, "Not found\n");
    if (!IS_ENABLED)
      return answer(send, 403, "Streaming is off. Start the server with PAGI_BACKPRESSURE_TEST=1.\n");
    const wanted = Number(megabytes[1] ?? STREAM_MB);
    return stream(scope, send, Math.min(Math.max(wanted, 1), MOST_MB) * 1024 * 1024);
  },
});

async function stream(scope: HttpScope, send: Send, total: number): Promise<void> {
  const connection = scope["pagi.connection"];
  const transport = scope["pagi.transport"];
  let highWaters = 0;
  let drains = 0;
  let mostBuffered = 0;
  // Both are called on each crossing: the amount climbed to the high mark, and it fell back below the low one.
  transport.onHighWater(() => highWaters++);
  transport.onDrain(() => drains++);

  await send({
    type: "http.response.start",
    status: 200,
    headers: [
      ["content-type", "application/octet-stream"],
      ["x-stream-size", String(total)],
      ["x-chunk-size", String(CHUNK_SIZE)],
      ["trailer", "x-high-waters, x-drains, x-most-buffered"],
    ],
    trailers: true,
  });

  const chunk = new Uint8Array(CHUNK_SIZE).map((_, i) => 32 + (i % 95));
  for (let sent = 0; sent < total && connection.isConnected(); sent += CHUNK_SIZE) {
    const piece = total - sent < CHUNK_SIZE ? chunk.subarray(0, total - sent) : chunk;
    const taken = send({ type: "http.response.body", body: piece, more: sent + CHUNK_SIZE < total });
    mostBuffered = Math.max(mostBuffered, transport.bufferedAmount());
    // This line is the whole of backpressure: while the client is behind, the promise stays pending.
    await taken;
  }

  await send({
    type: "http.response.trailers",
    headers: [
      ["x-high-waters", String(highWaters)],
      ["x-drains", String(drains)],
      ["x-most-buffered", String(mostBuffered)],
    ],
  });
  console.error(`high-water ${highWaters}, drained ${drains}, most buffered ${mostBuffered} bytes`);
}

function info(scope: HttpScope): string {
  const transport = scope["pagi.transport"];
  return [
    `streaming: ${IS_ENABLED ? "on" : "off"}`,
    `chunk size: ${CHUNK_SIZE} bytes`,
    `stream size: ${STREAM_MB} MiB`,
    `high-water mark: ${transport.highWaterMark()} bytes`,
    `low-water mark: ${transport.lowWaterMark()} bytes`,
    "",
  ].join("\n");
}

async function answer(send: Send, status: number, body: string): Promise<void> {
  const headers: [string, string][] = [
    ["content-type", "text/plain; charset=utf-8"],
    ["content-length", String(Buffer.byteLength(body))],
  ];
  await send({ type: "http.response.start", status, headers });
  await send({ type: "http.response.body", body });
}

function wholeNumber(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return fallback;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${name} must be a whole number above 0; it is '${text}'.`);
  return Number(text);
}
