import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Items for which something has to be done a little later: one callback from the event loop for all that have come
 * until then, instead of one for each.
 */
export class Batch<Item> {
  readonly #schedule: (run: () => void) => void;
  readonly #action: (item: Item) => void;
  readonly #onError: (error: unknown) => void;
  /** The first `add` comes from inside a request; the others' actions must not see that request's async context. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  #items: Item[] = [];
  #isScheduled = false;

  /**
   * `schedule` is `setImmediate` for the end of the turn, or `queueMicrotask` for the end of what runs now. What
   * `action` throws for one item goes to `onError`, and the others still have their turn.
   */
  constructor(
    schedule: (run: () => void) => void,
    action: (item: Item) => void,
    onError: (error: unknown) => void,
  ) {
    this.#schedule = schedule;
    this.#action = action;
    this.#onError = onError;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(this.#runInOwnContext);
  }

  /** Takes back an `add` where nothing was added since; otherwise the action runs, which does no harm. */
  withdraw(item: Item): void {
    if (this.#items.at(-1) === item) this.#items.pop();
  }

  readonly #runInOwnContext = (): void => this.#inOwnContext(this.#run);

  readonly #run = (): void => {
    this.#isScheduled = false;
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    for (const item of items) {
      try {
        this.#action(item);
      } catch (error) {
        this.#onError(error);
      }
    }
  };
}
