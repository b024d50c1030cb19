import type { Receive } from "../../spec/application.ts";
import type { ReceiveEvent } from "../../spec/events.ts";
import { nextTurn } from "../connection/lifetime.ts";

interface Waiter<Event> {
  resolve(event: Event): void;
  reject(error: unknown): void;
}

/** Events of middleware that may wait for the loop. */
export const MAX_WAITING = 1000;

/**
 * One `receive` for two: an object that reads the events of a scope type ahead, and a loop that wants to see them too,
 * along with those that middleware has put between them.
 *
 * Reading does not pause for a loop that is slow: the end of the connection would be noticed late, and a handler of the
 * loop that waits for an event of the object would wait for itself. So what waits has a limit, at which `receive` fails.
 */
export class SharedReceive<Event extends ReceiveEvent> {
  readonly #receive: Receive;
  readonly #prefix: string;
  readonly #wants: (type: string) => boolean;
  readonly #queue: Event[] = [];
  #waiter: Waiter<Event> | undefined;
  #isAsked = false;
  /** The last event was the object's. */
  #hasPassed = false;

  /**
   * @param prefix what the types of the object's own events begin with.
   * @param wants whether the loop has a handler for others; those that it has none for are dropped.
   */
  constructor(receive: Receive, prefix: string, wants: (type: string) => boolean) {
    this.#receive = receive;
    this.#prefix = prefix;
    this.#wants = wants;
  }

  /** The `receive` of the object. */
  readonly forObject: Receive = async () => {
    for (;;) {
      const event = await this.#receive();
      if (event.type.startsWith(this.#prefix)) {
        this.#hasPassed = true;
        return event;
      }
      // The object may be handing its own event on to the loop, which has to see that one first.
      if (this.#hasPassed) await nextTurn();
      this.#hasPassed = false;
      // What middleware makes is of no type that is known here.
      if (this.#wants(event.type)) this.#put(event as Event);
    }
  };

  /** The next event of the loop: one of the object's, asked for with `take`, or one that the object has passed by. */
  forLoop(take: () => Promise<Event>): Promise<Event> {
    const queued = this.#queue.shift();
    if (queued !== undefined) return Promise.resolve(queued);
    const { promise, resolve, reject } = Promise.withResolvers<Event>();
    this.#waiter = { resolve, reject };
    if (!this.#isAsked) {
      this.#isAsked = true;
      take().then(
        (event) => {
          this.#isAsked = false;
          this.#put(event);
        },
        (error: unknown) => {
          this.#isAsked = false;
          this.#waiter?.reject(error);
          this.#waiter = undefined;
        },
      );
    }
    return promise;
  }

  #put(event: Event): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter !== undefined) waiter.resolve(event);
    else if (this.#queue.length < MAX_WAITING) this.#queue.push(event);
    else {
      this.#queue.length = 0;
      throw new Error(
        `${MAX_WAITING} events of middleware wait for run(), the last one of the type '${event.type}': it is not ` +
          "called, or a handler takes too long. Start such work in the handler, and do not wait for it there.",
      );
    }
  }
}
