import type { WebSocketReceiveEvent } from "../spec/events.ts";
import type { WebSocketScope } from "../spec/scope.ts";
import { ContextBase } from "./context-base.ts";
import type { PathParams } from "./path-params.ts";

/** One WebSocket connection, from its handshake to its end. */
export class WebSocketContext<Params extends PathParams = PathParams> extends ContextBase<
  WebSocketScope,
  WebSocketReceiveEvent,
  Params
> {
  override get type(): "websocket" {
    return "websocket";
  }
}
