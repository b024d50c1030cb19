import type { SseReceiveEvent } from "../spec/events.ts";
import type { SseScope } from "../spec/scope.ts";
import { ContextBase } from "./context-base.ts";
import type { PathParams } from "./path-params.ts";
import { PagiRequest } from "./request.ts";

/** One event stream. */
export class SseContext<Params extends PathParams = PathParams> extends ContextBase<
  SseScope,
  SseReceiveEvent,
  Params
> {
  #request: PagiRequest<Params> | undefined;

  override get type(): "sse" {
    return "sse";
  }

  /** The request that asks for the stream, for its body above all. */
  get request(): PagiRequest<Params> {
    return (this.#request ??= new PagiRequest<Params>(this.scope, this.receive));
  }
}
