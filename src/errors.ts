import type { DisconnectReason } from "./spec/connection-state.ts";
import type { Headers } from "./spec/values.ts";

/**
 * Who has to mend it: the `client` sent something wrong, the `application` broke the contract, the `operator` gave
 * a wrong option, file or address, or the `server` itself failed.
 */
export type Fault = "client" | "application" | "operator" | "server";

/** Root of every error that this package throws. `code` is stable; messages are for people and may change. */
export abstract class PagiError extends Error {
  abstract readonly code: `ERR_PAGI_${string}`;
  abstract readonly fault: Fault;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An application does not handle a scope type. Source: PAGI Spec, "Applications". */
export class UnsupportedScopeError extends PagiError {
  readonly code = "ERR_PAGI_UNSUPPORTED_SCOPE";
  readonly fault = "application";
  readonly scopeType: string;

  constructor(scopeType: string) {
    super(`This application does not handle the scope type '${scopeType}'.`);
    this.scopeType = scopeType;
  }
}

/** An event has an unknown type, or a missing, ill-typed or unsafe field. Source: PAGI Spec, "Error Handling". */
export class EventError extends PagiError {
  readonly code = "ERR_PAGI_EVENT";
  readonly fault = "application";
  readonly eventType: string;
  /** The field at fault; absent when it is the event as a whole. */
  readonly field: string | undefined;

  constructor(eventType: string, field: string | undefined, problem: string) {
    super(field === undefined ? `${eventType}: ${problem}` : `${eventType}: '${field}' ${problem}`);
    this.eventType = eventType;
    this.field = field;
  }
}

/** An event is not allowed in the state that the exchange is in. */
export class StateError extends PagiError {
  readonly code = "ERR_PAGI_STATE";
  readonly fault = "application";
  readonly eventType: string;
  readonly state: string;

  constructor(eventType: string, state: string, problem: string) {
    super(`${eventType} is not allowed now (state: ${state}): ${problem}`);
    this.eventType = eventType;
    this.state = state;
  }
}

/**
 * The client broke the protocol or a limit. `status` is what it is told while it can still be told; the connection
 * is closed in any case, for nothing after a framing error can be trusted to be a request.
 */
export class ProtocolError extends PagiError {
  readonly code = "ERR_PAGI_PROTOCOL";
  readonly fault = "client";
  readonly status: number;
  /** What the application is told if it already runs. */
  readonly reason: DisconnectReason;
  /** Fields that the answer needs, names in lower case. */
  readonly headers: Headers;

  constructor(
    status: number,
    message: string,
    reason: DisconnectReason = "protocol_error",
    headers: Headers = [],
  ) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }
}

/** An option, flag or environment variable is unknown or has an unusable value. */
export class OptionError extends PagiError {
  readonly code = "ERR_PAGI_OPTION";
  readonly fault = "operator";
  /** The option as its user wrote it: `--port`, `PAGI_PORT` or `port`. */
  readonly option: string;

  constructor(option: string, problem: string, options?: ErrorOptions) {
    super(`${option}: ${problem}`, options);
    this.option = option;
  }
}

/** The application's file cannot be imported or exports nothing usable. */
export class LoadError extends PagiError {
  readonly code = "ERR_PAGI_LOAD";
  readonly fault = "operator";
}

/** The server cannot listen at an address. */
export class ListenError extends PagiError {
  readonly code = "ERR_PAGI_LISTEN";
  readonly fault = "operator";
}

/** The worker processes could not be started, or did not stay; the log says why. */
export class WorkerError extends PagiError {
  readonly code = "ERR_PAGI_WORKER";
  readonly fault = "application";
}

/** The application refused to start, or did not say in time that it has started. Source: PAGI Lifespan. */
export class LifespanError extends PagiError {
  readonly code = "ERR_PAGI_LIFESPAN";
  readonly fault = "application";
}

/** A route is written wrongly or twice, has no such name, or is to be addressed without a value that it needs. */
export class RouteError extends PagiError {
  readonly code = "ERR_PAGI_ROUTE";
  readonly fault = "application";
}

/** What stands where an application or a middleware is wanted is none, or it has called `next()` a second time. */
export class CompositionError extends PagiError {
  readonly code = "ERR_PAGI_COMPOSITION";
  readonly fault = "application";
}

/**
 * A session that is not there, cannot be changed any more, or cannot be kept: too large, or of values that are not
 * JSON.
 */
export class SessionError extends PagiError {
  readonly code = "ERR_PAGI_SESSION";
  readonly fault = "application";
}

/** The message of anything that was thrown. Never throws itself, as what was thrown may on being looked at. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return "something that cannot be shown";
  }
}
