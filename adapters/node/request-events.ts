import type { Receive } from "../../src/spec/application.ts";
import type { HttpReceiveEvent, SseReceiveEvent } from "../../src/spec/events.ts";
import type { HttpScope, SseScope } from "../../src/spec/scope.ts";
import { BodyReader } from "../../src/toolkit/request/body-reader.ts";

type RequestEvent = HttpReceiveEvent | SseReceiveEvent;

/** Somebody who reads the body of a request if they like, and wants to know when the client disconnects. */
export interface BodyUser {
  /** Nothing is left of the body, or nobody will read what is left. */
  readonly isBodyOver: boolean;
  readonly isBodyWanted: boolean;
  dropBody(): void;
  leave(): void;
}

/** What `receive` gives for one request; an event that was received before anybody wanted it is kept. */
export class RequestEvents {
  readonly #scope: HttpScope | SseScope;
  readonly #receive: Receive;
  #reader: BodyReader<RequestEvent> | undefined;
  #ahead: Promise<RequestEvent> | undefined;

  constructor(scope: HttpScope | SseScope, receive: Receive) {
    this.#scope = scope;
    this.#receive = receive;
  }

  get #body(): BodyReader<RequestEvent> {
    return (this.#reader ??= new BodyReader(this.#scope, this.#receive));
  }

  /**
   * The next event. It is the next one again until {@link take} is called.
   *
   * @throws BodyUsedError (as a rejection) where the body was read before and not kept.
   */
  next(): Promise<RequestEvent> {
    const body = this.#body;
    const { refusal } = body;
    if (refusal !== undefined) return Promise.reject(refusal);
    return (this.#ahead ??= body.next());
  }

  take(): void {
    this.#ahead = undefined;
  }

  /**
   * Looks for the end of an `sse` scope, which only `receive` tells, behind what is left of the body. That is left for
   * the listener if it reads it, and dropped if it has not begun to when it answers.
   */
  watch(user: BodyUser): void {
    const look = async (): Promise<void> => {
      for (;;) {
        const ahead = (this.#ahead ??= this.#body.watch());
        const event = await ahead;
        if (event.type === "sse.disconnect") return user.leave();
        if (!user.isBodyOver && user.isBodyWanted) return;
        user.dropBody();
        if (this.#ahead === ahead) this.#ahead = undefined;
      }
    };
    // The stream was declined, and the response is complete: there is nothing to receive any more.
    look().catch(() => {});
  }
}
