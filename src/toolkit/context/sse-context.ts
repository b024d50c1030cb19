import type { SseReceiveEvent } from "../../spec/events.ts";
import type { SseScope } from "../../spec/scope.ts";
import { ContextBase } from "./base.ts";
import type { PathParams } from "../router/path-params.ts";
import type { PagiRequest } from "../request.ts";
import { SharedReceive } from "./shared-receive.ts";
import { PagiSse } from "../sse.ts";

/** One event stream. What is sent on it goes through {@link sse}. */
export class SseContext<Params extends PathParams = PathParams> extends ContextBase<
  SseScope,
  SseReceiveEvent,
  Params
> {
  #sse: PagiSse<Params> | undefined;
  #shared: SharedReceive<SseReceiveEvent> | undefined;

  override get type(): "sse" {
    return "sse";
  }

  /** The stream: starts or declines it, and sends. */
  get sse(): PagiSse<Params> {
    this.#shared ??= new SharedReceive(this.receive, "sse.", (type) => this.interest(type));
    return (this.#sse ??= new PagiSse<Params>(this.scope, this.#shared.forObject, this.send));
  }

  /** The request that asks for the stream, for its body above all. */
  get request(): PagiRequest<Params> {
    return this.sse.request;
  }

  /** True from the start of the stream until its end is known of. */
  isConnected(): boolean {
    return this.sse.isConnected();
  }

  /** From its start on the stream reads its events itself; the loop learns of its end from it. */
  protected override nextEvent(): Promise<SseReceiveEvent> {
    const sse = this.#sse;
    if (sse === undefined || this.#shared === undefined || sse.connectionState === "pending")
      return super.nextEvent();
    return this.#shared.forLoop(async () => {
      await sse.run();
      return { type: "sse.disconnect", reason: sse.disconnectReason() ?? "client_closed" };
    });
  }
}
