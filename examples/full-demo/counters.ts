import type { State } from "pagi-server/spec";

/** What all requests of the process share. Made at startup, and handed to requests in the state of their scopes. */
export class Counters {
  readonly startedAt = Date.now();
  visits = 0;
  streams = 0;
  uploads = 0;

  /** Those in the state. @throws Error when the server has run no startup. */
  static in({ counters }: State): Counters {
    if (counters instanceof Counters) return counters;
    throw new Error(
      "There are no counters in the state: the server runs no lifespan, and this application needs it.",
    );
  }

  get uptime(): number {
    return Math.floor((Date.now() - this.startedAt) / 1000);
  }
}
