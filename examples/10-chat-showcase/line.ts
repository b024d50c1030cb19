import type { PagiWebSocket } from "pagi-server/websocket";
import { LIMITS } from "./limits.ts";
import type { Line } from "./member.ts";
import { CLOSE } from "./messages.ts";

/**
 * The line of a WebSocket. Nobody waits until somebody else has read: what is sent waits here, and a member that lets
 * too much of it wait is let go, and can come back for it.
 */
export function lineOf(ws: Pick<PagiWebSocket, "trySendJson" | "close">): Line {
  let waiting = 0;
  return {
    send(message) {
      if (waiting >= LIMITS.waiting) return this.close(CLOSE.slow, "You are too slow.");
      waiting++;
      void ws.trySendJson(message).finally(() => waiting--);
    },
    close(code, reason) {
      void ws.close(code, reason);
    },
  };
}
