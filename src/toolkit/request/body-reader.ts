import type { Receive } from "../../spec/application.ts";
import { mapped } from "../../spec/at-hand.ts";
import type { ReceiveEvent } from "../../spec/events.ts";
import { Rereadable } from "../../spec/rereadable.ts";
import type { HttpScope, SseScope } from "../../spec/scope.ts";
import type { BodyUsedError } from "./error.ts";
import { bytesOf } from "./body-chunks.ts";
import { RequestBody } from "./body.ts";

/**
 * Reads a body for someone who is not this toolkit, such as a Fetch or Node handler: from its beginning, even where
 * middleware has read it before. A body that cannot be had any more is an error, never a wait.
 */
export class BodyReader<Event extends ReceiveEvent> {
  readonly #scope: HttpScope | SseScope;
  readonly #receive: Receive;
  #take: (() => Promise<ReceiveEvent>) | undefined;

  constructor(scope: HttpScope | SseScope, receive: Receive) {
    this.#scope = scope;
    this.#receive = receive;
  }

  /** Why {@link next} would fail. */
  get refusal(): BodyUsedError | undefined {
    return this.#take === undefined ? RequestBody.of(this.#scope, this.#receive).refusal : undefined;
  }

  /**
   * The next event of the body, and behind it those of the connection. Its keys are all there, even where the server has
   * left out what has a default.
   *
   * @throws BodyUsedError (as a rejection) where the body was read before and not kept.
   */
  readonly next = (): Promise<Event> => {
    this.#take ??= RequestBody.of(this.#scope, this.#receive).reader();
    // A server gives a scope only events of the scope's own type; TypeScript cannot tie the two together.
    return mapped(this.#take(), withDefaults) as Promise<Event>;
  };

  /** The next event for someone who looks for the end of the connection; it is one of the body where that is still there. */
  watch(): Promise<Event> {
    if (this.refusal === undefined) return this.next();
    return mapped(receiveForEnd(this.#scope, this.#receive), withDefaults) as Promise<Event>;
  }
}

/** The next event for someone who looks for the end of the connection, and does not mind that the body was read. */
export function receiveForEnd(scope: object, receive: Receive): Promise<ReceiveEvent> {
  const source = Rereadable.find(scope, receive);
  source?.forgive();
  return source?.owns(receive) === true ? source.take() : receive();
}

/** `body` and `more` may be missing: PAGI Www, "Request - receive event". */
function withDefaults(event: ReceiveEvent): ReceiveEvent {
  if (event.type !== "http.request" && event.type !== "sse.request") return event;
  const { body, more }: { body?: unknown; more?: unknown } = event;
  if (body instanceof Uint8Array && typeof more === "boolean") return event;
  return { ...event, body: bytesOf(event), more: Boolean(more) };
}
