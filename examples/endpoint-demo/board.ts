/** A message that everybody sees. */
export interface Message {
  readonly id: number;
  readonly text: string;
}

/** The latest messages, oldest first, and who waits for more. Every process has its own. */
export class Board {
  readonly #messages: Message[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #limit: number;
  #lastId = 0;

  /** @param limit how many messages are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(text: string): Message {
    const message = { id: ++this.#lastId, text };
    this.#messages.push(message);
    if (this.#messages.length > this.#limit) this.#messages.shift();
    for (const wake of this.#watchers) wake();
    return message;
  }

  all(): readonly Message[] {
    return this.#messages;
  }

  /** The oldest kept message after the one with this id. */
  after(id: number): Message | undefined {
    const first = this.#messages[0]?.id ?? 1;
    return this.#messages[Math.max(id + 1 - first, 0)];
  }

  /** Calls `wake` after each new message; returns the function that ends this. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake);
    return () => void this.#watchers.delete(wake);
  }
}
