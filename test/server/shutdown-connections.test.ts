import { describe, expect, test } from "bun:test";

import { dispatch } from "../../src/spec/index.ts";
import type { HttpHandler } from "../../src/spec/index.ts";
import { echo, startHttp, startServer, text } from "../support/server.ts";
import { Wire, eventually, field, get, post, request } from "../support/wire.ts";

/** An application whose responses wait until the test lets them go. */
function held(): { app: HttpHandler; running: () => number; release: () => void } {
  let running = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    app: async (scope, receive, send) => {
      running++;
      await promise;
      await text(scope.path)(scope, receive, send);
      running--;
    },
    running: () => running,
    release: resolve,
  };
}

describe("a stop", () => {
  test.concurrent(
    "idle connections are closed at once: new ones, kept ones, and ones with an empty line",
    async () => {
      await using server = await startHttp(text("hi"));
      const wires = await Promise.all([Wire.open(server), Wire.open(server), Wire.open(server)]);
      const [, kept, blank] = wires;
      await kept?.send(get("/"));
      await kept?.response();
      await blank?.send("\r\n");
      await request(server, get("/")); // what was sent before it has been read
      await eventually("all are there", () => server.server.connectionCount === 3);
      const start = performance.now();
      expect(await server.server.stop()).toBe(true);
      expect(performance.now() - start).toBeLessThan(1000);
      for (const wire of wires) {
        expect(await wire.readToEnd()).toBe("");
        expect(wire.error).toBeUndefined();
      }
      expect(server.server.connectionCount).toBe(0);
      expect(server.logger.messages("warn")).toEqual([]);
    },
  );

  test.concurrent(
    "a request that has arrived and was not read yet is answered; its connection is not idle",
    async () => {
      await using server = await startHttp(text("hi"));
      await using fresh = await Wire.open(server);
      await using kept = await Wire.open(server);
      await kept.send(get("/"));
      await kept.response();
      await eventually("both are there", () => server.server.connectionCount === 2);
      // The kernel has the bytes at once; the server, which runs in this process, has had no turn to read them.
      for (const wire of [fresh, kept]) void wire.send(get("/"));
      const stopped = server.server.stop();
      for (const wire of [fresh, kept]) {
        const response = await wire.response();
        expect([response.status, field(response, "connection")]).toEqual([200, "close"]);
        expect(await wire.readToEnd()).toBe("");
        expect(wire.error).toBeUndefined();
      }
      expect(await stopped).toBe(true);
    },
  );

  test.concurrent(
    "a running request gets its answer, which says close; the pipelined next one is not served",
    async () => {
      const { app, running, release } = held();
      let isStopped = false;
      await using server = await startHttp(app);
      await using wire = await Wire.open(server);
      await wire.send(get("/1") + get("/2"));
      await eventually("the request runs", () => running() === 1);
      const stopping = server.server.stop().then(() => (isStopped = true));
      await Bun.sleep(20);
      expect(isStopped).toBe(false);
      release();
      const response = await wire.response();
      expect([response.status, response.body, field(response, "connection")]).toEqual([200, "/1", "close"]);
      expect(await wire.readToEnd()).toBe("");
      expect(wire.error).toBeUndefined();
      await stopping;
      expect(server.logger.messages("warn")).toEqual([]);
    },
  );

  test.concurrent(
    "a response that had started already is finished, and the connection closes behind it",
    async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      await using server = await startHttp(async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: "one", more: true });
        await promise;
        await send({ type: "http.response.body", body: "two" });
      });
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      await wire.readTo("one\r\n");
      const stopping = server.server.stop();
      resolve();
      expect(await wire.readToEnd()).toBe("3\r\ntwo\r\n0\r\n\r\n");
      expect(wire.error).toBeUndefined();
      await stopping;
    },
  );

  test.concurrent("a request whose head or body is still coming is served once more", async () => {
    await using server = await startHttp(echo);
    await using head = await Wire.open(server);
    await using body = await Wire.open(server);
    const bytes = post("/x", "hello");
    await head.send(bytes.slice(0, 20));
    await body.send(bytes.slice(0, -2));
    await eventually("both are there", () => server.server.connectionCount === 2);
    await request(server, get("/")); // what was sent before it has been read
    const stopping = server.server.stop();
    await head.send(bytes.slice(20));
    await body.send(bytes.slice(-2));
    for (const wire of [head, body]) {
      const response = await wire.response();
      expect(JSON.parse(response.body)).toMatchObject({ path: "/x", body: "hello" });
      expect(field(response, "connection")).toBe("close");
      expect(await wire.readToEnd()).toBe("");
    }
    await stopping;
  });

  test.concurrent(
    "the rest of a body that nobody reads ends its connection, and not only the timer for it",
    async () => {
      await using server = await startHttp(text("done"));
      await using wire = await Wire.open(server);
      const bytes = post("/", "hello");
      await wire.send(bytes.slice(0, -2));
      expect((await wire.response()).body).toBe("done");
      const stopping = server.server.stop();
      await wire.send(bytes.slice(-2) + get("/not-served"));
      expect(await wire.readToEnd()).toBe("");
      await stopping;
    },
  );

  test.concurrent(
    "where another server follows, the rest is read and the connection serves one request more",
    async () => {
      await using server = await startHttp(text("done"));
      await using wire = await Wire.open(server);
      const bytes = post("/", "hello");
      await wire.send(bytes.slice(0, -2));
      expect((await wire.response()).body).toBe("done");
      const stopping = server.server.stop({ isFollowed: true });
      await Bun.sleep(20);
      await wire.send(bytes.slice(-2) + get("/served"));
      const response = await wire.response();
      expect([response.body, field(response, "connection")]).toEqual(["done", "close"]);
      expect(await wire.readToEnd()).toBe("");
      await stopping;
    },
  );

  test.concurrent("new connections are refused meanwhile", async () => {
    const { app, running, release } = held();
    await using server = await startHttp(app);
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await eventually("the request runs", () => running() === 1);
    const stopping = server.server.stop();
    await Wire.open(server).then(
      () => expect.unreachable(),
      (error) => expect(error).toMatchObject({ code: "ECONNREFUSED" }),
    );
    release();
    await stopping;
  });

  test.concurrent("an application that goes on behind its response is waited for", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let isThrough = false;
    await using server = await startHttp(async (scope, receive, send) => {
      await text("ok")(scope, receive, send);
      await promise;
      isThrough = true;
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.response();
    const stopping = server.server.stop();
    expect(await wire.readToEnd()).toBe("");
    expect(isThrough).toBe(false);
    resolve();
    await stopping;
    expect(isThrough).toBe(true);
  });

  test.concurrent.each([
    ["after shutdownTimeout", 0.2, false],
    ["at once by force", 30, true],
  ])("what is left is cut %s, and its application told", async (_name, shutdownTimeout, force) => {
    const reasons: string[] = [];
    let begun = 0;
    await using server = await startHttp(
      async (scope, receive) => {
        begun++;
        await receive();
        expect((await receive()).type).toBe("http.disconnect");
        reasons.push(String(scope["pagi.connection"].disconnectReason()));
      },
      { shutdownTimeout },
    );
    const wires = [await Wire.open(server), await Wire.open(server)];
    for (const wire of wires) await wire.send(get("/"));
    await eventually("both run", () => begun === 2);
    const start = performance.now();
    const stopping = server.server.stop();
    if (force) void server.server.stop({ force });
    expect(await stopping).toBe(false);
    const time = performance.now() - start;
    expect(time).toBeLessThan(1500);
    if (!force) expect(time).toBeGreaterThan(190);
    expect(reasons).toEqual(["server_shutdown", "server_shutdown"]);
    for (const wire of wires) expect(await wire.readToEnd()).toBe("");
    expect(server.server.connectionCount).toBe(0);
    expect(server.logger.messages("warn")).toEqual(["2 connections were cut at shutdown: GET / (2 times)"]);
  });

  test.concurrent("an application that never returns is named, and does not keep the server", async () => {
    let begun = 0;
    const never = (): Promise<void> => {
      begun++;
      return new Promise(() => {});
    };
    await using server = await startHttp(never, { shutdownTimeout: 0.1 });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await eventually("it runs", () => begun === 1);
    await server.server.stop();
    expect(server.logger.messages("warn")).toEqual([
      "1 connection was cut at shutdown: GET /",
      "1 request has not returned",
    ]);
  });

  test.concurrent("a client that does not read its response is cut in the end", async () => {
    await using server = await startHttp(
      async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: new Uint8Array(20_000_000) });
      },
      { shutdownTimeout: 0.2 },
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.readTo("\r\n\r\n");
    wire.pause();
    await server.server.stop();
    expect(server.server.connectionCount).toBe(0);
  });

  test.concurrent(
    "the order: requests end, connections close, and then the application's shutdown runs",
    async () => {
      const order: string[] = [];
      const { promise, resolve } = Promise.withResolvers<void>();
      let isRunning = false;
      await using server = await startServer(
        dispatch({
          lifespan: async (_scope, receive, send) => {
            await receive();
            await send({ type: "lifespan.startup.complete" });
            await receive();
            order.push(`shutdown, ${server.server.connectionCount} connections`);
            await send({ type: "lifespan.shutdown.complete" });
          },
          http: async (scope, receive, send) => {
            isRunning = true;
            scope["pagi.connection"].onComplete(() => order.push("delivered"));
            await promise;
            await text("ok")(scope, receive, send);
            await Bun.sleep(20);
            order.push("returned");
          },
        }),
      );
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      await eventually("it runs", () => isRunning);
      const stopping = server.server.stop().then(() => order.push("stopped"));
      resolve();
      await stopping;
      expect(order).toEqual(["delivered", "returned", "shutdown, 0 connections", "stopped"]);
    },
  );
});
