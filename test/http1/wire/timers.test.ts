import { describe, expect, test } from "bun:test";

import { startHttp, text } from "../../support/server.ts";
import { Wire, eventually, field, get, postChunked } from "../../support/wire.ts";

/** A short time of an option, in seconds, and the longest that its expiry may take, in milliseconds. */
const SHORT = 0.3;
const LATEST = 3000;

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Sends bytes one by one until the connection ends. */
async function trickle(wire: Wire, bytes: string): Promise<void> {
  for (const byte of bytes) {
    if (wire.isEnded) return;
    await wire.send(byte).catch(() => {});
    await Bun.sleep(20);
  }
}

describe("timers", () => {
  test.concurrent("headerTimeout: a head that stops is 408", async () => {
    await using server = await startHttp(text("hi"), { headerTimeout: SHORT });
    await using wire = await Wire.open(server);
    await wire.send("GET / HTTP/1.1\r\nHost: a\r\n");
    const time = await elapsed(async () => {
      const response = await wire.response();
      expect(response.status).toBe(408);
      expect(field(response, "connection")).toBe("close");
      expect(await wire.readToEnd()).toBe("");
    });
    expect(time).toBeGreaterThan(250);
    expect(time).toBeLessThan(LATEST);
  });

  test.concurrent("headerTimeout: a head that trickles does not win time with each byte", async () => {
    await using server = await startHttp(text("hi"), { headerTimeout: SHORT });
    await using wire = await Wire.open(server);
    const time = await elapsed(async () => {
      void trickle(wire, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(200)}`);
      expect((await wire.response()).status).toBe(408);
    });
    expect(time).toBeLessThan(LATEST);
  });

  test.concurrent("headerTimeout: it runs again for the second request of a connection", async () => {
    await using server = await startHttp(text("hi"), { headerTimeout: SHORT, timeout: 30 });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.response();
    const time = await elapsed(async () => {
      void trickle(wire, `GET / HTTP/1.1\r\nX: ${"x".repeat(200)}`);
      expect((await wire.response()).status).toBe(408);
    });
    expect(time).toBeGreaterThan(250);
    expect(time).toBeLessThan(LATEST);
  });

  test.concurrent("headerTimeout: a connection on which nothing comes ends without a word", async () => {
    await using server = await startHttp(text("hi"), { headerTimeout: SHORT });
    await using wire = await Wire.open(server);
    expect(await wire.readToEnd()).toBe("");
    expect(wire.error).toBeUndefined();
  });

  test.concurrent(
    "headerTimeout does not run while the application works, nor while a body comes",
    async () => {
      await using server = await startHttp(
        async (scope, receive, send) => {
          for (let more = true; more;) {
            const event = await receive();
            more = event.type === "http.request" && event.more;
          }
          await Bun.sleep(500);
          await text("hi")(scope, receive, send);
        },
        { headerTimeout: 0.1, bodyTimeout: 30, timeout: 0.1 },
      );
      await using wire = await Wire.open(server);
      await wire.send(postChunked("/"));
      await trickle(wire, "1\r\na\r\n0\r\n\r\n");
      expect((await wire.response()).body).toBe("hi");
    },
  );

  test.concurrent("timeout: an idle connection is closed after it, and not before", async () => {
    await using server = await startHttp(text("hi"), { timeout: SHORT });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    await wire.response();
    const time = await elapsed(async () => {
      expect(await wire.readToEnd()).toBe("");
      expect(wire.error).toBeUndefined();
    });
    expect(time).toBeGreaterThan(250);
    expect(time).toBeLessThan(LATEST);
  });

  test.concurrent("timeout: each request starts it anew", async () => {
    await using server = await startHttp(text("hi"), { timeout: 1.5 });
    await using wire = await Wire.open(server);
    for (let i = 0; i < 4; i++) {
      await wire.send(get("/"));
      expect((await wire.response()).body).toBe("hi");
      await Bun.sleep(450);
    }
  });

  test.concurrent(
    "bodyTimeout: a body that stalls while the application reads is 408, and it is told client_timeout",
    async () => {
      const { promise: reason, resolve } = Promise.withResolvers<unknown>();
      await using server = await startHttp(
        async (scope, receive) => {
          while ((await receive()).type === "http.request");
          resolve(scope["pagi.connection"].disconnectReason());
        },
        { bodyTimeout: SHORT },
      );
      await using wire = await Wire.open(server);
      await wire.send(postChunked("/") + "3\r\nabc\r\n");
      const time = await elapsed(async () => expect((await wire.response()).status).toBe(408));
      expect(time).toBeGreaterThan(250);
      expect(time).toBeLessThan(LATEST);
      expect(await reason).toBe("client_timeout");
      expect(await wire.readToEnd()).toBe("");
    },
  );

  test.concurrent("bodyTimeout: once the response has left, a stalled body cuts it short", async () => {
    await using server = await startHttp(
      async (_scope, receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: "part", more: true });
        while ((await receive()).type === "http.request");
      },
      { bodyTimeout: SHORT },
    );
    await using wire = await Wire.open(server);
    await wire.send(postChunked("/") + "3\r\nabc\r\n");
    expect(await wire.readToEnd()).toEndWith("\r\n\r\n4\r\npart\r\n");
  });

  test("bodyTimeout: bytes that come slowly are no stall, and an application that does not read is not blamed", async () => {
    await using server = await startHttp(
      async (scope, receive, send) => {
        for (let pieces = 1, more = true; more; pieces++) {
          const event = await receive();
          if (event.type !== "http.request") return;
          more = event.more;
          // The second piece was waited for; now the client waits.
          if (scope.path === "/idle" && pieces === 2) await Bun.sleep(900);
        }
        await text("hi")(scope, receive, send);
      },
      { bodyTimeout: 0.5 },
    );
    await using slow = await Wire.open(server);
    const body = "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
    await slow.send(postChunked("/slow"));
    void trickle(slow, body);
    await using idle = await Wire.open(server);
    await idle.send(postChunked("/idle") + "1\r\na\r\n");
    await Bun.sleep(100);
    await idle.send("1\r\nb\r\n");
    expect((await slow.response()).body).toBe("hi");
    await Bun.sleep(400);
    await idle.send("1\r\nc\r\n0\r\n\r\n");
    expect((await idle.response()).body).toBe("hi");
  });

  test.concurrent(
    "writeTimeout: a client that takes nothing is cut, and the application is told write_timeout",
    async () => {
      const { promise: reason, resolve } = Promise.withResolvers<unknown>();
      await using server = await startHttp(
        async (scope, _receive, send) => {
          await send({ type: "http.response.start", status: 200 });
          const chunk = new Uint8Array(1_000_000);
          while (scope["pagi.connection"].isConnected())
            await send({ type: "http.response.body", body: chunk, more: true });
          resolve(scope["pagi.connection"].disconnectReason());
        },
        { writeTimeout: SHORT },
      );
      await using wire = await Wire.open(server);
      await wire.send(get("/"));
      await wire.readTo("\r\n\r\n");
      wire.pause();
      expect(await reason).toBe("write_timeout");
      await eventually("no connection is left", () => server.server.connectionCount === 0);
    },
  );

  test.concurrent("writeTimeout: a client that reads slowly, but reads, gets it all", async () => {
    const size = 60_000_000;
    await using server = await startHttp(
      async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200, headers: [["content-length", String(size)]] });
        await send({ type: "http.response.body", body: new Uint8Array(size) });
      },
      { writeTimeout: 0.6 },
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    const response = wire.response();
    // The queue moves, but is never empty for longer than the timeout.
    for (let i = 0; i < 14; i++) {
      wire.pause();
      await Bun.sleep(80);
      wire.resume();
      await Bun.sleep(1);
    }
    expect((await response).body).toHaveLength(size);
  });

  test.concurrent("0 turns a timer off", async () => {
    await using server = await startHttp(text("hi"), { headerTimeout: 0, timeout: 0 });
    await using wire = await Wire.open(server);
    await wire.send("GET / HTTP/1.1\r\nHost: a\r\n");
    await Bun.sleep(300);
    await wire.send("\r\n");
    expect((await wire.response()).body).toBe("hi");
    await Bun.sleep(300);
    await wire.send(get("/"));
    expect((await wire.response()).body).toBe("hi");
  });
});
