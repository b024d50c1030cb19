import type { Scope, State } from "../spec/scope.ts";

/** Something that calls back once after a time, unless it is set again or cleared. */
export interface Timer {
  set(milliseconds: number): void;
  clear(): void;
}

/** Checks events against the rules of the specification. @throws EventError */
export interface EventValidator {
  validateSendEvent(scopeType: Scope["type"], event: unknown): void;
  validateReceiveEvent(scopeType: Scope["type"], event: unknown): void;
}

/** What exchanges need of the server around them, the same for all of them. */
export interface Environment {
  /** Checks every event in both directions, where the server was asked to; what must be checked always is not here. */
  readonly validator: EventValidator | undefined;
  /** Bytes. */
  readonly highWaterMark: number;
  /** Bytes. */
  readonly lowWaterMark: number;
  readonly rootPath: string;
  /** Milliseconds without an event before an event stream is closed; 0 is never. */
  readonly sseIdleTimeout: number;
  /** Milliseconds without a message or a byte from the client before a WebSocket is closed; 0 is never. */
  readonly wsIdleTimeout: number;
  /** Milliseconds for an application to answer a WebSocket handshake; 0 is for ever. */
  readonly wsHandshakeTimeout: number;
  /** WebSocket messages that may wait for an application; one more closes the connection. */
  readonly maxReceiveQueue: number;
  /** What lifespan left; each scope gets a shallow copy. */
  readonly state: State;
  timer(onExpire: () => void): Timer;
  /** An error of the application, for the log. */
  reportError(message: string, error?: unknown): void;
}
