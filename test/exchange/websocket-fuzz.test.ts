import { expect, test } from "bun:test";

import type { WebSocketReceiveEvent } from "../../src/spec/index.ts";
import { random } from "../support/http1-rows.ts";
import { echoMessages, startWebSocket } from "../support/server.ts";
import { WebSocketWire, frame, upgradeRequest } from "../support/websocket.ts";
import { Wire, eventually } from "../support/wire.ts";

const ROUNDS = 300;

/** A frame that is right more often than not, with a fault here and there. */
function randomFrame(next: () => number): Uint8Array {
  const pick = <T>(...values: T[]): T => values[Math.floor(next() * values.length)]!;
  const payload = new Uint8Array(pick(0, 1, 2, 5, 125, 126, 1000, 70_000)).map(() =>
    pick(97, 97, 97, Math.floor(next() * 256)),
  );
  return frame({
    opcode: pick(0, 0, 1, 1, 1, 2, 2, 8, 9, 10, Math.floor(next() * 16)),
    payload,
    fin: next() < 0.8,
    rsv: next() < 0.9 ? 0 : Math.floor(next() * 8),
    mask: next() < 0.97,
    ...(next() < 0.03 ? { length: BigInt(Math.floor(next() * 2 ** 62)), lengthForm: 64 } : {}),
  });
}

test(`${ROUNDS} clients that send anything end with exactly one websocket.disconnect each, and no error of the server`, async () => {
  const next = random(20_260_521);
  let connected = 0;
  let disconnected = 0;
  const codes = new Set<number>();
  await using server = await startWebSocket(
    echoMessages((event: WebSocketReceiveEvent) => {
      if (event.type === "websocket.connect") connected++;
      if (event.type !== "websocket.disconnect") return;
      disconnected++;
      codes.add(event.code);
    }),
    { lingerTimeout: 0.1 },
  );
  for (let round = 0; round < ROUNDS; round++) {
    await using wire = await Wire.open(server);
    const extensions = next() < 0.5 ? { "Sec-WebSocket-Extensions": "permessage-deflate" } : {};
    const frames = Array.from({ length: 1 + Math.floor(next() * 6) }, () => randomFrame(next));
    let bytes: Uint8Array = Buffer.concat([Buffer.from(upgradeRequest("/", extensions)), ...frames]);
    // In pieces, which are sent one by one.
    while (bytes.byteLength > 0) {
      const size = next() < 0.3 ? bytes.byteLength : 1 + Math.floor(next() * bytes.byteLength);
      await wire.send(bytes.subarray(0, size)).catch(() => {});
      bytes = bytes.subarray(size);
    }
    if (next() < 0.5) wire.halfClose();
    else wire.reset();
    await wire.readToEnd();
  }
  await eventually("all are gone", () => server.server.connectionCount === 0);
  // An application may read of the end after its connection has closed.
  await eventually("every application has read of the end", () => disconnected === connected);
  expect(connected).toBeGreaterThan(ROUNDS / 3); // a reset may come before the handshake was read
  // The faults that the frames are made for are among them.
  expect([1002, 1006, 1007].filter((code) => !codes.has(code))).toEqual([]);
  expect(server.logger.messages("error")).toEqual([]);
  await using client = await WebSocketWire.open(server.url);
  await client.sendText("still here");
  expect(await client.nextMessage()).toEqual({ type: "text", text: "still here" });
});
