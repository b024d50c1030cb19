import { LIMITS } from "./limits.ts";

/** Something that everybody may know, for the event stream. */
export type NewsItem =
  | { readonly event: "arrival" | "departure"; readonly data: { readonly nick: string } }
  | { readonly event: "room-opened" | "room-closed"; readonly data: { readonly room: string } };

export type DatedNews = NewsItem & {
  /** Grows, across a restart of the server too, for it begins with the clock. */
  readonly id: number;
};

/** The latest news. Readers keep their place in it, so that a slow one holds nobody up. */
export class News {
  readonly #items: DatedNews[] = [];
  readonly #readers = new Set<() => void>();
  #lastId = Date.now();

  get lastId(): number {
    return this.#lastId;
  }

  add(item: NewsItem): void {
    this.#lastId = Math.max(this.#lastId + 1, Date.now());
    this.#items.push({ ...item, id: this.#lastId });
    if (this.#items.length > LIMITS.news) this.#items.shift();
    this.changed();
  }

  /** The oldest item after an id. */
  after(id: number): DatedNews | undefined {
    return this.#items.find((item) => item.id > id);
  }

  /** Wakes the readers, for numbers that changed without being news. */
  changed(): void {
    for (const wake of this.#readers) wake();
  }

  /** Calls `wake` after each change; returns the function that ends this. */
  watch(wake: () => void): () => void {
    this.#readers.add(wake);
    return () => this.#readers.delete(wake);
  }

  get readers(): number {
    return this.#readers.size;
  }
}
