import { describe, expect, test } from "bun:test";

import type { DisconnectReason } from "../../../src/spec/index.ts";
import { startHttp, text } from "../../support/server.ts";
import { Wire, eventually, get } from "../../support/wire.ts";

const UPLOAD = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n";

describe("connections take their readers from a pool", () => {
  const leftovers: [string, string][] = [
    ["half a request line", "GET /left HT"],
    ["half a head", "GET /left HTTP/1.1\r\nHost: left\r\nX: y"],
    ["an empty line", "\r\n"],
    ["a lone CR", "\r"],
    ["half a body", "POST /left HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"],
    ["a fault", "G<T"],
  ];
  test.each(leftovers)("%s on one is never seen on another", async (_, bytes) => {
    const paths: string[] = [];
    await using server = await startHttp(async (scope, receive, send) => {
      if (scope.path !== "/left") paths.push(scope.path);
      await text("ok")(scope, receive, send);
    });
    for (let i = 0; i < 4; i++) {
      await using wire = await Wire.open(server);
      await wire.send(get(`/${i}`));
      expect((await wire.response()).status).toBe(200);
      await wire.send(bytes);
      await using other = await Wire.open(server);
      await other.send(get(`/other${i}`));
      expect((await other.response()).body).toBe("ok");
      wire.reset();
    }
    expect(paths).toEqual(["/0", "/other0", "/1", "/other1", "/2", "/other2", "/3", "/other3"]);
  });
});

describe("a client whose body is not read, so that reading has stopped", () => {
  test("its reset is noticed all the same", async () => {
    const gone = Promise.withResolvers<DisconnectReason>();
    await using server = await startHttp(async (scope) => {
      gone.resolve(await scope["pagi.connection"].whenDisconnected());
    });
    await using wire = await Wire.open(server);
    await wire.send(UPLOAD);
    await wire.send("x".repeat(1_000_000));
    wire.reset();
    expect(await gone.promise).toBe("read_error");
    await eventually("its connection is closed", () => server.server.connectionCount === 0);
  });

  test("its connection is closed when the response is cut", async () => {
    const cut = Promise.withResolvers<void>();
    await using server = await startHttp(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, headers: [] });
      await send({ type: "http.response.body", body: "a part", more: true });
      await cut.promise;
      throw new Error("in the middle");
    });
    await using wire = await Wire.open(server);
    await wire.send(UPLOAD);
    await wire.send("x".repeat(1_000_000));
    expect(await wire.readTo("a part\r\n")).not.toContain("\r\n0\r\n");
    cut.resolve();
    await eventually("its connection is closed", () => server.server.connectionCount === 0);
  });
});
