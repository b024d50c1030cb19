import type { ReceiveEvent, SendEvent } from "../../src/spec/index.ts";
import { PagiWebSocket } from "../../src/toolkit/websocket.ts";
import { server, webSocketScope } from "./fake-scope.ts";

// PagiWebSocket over a fake scope.

export const message = (data: string | Uint8Array): ReceiveEvent =>
  typeof data === "string"
    ? { type: "websocket.receive", text: data }
    : { type: "websocket.receive", bytes: data };
export const gone = (code = 1000, reason = ""): ReceiveEvent => ({
  type: "websocket.disconnect",
  code,
  reason,
});
export const CONNECT: ReceiveEvent = { type: "websocket.connect" };

/** A WebSocket, and the server's side of it. */
export function make(wanted: Parameters<typeof webSocketScope>[0] = {}, ...incoming: ReceiveEvent[]) {
  const scope = webSocketScope(wanted);
  const side = server(CONNECT, ...incoming);
  return { ws: new PagiWebSocket(scope, side.receive, side.send), scope, side };
}

/** One that is accepted, with what the client sends. */
export async function accepted(...incoming: (ReceiveEvent | string | Uint8Array)[]) {
  const events = incoming.map((each) =>
    typeof each === "string" || each instanceof Uint8Array ? message(each) : each,
  );
  const made = make({}, ...events);
  await made.ws.accept();
  made.side.sent.length = 0;
  return made;
}

/** The rest of a loop. */
export async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

/** A promise's state, once what is due now is done. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await Bun.sleep(0);
  return settled;
}

export const closes = (sent: SendEvent[]) => sent.filter((event) => event.type === "websocket.close");
