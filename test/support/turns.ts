/** Lets a few concurrent tests run at a time, where each needs much of the machine. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param count how many run beside each other. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for a turn. It ends when what is returned is disposed of. */
  async take(): Promise<Disposable> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return { [Symbol.dispose]: () => this.#pass() };
  }

  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
