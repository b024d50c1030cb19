import { describe, expect, test } from "bun:test";

import { ProtocolError } from "../../src/errors.ts";
import { startHttp, text } from "../support/server.ts";
import { Wire, eventually, get } from "../support/wire.ts";

describe("an error becomes one answer and one line of the log", () => {
  test("of the application: 500, and the error in the log", async () => {
    await using server = await startHttp(async () => {
      throw new Error("a secret");
    });
    await using wire = await Wire.open(server);
    await wire.send(get("/x"));
    const { status, body } = await wire.response();
    expect([status, body]).toEqual([500, "Internal Server Error\n"]);
    expect(server.logger.messages("error")).toEqual(["GET /x: the application threw"]);
  });

  test("of the client before its request reached the application: its status, its rule, no application", async () => {
    let calls = 0;
    await using server = await startHttp(async (scope, receive, send) => {
      calls++;
      await text("ok")(scope, receive, send);
    });
    await using wire = await Wire.open(server);
    await wire.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    const { status, body } = await wire.response();
    expect(status).toBe(400);
    expect(body).toBe("Host occurs more than once (RFC 9112 section 3.2).\n");
    expect(calls).toBe(0);
    expect(server.logger.messages("info").length).toBe(1);
    expect(server.logger.messages("error")).toEqual([]);
  });

  test("of the client in its body: the application learns the reason, the client the rule", async () => {
    const reasons: string[] = [];
    await using server = await startHttp(async (scope, receive) => {
      scope["pagi.connection"].onDisconnect((reason) => reasons.push(reason));
      for (;;) if ((await receive()).type === "http.disconnect") return;
    });
    await using wire = await Wire.open(server);
    await wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nXYZ\r\n");
    const { status, headers } = await wire.response();
    expect(status).toBe(400);
    expect(headers).toContainEqual(["connection", "close"]);
    expect(reasons).toEqual([new ProtocolError(400, "").reason]);
    await eventually("its connection is closed", () => server.server.connectionCount === 0);
    expect(server.logger.messages("info").length).toBe(1);
  });

  test("after a part of the response: the connection ends, and the line is in the log all the same", async () => {
    await using server = await startHttp(async (_scope, receive, send) => {
      await send({ type: "http.response.start", status: 200, headers: [["content-length", "10"]] });
      await send({ type: "http.response.body", body: "half", more: true });
      for (;;) if ((await receive()).type === "http.disconnect") return;
    });
    await using wire = await Wire.open(server);
    await wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nXYZ\r\n");
    const all = await wire.readToEnd();
    expect(all).toEndWith("\r\n\r\nhalf");
    expect(server.logger.messages("info").length).toBe(1);
  });
});
