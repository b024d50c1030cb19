import type { Connection } from "./connection.ts";
import type { Deadline } from "./timer-wheel.ts";

/**
 * Finds out that nothing moves on a request: no byte read from its connection and none written to it for
 * `requestTimeout`, from its head to its whole response. As the reference server counts it (PAGI::Server,
 * "request_timeout").
 */
export class StallWatch {
  readonly #connection: Connection;
  readonly #deadline: Deadline;

  constructor(connection: Connection, onStall: () => void) {
    this.#connection = connection;
    this.#deadline = connection.context.wheel.deadline(onStall);
  }

  /** A request begins. */
  start(): void {
    this.#connection.output.onProgress = () => this.onProgress();
    this.#arm();
  }

  /** Bytes were read or written. Without a request it does nothing. */
  onProgress(): void {
    if (this.#deadline.armed) this.#arm();
  }

  /** The request has ended. */
  stop(): void {
    this.#connection.output.onProgress = undefined;
    this.#deadline.clear();
  }

  #arm(): void {
    this.#deadline.set(this.#connection.context.times.request);
  }
}
