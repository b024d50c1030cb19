import { setInterval } from "node:timers/promises";

/** What a task does until it is done. It ends early, by throwing or returning, when the signal is aborted. */
export type Work = (signal: AbortSignal) => Promise<void>;

export interface TaskOptions {
  /** `finish`: the server's end waits for it, for a while. `cut`: it is told to end at once. Default `finish`. */
  readonly atShutdown?: "finish" | "cut";
}

/**
 * Work that no request waits for. A promise that nobody awaits is lost: its error is an unhandled rejection, and the end
 * of the process does not wait for it. So somebody has to keep it, and this is who.
 */
export class Tasks {
  readonly #running = new Set<Promise<void>>();
  readonly #shutdown = new AbortController();
  readonly #patienceIsOver = new AbortController();
  readonly #limit: number;

  /** @param limit how many tasks there may be at once, so that memory has an end */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Starts a task and goes on. Returns false when it cannot: there are too many, or the server is ending. */
  run(name: string, work: Work, { atShutdown = "finish" }: TaskOptions = {}): boolean {
    if (this.#running.size >= this.#limit || this.#shutdown.signal.aborted) return false;
    const { signal } = atShutdown === "cut" ? this.#shutdown : this.#patienceIsOver;
    const task = this.#watch(name, work, signal).finally(() => this.#running.delete(task));
    this.#running.add(task);
    return true;
  }

  /** Does the work again and again, with `milliseconds` between, until the server ends. A failure does not end it. */
  every(milliseconds: number, name: string, work: Work): boolean {
    const repeat = async (signal: AbortSignal): Promise<void> => {
      try {
        for await (const _ of setInterval(milliseconds, undefined, { signal }))
          await this.#watch(name, work, signal);
      } catch (error) {
        // Between two times there is nothing to cut.
        if (!signal.aborted) throw error;
      }
    };
    return this.run(name, repeat, { atShutdown: "cut" });
  }

  /** Takes no more tasks, and waits for those that are to finish; after `patience` milliseconds they are cut too. */
  async stop(patience: number): Promise<void> {
    this.#shutdown.abort();
    const timer = setTimeout(() => this.#patienceIsOver.abort(), patience);
    await Promise.all(this.#running);
    clearTimeout(timer);
  }

  async #watch(name: string, work: Work, signal: AbortSignal): Promise<void> {
    try {
      await work(signal);
    } catch (error) {
      if (!signal.aborted) console.error(`${name} failed:`, error);
      else console.error(`${name} was cut`);
    }
  }
}
