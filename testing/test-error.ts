import { PagiError } from "../src/errors.ts";

/** Something that a test waited for did not come in time. */
export class TestTimeoutError extends PagiError {
  readonly code = "ERR_PAGI_TEST_TIMEOUT";
  readonly fault = "application";
  /** What was waited for. */
  readonly what: string;

  constructor(what: string, milliseconds: number) {
    super(`Waited ${milliseconds / 1000} s for ${what}. Give more time with the option 'timeout'.`);
    this.what = what;
  }
}

/** An application broke the contract in a way that has no error of its own, such as to return without a response. */
export class ApplicationError extends PagiError {
  readonly code = "ERR_PAGI_TEST_APPLICATION";
  readonly fault = "application";
}

/** The response ended before it was complete, as a client on a socket sees when the connection is cut. */
export class TruncatedError extends PagiError {
  readonly code = "ERR_PAGI_TEST_TRUNCATED";
  readonly fault = "application";
}

/** The stream or the WebSocket is closed, so that what was waited for cannot come. */
export class ClosedError extends PagiError {
  readonly code = "ERR_PAGI_TEST_CLOSED";
  readonly fault = "application";
}

/** What came is not of the kind that was asked for. */
export class UnexpectedMessageError extends PagiError {
  readonly code = "ERR_PAGI_TEST_MESSAGE";
  readonly fault = "application";
}
