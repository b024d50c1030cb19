/** Where the events come from. */
export interface Source {
  /** More is waited for; it may be delivered at once. */
  demandBody(): void;
}

/**
 * What waits for an application's `receive`: events in order, then for ever the one event that says it is over.
 * Pulled, not pushed: when nothing is there, its source is asked for more.
 */
export class Inbox<Event> {
  readonly #source: Source;
  /** The only event of most requests, which so need no list. */
  #first: Event | undefined;
  #events: Event[] | undefined;
  #waiting: ((event: Event) => void)[] | undefined;
  #last: Event | undefined;

  /** `first` is in the inbox from the start. */
  constructor(source: Source, first: Event | undefined) {
    this.#source = source;
    this.#first = first;
  }

  /** True while a `take` waits for an event. */
  get isAwaited(): boolean {
    return this.#waiting !== undefined && this.#waiting.length > 0;
  }

  /** Adds an event. Ignored once the inbox has ended. */
  put(event: Event): void {
    if (this.#last !== undefined) return;
    const taker = this.#waiting?.shift();
    if (taker === undefined) {
      (this.#events ??= []).push(event);
      return;
    }
    taker(event);
    if (this.isAwaited) this.#source.demandBody();
  }

  /** Ends the inbox: after what is already in it, every `take` gets `event`. Only the first call counts. */
  end(event: Event): void {
    if (this.#last !== undefined) return;
    this.#last = event;
    const takers = this.#waiting;
    this.#waiting = undefined;
    if (takers !== undefined) for (const taker of takers) taker(event);
  }

  /** The next event, now or when it comes. Takers are served in the order in which they asked. */
  take(): Promise<Event> {
    const ready = this.#next();
    if (ready !== undefined) return Promise.resolve(ready);
    if (!this.isAwaited) {
      this.#source.demandBody();
      const delivered = this.#next();
      if (delivered !== undefined) return Promise.resolve(delivered);
    }
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  #next(): Event | undefined {
    if (this.#first !== undefined) {
      const first = this.#first;
      this.#first = undefined;
      return first;
    }
    return this.#events !== undefined && this.#events.length > 0 ? this.#events.shift() : this.#last;
  }
}
