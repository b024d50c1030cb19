import { PagiError } from "../src/errors.ts";
import type { TestResponse } from "./test-response.ts";

/** A handshake or an event stream was answered with an ordinary response. */
export class DeclinedError extends PagiError {
  readonly code = "ERR_PAGI_TEST_DECLINED";
  readonly fault = "application";
  /** The answer. */
  readonly response: TestResponse;

  constructor(what: string, response: TestResponse) {
    super(`${what} was answered with ${response.status}.`);
    this.response = response;
  }
}
