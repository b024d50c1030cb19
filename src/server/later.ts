/**
 * Items for which something has to be done a little later: one callback from the event loop for all that have come
 * until then, instead of one for each.
 */
export class Later<Item> {
  readonly #schedule: (run: () => void) => void;
  readonly #action: (item: Item) => void;
  #items: Item[] = [];

  /** `schedule` is `setImmediate` for the end of the turn, or `queueMicrotask` for the end of what runs now. */
  constructor(schedule: (run: () => void) => void, action: (item: Item) => void) {
    this.#schedule = schedule;
    this.#action = action;
  }

  add(item: Item): void {
    if (this.#items.push(item) === 1) this.#schedule(this.#run);
  }

  readonly #run = (): void => {
    const items = this.#items;
    this.#items = [];
    for (const item of items) this.#action(item);
  };
}
