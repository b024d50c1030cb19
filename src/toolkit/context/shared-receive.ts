import type { Receive } from "../../spec/application.ts";
import type { ReceiveEvent } from "../../spec/events.ts";
import { nextTurn } from "../connection/lifetime.ts";

interface Waiter<Event> {
  resolve(event: Event): void;
  reject(error: unknown): void;
}

/**
 * Whether a loop takes an event: `now`, where it has a handler for it; `perhaps`, while it does not run, since the handler
 * may be registered before it does; `never`, where it runs without a handler.
 */
export type Interest = "now" | "perhaps" | "never";

/** Events of middleware that may wait for the loop. */
export const MAX_WAITING = 1000;

/**
 * One `receive` for two: an object that reads the events of a scope type ahead, and a loop that wants to see them too,
 * along with those that middleware has put between them.
 *
 * Reading does not pause for a loop that is slow: the end of the connection would be noticed late, and a handler of the
 * loop that waits for an event of the object would wait for itself. So what waits has a limit, at which `receive` fails;
 * where no handler is registered yet, the oldest are dropped instead, which the loop is told when it starts.
 */
export class SharedReceive<Event extends ReceiveEvent> {
  readonly #receive: Receive;
  readonly #prefix: string;
  readonly #interest: (type: string) => Interest;
  readonly #queue: Event[] = [];
  #waiter: Waiter<Event> | undefined;
  #isAsked = false;
  /** Events that were dropped because there were too many before the loop ran. */
  #lost = 0;
  /** The last event was the object's. */
  #hasPassed = false;

  /**
   * @param prefix what the types of the object's own events begin with.
   * @param interest whether the loop takes others; those that it never takes are dropped.
   */
  constructor(receive: Receive, prefix: string, interest: (type: string) => Interest) {
    this.#receive = receive;
    this.#prefix = prefix;
    this.#interest = interest;
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
      if (this.#interest(event.type) !== "never") this.#put(event as Event);
    }
  };

  /** The next event of the loop: one of the object's, asked for with `take`, or one that the object has passed by. */
  forLoop(take: () => Promise<Event>): Promise<Event> {
    if (this.#lost > 0) {
      const lost = this.#lost;
      this.#lost = 0;
      return Promise.reject(
        new Error(
          `${lost} events of middleware were dropped before run() was called; ${MAX_WAITING} may wait for it.`,
        ),
      );
    }
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
    else if (this.#interest(event.type) === "perhaps") {
      // Perhaps nobody ever calls run(), and then nobody misses them.
      this.#queue.shift();
      this.#queue.push(event);
      this.#lost++;
    } else {
      this.#queue.length = 0;
      throw new Error(
        `${MAX_WAITING} events of middleware wait for run(), the last one of the type '${event.type}': it is not ` +
          "called, or a handler takes too long. Start such work in the handler, and do not wait for it there.",
      );
    }
  }
}
