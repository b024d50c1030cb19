import { describe, expect, test } from "bun:test";

import { dispatch, ListenError, serve } from "../../index.ts";
import type { SseHandler } from "../../index.ts";
import { Server } from "../../src/server/server.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import { PagiResponse } from "../../src/toolkit/response.ts";
import { Router } from "../../src/toolkit/router.ts";
import { RecordingLogger, echo, startHttp, startServer, text } from "../support/server.ts";
import { Wire, eventually, get, post, request } from "../support/wire.ts";

describe("Server", () => {
  test("port 0 takes a free port, which url and listeners tell", async () => {
    await using server = await startHttp(text("hi"));
    const [address, ...others] = server.server.listeners;
    expect(others).toEqual([]);
    if (address?.type !== "tcp") throw new Error("no TCP address");
    expect(address?.host).toBe("127.0.0.1");
    expect(address?.port).toBeGreaterThan(0);
    expect(server.server.url).toBe(`http://127.0.0.1:${address?.port}/`);
    expect(await (await fetch(server.server.url)).text()).toBe("hi");
  });

  test("serve takes a component and an object with fetch, and says what is neither", async () => {
    const quiet = { port: 0, signals: false, logger: new RecordingLogger() };
    const router = new Router().get("/", PagiResponse.text("router"));
    const fetcher = { fetch: () => new Response("fetch") };
    for (const [served, wanted] of [
      [router, "router"],
      [fetcher, "fetch"],
    ] as const) {
      await using server = await serve(served, quiet);
      expect(await (await fetch(server.url)).text()).toBe(wanted);
    }
    const wrong = serve(Promise.resolve(router) as never, quiet);
    await expect(wrong).rejects.toThrow("What serve() was given is a promise. An application is a function");
  });

  test("an IPv6 address has its brackets in the url", async () => {
    await using server = await startHttp(text("hi"), { host: "::1" });
    expect(server.url).toBe(`http://[::1]:${server.port}/`);
    expect(await (await fetch(server.url)).text()).toBe("hi");
  });

  test("a host without an address is a ListenError that says so", async () => {
    const failed = startHttp(text("hi"), { host: "nowhere.invalid" });
    await failed.catch(() => {});
    expect(failed).rejects.toThrow(ListenError);
    expect(failed).rejects.toThrow("The host nowhere.invalid has no address");
  });

  test("a port in use is a ListenError that says what to do, and the application is shut down", async () => {
    await using server = await startHttp(text("hi"));
    const events: string[] = [];
    const app = dispatch({
      lifespan: async (_scope, receive, send) => {
        events.push((await receive()).type);
        await send({ type: "lifespan.startup.complete" });
        events.push((await receive()).type);
        await send({ type: "lifespan.shutdown.complete" });
      },
    });
    const failed = startServer(app, { port: server.port });
    await failed.catch(() => {});
    expect(failed).rejects.toThrow(ListenError);
    expect(failed).rejects.toThrow(`Port ${server.port} on 127.0.0.1 is in use. Choose another with --port`);
    expect(events).toEqual(["lifespan.startup", "lifespan.shutdown"]);
  });

  test("it cannot be started twice, nor after its end; its url needs a start", async () => {
    const server = new Server(dispatch({}), await resolveOptions({ port: 0 }), new RecordingLogger());
    expect(() => server.url).toThrow("call start() first");
    await server.start();
    expect(server.start()).rejects.toThrow("it is running");
    await server.stop();
    expect(server.start()).rejects.toThrow("it is stopped");
  });

  test("stop works before start, twice, and at the same time", async () => {
    const options = await resolveOptions({ port: 0 });
    const unused = new Server(dispatch({}), options, new RecordingLogger());
    await unused.stop();
    await unused.whenStopped;
    const server = new Server(dispatch({}), options, new RecordingLogger());
    await server.start();
    await Promise.all([server.stop(), server.stop(), server.stop({ force: true })]);
    await server.stop();
    await server.whenStopped;
  });

  test("stop during start: it does not listen, and the application is shut down", async () => {
    const events: string[] = [];
    let go = (): void => {};
    const app = dispatch({
      lifespan: async (_scope, receive, send) => {
        await receive();
        await new Promise<void>((resolve) => (go = resolve));
        await send({ type: "lifespan.startup.complete" });
        events.push((await receive()).type);
        await send({ type: "lifespan.shutdown.complete" });
      },
    });
    const server = new Server(app, await resolveOptions({ port: 0 }), new RecordingLogger());
    const starting = server.start();
    await Bun.sleep(1);
    const stopping = server.stop();
    go();
    await starting.then(
      () => expect.unreachable(),
      (error) => expect(String(error)).toContain("stopped before"),
    );
    await stopping;
    expect(server.listeners).toEqual([]);
    expect(events).toEqual(["lifespan.shutdown"]);
  });

  test("await using stops it; connectionCount counts and comes back to 0", async () => {
    let server;
    {
      await using own = await serve(dispatch({ http: text("hi") }), { port: 0, signals: false, quiet: true });
      server = own;
      const [address] = own.listeners;
      if (address?.type !== "tcp") throw new Error("no listener");
      expect(own.connectionCount).toBe(0);
      await using wire = await Wire.open(address);
      await wire.send(get("/"));
      expect((await wire.response()).body).toBe("hi");
      expect(own.connectionCount).toBe(1);
    }
    expect(server.connectionCount).toBe(0);
    await server.whenStopped;
  });
});

describe("clients", () => {
  test("fetch: connections are reused, bodies go both ways, also as streams", async () => {
    await using server = await startHttp(echo);
    for (let i = 0; i < 20; i++) {
      const response = await fetch(`${server.url}p${i}?q`, { method: "PUT", body: `body ${i}` });
      expect(await response.json()).toMatchObject({
        method: "PUT",
        path: `/p${i}`,
        query_string: "q",
        body: `body ${i}`,
      });
    }
    expect(server.server.connectionCount).toBe(1);
    const stream = new ReadableStream({
      async pull(controller) {
        controller.enqueue(new TextEncoder().encode("streamed"));
        controller.close();
      },
    });
    const response = await fetch(server.url, { method: "POST", body: stream });
    expect(await response.json()).toMatchObject({ body: "streamed" });
    const many = await Promise.all(Array.from({ length: 50 }, (_, i) => fetch(`${server.url}${i}`)));
    const paths = await Promise.all(many.map(async (each) => ((await each.json()) as { path: string }).path));
    expect(paths).toEqual(Array.from({ length: 50 }, (_, i) => `/${i}`));
  });

  /** Runs curl and gives its standard output. */
  async function curl(...args: string[]): Promise<string> {
    const path = Bun.which("curl");
    if (path === null) throw new Error("This test needs curl: install the package of that name.");
    const process = Bun.spawn([path, "-sS", "--max-time", "5", ...args], {
      stdout: "pipe",
      stderr: "pipe",
      stdin: "ignore",
    });
    const [out, err, code] = await Promise.all([
      process.stdout.text(),
      process.stderr.text(),
      process.exited,
    ]);
    if (code !== 0) throw new Error(`curl ended with ${code}: ${err}`);
    return out;
  }

  test("curl: GET, HEAD, a large POST with Expect, chunked upload, HTTP/1.0, reuse", async () => {
    await using server = await startHttp(async (scope, receive, send) => {
      let size = 0;
      for (let more = true; more;) {
        const event = await receive();
        if (event.type !== "http.request") return;
        size += event.body.length;
        more = event.more;
      }
      const { method, path, http_version } = scope;
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: `${method} ${path} ${http_version} ${size}\n` });
    });
    const file = `${import.meta.dir}/server.test.ts`;
    const { size } = Bun.file(file);
    expect(await curl(`${server.url}a`)).toBe("GET /a 1.1 0\n");
    expect(await curl("-I", server.url)).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(await curl("-0", server.url)).toBe("GET / 1.0 0\n");
    expect(await curl("--data-binary", `@${file}`, "-H", "Expect: 100-continue", server.url)).toBe(
      `POST / 1.1 ${size}\n`,
    );
    expect(await curl("-T", file, "-H", "Transfer-Encoding: chunked", server.url)).toEndWith(
      ` 1.1 ${size}\n`,
    );
    const reused = await curl("-w", "%{num_connects}", `${server.url}1`, `${server.url}2`);
    expect(reused).toBe("GET /1 1.1 0\n1GET /2 1.1 0\n0");
  });

  test("curl sees that a truncated response is one", async () => {
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "half", more: true });
      await Bun.sleep(5);
      throw new Error("in the middle");
    });
    for (const version of ["--http1.1", "--http1.0"]) {
      await curl(version, server.url).then(
        () => expect.unreachable(),
        (error) => expect(String(error)).toMatch(/curl ended with (18|56)/),
      );
    }
  });
});

describe("the access log", () => {
  test("has a line for each request, refused, aborted and failed ones too, with the client's address", async () => {
    const path = `${process.env["TMPDIR"] ?? "/tmp"}/pagi-access-${process.pid}-${Math.random()}.log`;
    {
      await using server = await startHttp(
        async (scope, receive, send) => {
          if (scope.path === "/wait") await scope["pagi.connection"].whenDisconnected();
          else if (scope.path === "/throw") throw new Error("fails");
          else await text("hello")(scope, receive, send);
        },
        { accessLog: path, accessLogFormat: "%h %m %U %s %b" },
      );
      await using wire = await Wire.open(server);
      await wire.send(get("/ok"));
      await wire.response();
      await wire.send("nonsense\r\n\r\n");
      await wire.readToEnd();
      await request(server, get("/throw"));
      await using lost = await Wire.open(server);
      await lost.send(get("/wait"));
      await Bun.sleep(10);
      lost.reset();
      await eventually("none is left", () => server.server.connectionCount === 0);
      await server.server.stop();
    }
    const lines = (await Bun.file(path).text()).trim().split("\n");
    await Bun.file(path).delete();
    expect(lines[0]).toBe("127.0.0.1 GET /ok 200 5");
    expect(lines[1]).toMatch(/^127\.0\.0\.1 nonsense - 400 [1-9]/);
    expect(lines[2]).toMatch(/^127\.0\.0\.1 GET \/throw 500 22$/);
    expect(lines[3]).toMatch(/^127\.0\.0\.1 GET \/wait /);
    expect(lines).toHaveLength(4);
  });
});

describe("fuzz over a socket", () => {
  test("a few hundred mutated requests: an error or a close, and the next good connection is served", async () => {
    let state = 20_240_607;
    const random = (below: number): number => {
      // xorshift32: the same requests in every run.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % below;
    };
    const seeds = [
      get("/a?b", "Cookie: a=b", "Connection: keep-alive"),
      post("/", "hello world", "Content-Type: text/plain"),
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nt: 1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
      "GET http://a/b HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n",
      "OPTIONS * HTTP/1.0\r\n\r\n",
    ];
    const splices = [
      "\r\n",
      "\n",
      "\r",
      "\0",
      " ",
      "\t",
      ":",
      "\xff",
      "chunked",
      "Content-Length: 3\r\n",
      "0\r\n\r\n",
      "HTTP/1.1",
      "%",
      "-1",
      "99999999999999999999",
      ",",
    ];
    const mutate = (seed: string): string => {
      let text = seed;
      for (let i = 1 + random(4); i > 0; i--) {
        const at = random(text.length + 1);
        const splice = splices[random(splices.length)] ?? "";
        const kind = random(4);
        if (kind === 0) text = text.slice(0, at) + splice + text.slice(at);
        else if (kind === 1) text = text.slice(0, at) + text.slice(at + 1 + random(5));
        else if (kind === 2) text = text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
        else text = text.slice(0, at) + text.slice(random(text.length + 1));
      }
      return text;
    };
    const sse: SseHandler = async (_scope, _receive, send) => {
      await send({ type: "sse.http.response.start", status: 406 });
      await send({ type: "sse.http.response.body" });
    };
    await using server = await startServer(dispatch({ http: echo, sse }), { halfCloseGrace: 0.1 });
    const statuses = new Map<number, number>();
    for (let batch = 0; batch < 20; batch++) {
      await Promise.all(
        Array.from({ length: 25 }, async () => {
          const bytes = mutate(seeds[random(seeds.length)] ?? "");
          await using wire = await Wire.open(server);
          if (bytes.length > 0) await wire.send(bytes).catch(() => {});
          wire.halfClose();
          const all = await wire.readToEnd();
          // Whatever came: it is made of whole, well-formed responses, each a success or an error of the client's.
          for (const [, status] of all.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)) {
            statuses.set(Number(status), (statuses.get(Number(status)) ?? 0) + 1);
          }
          if (all !== "") expect(all).toMatch(/^HTTP\/1\.1 (100|200|4\d\d|501|505) /);
        }),
      );
      expect(JSON.parse((await request(server, post("/good", "x"))).body)).toMatchObject({
        path: "/good",
        body: "x",
      });
    }
    expect(statuses.get(200)).toBeGreaterThan(20);
    expect(statuses.get(400)).toBeGreaterThan(100);
    expect(statuses.get(500)).toBeUndefined();
    expect(server.logger.messages("error")).toEqual([]);
    await eventually("none is left", () => server.server.connectionCount === 0);
  }, 20_000);
});
