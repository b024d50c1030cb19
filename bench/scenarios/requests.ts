import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkAnswer, checkPipelining } from "../check.ts";
import { runWrk } from "../load/wrk.ts";
import { cpuTimeOf, memoryOf } from "../process-stats.ts";
import { METRICS, type Scenario } from "../scenario.ts";
import { withServer, type RunningServer } from "../servers.ts";

const HELLO = "Hello, World!";
const FILE_BYTES = 10 * 2 ** 20;
const POST_BYTES = 64 * 1024;
const DEPTH = 16;

/** One Hono application, on each of the servers that can run it. */
const HONO = {
  serves: "hono",
  titles: { pagi: "Hono on pagi-server", bun: "Hono on Bun.serve", node: "Hono on @hono/node-server" },
  without: ["uvicorn"],
} as const;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What wrk asks for in a scenario. */
export interface RequestScenario {
  readonly name: string;
  readonly about: string;
  /** The server's part, where it is not the scenario's name. */
  readonly serves?: string;
  readonly connections: number;
  readonly method?: string;
  readonly bodyBytes?: number;
  readonly depth?: number;
  readonly usesFile?: boolean;
  /** Default `/`. */
  readonly path?: string;
  readonly titles?: Scenario["titles"];
  readonly without?: Scenario["without"];
  readonly contenders?: Scenario["contenders"];
  readonly baseline?: Scenario["baseline"];
  readonly rounds?: number;
  readonly duration?: number;
  check(server: RunningServer): Promise<void>;
}

const TABLE: readonly RequestScenario[] = [
  {
    name: "hello",
    about: "GET, 13 bytes of text",
    connections: 64,
    check: (server) => checkAnswer(server, bytes(HELLO)),
  },
  {
    name: "json",
    about: "GET, an object made into JSON for each request",
    connections: 64,
    check: (server) =>
      // Every server's JSON writer gives the same bytes for it.
      checkAnswer(
        server,
        bytes(JSON.stringify({ message: HELLO, id: 12345, tags: ["a", "b", "c"], nested: { ok: true } })),
      ),
  },
  {
    name: "post64k",
    about: "POST of 64 KiB, answered with its length",
    connections: 32,
    method: "POST",
    bodyBytes: POST_BYTES,
    check: (server) =>
      checkAnswer(server, bytes(String(POST_BYTES)), { method: "POST", body: "x".repeat(POST_BYTES) }),
  },
  {
    name: "stream",
    about: "GET, 1 MiB in 64 chunks of 16 KiB, each given to the server by itself",
    connections: 16,
    check: (server) => checkAnswer(server, new Uint8Array(2 ** 20).fill(0x61)),
  },
  {
    name: "file",
    about: "GET, a file of 10 MiB",
    connections: 8,
    usesFile: true,
    check: (server) => checkAnswer(server, fileContent()),
  },
  {
    name: "pipelined",
    about: `GET, 13 bytes of text, ${DEPTH} requests in one write`,
    serves: "hello",
    connections: 64,
    depth: DEPTH,
    check: (server) => checkPipelining(server, DEPTH, HELLO),
  },
  {
    ...HONO,
    name: "hono-hello",
    about: "Hono, GET, 13 bytes of text",
    connections: 64,
    check: (server) => checkAnswer(server, bytes(HELLO)),
  },
  {
    ...HONO,
    name: "hono-json",
    about: "Hono, GET, a path parameter answered in JSON",
    path: "user/12345",
    connections: 64,
    check: (server) =>
      checkAnswer(server, bytes(JSON.stringify({ id: "12345", name: "Ada", tags: ["a", "b"] }))),
  },
  {
    ...HONO,
    name: "hono-post64k",
    about: "Hono, POST of 64 KiB, answered with its length",
    connections: 32,
    method: "POST",
    bodyBytes: POST_BYTES,
    check: (server) =>
      checkAnswer(server, bytes(String(POST_BYTES)), { method: "POST", body: "x".repeat(POST_BYTES) }),
  },
];

/** A scenario in which wrk asks as fast as it gets answers. */
export const requestScenario = (row: RequestScenario): Scenario => ({
  name: row.name,
  about: row.about,
  needsWrk: true,
  ...(row.titles === undefined ? {} : { titles: row.titles }),
  ...(row.without === undefined ? {} : { without: row.without }),
  ...(row.contenders === undefined ? {} : { contenders: row.contenders }),
  ...(row.baseline === undefined ? {} : { baseline: row.baseline }),
  ...(row.rounds === undefined ? {} : { rounds: row.rounds }),
  ...(row.duration === undefined ? {} : { duration: row.duration }),
  metrics: [
    METRICS.requests,
    METRICS.cpu,
    METRICS.user,
    METRICS.system,
    // wrk reckons with the time between two requests of a connection, which means nothing within a batch.
    ...(row.depth === undefined ? [METRICS.p50, METRICS.p99] : []),
    METRICS.peak,
    METRICS.after,
  ],
  async measure(kind, settings) {
    const environment: Record<string, string> =
      row.usesFile === true ? { BENCH_FILE: await fileOnDisk() } : {};
    return withServer(kind, row.serves ?? row.name, environment, settings.cores, async (started) => {
      const server = { ...started, url: started.url + (row.path ?? "") };
      await row.check(server);
      const load = {
        connections: settings.connections ?? row.connections,
        duration: settings.duration,
        method: row.method ?? "GET",
        bodyBytes: row.bodyBytes ?? 0,
        depth: row.depth ?? 1,
      };
      // The first second runs code that is not compiled yet.
      if (!settings.quick) await runWrk(server.url, { ...load, duration: 1 }, settings.cores);
      const before = cpuTimeOf(server.pid);
      const result = await runWrk(server.url, load, settings.cores);
      const spent = cpuTimeOf(server.pid);
      const memory = memoryOf(server.pid);
      const user = (spent.user - before.user) / result.requests;
      const system = (spent.system - before.system) / result.requests;
      return {
        requests: result.requests / (result.microseconds / 1e6),
        cpu: user + system,
        user,
        system,
        p50: result.p50,
        p99: result.p99,
        peak: memory.peak,
        after: memory.now,
      };
    });
  },
});

export const REQUEST_SCENARIOS: readonly Scenario[] = TABLE.map(requestScenario);

/** Bytes that do not repeat soon, so that a part sent twice or left out is seen. */
function fileContent(): Uint8Array {
  const words = new Uint32Array(FILE_BYTES / 4);
  for (let index = 0; index < words.length; index++) words[index] = index * 2_654_435_761;
  return new Uint8Array(words.buffer);
}

const PATH = join(tmpdir(), `pagi-bench-${process.pid}.bin`);

/** Written once, and gone with this process. */
async function fileOnDisk(): Promise<string> {
  if (Bun.file(PATH).size !== FILE_BYTES) {
    await Bun.write(PATH, fileContent());
    process.once("exit", () => rmSync(PATH, { force: true }));
  }
  return PATH;
}
