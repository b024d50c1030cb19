import { describe, expect, test } from "bun:test";

import { startHttp, text } from "../support/server.ts";
import { Wire, eventually, field, get, request } from "../support/wire.ts";

describe("maxConnections", () => {
  test("over it: 503 with Retry-After, without waiting for a request, and the connection ends", async () => {
    await using server = await startHttp(text("hi"), { maxConnections: 2 });
    await using first = await Wire.open(server);
    await using second = await Wire.open(server);
    await eventually("both are there", () => server.server.connectionCount === 2);
    await using third = await Wire.open(server);
    const response = await third.response();
    expect(response.status).toBe(503);
    expect(field(response, "retry-after")).toMatch(/^[1-9][0-9]*$/);
    expect(field(response, "connection")).toBe("close");
    expect(await third.readToEnd()).toBe("");
    expect(third.error).toBeUndefined();
    // The ones that were let in are served as ever.
    for (const wire of [first, second]) {
      await wire.send(get("/"));
      expect((await wire.response()).body).toBe("hi");
    }
  });

  test("the 503 reaches a client that has sent its request already", async () => {
    await using server = await startHttp(text("hi"), { maxConnections: 1 });
    await using _first = await Wire.open(server);
    await eventually("it is there", () => server.server.connectionCount === 1);
    for (let i = 0; i < 5; i++) {
      await using wire = await Wire.open(server);
      void wire.send(get("/", `X: ${"x".repeat(1_000_000)}`)).catch(() => {});
      expect((await wire.response()).status).toBe(503);
      expect(await wire.readToEnd()).toBe("");
      expect(wire.error).toBeUndefined();
    }
  });

  test("when one has gone, the next is served, and the application never sees what was turned away", async () => {
    let count = 0;
    await using server = await startHttp(
      async (scope, receive, send) => {
        count++;
        await text("hi")(scope, receive, send);
      },
      { maxConnections: 1 },
    );
    const first = await Wire.open(server);
    await eventually("it is there", () => server.server.connectionCount === 1);
    expect((await request(server, get("/"))).status).toBe(503);
    expect(count).toBe(0);
    await first[Symbol.asyncDispose]();
    await eventually("none is left", () => server.server.connectionCount === 0);
    expect((await request(server, get("/"))).status).toBe(200);
  });

  test("a client that was turned away and stays does not take the place of another", async () => {
    await using server = await startHttp(text("hi"), { maxConnections: 1 });
    const first = await Wire.open(server);
    await eventually("it is there", () => server.server.connectionCount === 1);
    await using stays = await Wire.open(server);
    expect((await stays.response()).status).toBe(503);
    await first[Symbol.asyncDispose]();
    await eventually("the first has gone", () => server.server.connectionCount <= 1);
    await Bun.sleep(10);
    expect((await request(server, get("/"))).status).toBe(200);
  });
});

describe("what a connection leaves behind", () => {
  const descriptors = (): number =>
    [...new Bun.Glob("*").scanSync({ cwd: "/proc/self/fd", onlyFiles: false })].length;

  test.skipIf(process.platform !== "linux")(
    "300 connections, opened and dropped in every way, leave no descriptor and no connection",
    async () => {
      await using server = await startHttp(text("hi"), { headerTimeout: 0.3, timeout: 0.3 });
      await request(server, get("/"));
      await eventually("none is left", () => server.server.connectionCount === 0);
      const before = descriptors();
      for (let round = 0; round < 6; round++) {
        const wires = await Promise.all(Array.from({ length: 50 }, () => Wire.open(server)));
        await eventually("all are there", () => server.server.connectionCount === 50);
        await Promise.all(
          wires.map(async (wire, i) => {
            if (i % 5 === 1) await wire.send(get("/"));
            if (i % 5 === 2) await wire.send("GET / HT");
            if (i % 5 === 3) await wire.send("nonsense\r\n\r\n");
            if (i % 2 === 0) wire.reset();
            else if (i % 3 === 0) wire.halfClose();
            if (i % 2 === 1) await wire.readToEnd();
            await wire[Symbol.asyncDispose]();
          }),
        );
      }
      await eventually("none is left", () => server.server.connectionCount === 0);
      await eventually("no descriptor is left", () => descriptors() <= before);
    },
    20_000,
  );
});

describe("lingerTimeout", () => {
  const UNREAD = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nsome of it";

  /** Milliseconds from the response to the end of the connection, whose client neither sends on nor closes. */
  async function lingering(lingerTimeout: number): Promise<number> {
    await using server = await startHttp(text("hi"), { lingerTimeout });
    await using wire = await Wire.open(server);
    await wire.send(UNREAD);
    expect((await wire.response()).body).toBe("hi");
    const from = performance.now();
    await eventually("it is gone", () => server.server.connectionCount === 0);
    return performance.now() - from;
  }

  test("0: the connection is closed with the response", async () => {
    expect(await lingering(0)).toBeLessThan(250);
  });

  test("0.3: the unread rest is waited for, for about 0.3 s", async () => {
    const time = await lingering(0.3);
    expect(time).toBeGreaterThan(250);
    expect(time).toBeLessThan(1500);
  });
});
