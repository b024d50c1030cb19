import { PagiError } from "../../errors.ts";
import type { Headers } from "../../spec/values.ts";
import type { TellableError } from "../request/error.ts";
import { isRequestError } from "../request/error.ts";
import { headerPairs, PagiHeaders } from "../values/headers.ts";
import { titleOf } from "../../spec/reason-phrase.ts";

/** Thrown by a handler to answer with a status instead; what `c.abort()` throws. */
export class HttpError extends PagiError {
  readonly code = "ERR_PAGI_HTTP";
  readonly fault: "client" | "application";
  /** What the client is answered with: an integer from 400 to 599. */
  readonly status: number;
  /** Fields that the answer needs, names in lower case. */
  readonly headers: Headers;

  /**
   * @param message is told to the client. Default: what the status is called.
   * @throws RangeError for what is no status of an error; TypeError for headers that are not pairs.
   */
  constructor(
    status: number,
    message?: string,
    { headers = [], ...options }: ErrorOptions & { headers?: Headers } = {},
  ) {
    if (!Number.isInteger(status) || status < 400 || status > 599)
      throw new RangeError(`${status} is no status of an error; it is an integer from 400 to 599.`);
    super(message ?? titleOf(status), options);
    this.status = status;
    this.fault = status < 500 ? "client" : "application";
    this.headers = new PagiHeaders(headerPairs(headers)).toPairs();
  }
}

/** True for errors that were made to be told to the client: an {@link HttpError}, and every `RequestError`. */
export function isTellable(error: unknown): error is TellableError {
  return error instanceof HttpError || isRequestError(error);
}
