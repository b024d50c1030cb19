// The request path alone: nanoseconds of CPU time for each request, without a kernel, of this checkout and of others, in
// rounds that alternate within one process. Each version is a whole server; its sockets are objects of this file.
//
//     bun bench/pair.ts ../other [../third...] [--app FILE] [--browser] [--depth N] [--rounds N] [--requests N]
//
// FILE is an application for all versions, by default bench/servers/pagi/hello.ts of this checkout.
import { drainMicrotasks } from "bun:jsc";
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BROWSER_HEADERS } from "./load/browser-headers.ts";
import { requestText } from "./load/request-text.ts";
import { aligned } from "./report.ts";
import { ROOT } from "./servers.ts";
import { median, pairedRatios, spreadOf } from "./statistics.ts";

const CONNECTIONS = 64;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    app: { type: "string", default: `${ROOT}bench/servers/pagi/hello.ts` },
    browser: { type: "boolean", default: false },
    depth: { type: "string", default: "1" },
    rounds: { type: "string", default: "31" },
    requests: { type: "string", default: "20000" },
  },
});
const [depth, rounds, requests] = [Number(values.depth), Number(values.rounds), Number(values.requests)];
if (!(depth >= 1 && rounds >= 1 && requests >= 1)) {
  throw new Error("--depth, --rounds and --requests must be numbers above 0");
}

/** What a server gives to `Bun.listen` for its connections. */
interface Handlers {
  open(socket: FakeSocket): void;
  data(socket: FakeSocket, bytes: Buffer): void;
}

/** As much of a socket as a server needs for requests without trouble. It takes every byte at once. */
class FakeSocket {
  /** The server's own. */
  data: unknown;
  readonly fd = -1;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 40_000;
  readonly localAddress = "127.0.0.1";
  /** What came, while somebody looks. */
  text: string | undefined;

  write(bytes: string | Uint8Array, offset = 0, length = bytes.length - offset): number {
    if (this.text !== undefined) {
      this.text += Buffer.from(bytes).toString("latin1", offset, offset + length);
    }
    return length;
  }

  pause(): void {}
  resume(): void {}
  end(): never {
    throw new Error("the server closed a connection");
  }
  shutdown = this.end;
  terminate = this.end;
}

/** One version of the server, with its connections. */
interface Version {
  readonly title: string;
  readonly times: number[];
  /** Requests to all connections in turn. Returns how many. */
  run(least: number): Promise<number>;
}

let count = 0;

/** The bytes of the next read: a Buffer of their own, as the runtime gives them. */
function nextBytes(): Buffer {
  const { browser } = values;
  const request = browser ? { target: `/articles/${count++}?from=home`, headers: BROWSER_HEADERS } : {};
  return Buffer.from(requestText(request, 8080).repeat(depth));
}

/** Starts a checkout's server, and keeps the handlers that it gives to `Bun.listen`. */
async function start(root: string): Promise<Version> {
  const listen = Bun.listen;
  let handlers: Handlers | undefined;
  Reflect.set(Bun, "listen", (options: { socket: Handlers }) => {
    handlers = options.socket;
    return Reflect.apply(listen, Bun, [options]);
  });
  const { serve } = await import(`${root}/index.ts`);
  const { default: app } = await import(resolve(values.app));
  await serve(app, { port: 0, host: "127.0.0.1", signals: false, env: "production" });
  Reflect.set(Bun, "listen", listen);
  if (handlers === undefined) throw new Error(`${root} does not listen`);
  const { open, data } = handlers;
  const sockets = Array.from({ length: CONNECTIONS }, () => new FakeSocket());
  for (const socket of sockets) open(socket);
  await check(root, sockets[0] ?? new FakeSocket(), data);
  return {
    title: basename(resolve(root)),
    times: [],
    async run(least) {
      let asked = 0;
      while (asked < least) {
        for (const socket of sockets) {
          data(socket, nextBytes());
          drainMicrotasks();
          asked += depth;
        }
        await nextTurn();
      }
      return asked;
    },
  };
}

const nextTurn = (): Promise<void> => new Promise((done) => setImmediate(done));

/** @throws Error unless every request of a read is answered with 200. */
async function check(root: string, socket: FakeSocket, data: Handlers["data"]): Promise<void> {
  socket.text = "";
  data(socket, nextBytes());
  for (let turn = 0; turn < 100; turn++) await nextTurn();
  const answers = socket.text.split("HTTP/1.1 200 ").length - 1;
  if (answers !== depth) throw new Error(`${root} answers ${answers} of ${depth} requests: ${socket.text}`);
  socket.text = undefined;
}

const versions: Version[] = [];
for (const root of [ROOT, ...positionals]) versions.push(await start(resolve(root)));
// What runs first is not compiled yet.
for (const version of versions) await version.run(requests * 4);
for (let round = 0; round < rounds; round++) {
  for (const version of round % 2 === 0 ? versions : versions.toReversed()) {
    const before = process.cpuUsage();
    const asked = await version.run(requests);
    const { user, system } = process.cpuUsage(before);
    version.times.push(((user + system) * 1000) / asked);
  }
}
const baseline = versions[1] ?? versions[0];
const rows = versions.map(({ title, times }) => {
  const { median: middle, lower, upper } = spreadOf(pairedRatios(times, baseline?.times ?? []));
  return [
    ...[title, Math.round(median(times)).toString()],
    `${middle.toFixed(3)} (${lower.toFixed(3)}–${upper.toFixed(3)})`,
  ];
});
console.log(aligned([["version", "ns/request", "ratio"], ...rows]));
process.exit(0);
