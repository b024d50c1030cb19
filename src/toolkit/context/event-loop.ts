import type { ReceiveEvent } from "../../spec/events.ts";
import { warnOf } from "../shared/warning.ts";

/** Where an error of a loop comes from: `receive` itself, or a handler. */
export type ErrorSource = "receive" | "handler";

/** Why a loop has ended: the client has gone, it was stopped, or `receive` has failed. */
export type RunEnd = "disconnect" | "stop" | "error";

/** An event that no server sends, from middleware that puts its own between those of the server. */
export interface ForeignEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** The event of a type: one of the scope's own, or a {@link ForeignEvent}. */
export type EventOf<Event extends ReceiveEvent, Type extends string> = Type extends Event["type"]
  ? Extract<Event, { type: Type }>
  : ForeignEvent;

type Handler = (event: never) => void | Promise<void>;
type ErrorHandler = (error: unknown, source: ErrorSource) => void | Promise<void>;

/** Receives the events of one scope and gives them to handlers by their types, one after the other. */
export class EventLoop<Event extends ReceiveEvent> {
  readonly #receive: () => Promise<Event>;
  readonly #last: string;
  readonly #handlers = new Map<string, Handler[]>();
  #default: Handler | undefined;
  #onError: ErrorHandler[] = [];
  #isRunning = false;
  #isStopped = false;

  /** `last` is the type of the event after which there is none. */
  constructor(receive: () => Promise<Event>, last: string) {
    this.#receive = receive;
    this.#last = last;
  }

  on(type: string, handler: Handler): void {
    const handlers = this.#handlers.get(type);
    // A new list, so that a handler that registers others does not change what this event goes to.
    this.#handlers.set(type, [...(handlers ?? []), handler]);
  }

  onDefault(handler: Handler): void {
    this.#default = handler;
  }

  onError(handler: ErrorHandler): void {
    this.#onError = [...this.#onError, handler];
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Whether there is a handler for a type of events. */
  wants(type: string): boolean {
    return this.#default !== undefined || this.#handlers.has(type);
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  run(): Promise<RunEnd> {
    if (this.#isRunning) throw new Error("run() was called while it runs already; a context has one loop.");
    this.#isRunning = true;
    this.#isStopped = false;
    return this.#run().finally(() => {
      this.#handlers.clear();
      this.#default = undefined;
      this.#onError = [];
      this.#isRunning = false;
    });
  }

  async #run(): Promise<RunEnd> {
    while (!this.#isStopped) {
      let event: Event;
      try {
        event = await this.#receive();
      } catch (error) {
        await this.#report(error, "receive");
        return "error";
      }
      const isLast = event.type === this.#last;
      for (const handler of this.#handlersOf(event.type, isLast)) await this.#call(handler, event);
      if (isLast) return "disconnect";
    }
    return "stop";
  }

  #handlersOf(type: string, isLast: boolean): readonly Handler[] {
    const own = this.#handlers.get(type);
    if (own !== undefined) return own;
    return this.#default === undefined || isLast ? [] : [this.#default];
  }

  async #call(handler: Handler, event: Event): Promise<void> {
    // Handlers are kept under the type of the events that they are for.
    const call = handler as (event: Event) => void | Promise<void>;
    try {
      await call(event);
    } catch (error) {
      await this.#report(error, "handler");
    }
  }

  async #report(error: unknown, source: ErrorSource): Promise<void> {
    if (this.#onError.length === 0) warnOf(error, "PagiContextWarning");
    for (const handler of this.#onError) {
      try {
        await handler(error, source);
      } catch (thrown) {
        warnOf(thrown, "PagiContextWarning");
      }
    }
  }
}
