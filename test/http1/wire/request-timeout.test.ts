import { describe, expect, test } from "bun:test";

import { dispatch } from "../../../src/spec/index.ts";
import type { HttpHandler } from "../../../src/spec/index.ts";
import { Folder } from "../../support/program.ts";
import { echoMessages, startHttp, startServer, text } from "../../support/server.ts";
import { openStream } from "../../support/sse.ts";
import { WebSocketClient } from "../../support/websocket-client.ts";
import { Wire, eventually, field, get, post, request } from "../../support/wire.ts";

// `requestTimeout`: no byte read or written for that long, from a request's head to its whole response. The meaning is
// that of PAGI::Server, "request_timeout".

/** Seconds. */
const SHORT = 0.3;
/** The longest that its expiry may take, in milliseconds. */
const LATEST = 3000;

/** Reads its request to the end, works for so many milliseconds, and answers. */
const slow =
  (milliseconds: number): HttpHandler =>
  async (scope, receive, send) => {
    for (let more = true; more;) {
      const event = await receive();
      more = event.type === "http.request" && event.more;
    }
    await Bun.sleep(milliseconds);
    await text("hi")(scope, receive, send);
  };

/** Never answers, and reports why its request ended. */
function hanging(before: HttpHandler = async () => {}): { app: HttpHandler; reason: Promise<unknown> } {
  const { promise: reason, resolve } = Promise.withResolvers<unknown>();
  return {
    reason,
    app: async (scope, receive, send) => {
      await before(scope, receive, send);
      resolve(await scope["pagi.connection"].whenDisconnected());
    },
  };
}

describe("a request on which nothing moves", () => {
  test.concurrent.each(["GET", "HEAD"])(
    "%s: an application that does not answer is answered for with 504",
    async (method) => {
      const { app, reason } = hanging();
      await using server = await startHttp(app, { requestTimeout: SHORT });
      await using wire = await Wire.open(server);
      const begun = performance.now();
      await wire.send(get("/").replace("GET", method));
      const response = await wire.response(method);
      expect(performance.now() - begun).toBeGreaterThan(250);
      expect(performance.now() - begun).toBeLessThan(LATEST);
      expect([response.status, field(response, "connection")]).toEqual([504, "close"]);
      expect(await reason).toBe("server_error");
      expect(await wire.readToEnd()).toBe("");
      expect(server.logger.messages("error")).toEqual([
        `${method} /: no byte was read or written for 0.3 s (--request-timeout)`,
      ]);
    },
  );

  test.concurrent("an application that reads nothing of an upload is answered for with 504 too", async () => {
    const { app, reason } = hanging();
    await using server = await startHttp(app, { requestTimeout: SHORT });
    await using wire = await Wire.open(server);
    void wire.send(post("/", "x".repeat(8_000_000))).catch(() => {});
    expect((await wire.response()).status).toBe(504);
    expect(await reason).toBe("server_error");
  });

  test.concurrent("a response that has begun is cut", async () => {
    const { app, reason } = hanging(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "part", more: true });
    });
    await using server = await startHttp(app, { requestTimeout: SHORT });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    expect(await wire.readToEnd()).toEndWith("\r\n\r\n4\r\npart\r\n");
    expect(await reason).toBe("server_error");
  });

  test.concurrent(
    "a client that does not send what the application waits for is at fault itself: 408",
    async () => {
      const { app, reason } = hanging(async (_scope, receive) => {
        while ((await receive()).type === "http.request");
      });
      await using server = await startHttp(app, { requestTimeout: SHORT, bodyTimeout: 30 });
      expect((await request(server, post("/", "hello").slice(0, -1))).status).toBe(408);
      expect(await reason).toBe("client_timeout");
    },
  );

  test.concurrent("so is one that does not take its response: write_timeout", async () => {
    const { app, reason } = hanging(async (scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      while (scope["pagi.connection"].isConnected())
        await send({ type: "http.response.body", body: new Uint8Array(1_000_000), more: true });
    });
    await using server = await startHttp(app, { requestTimeout: SHORT, writeTimeout: 30 });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.readTo("\r\n\r\n");
    wire.pause();
    expect(await reason).toBe("write_timeout");
    await eventually("no connection is left", () => server.server.connectionCount === 0);
  });

  test.concurrent(
    "the access log has the status that was sent; what was pipelined behind it is not served",
    async () => {
      using folder = new Folder();
      const accessLog = folder.file("access.log");
      const { app } = hanging();
      await using server = await startHttp(app, {
        requestTimeout: SHORT,
        accessLog,
        accessLogFormat: "%U %s",
      });
      await using wire = await Wire.open(server);
      await wire.send(get("/one") + get("/two"));
      expect((await wire.response()).status).toBe(504);
      expect(await wire.readToEnd()).toBe("");
      await eventually("it is logged", () => folder.lines("access.log").length > 0);
      expect(folder.lines("access.log")).toEqual(["/one 504"]);
    },
  );
});

describe("is put off", () => {
  test.concurrent(
    "by each byte of an upload, and of the work behind it nothing is counted twice",
    async () => {
      await using server = await startHttp(slow(200), { requestTimeout: 0.6 });
      await using wire = await Wire.open(server);
      const bytes = post("/", "0123456789");
      await wire.send(bytes.slice(0, -10));
      for (const byte of bytes.slice(-10)) {
        await Bun.sleep(100);
        await wire.send(byte);
      }
      expect((await wire.response()).body).toBe("hi");
    },
  );

  test.concurrent("by each part of a response", async () => {
    await using server = await startHttp(
      async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        for (let i = 0; i < 8; i++) {
          await Bun.sleep(150);
          await send({ type: "http.response.body", body: "x", more: true });
        }
        await send({ type: "http.response.body" });
      },
      { requestTimeout: 0.6 },
    );
    expect((await request(server, get("/"))).body).toBe("xxxxxxxx");
  });

  test.concurrent("by a client that takes its response slowly", async () => {
    const size = 30_000_000;
    await using server = await startHttp(
      async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200, headers: [["content-length", String(size)]] });
        await send({ type: "http.response.body", body: new Uint8Array(size) });
      },
      { requestTimeout: 0.6 },
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    const response = wire.response();
    for (let i = 0; i < 14; i++) {
      wire.pause();
      await Bun.sleep(80);
      wire.resume();
      await Bun.sleep(1);
    }
    expect((await response).body).toHaveLength(size);
  });
});

describe("does not run", () => {
  test.concurrent("by default", async () => {
    await using server = await startHttp(slow(900));
    expect((await request(server, get("/"))).body).toBe("hi");
  });

  test.concurrent("between two requests, and it runs again for the second one", async () => {
    let count = 0;
    await using server = await startHttp(
      async (scope, receive, send) => {
        if (++count === 1) return await text("hi")(scope, receive, send);
        await scope["pagi.connection"].whenDisconnected();
      },
      { requestTimeout: SHORT },
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    expect((await wire.response()).body).toBe("hi");
    await Bun.sleep(700);
    await wire.send(get("/"));
    expect((await wire.response()).status).toBe(504);
  });

  test.concurrent("for what an application does after its response", async () => {
    const { promise: returned, resolve } = Promise.withResolvers<void>();
    await using server = await startHttp(
      async (scope, receive, send) => {
        await text("hi")(scope, receive, send);
        await Bun.sleep(700);
        resolve();
      },
      { requestTimeout: SHORT },
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    expect((await wire.response()).body).toBe("hi");
    await returned;
    expect(server.logger.messages("error")).toEqual([]);
    await wire.send(get("/"));
    expect((await wire.response()).body).toBe("hi");
  });

  test.concurrent("for SSE and WebSocket, which have idle timeouts", async () => {
    const go = Promise.withResolvers<void>();
    await using server = await startServer(
      dispatch({
        async sse(_scope, _receive, send) {
          await send({ type: "sse.start" });
          await go.promise;
          await send({ type: "sse.send", data: "late" });
        },
        websocket: echoMessages(),
      }),
      { requestTimeout: SHORT },
    );
    await using stream = await openStream(server);
    const client = await WebSocketClient.open(`ws://${server.host}:${server.port}/`);
    await Bun.sleep(900);
    go.resolve();
    await stream.readTo("data: late\n\n");
    client.send("still here");
    expect(await client.next()).toBe("still here");
    await client.close(1000, "");
  });
});
