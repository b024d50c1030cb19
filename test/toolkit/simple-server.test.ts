import { expect, test } from "bun:test";
import { connect } from "node:net";
import { Simple } from "../../src/toolkit/simple.ts";
import { startServer } from "../support/server.ts";
import { upgradeRequest } from "../support/websocket.ts";
import { eventually } from "../support/wire.ts";

/** Opens a connection, sends a request, and resets it: at once, in the next turn, or when the answer begins. */
function cutShort(port: number, request: string, when: "at once" | "next turn" | "answered"): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const reset = (): void => void socket.resetAndDestroy();
  socket
    .on("error", () => {})
    .on("connect", () => {
      socket.write(request);
      if (when === "answered") socket.once("data", reset);
      else if (when === "next turn") setImmediate(reset);
      else reset();
    });
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

test("rooms and channels forget connections that were cut, whenever that was", async () => {
  const app = new Simple();
  app.websocket("/ws/:room", async (ws) => {
    await ws.join(`handler ${ws.params.room}`);
    ws.on("open", () => ws.join(ws.params.room));
    ws.on("close", () => ws.broadcast(ws.params.room, "gone"));
  });
  app.sse("/sse/:channel", (sse) => sse.subscribe(sse.params.channel));
  await using server = await startServer(app.toApp());
  const stream = (n: number): string =>
    `GET /sse/c${n} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n`;
  const cuts = (["at once", "next turn", "answered"] as const).flatMap((when) =>
    Array.from({ length: 40 }, (_, n) => [
      cutShort(server.port, upgradeRequest(`/ws/r${n}`), when),
      cutShort(server.port, stream(n), when),
    ]),
  );
  await Promise.all(cuts.flat());
  await eventually("all are forgotten", () => app.pubsub.channels().length === 0);
  expect(await app.publish("r1", "anybody?")).toBe(0);
});
