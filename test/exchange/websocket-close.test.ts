import { describe, expect, test } from "bun:test";

import { EventError } from "../../src/errors.ts";
import type { PartialOptions } from "../../src/options/resolve.ts";
import type { WebSocketReceiveEvent } from "../../src/spec/index.ts";
import { echoMessages, startWebSocket } from "../support/server.ts";
import { Journal, failureOf } from "../support/sse.ts";
import { WebSocketWire, closePayload } from "../support/websocket.ts";
import type { FrameOptions } from "../support/websocket.ts";
import { eventually } from "../support/wire.ts";

/** Lets a client do something and gives what the application and the client were told. */
async function outcome(
  act: (client: WebSocketWire) => Promise<void> | void,
  options: PartialOptions = {},
): Promise<{ told: WebSocketReceiveEvent | undefined; seen: unknown }> {
  const journal = new Journal<WebSocketReceiveEvent>();
  await using server = await startWebSocket(
    echoMessages((event) => journal.add(event)),
    options,
  );
  await using client = await WebSocketWire.open(server.url);
  await act(client);
  const [, told] = await journal.first(2);
  const seen = client.wire.error === undefined ? await client.nextMessage() : undefined;
  if (seen !== null && seen !== undefined) await client.end();
  await client[Symbol.asyncDispose]();
  await eventually("the connection is gone", () => server.server.connectionCount === 0);
  expect(journal.entries).toHaveLength(2); // exactly one disconnect
  expect(server.logger.messages("error")).toEqual([]);
  return { told, seen };
}

const disconnect = (code: number, reason: string): WebSocketReceiveEvent => ({
  type: "websocket.disconnect",
  code,
  reason,
});

// ── the peer closes: PAGI Www, "Disconnect"; RFC 6455 section 7.1 ───────────────────────────────────────────────────

describe("a Close frame of the client", () => {
  test.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])(
    "with code %d is told as it is, and answered with the same code",
    async (code) => {
      const { told, seen } = await outcome((client) => client.sendClose(code, "bye ☃"));
      expect(told).toEqual(disconnect(code, "bye ☃"));
      expect(seen).toEqual({ type: "close", code, reason: "bye ☃" });
    },
  );

  test("without a code is told as 1005, and answered without one", async () => {
    const { told, seen } = await outcome((client) => client.send({ opcode: "close" }));
    expect(told).toEqual(disconnect(1005, ""));
    expect(seen).toEqual({ type: "close", code: 1005, reason: "" });
  });

  test("with the longest reason is whole", async () => {
    const reason = "r".repeat(123);
    const { told } = await outcome((client) => client.sendClose(4001, reason));
    expect(told).toEqual(disconnect(4001, reason));
  });

  test("ends the messages: what comes behind it is not read", async () => {
    const { told } = await outcome((client) =>
      client.send({ opcode: "close", payload: closePayload(1000) }, { opcode: "text", payload: "late" }),
    );
    expect(told).toEqual(disconnect(1000, ""));
  });
});

// ── the connection is lost ──────────────────────────────────────────────────────────────────────────────────────────

describe("a client that is gone without a Close frame", () => {
  test("FIN is 1006 and client_closed", async () => {
    const { told, seen } = await outcome((client) => client.wire.halfClose());
    expect(told).toEqual(disconnect(1006, "client_closed"));
    expect(seen).toBeNull();
  });

  test("FIN within a frame is 1006 and client_closed", async () => {
    const { told } = await outcome(async (client) => {
      await client.wire.send(new Uint8Array([0x81, 0x85, 1, 2, 3]));
      client.wire.halfClose();
    });
    expect(told).toEqual(disconnect(1006, "client_closed"));
  });

  test("RST is 1006 and read_error", async () => {
    const { told } = await outcome((client) => client.wire.reset());
    expect(told).toEqual(disconnect(1006, "read_error"));
  });

  test("RST while bytes wait for it is 1006 and write_error; send wakes and does nothing from then on", async () => {
    const journal = new Journal<unknown>();
    await using server = await startWebSocket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.send", bytes: new Uint8Array(32 * 1024 * 1024) });
      journal.add("woken");
      journal.add(await failureOf(send({ type: "websocket.send", text: "into the void" })));
      journal.add(await receive());
    });
    await using client = await WebSocketWire.open(server.url);
    client.wire.pause();
    await eventually("the server is stuck", () => server.server.connectionCount === 1);
    client.wire.reset();
    expect(await journal.first(3)).toEqual(["woken", undefined, disconnect(1006, "write_error")]);
  });

  test("one that takes nothing is 1006 and write_timeout", async () => {
    const journal = new Journal<unknown>();
    await using server = await startWebSocket(
      async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept" });
        await send({ type: "websocket.send", bytes: new Uint8Array(32 * 1024 * 1024) });
        journal.add(await receive());
      },
      { writeTimeout: 0.2 },
    );
    await using client = await WebSocketWire.open(server.url);
    client.wire.pause();
    expect(await journal.first(1)).toEqual([disconnect(1006, "write_timeout")]);
    await eventually("the connection is gone", () => server.server.connectionCount === 0);
  });
});

// ── the client breaks a rule: PAGI Www, "WebSocket Protocol Enforcement" ────────────────────────────────────────────

const utf8 = Uint8Array.of(0xce, 0xba, 0xff);

const FAULTS: [about: string, frames: FrameOptions[], code: number][] = [
  ["RSV1 where nothing was agreed on", [{ opcode: "text", payload: "a", rsv: 4 }], 1002],
  ["RSV2", [{ opcode: "text", payload: "a", rsv: 2 }], 1002],
  ["RSV3", [{ opcode: "text", payload: "a", rsv: 1 }], 1002],
  ["a reserved opcode of data", [{ opcode: 3 }], 1002],
  ["a reserved opcode of control", [{ opcode: 0xb }], 1002],
  ["a frame without a mask", [{ opcode: "text", payload: "a", mask: false }], 1002],
  ["a control frame over 125 bytes", [{ opcode: "ping", payload: "p".repeat(126) }], 1002],
  ["a control frame in parts", [{ opcode: "ping", fin: false }], 1002],
  ["a continuation of nothing", [{ opcode: "continuation", payload: "a" }], 1002],
  [
    "a message within another one",
    [
      { opcode: "text", payload: "a", fin: false },
      { opcode: "text", payload: "b" },
    ],
    1002,
  ],
  ["a Close frame with one byte", [{ opcode: "close", payload: "x" }], 1002],
  ["a Close frame with code 999", [{ opcode: "close", payload: closePayload(999) }], 1002],
  ["a Close frame with code 1004", [{ opcode: "close", payload: closePayload(1004) }], 1002],
  ["a Close frame with code 1005", [{ opcode: "close", payload: closePayload(1005) }], 1002],
  ["a Close frame with code 1006", [{ opcode: "close", payload: closePayload(1006) }], 1002],
  ["a Close frame with code 1015", [{ opcode: "close", payload: closePayload(1015) }], 1002],
  ["a Close frame with code 2999", [{ opcode: "close", payload: closePayload(2999) }], 1002],
  ["a Close frame with code 5000", [{ opcode: "close", payload: closePayload(5000) }], 1002],
  ["text that is no UTF-8", [{ opcode: "text", payload: utf8 }], 1007],
  [
    "text that is no UTF-8 over two frames",
    [
      { opcode: "text", payload: utf8.subarray(0, 2), fin: false },
      { opcode: "continuation", payload: utf8.subarray(2) },
    ],
    1007,
  ],
  ["a reason that is no UTF-8", [{ opcode: "close", payload: closePayload(1000, utf8) }], 1007],
];

describe("a client that breaks a rule", () => {
  test.each(FAULTS)("%s", async (_about, frames, code) => {
    const { told, seen } = await outcome((client) => client.send(...frames));
    expect(told).toEqual(disconnect(code, "protocol_error"));
    expect(seen).toMatchObject({ type: "close", code });
  });

  test("a message that is too big is 1009 and body_too_large, before its bytes have come", async () => {
    const { told, seen } = await outcome((client) => client.send({ opcode: "binary", length: 1001 }), {
      maxWsMessageSize: 1000,
    });
    expect(told).toEqual(disconnect(1009, "body_too_large"));
    expect(seen).toMatchObject({ type: "close", code: 1009 });
  });

  test("a message in parts that is too big is 1009 as well", async () => {
    const part = { payload: "x".repeat(600), fin: false };
    const { told } = await outcome(
      (client) => client.send({ opcode: "text", ...part }, { opcode: "continuation", ...part }),
      { maxWsMessageSize: 1000 },
    );
    expect(told).toEqual(disconnect(1009, "body_too_large"));
  });

  test("a message of just the greatest size is delivered", async () => {
    await using server = await startWebSocket(echoMessages(), { maxWsMessageSize: 1000 });
    await using client = await WebSocketWire.open(server.url);
    await client.sendText("x".repeat(1000));
    expect(await client.nextMessage()).toEqual({ type: "text", text: "x".repeat(1000) });
  });

  test("what came before the fault is delivered first", async () => {
    const journal = new Journal<WebSocketReceiveEvent>();
    await using server = await startWebSocket(echoMessages((event) => journal.add(event)));
    await using client = await WebSocketWire.open(server.url);
    await client.send({ opcode: "text", payload: "good" }, { opcode: 3 });
    const [, message, end] = await journal.first(3);
    expect(message).toEqual({ type: "websocket.receive", text: "good" });
    expect(end).toEqual(disconnect(1002, "protocol_error"));
  });
});

// ── the application closes: PAGI Www, "Close" ───────────────────────────────────────────────────────────────────────

describe("websocket.close", () => {
  test.each([
    [{}, 1000, ""],
    [{ code: 1000, reason: "done" }, 1000, "done"],
    [{ code: 4999, reason: "r".repeat(123) }, 4999, "r".repeat(123)],
    [{ code: null, reason: null }, 1000, ""],
    [{ code: 1011, reason: "☃".repeat(41) }, 1011, "☃".repeat(41)],
  ] as const)("%j goes out, once, and the application is told the same", async (fields, code, reason) => {
    const journal = new Journal<unknown>();
    await using server = await startWebSocket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.close", ...fields });
      journal.add(await failureOf(send({ type: "websocket.close", code: 1001 })));
      journal.add(await failureOf(send({ type: "websocket.send", text: "late" })));
      journal.add(await failureOf(send({ type: "websocket.keepalive", interval: 1 })));
      journal.add(await receive());
      journal.add(await receive());
    });
    await using client = await WebSocketWire.open(server.url);
    expect(await client.nextMessage()).toEqual({ type: "close", code, reason });
    await client.sendClose(code);
    await client.end();
    const told = disconnect(code, reason);
    expect(await journal.first(5)).toEqual([undefined, undefined, undefined, told, told]);
  });

  test.each([
    ["code", { code: 999 }],
    ["code", { code: 1004 }],
    ["code", { code: 1005 }],
    ["code", { code: 1006 }],
    ["code", { code: 1015 }],
    ["code", { code: 2000 }],
    ["code", { code: 5000 }],
    ["code", { code: 1000.5 }],
    ["reason", { reason: "r".repeat(124) }],
    ["reason", { reason: "☃".repeat(42) }],
  ] as const)("rejects a wrong %s (%j), and the WebSocket stays open", async (at, fields) => {
    const journal = new Journal<unknown>();
    await using server = await startWebSocket(
      async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept" });
        journal.add(await failureOf(send({ type: "websocket.close", ...fields })));
        await send({ type: "websocket.send", text: "still here" });
      },
      { validateEvents: false },
    );
    await using client = await WebSocketWire.open(server.url);
    const [error] = await journal.first(1);
    expect(error).toBeInstanceOf(EventError);
    expect((error as EventError).field).toBe(at);
    expect(await client.nextMessage()).toEqual({ type: "text", text: "still here" });
  });

  test("a client that does not answer it is waited for only so long", async () => {
    await using server = await startWebSocket(
      async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept" });
        await send({ type: "websocket.close" });
      },
      { lingerTimeout: 0.2 },
    );
    await using client = await WebSocketWire.open(server.url);
    expect(await client.nextMessage()).toMatchObject({ type: "close", code: 1000 });
    await eventually("the connection is gone", () => server.server.connectionCount === 0);
  });

  test("the application's return closes with 1000, and its error with 1011 and not a word of it", async () => {
    for (const [fail, code] of [
      [false, 1000],
      [true, 1011],
    ] as const) {
      await using server = await startWebSocket(async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept" });
        await send({ type: "websocket.send", text: "last words" });
        if (fail) throw new Error("secret");
      });
      await using client = await WebSocketWire.open(server.url);
      expect(await client.nextMessage()).toEqual({ type: "text", text: "last words" });
      expect(await client.nextMessage()).toEqual({ type: "close", code, reason: "" });
      await client.end();
      expect(server.logger.messages("error")).toEqual(fail ? ["GET /: the application threw"] : []);
    }
  });
});
