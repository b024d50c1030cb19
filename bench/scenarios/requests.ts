import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPipelining } from "../check.ts";
import { BROWSER_HEADERS } from "../load/browser-headers.ts";
import { METRICS } from "../metrics.ts";
import type { Scenario } from "../scenario.ts";
import { wrkScenario, type WrkScenario } from "./wrk-scenario.ts";

export const HELLO = "Hello, World!";
const FILE_BYTES = 10 * 2 ** 20;
export const POST_BYTES = 64 * 1024;
const DEPTH = 16;

const TABLE: readonly WrkScenario[] = [
  {
    name: "hello",
    about: "GET, 13 bytes of text",
    connections: 64,
    answer: () => HELLO,
    aims: [
      { metric: METRICS.requests, atLeast: 1 },
      { metric: METRICS.cpu, atMost: 1 },
    ],
  },
  {
    name: "json",
    about: "GET, an object made into JSON for each request",
    connections: 64,
    // Every server's JSON writer gives the same bytes for it.
    answer: () => JSON.stringify({ message: HELLO, id: 12345, tags: ["a", "b", "c"], nested: { ok: true } }),
    aims: [
      { metric: METRICS.requests, atLeast: 0.98 },
      { metric: METRICS.cpu, atMost: 1 },
    ],
  },
  {
    name: "browser",
    about: "GET with a browser's 15 headers and a target that changes with each request, 13 bytes of text",
    serves: "hello",
    connections: 64,
    request: { target: "/articles/{n}?from=home", headers: BROWSER_HEADERS },
    answer: () => HELLO,
    aims: [{ metric: METRICS.requests, atLeast: 0.95 }],
  },
  {
    name: "pipelined",
    about: `GET, 13 bytes of text, ${DEPTH} requests in one write`,
    serves: "hello",
    connections: 64,
    depth: DEPTH,
    answer: () => HELLO,
    check: (server) => checkPipelining(server, DEPTH, HELLO),
    aims: [{ metric: METRICS.requests, atLeast: 2.5 }],
  },
  {
    name: "post64k",
    about: "POST of 64 KiB, answered with its length",
    connections: 32,
    request: { method: "POST", body: "x".repeat(POST_BYTES) },
    answer: () => String(POST_BYTES),
  },
  {
    name: "stream",
    about: "GET, 1 MiB in 64 chunks of 16 KiB, each passed to the server separately",
    connections: 16,
    answer: () => new Uint8Array(2 ** 20).fill(0x61),
    aims: [{ metric: METRICS.requests, atLeast: 0.9 }],
  },
  {
    name: "file",
    about: "GET, a file of 10 MiB",
    connections: 8,
    environment: async () => ({ BENCH_FILE: await fileOnDisk() }),
    answer: fileContent,
    aims: [{ metric: METRICS.cpu, atMost: 1.3 }],
  },
];

export const REQUEST_SCENARIOS: readonly Scenario[] = TABLE.map(wrkScenario);

/** Bytes that do not repeat soon, so that a part sent twice or left out shows. */
function fileContent(): Uint8Array {
  const words = new Uint32Array(FILE_BYTES / 4);
  for (let index = 0; index < words.length; index++) words[index] = index * 2_654_435_761;
  return new Uint8Array(words.buffer);
}

let written: Promise<string> | undefined;

/** Written once, and removed with this process. */
function fileOnDisk(): Promise<string> {
  written ??= (async () => {
    const path = join(tmpdir(), `pagi-bench-${process.pid}.bin`);
    process.once("exit", () => rmSync(path, { force: true }));
    await Bun.write(path, fileContent());
    return path;
  })();
  return written;
}
