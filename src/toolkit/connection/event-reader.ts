import type { Receive } from "../../spec/application.ts";
import type { ReceiveEvent } from "../../spec/events.ts";

/** Where an event is sorted to; what is sorted to neither is left out. */
export interface EventSorter<Input, End> {
  /** Something for the application; `isLast` when only the end can follow it. */
  input(input: Input, isLast?: boolean): void;
  /** The connection is over. */
  end(end: End): void;
}

interface Taker<Input> {
  resolve(input: Input | undefined): void;
  reject(error: unknown): void;
}

/**
 * The one reader of a scope's `receive`, so that whoever wants messages and whoever wants to know of the end do not take
 * them from each other. While it watches it is one event ahead of the application and no more: what the client sends
 * beyond that waits in the server, which so slows the client down.
 */
export class EventReader<Input, End> {
  readonly #receive: Receive;
  readonly #sort: (event: ReceiveEvent, sorter: EventSorter<Input, End>) => void;
  readonly #onEnd: (end: End | undefined) => void;
  readonly #held: Input[] = [];
  readonly #takers: Taker<Input>[] = [];
  #isReading = false;
  #isWatching = false;
  #isDropping = false;
  /** Only the end can still come. */
  #hasLast = false;
  #hasEnded = false;
  #failure: { readonly error: unknown } | undefined;

  /** `onEnd` is called once: with the end, or without one when `receive` has failed. */
  constructor(
    receive: Receive,
    sort: (event: ReceiveEvent, sorter: EventSorter<Input, End>) => void,
    onEnd: (end: End | undefined) => void,
  ) {
    this.#receive = receive;
    this.#sort = sort;
    this.#onEnd = onEnd;
  }

  /** The next input, in the order of asking; `undefined` after the end. @throws what `receive` has failed with. */
  take(): Promise<Input | undefined> {
    const held = this.#held.shift();
    if (held !== undefined) {
      this.#read();
      return Promise.resolve(held);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (this.#hasEnded) return Promise.resolve(undefined);
    const { promise, resolve, reject } = Promise.withResolvers<Input | undefined>();
    this.#takers.push({ resolve, reject });
    this.#read();
    return promise;
  }

  /** True when the last input was taken or dropped, so that only the end can still come. */
  get isSpent(): boolean {
    return this.#hasLast && this.#held.length === 0 && !this.#hasEnded;
  }

  /** Notices the end from now on, without anybody taking. */
  watch(): void {
    this.#isWatching = true;
    this.#read();
  }

  /** Drops what nobody waits for from now on, so that it does not stand before the end. */
  drop(): void {
    this.#isDropping = true;
    this.#held.length = 0;
    this.watch();
  }

  /** Nothing is wanted any more: whoever waits gets nothing. What the end had left to be read stays. */
  stop(): void {
    if (this.#hasEnded) return;
    this.#held.length = 0;
    this.#finish();
  }

  readonly #sorter: EventSorter<Input, End> = {
    input: (input, isLast = false) => {
      this.#hasLast ||= isLast;
      const taker = this.#takers.shift();
      if (taker !== undefined) taker.resolve(input);
      else if (!this.#isDropping) this.#held.push(input);
    },
    end: (end) => {
      this.#finish();
      this.#onEnd(end);
    },
  };

  #read(): void {
    if (this.#isReading || this.#hasEnded) return;
    const isAhead = this.#held.length > 0 && !this.#hasLast;
    if (this.#takers.length === 0 && (!this.#isWatching || isAhead)) return;
    this.#isReading = true;
    Promise.try(this.#receive).then(
      (event) => {
        this.#isReading = false;
        if (this.#hasEnded) return;
        this.#sort(event, this.#sorter);
        this.#read();
      },
      (error: unknown) => {
        if (this.#hasEnded) return;
        this.#failure = { error };
        for (const taker of this.#takers.splice(0)) taker.reject(error);
        this.#finish();
        this.#onEnd(undefined);
      },
    );
  }

  #finish(): void {
    this.#hasEnded = true;
    for (const taker of this.#takers.splice(0)) taker.resolve(undefined);
  }
}
