import { describe, expect, test } from "bun:test";
import type { Application, Headers } from "../../../src/spec/index.ts";
import { startServer } from "../../support/server.ts";
import { upgradeRequest } from "../../support/websocket.ts";
import { Wire, get } from "../../support/wire.ts";

// Fields about the connection that an application sets, in every kind of response that it can send: RFC 9110 sections
// 7.6.1 and 7.8.

/** The lines of the head about the connection, in their order. */
function connectionLines(head: string): string[] {
  return head
    .split("\r\n")
    .filter((line) => /^(connection|keep-alive|proxy-connection|te|upgrade|x-hop|x-stay):/i.test(line));
}

function answering(status: number, headers: Headers): Application {
  return async (scope, receive, send) => {
    switch (scope.type) {
      case "http":
        await send({ type: "http.response.start", status, headers: [...headers, ["content-length", "2"]] });
        return await send({ type: "http.response.body", body: "ok" });
      case "sse":
        if (scope.path === "/stream") {
          await send({ type: "sse.start", status, headers });
          await send({ type: "sse.send", data: "x" });
          return await send({ type: "sse.close" });
        }
        await send({
          type: "sse.http.response.start",
          status,
          headers: [...headers, ["content-length", "2"]],
        });
        return await send({ type: "sse.http.response.body", body: "ok" });
      case "websocket":
        await receive();
        if (scope.path === "/accept") return await send({ type: "websocket.accept", headers });
        await send({
          type: "websocket.http.response.start",
          status,
          headers: [...headers, ["content-length", "2"]],
        });
        return await send({ type: "websocket.http.response.body", body: "ok" });
      case "lifespan":
        throw new Error("no lifespan");
    }
  };
}

const EVENT_STREAM = "Accept: text/event-stream";
const KINDS: readonly [kind: string, bytes: string, own: readonly string[]][] = [
  ["http", get("/"), []],
  ["sse, declined", get("/", EVENT_STREAM), ["close"]],
  ["a refused WebSocket", upgradeRequest("/"), ["close"]],
];

const OTHERS: Headers = [
  ["Keep-Alive", "timeout=5"],
  ["Proxy-Connection", "keep-alive"],
  ["TE", "trailers"],
  ["Transfer-Encoding", "gzip"],
];

describe.each(KINDS)("%s", (_, bytes, own) => {
  const connection = (...options: string[]): string[] => {
    const all = [...options, ...own];
    return all.length === 0 ? [] : [`connection: ${all.join(", ")}`];
  };
  test.each([
    ["Upgrade gets its option", 426, [["Upgrade", "h2c"]], ["upgrade: h2c", ...connection("upgrade")]],
    [
      "Upgrade with its option already",
      200,
      [
        ["Connection", "Upgrade"],
        ["Upgrade", "h2c"],
      ],
      ["upgrade: h2c", ...connection("upgrade")],
    ],
    ["an option without its field goes", 200, [["Connection", "upgrade, x-hop"]], connection()],
    ["the server's own fields go", 200, [["Connection", "Keep-Alive, TE"], ...OTHERS], connection()],
    [
      "an option that names a field for all recipients goes",
      200,
      [
        ["Connection", "content-length, Cache-Control, date"],
        ["Cache-Control", "no-store"],
        ["Date", "Thu, 01 Jan 2026 00:00:00 GMT"],
      ],
      connection(),
    ],
    [
      "an extension's field and its option stay",
      200,
      [
        ["X-Hop", "1"],
        ["Connection", "X-Hop"],
        ["X-Stay", "2"],
      ],
      ["x-hop: 1", "x-stay: 2", ...connection("x-hop")],
    ],
  ] as [string, number, Headers, string[]][])("%s", async (_name, status, headers, lines) => {
    await using server = await startServer(answering(status, headers), { validateEvents: false });
    await using wire = await Wire.open(server);
    await wire.send(bytes);
    const response = await wire.response();
    expect(response.status).toBe(status);
    expect(response.body).toBe("ok");
    expect(connectionLines(response.head)).toEqual(lines);
  });

  test("Connection: close counts, and the connection ends", async () => {
    await using server = await startServer(answering(200, [["Connection", "close"]]));
    await using wire = await Wire.open(server);
    await wire.send(bytes);
    expect(connectionLines((await wire.response()).head)).toEqual(["connection: close"]);
    expect(await wire.readToEnd()).toBe("");
  });
});

test("an SSE stream: the server's own fields go, Upgrade gets its option", async () => {
  const headers: Headers = [["Upgrade", "h2c"], ...OTHERS];
  await using server = await startServer(answering(200, headers), { validateEvents: false });
  await using wire = await Wire.open(server);
  await wire.send(get("/stream", EVENT_STREAM));
  const response = await wire.response();
  expect(response.body).toBe("data: x\n\n");
  expect(connectionLines(response.head)).toEqual(["upgrade: h2c", "connection: upgrade, keep-alive"]);
});

test("an accepted WebSocket: the server's own fields go (RFC 6455 section 4.2.2)", async () => {
  const headers: Headers = [...OTHERS.slice(0, 3), ["X-Stay", "1"]];
  await using server = await startServer(answering(200, headers), { validateEvents: false });
  await using wire = await Wire.open(server);
  await wire.send(upgradeRequest("/accept"));
  const response = await wire.response();
  expect([response.status, server.logger.messages("error")]).toEqual([101, []]);
  expect(connectionLines(response.head)).toEqual(["upgrade: websocket", "connection: Upgrade", "x-stay: 1"]);
});
