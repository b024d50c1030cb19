import { expect, test } from "bun:test";

import { dispatch } from "../../src/spec/index.ts";
import type { WebSocketReceiveEvent } from "../../src/spec/index.ts";
import { random } from "../support/http1-rows.ts";
import { startServer } from "../support/server.ts";
import { WebSocketWire, closePayload, frame, messageFrames } from "../support/websocket.ts";
import type { ServerMessage } from "../support/websocket.ts";
import { eventually } from "../support/wire.ts";

const ROUNDS = 150;

/** A talk without a fault, and mostly with an end: what most of the bytes of a fuzzed one look like. */
function talk(next: () => number): Buffer {
  const payload = "räume ☃ and more, ".repeat(1 + Math.floor(next() * 200));
  return Buffer.concat([
    ...messageFrames({ type: "text", payload, compressed: true, fragmentSize: 50 }).map(frame),
    ...messageFrames({ type: "text", payload, fragmentSize: 1 + Math.floor(next() * 500) }).map(frame),
    frame({ opcode: "ping", payload: "ping" }),
    ...messageFrames({ type: "binary", payload: Buffer.alloc(70_000, payload) }).map(frame),
    frame({ opcode: "text", payload: "last" }),
    ...(next() < 0.8 ? [frame({ opcode: "close", payload: closePayload(1000) })] : []),
  ]);
}

/** The talk with some bytes changed, taken out or put in; or bytes of no sense at all. */
function fuzzed(next: () => number): Buffer {
  if (next() < 0.2) return Buffer.from(Array.from({ length: 500 }, () => Math.floor(next() * 256)));
  let bytes = talk(next);
  for (let changes = Math.floor(next() * 4); changes > 0; changes--) {
    const at = Math.floor(next() * (next() < 0.5 ? 300 : bytes.byteLength));
    const count = Math.floor(next() * 3);
    const junk = Buffer.from(Array.from({ length: Math.floor(next() * 3) }, () => Math.floor(next() * 256)));
    bytes = Buffer.concat([bytes.subarray(0, at), junk, bytes.subarray(at + count)]);
  }
  return bytes;
}

test("whatever a client sends, it gets whole frames, the application gets one end, and nothing is left", async () => {
  const next = random(6455);
  const ends: WebSocketReceiveEvent[] = [];
  const codes = new Set<number>();
  let told = 0;
  await using server = await startServer(
    dispatch({
      websocket: async (_scope, receive, send) => {
        await receive();
        await send({ type: "websocket.accept" });
        for (;;) {
          const event = await receive();
          if (event.type === "websocket.disconnect") {
            ends.push(event);
            return;
          }
          told++;
          if (event.type === "websocket.receive" && event.text !== undefined)
            await send({ type: "websocket.send", text: event.text });
        }
      },
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    await using client = await WebSocketWire.open(server.url, {
      "Sec-WebSocket-Extensions": "permessage-deflate",
    });
    const bytes = fuzzed(next);
    for (let at = 0; at < bytes.byteLength && !client.wire.isEnded;) {
      const end = at + 1 + Math.floor(next() ** 3 * 40_000);
      // A server that has refused may close before the rest is out.
      await client.wire.send(bytes.subarray(at, end)).catch(() => {});
      at = end;
    }
    client.wire.halfClose();
    let last: ServerMessage | null = null;
    for (let each = await client.nextMessage(); each !== null; each = await client.nextMessage()) {
      expect(last?.type).not.toBe("close"); // nothing comes behind a Close frame
      last = each;
    }
    await eventually("the application is told of the end", () => ends.length === round + 1);
    // Both are told the same; where no Close frame was sent, the application knows that too.
    const code = last?.type === "close" ? last.code : 1006;
    expect(ends[round]).toMatchObject({ type: "websocket.disconnect", code });
    codes.add(code);
  }
  await eventually("all connections are gone", () => server.server.connectionCount === 0);
  expect(ends).toHaveLength(ROUNDS);
  expect([...codes]).toEqual(expect.arrayContaining([1000, 1002, 1006, 1007]));
  expect(told).toBeGreaterThan(ROUNDS);
  expect(server.logger.messages("error")).toEqual([]);
});
