import { describe, expect, test } from "bun:test";
import fs from "node:fs";

import { dispatch } from "../../src/spec/index.ts";
import type { HttpScope } from "../../src/spec/index.ts";
import type { PartialOptions } from "../../src/options/resolve.ts";
import { Front, recipe } from "../support/front.ts";
import { Load } from "../support/load.ts";
import { Folder, Program } from "../support/program.ts";
import { echo, echoMessages, startServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openStream } from "../support/sse.ts";
import { WebSocketClient } from "../support/websocket-client.ts";
import { Wire, eventually, get, post, request } from "../support/wire.ts";
import { childrenOf, Log, runs, workersFolder } from "../support/workers.ts";

// The proxies' configurations in docs/deployment, each run by its program.

const PROXIES = ["nginx", "haproxy", "caddy"] as const;
type ProxyName = (typeof PROXIES)[number];

const CONFIGURATIONS = { nginx: "nginx.conf", haproxy: "haproxy.cfg", caddy: "Caddyfile" } as const;

interface Behind extends AsyncDisposable {
  readonly front: Front;
  readonly to: TestServer;
  /** Lets the event streams have one event more. */
  tick(): void;
  /** The last request, as the application has it. */
  scope(): HttpScope | undefined;
}

/** A server behind a proxy. It echoes requests and messages; `/events` streams. */
async function behind(kind: ProxyName): Promise<Behind> {
  const folder = new Folder();
  let tick = (): void => {};
  let scope: HttpScope | undefined;
  const app = dispatch({
    http(given, receive, send) {
      scope = given;
      return echo(given, receive, send);
    },
    websocket: echoMessages(),
    async sse(_scope, _receive, send) {
      const next = new Promise<void>((resolve) => (tick = resolve));
      await send({ type: "sse.start" });
      await send({ type: "sse.send", data: "first" });
      await next;
      await send({ type: "sse.send", data: "second" });
    },
  });
  const socket = folder.file("http.sock");
  const words = recipeFor(kind, folder);
  const given = (flag: string): string => words[words.indexOf(`--${flag}`) + 1] ?? "";
  const options: PartialOptions =
    kind === "haproxy"
      ? { listen: [given("listen")] }
      : { socket: given("socket"), socketGroup: given("socket-group") };
  const to = await startServer(app, {
    port: undefined,
    ...options,
    proxyHeaders: "x-forwarded",
    forwardedAllowIps: given("forwarded-allow-ips"),
  });
  const front = await (kind === "haproxy" ? Front.haproxy(folder, to.port) : Front[kind](folder, socket));
  return {
    front,
    to,
    tick: () => tick(),
    scope: () => scope,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await to[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** The recipe of a proxy, with a socket in the folder or a free port. */
function recipeFor(kind: ProxyName, folder: Folder): string[] {
  const places =
    kind === "haproxy"
      ? { "--listen 127.0.0.1:5000": "--listen 127.0.0.1:0" }
      : { "/run/pagi-server/http.sock": folder.file("http.sock") };
  return recipe(CONFIGURATIONS[kind], places);
}

interface Echoed {
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

describe.each(PROXIES)("%s", (kind) => {
  test("requests go through, on connections that are kept", async () => {
    await using it = await behind(kind);
    const { front, to } = it;
    await using wire = await Wire.open(front);
    for (let i = 0; i < 20; i++) {
      await wire.send(get(`/a%20b?n=${i}`));
      const response = await wire.response();
      expect(response.status).toBe(200);
      expect(JSON.parse(response.body)).toMatchObject({
        method: "GET",
        path: "/a b",
        raw_path: "/a%20b",
        query_string: `n=${i}`,
        http_version: "1.1",
      });
    }
    // The proxy's only one to us, which it keeps for the next request; it would have been closed otherwise.
    expect(to.server.connectionCount).toBe(1);
    expect(to.server.requestCount).toBe(20);
  });

  test("a large POST goes through", async () => {
    await using it = await behind(kind);
    const body = "x".repeat(2 ** 20);
    const response = await request(it.front, post("/upload", body));
    const echoed = JSON.parse(response.body) as Echoed;
    expect({ status: response.status, method: echoed.method }).toEqual({ status: 200, method: "POST" });
    expect(echoed.body === body).toBe(true);
  });

  test("what a client says of itself is replaced", async () => {
    await using it = await behind(kind);
    const forged = [
      "X-Forwarded-For: 6.6.6.6",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: evil.example",
      "X-Forwarded-Port: 6",
      "X-Forwarded-Prefix: /evil",
      "Forwarded: for=6.6.6.6;proto=https",
    ];
    const response = await request(it.front, get("/", ...forged));
    const { headers } = JSON.parse(response.body) as Echoed;
    const forwarded = headers.filter(([name]) => name.includes("forwarded")).map((pair) => pair.join(": "));
    // Caddy knows the port that it listens at only from 2.8 on: the host that the client asked for has to do.
    const port = kind === "caddy" ? undefined : it.front.port;
    expect(forwarded.toSorted()).toEqual([
      "x-forwarded-for: 127.0.0.1",
      "x-forwarded-host: a",
      ...(port === undefined ? [] : [`x-forwarded-port: ${port}`]),
      "x-forwarded-proto: http",
    ]);
    expect(it.scope()).toMatchObject({ client: ["127.0.0.1", 0], scheme: "http", root_path: "" });
    const host = port === undefined ? "a" : `a:${port}`;
    expect(headers.filter(([name]) => name === "host")).toEqual([["host", host]]);
  });

  test("an event reaches the client before the next one is sent", async () => {
    await using it = await behind(kind);
    await using stream = await openStream(it.front, { target: "/events" });
    await stream.readTo("data: first\n\n");
    expect(stream.isEnded).toBe(false);
    it.tick();
    await stream.readTo("data: second\n\n");
  });

  test("WebSocket messages are echoed, and a close goes through", async () => {
    await using it = await behind(kind);
    const client = await WebSocketClient.open(`ws://${it.front.host}:${it.front.port}/ws/echo`);
    for (const message of ["hello", "x".repeat(100_000), new Uint8Array([0, 255, 7])]) {
      client.send(message);
      expect(await client.next()).toEqual(message);
    }
    expect(await client.close(4000, "enough")).toEqual({ code: 4000, reason: "enough" });
  });
});

test("nginx: a client that leaves its event stream is a client that leaves", async () => {
  await using it = await behind("nginx");
  const stream = await openStream(it.front, { target: "/events" });
  await stream.readTo("data: first\n\n");
  expect(it.to.server.connectionCount).toBe(1);
  await stream[Symbol.asyncDispose]();
  await eventually("the connection behind the proxy ends too", () => it.to.server.connectionCount === 0);
});

test.each(PROXIES)(
  "%s as Debian runs it reaches the server that its configuration's command starts",
  async (kind) => {
    using folder = workersFolder();
    await using program = Program.serve(folder, ["-E", "production", ...recipeFor(kind, folder), "app.ts"]);
    const log = new Log(program);
    await log.until(/Serving app\.ts/);
    await using front =
      kind === "haproxy"
        ? await Front.haproxy(folder, (await program.address()).port)
        : await Front[kind](folder, folder.file("http.sock"));
    const { status, body } = await request(front, get("/"));
    expect([status, body]).toEqual([200, expect.stringMatching(/ one$/)]);
  },
);

/** POST requests: a proxy does not send them twice, so that what is lost between it and the server is seen. */
const ONCE = post("/", "once");

test("nginx: reloads and a hot restart of a server with two workers lose no request, and no 502 is seen", async () => {
  using folder = workersFolder();
  const words = ["app.ts", "-E", "production", "-w", "2", "--pid", "pid", ...recipeFor("nginx", folder)];
  await using program = Program.serve(folder, words);
  const log = new Log(program);
  await log.until(/Serving app\.ts/);
  await using front = await Front.nginx(folder, folder.file("http.sock"));
  const load = new Load(front, 8, ONCE);
  const more = async (): Promise<void> => {
    const seen = load.answered;
    await eventually("there is load", () => load.answered > seen + 500);
  };
  try {
    const first = childrenOf(program.pid);
    for (let turn = 0; turn < 2; turn++) {
      await more();
      program.kill("SIGHUP");
      await log.until(/Reloaded: every worker is a new one/);
    }
    expect(childrenOf(program.pid).some((pid) => first.includes(pid))).toBe(false);
    await more();
    program.kill("SIGUSR2");
    await eventually("the old server has ended", () => !program.isRunning);
    await more();
    await load.stop();
    expect(load.lost).toEqual([]);
  } finally {
    await load.stop();
    const successor = Number(fs.readFileSync(folder.file("pid"), "utf8"));
    process.kill(successor, "SIGTERM");
    await eventually("the successor has ended", () => !runs(successor));
  }
}, 20_000);
