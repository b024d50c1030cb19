import { ABNORMAL_CLOSURE } from "../../spec/close-code.ts";
import type { WebSocketDisconnect, WebSocketReceiveEvent } from "../../spec/events.ts";
import type { WebSocketScope } from "../../spec/scope.ts";
import { ContextBase } from "./base.ts";
import type { PathParams } from "../router/path-params.ts";
import { SharedReceive } from "./shared-receive.ts";
import { PagiWebSocket } from "../websocket.ts";

/** One WebSocket connection, from its handshake to its end. What is said on it goes through {@link websocket}. */
export class WebSocketContext<Params extends PathParams = PathParams> extends ContextBase<
  WebSocketScope,
  WebSocketReceiveEvent,
  Params
> {
  #websocket: PagiWebSocket<Params> | undefined;
  #shared: SharedReceive<WebSocketReceiveEvent> | undefined;

  override get type(): "websocket" {
    return "websocket";
  }

  /** The connection: accepts or denies it, sends, and reads messages. */
  get websocket(): PagiWebSocket<Params> {
    this.#shared ??= new SharedReceive(this.receive, "websocket.", (type) => this.interest(type));
    return (this.#websocket ??= new PagiWebSocket<Params>(this.scope, this.#shared.forObject, this.send));
  }

  /** True from `accept()` until the end of the connection is known of. */
  isConnected(): boolean {
    return this.websocket.isConnected();
  }

  /** From `websocket.accept()` on the connection reads its events itself, and the loop gets them from it. */
  protected override nextEvent(): Promise<WebSocketReceiveEvent> {
    const websocket = this.#websocket;
    if (websocket === undefined || this.#shared === undefined || websocket.connectionState === "connecting")
      return this.receive();
    return this.#shared.forLoop(async () => (await websocket.receive()) ?? endOf(websocket));
  }
}

function endOf({ closeCode = ABNORMAL_CLOSURE, closeReason = "" }: PagiWebSocket): WebSocketDisconnect {
  return { type: "websocket.disconnect", code: closeCode, reason: closeReason };
}
