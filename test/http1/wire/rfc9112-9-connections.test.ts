import { describe, expect, test } from "bun:test";

import type { HttpHandler } from "../../../src/spec/index.ts";
import { bytesInKernel } from "../../support/kernel-queues.ts";
import { echo, startHttp, text } from "../../support/server.ts";
import { Wire, eventually, field, get, post, postChunked, request } from "../../support/wire.ts";

/** True when the connection serves another request. */
async function isReusable(wire: Wire): Promise<boolean> {
  await wire.send(get("/again")).catch(() => {});
  return await wire.response().then(
    () => true,
    () => false,
  );
}

describe("RFC 9112 section 9.3: persistence", () => {
  test.concurrent.each([
    ["1.1 persists", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", undefined, true],
    ["1.1 with close ends", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close", false],
    [
      "1.1 with close in a list ends",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n",
      "close",
      false,
    ],
    [
      "close wins over keep-alive",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n",
      "close",
      false,
    ],
    ["1.0 ends", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "close", false],
    [
      "1.0 with keep-alive persists",
      "GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n",
      "keep-alive",
      true,
    ],
    [
      "1.0 with both ends",
      "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n",
      "close",
      false,
    ],
  ])("%s", async (_name, bytes, connection, reusable) => {
    await using server = await startHttp(text("hi"));
    await using wire = await Wire.open(server);
    await wire.send(bytes);
    const response = await wire.response();
    expect(response.body).toBe("hi");
    expect(field(response, "connection")).toBe(connection);
    if (!reusable) {
      expect(await wire.readToEnd()).toBe("");
      expect(wire.error).toBeUndefined();
    } else expect(await isReusable(wire)).toBe(true);
  });

  test.concurrent("1.0 with keep-alive ends when only the close can end the body", async () => {
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "hi" });
    });
    await using wire = await Wire.open(server);
    await wire.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const response = await wire.response();
    expect(response.body).toBe("hi");
    expect(field(response, "connection")).toBe("close");
  });

  test.concurrent("the application may close", async () => {
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, headers: [["connection", "close"]] });
      await send({ type: "http.response.body", body: "hi" });
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    expect(field(await wire.response(), "connection")).toBe("close");
    expect(await wire.readToEnd()).toBe("");
  });
});

describe("RFC 9112 section 9.3.2: pipelining", () => {
  test.concurrent("responses come in the order of the requests, one request at a time", async () => {
    let running = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    await using server = await startHttp(async (scope, _receive, send) => {
      most = Math.max(most, ++running);
      // The first one is the slowest.
      if (scope.path === "/0") await new Promise<void>((resolve) => waiting.push(resolve));
      await send({ type: "http.response.start", status: 200, headers: [["content-length", "2"]] });
      running--; // the next one may begin with the end of this response
      await send({ type: "http.response.body", body: scope.path });
    });
    await using wire = await Wire.open(server);
    await wire.send(Array.from({ length: 10 }, (_, i) => get(`/${i}`)).join(""));
    await eventually("the first one runs", () => waiting.length === 1);
    expect(running).toBe(1);
    waiting[0]?.();
    const bodies = [];
    for (let i = 0; i < 10; i++) bodies.push((await wire.response()).body);
    expect(bodies).toEqual(Array.from({ length: 10 }, (_, i) => `/${i}`));
    expect(most).toBe(1);
  });

  test.concurrent("bodies of pipelined requests are kept apart", async () => {
    await using server = await startHttp(echo);
    await using wire = await Wire.open(server);
    await wire.send(
      post("/1", "one") + postChunked("/2") + "3\r\ntwo\r\n0\r\n\r\n" + get("/3") + post("/4", "four"),
    );
    const seen = [];
    for (let i = 0; i < 4; i++) seen.push(JSON.parse((await wire.response()).body).body);
    expect(seen).toEqual(["one", "two", "", "four"]);
  });

  test.concurrent("a request behind one that closes is not served", async () => {
    let count = 0;
    await using server = await startHttp(async (scope, receive, send) => {
      count++;
      await text("hi")(scope, receive, send);
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/1", "Connection: close") + get("/2"));
    expect((await wire.response()).body).toBe("hi");
    expect(await wire.readToEnd()).toBe("");
    expect(wire.error).toBeUndefined();
    expect(count).toBe(1);
  });

  test.concurrent(
    "a client that pipelines 50 MB while the application waits is slowed down by TCP, and then served whole",
    async () => {
      let release = (): void => {};
      const released = new Promise<void>((resolve) => (release = resolve));
      let served = 0;
      await using server = await startHttp(async (_scope, _receive, send) => {
        await released;
        served++;
        await send({ type: "http.response.start", status: 204 });
        await send({ type: "http.response.body" });
      });
      const one = get("/", `X: ${"x".repeat(12_000)}`);
      const piece = Buffer.from(one.repeat(100), "latin1");
      const pieces = Math.ceil(50e6 / piece.length);
      let taken = 0;
      let responses = 0;
      const { promise: answered, resolve } = Promise.withResolvers<void>();
      let sent = 0;
      const client = await Bun.connect({
        hostname: server.host,
        port: server.port,
        socket: {
          open: pump,
          drain: pump,
          data: (_socket, bytes) => {
            responses += bytes.toString("latin1").split("HTTP/1.1 204").length - 1;
            if (served === pieces * 100) resolve();
          },
        },
      });
      function pump(socket: { write(bytes: Uint8Array): number }): void {
        while (taken < pieces * piece.length) {
          const count = socket.write(piece.subarray(sent));
          if (count <= 0) return;
          taken += count;
          sent = (sent + count) % piece.length;
        }
      }
      // What the kernel holds for both ends is a few megabytes; the server's own part is below one.
      let before = -1;
      while (taken !== before) {
        before = taken;
        await Bun.sleep(100);
      }
      expect(taken).toBeLessThan(45e6);
      expect(served).toBe(0);
      const inKernel = await bytesInKernel(client);
      expect(inKernel).toBeGreaterThan(0);
      expect(taken - inKernel).toBeLessThan(2e6);
      release();
      await answered;
      expect(taken).toBe(pieces * piece.length);
      expect(responses).toBeGreaterThan(0);
      client.end();
    },
    20_000,
  );
});

describe("RFC 9112 section 9.3: a request body that the application left unread", () => {
  const ignore = text("done");

  test.concurrent.each([
    ["that is here already", true],
    ["that is still coming", false],
  ])("up to 64 KiB %s is read away and the connection goes on", async (_name, atOnce) => {
    await using server = await startHttp(ignore);
    await using wire = await Wire.open(server);
    const bytes = post("/1", "x".repeat(64 * 1024));
    if (atOnce) await wire.send(bytes);
    else await wire.send(bytes.slice(0, 1000));
    expect((await wire.response()).body).toBe("done");
    if (!atOnce) await wire.send(bytes.slice(1000));
    expect(await isReusable(wire)).toBe(true);
  });

  /** A response whose head leaves before the body is read, or with it. */
  const streamed: HttpHandler = async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["content-length", "4"]] });
    await Bun.sleep(1);
    await send({ type: "http.response.body", body: "done" });
  };
  const upload = (length: number, ...fields: string[]): string =>
    ["POST / HTTP/1.1", "Host: a", `Content-Length: ${length}`, ...fields, "", ""].join("\r\n");
  const TEN = "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: ";

  test.concurrent.each<[about: string, bytes: string, isAnnounced: boolean]>([
    ["64 KiB to come", upload(65_536), false],
    ["one byte more to come", upload(65_537), true],
    ["one byte more, of which one has come", `${upload(65_537)}x`, false],
    ["200 kB to come", `${upload(200_000)}${"x".repeat(1000)}`, true],
    ["a length that is unknown", `${postChunked("/")}3\r\nabc\r\n`, true],
    ["a client that waits for its 100", upload(10, "Expect: 100-continue"), true],
    ["HTTP/1.0 keep-alive, little to come", `${TEN}10\r\n\r\n`, false],
    ["HTTP/1.0 keep-alive, much to come", `${TEN}100000\r\n\r\n`, true],
  ])("%s: announced is what happens", async (_name, bytes, isAnnounced) => {
    for (const app of [ignore, streamed]) {
      await using server = await startHttp(app);
      await using wire = await Wire.open(server);
      // In one piece, so that the server has all of it at once.
      await wire.send(bytes);
      const response = await wire.response();
      expect(response.body).toBe("done");
      expect(field(response, "connection") === "close").toBe(isAnnounced);
      if (isAnnounced) {
        expect(await wire.readToEnd()).toBe("");
        expect(wire.error).toBeUndefined();
      } else {
        const [head = "", body = ""] = bytes.split("\r\n\r\n");
        await wire.send("x".repeat(Number(/Content-Length: (\d+)/.exec(head)?.[1]) - body.length));
        expect(await isReusable(wire)).toBe(true);
      }
    }
  });

  test.concurrent.each([401, 204, 304])("a %d says so too", async (status) => {
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status });
      await send({ type: "http.response.body" });
    });
    const response = await request(server, upload(1_000_000));
    expect([response.status, field(response, "connection")]).toEqual([status, "close"]);
  });

  test.concurrent(
    "a body that the application has read before it answers closes nothing, however long it is",
    async () => {
      await using server = await startHttp(async (_scope, receive, send) => {
        let length = 0;
        for (let more = true; more;) {
          const event = await receive();
          if (event.type !== "http.request") return;
          length += event.body.byteLength;
          more = event.more;
        }
        await text(String(length))(_scope, receive, send);
      });
      await using wire = await Wire.open(server);
      for (const bytes of [post("/", "x".repeat(300_000)), `${postChunked("/")}3\r\nabc\r\n0\r\n\r\n`]) {
        await wire.send(bytes);
        const response = await wire.response();
        expect(field(response, "connection")).toBeUndefined();
      }
      expect(await isReusable(wire)).toBe(true);
    },
  );

  test.concurrent(
    "a larger one ends the connection, and the client has the response whole, without a reset",
    async () => {
      // More than the kernel's buffers take: a close with unread bytes would reset the connection at once.
      const answer = "a".repeat(300_000);
      await using server = await startHttp(text(answer));
      for (let round = 0; round < 3; round++) {
        await using wire = await Wire.open(server);
        const size = 5_000_000;
        void wire.send(`${upload(size)}${"x".repeat(size)}`).catch(() => {});
        const response = await wire.response();
        expect(response.body).toBe(answer);
        expect(field(response, "connection")).toBe("close");
        expect(await wire.readToEnd()).toBe("");
        expect(wire.error).toBeUndefined();
      }
    },
  );

  test.concurrent("a larger one that never comes ends the connection too", async () => {
    await using server = await startHttp(ignore, { bodyTimeout: 0.2 });
    await using wire = await Wire.open(server);
    await wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
    expect((await wire.response()).body).toBe("done");
    expect(await wire.readToEnd()).toBe("");
  });

  test.concurrent("a fault in it is no answer to a request: the connection ends without one", async () => {
    await using server = await startHttp(ignore);
    await using wire = await Wire.open(server);
    await wire.send(`${postChunked("/1")}3\r\nabc\r\n`);
    expect((await wire.response()).body).toBe("done");
    await wire.send("nonsense\r\n");
    expect(await wire.readToEnd()).toBe("");
    expect(wire.error).toBeUndefined();
  });
});

describe("an idle connection", () => {
  test("whose next request has arrived in time is not closed, however late its timer is looked at", async () => {
    await using server = await startHttp(text("hi"), { timeout: 0.15 });
    await using wire = await Wire.open(server);
    for (let round = 0; round < 3; round++) {
      await wire.send(get("/"));
      expect((await wire.response()).body).toBe("hi");
      // The kernel has the request at once; the server, which is in this process, is busy until long after its time.
      const sent = wire.send(get("/"));
      Bun.sleepSync(400);
      await sent;
      expect((await wire.response()).body).toBe("hi");
    }
    expect(await wire.readToEnd()).toBe("");
    expect(wire.error).toBeUndefined();
  });
});

describe("half-close: FIN after the request", () => {
  const slow =
    (milliseconds: number): HttpHandler =>
    async (scope, receive, send) => {
      await Bun.sleep(milliseconds);
      await text("answer")(scope, receive, send);
    };

  test.concurrent("an answer within the grace is delivered whole", async () => {
    await using server = await startHttp(slow(50), { halfCloseGrace: 2 });
    await using wire = await Wire.open(server);
    await wire.send(post("/", "with a body"));
    wire.halfClose();
    expect((await wire.response()).body).toBe("answer");
    expect(await wire.readToEnd()).toBe("");
    expect(wire.error).toBeUndefined();
  });

  test.concurrent("every pipelined request is answered", async () => {
    await using server = await startHttp(slow(10), { halfCloseGrace: 1 });
    await using wire = await Wire.open(server);
    await wire.send(get("/1") + get("/2") + post("/3", "x"));
    wire.halfClose();
    for (let i = 0; i < 3; i++) expect((await wire.response()).body).toBe("answer");
    expect(await wire.readToEnd()).toBe("");
  });

  test("an answer that streams for longer than the grace is delivered whole", async () => {
    await using server = await startHttp(
      async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        for (let i = 0; i < 10; i++) {
          await send({ type: "http.response.body", body: "x", more: true });
          await Bun.sleep(50);
        }
        await send({ type: "http.response.body", body: "end" });
      },
      { halfCloseGrace: 0.2 },
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    wire.halfClose();
    expect((await wire.response()).body).toBe("xxxxxxxxxxend");
  });

  test.concurrent("after the grace the client counts as gone", async () => {
    const { promise: reason, resolve } = Promise.withResolvers<string>();
    await using server = await startHttp(
      async (scope) => {
        resolve(await scope["pagi.connection"].whenDisconnected());
      },
      { halfCloseGrace: 0.1 },
    );
    await using wire = await Wire.open(server);
    await wire.send(get("/"));
    wire.halfClose();
    expect(await reason).toBe("client_closed");
    expect(await wire.readToEnd()).toBe("");
  });

  test.concurrent.each([
    ["with no grace", 0, get("/")],
    ["in the middle of a body", 30, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"],
    ["in the middle of a chunk", 30, postChunked("/") + "a\r\nabc"],
  ])("%s it counts as gone at once", async (_name, halfCloseGrace, bytes) => {
    const { promise: reason, resolve } = Promise.withResolvers<string>();
    await using server = await startHttp(
      async (scope) => {
        resolve(await scope["pagi.connection"].whenDisconnected());
      },
      { halfCloseGrace },
    );
    await using wire = await Wire.open(server);
    await wire.send(bytes);
    wire.halfClose();
    expect(await reason).toBe("client_closed");
    expect(await wire.readToEnd()).toBe("");
  });

  test.concurrent.each([
    ["before any request", ""],
    ["in the middle of a head", "GET / HT"],
    ["in the middle of a head behind a request", get("/1") + "GET / HT"],
  ])("%s it ends the connection at once", async (_name, bytes) => {
    await using server = await startHttp(slow(20));
    await using wire = await Wire.open(server);
    if (bytes !== "") await wire.send(bytes);
    wire.halfClose();
    const all = await wire.readToEnd();
    expect(all.split("HTTP/1.1 ").length - 1).toBe(bytes.includes("/1") ? 1 : 0);
    await eventually("no connection is left", () => server.server.connectionCount === 0);
  });
});
