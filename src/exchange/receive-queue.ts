/** Where the events come from. */
export interface Source<Event> {
  /** More is waited for; it may be delivered at once. */
  demandBody(): void;
  /** An event that was put in has been taken out. */
  onTaken?(event: Event): void;
}

/**
 * What waits for an application's `receive`: events in order, then for ever the one event that says it is over.
 * Pulled, not pushed: when nothing is there, its source is asked for more.
 */
export class ReceiveQueue<Event> {
  readonly #source: Source<Event>;
  /** The only event of most requests, which so need no list. */
  #first: Event | undefined;
  #events: Event[] | undefined;
  #waiting: ((event: Event) => void)[] | undefined;
  #last: Event | undefined;
  #failure: Error | undefined;

  /** `first` is in the inbox from the start. */
  constructor(source: Source<Event>, first: Event | undefined) {
    this.#source = source;
    this.#first = first;
  }

  /** True while a `take` waits for an event. */
  get isAwaited(): boolean {
    return this.#waiting !== undefined && this.#waiting.length > 0;
  }

  /** Adds an event. Ignored once the inbox has ended. */
  put(event: Event): void {
    if (this.#hasEnded) return;
    const taker = this.#waiting?.shift();
    if (taker === undefined) {
      (this.#events ??= []).push(event);
      return;
    }
    this.#source.onTaken?.(event);
    taker(event);
    if (this.isAwaited) this.#source.demandBody();
  }

  /** Ends the inbox: after what is already in it, every `take` gets `event`. Only the first call counts. */
  end(event: Event): void {
    if (this.#hasEnded) return;
    this.#last = event;
    const takers = this.#waiting;
    this.#waiting = undefined;
    if (takers !== undefined) for (const taker of takers) taker(event);
  }

  /**
   * Ends the inbox with its response: every `take` from now on gets `event`. Events that nobody has taken are dropped,
   * since PAGI Www ("Disconnect - receive event") has a `receive` after a complete response report the disconnect.
   */
  finish(event: Event): void {
    this.#drop();
    this.end(event);
  }

  /**
   * Ends the inbox where no event tells of the end: a `take` from now on is rejected instead of waiting for ever. One
   * that waits already is forgotten, since an application often has such a one running and nobody looks at it.
   */
  fail(error: Error): void {
    if (this.#hasEnded) return;
    this.#drop();
    this.#failure = error;
    this.#waiting = undefined;
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
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  #drop(): void {
    if (this.#hasEnded) return;
    this.#first = undefined;
    this.#events = undefined;
  }

  get #hasEnded(): boolean {
    return this.#last !== undefined || this.#failure !== undefined;
  }

  #next(): Event | undefined {
    if (this.#first !== undefined) {
      const first = this.#first;
      this.#first = undefined;
      return first;
    }
    if (this.#events === undefined || this.#events.length === 0) return this.#last;
    const event = this.#events.shift();
    if (event !== undefined) this.#source.onTaken?.(event);
    return event;
  }
}
