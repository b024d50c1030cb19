import type { State } from "pagi-server";

/** Counts what the application does. Made at startup, and found in the state of every request. */
export class Metrics {
  requests = 0;
  connections = 0;
  messages = 0;
  #number = 0;
  readonly #watchers = new Set<() => void>();

  /** @throws Error when the application has had no startup */
  static of({ metrics }: State): Metrics {
    if (metrics instanceof Metrics) return metrics;
    throw new Error("The lifespan has not run; do not use --lifespan off.");
  }

  /** How often there was something new to look at. */
  get number(): number {
    return this.#number;
  }

  snapshot(): Record<"requests" | "connections" | "messages", number> {
    return { requests: this.requests, connections: this.connections, messages: this.messages };
  }

  /** Tells everybody who watches that it is time to look. */
  tick(): void {
    this.#number++;
    for (const wake of this.#watchers) wake();
  }

  /** Calls `wake` at each tick; returns the function that ends this. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake);
    return () => void this.#watchers.delete(wake);
  }
}
