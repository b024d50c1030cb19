import type { State } from "../spec/scope.ts";

/** Something that calls back once after a time, unless it is set again or cleared. */
export interface Timer {
  set(milliseconds: number): void;
  clear(): void;
}

/** What exchanges need of the server around them, the same for all of them. */
export interface ExchangeHost {
  /** Check every event in both directions against the rules of the specification. */
  readonly validateEvents: boolean;
  /** Bytes. */
  readonly highWaterMark: number;
  /** Bytes. */
  readonly lowWaterMark: number;
  readonly rootPath: string;
  /** Milliseconds without an event before an event stream is closed; 0 is never. */
  readonly sseIdleTimeout: number;
  /** What lifespan left; each scope gets a shallow copy. */
  readonly state: State;
  timer(onExpire: () => void): Timer;
  /** An error of the application, for the log. */
  reportError(message: string, error?: unknown): void;
}
