import { PagiError } from "../../errors.ts";
import type { Headers } from "../../spec/values.ts";

/**
 * The client sent something that cannot be used. `status` and `headers` are what it is told; `message` is written so
 * that it may be told too. Where errors may come from another copy of this package, compare `code`.
 */
export abstract class RequestError extends PagiError {
  readonly fault = "client";
  abstract readonly status: number;
  /** Fields that the answer needs, names in lower case. */
  readonly headers: Headers = [];
}

/** What of an error the client may be told: a {@link RequestError}, or another one that was made for it. */
export interface TellableError extends Error {
  readonly code: string;
  readonly status: number;
  /** Fields that the answer needs, names in lower case. */
  readonly headers: Headers;
}

/** True for a {@link RequestError}, one of another copy of this package too. */
export function isRequestError(thrown: unknown): thrown is RequestError {
  if (!(thrown instanceof Error) || !("fault" in thrown) || !("code" in thrown) || !("status" in thrown))
    return false;
  const { fault, code, status } = thrown;
  return (
    fault === "client" &&
    typeof status === "number" &&
    String(code).startsWith("ERR_PAGI_") &&
    "headers" in thrown
  );
}

/** The body is longer than allowed. RFC 9110 section 15.5.14. */
export class BodyTooLargeError extends RequestError {
  readonly code = "ERR_PAGI_BODY_TOO_LARGE";
  readonly status = 413;
  /** Bytes. */
  readonly limit: number;

  constructor(limit: number) {
    super(`The request body is larger than ${limit} bytes.`);
    this.limit = limit;
  }
}

/** A part of a multipart body is longer than allowed. */
export class PartTooLargeError extends RequestError {
  readonly code = "ERR_PAGI_PART_TOO_LARGE";
  readonly status = 413;
  /** The name of the form field. */
  readonly part: string;
  /** Bytes. */
  readonly limit: number;

  constructor(type: "field" | "file", part: string, limit: number) {
    super(`The ${type} ${JSON.stringify(part)} is larger than ${limit} bytes.`);
    this.part = part;
    this.limit = limit;
  }
}

/** All fields of a multipart form together, which stay in memory, are longer than allowed. */
export class FieldsTooLargeError extends RequestError {
  readonly code = "ERR_PAGI_FIELDS_TOO_LARGE";
  readonly status = 413;
  /** Bytes. */
  readonly limit: number;

  constructor(limit: number) {
    super(`The fields of the form are larger than ${limit} bytes together.`);
    this.limit = limit;
  }
}

/** What comes before the content of a field is longer than allowed: the header section of a part, or a name. */
export class PartHeaderTooLargeError extends RequestError {
  readonly code = "ERR_PAGI_PART_HEADER_TOO_LARGE";
  readonly status = 413;
  /** Bytes. */
  readonly limit: number;

  constructor(
    limit: number,
    what: "header section of a part" | "name of a field" = "header section of a part",
  ) {
    super(`The ${what} is larger than ${limit} bytes.`);
    this.limit = limit;
  }
}

/** There are more form fields, or more query parameters, than allowed. */
export class TooManyFieldsError extends RequestError {
  readonly code = "ERR_PAGI_TOO_MANY_FIELDS";
  readonly status = 413;
  readonly limit: number;

  constructor(what: "fields" | "parameters", limit: number) {
    super(`There are more than ${limit} ${what}.`);
    this.limit = limit;
  }
}

/** There are more uploaded files than allowed. */
export class TooManyFilesError extends RequestError {
  readonly code = "ERR_PAGI_TOO_MANY_FILES";
  readonly status = 413;
  readonly limit: number;

  constructor(limit: number) {
    super(`There are more than ${limit} files.`);
    this.limit = limit;
  }
}

/** The body is not what its Content-Type says, or is cut short. */
export class MalformedBodyError extends RequestError {
  readonly code = "ERR_PAGI_MALFORMED_BODY";
  readonly status = 400;

  constructor(problem: string, options?: ErrorOptions) {
    super(`The request cannot be read: ${problem}`, options);
  }
}

/** The body has a media type that the application does not read. RFC 9110 section 15.5.16. */
export class UnsupportedMediaTypeError extends RequestError {
  readonly code = "ERR_PAGI_UNSUPPORTED_MEDIA_TYPE";
  readonly status = 415;
  override readonly headers: Headers;

  constructor(found: string | undefined, supported: readonly string[]) {
    const has = found === undefined ? "has no Content-Type" : `is of the type ${JSON.stringify(found)}`;
    super(`The request body ${has}; send ${supported.join(" or ")}.`);
    this.headers = [["accept", supported.join(", ")]];
  }
}

/** The client went before its body was complete. Nobody is left to be told; the status is for logs. */
export class IncompleteBodyError extends RequestError {
  readonly code = "ERR_PAGI_INCOMPLETE_BODY";
  readonly status = 400;

  constructor() {
    super("The client went away before the request body was complete.");
  }
}

/** Where a value came from that a schema refused. */
export type RequestSource = "body" | "query" | "path" | "headers" | "cookies";

/** One thing that a schema found. */
export interface ValidationIssue {
  readonly in: RequestSource;
  /** JSON pointer (RFC 6901) to the value at fault; empty for the whole. */
  readonly pointer: string;
  readonly message: string;
}

/** Input is well-formed and not what a schema asks for. RFC 9110 section 15.5.21. */
export class ValidationError extends RequestError {
  readonly code = "ERR_PAGI_VALIDATION";
  readonly status = 422;
  readonly issues: readonly ValidationIssue[];

  constructor(issues: readonly ValidationIssue[]) {
    const [first] = issues;
    const where = first === undefined ? "" : ` ${first.in}${first.pointer}: ${first.message}`;
    super(`The request is not valid.${where}${issues.length > 1 ? ` (and ${issues.length - 1} more)` : ""}`);
    this.issues = issues;
  }
}

/** What has become of a body that cannot be read any more. */
export type BodyUse = "form" | "stream" | "received" | "dropped" | "answered";

const WHAT_TO_DO = "Read it once with bytes(), text() or json(), which keep it for everyone else.";

const HOW_USED: { readonly [Use in BodyUse]: string } = {
  form: `was read as a multipart form that is too large to be kept. ${WHAT_TO_DO}`,
  stream:
    `was read as a stream already, and nothing of it was kept. ${WHAT_TO_DO} ` +
    "Behind the end of the stream, a second call of receive() waits for the client to disconnect.",
  received: `was received already, by a call of receive() that kept nothing. ${WHAT_TO_DO}`,
  dropped: "was dropped when the event stream started. Read it, or get the request, before that.",
  answered: "cannot be read once the response is complete. Read it before, as before next() in middleware.",
};

/** The application reads a body of which nothing was kept when it was read before, or asks for it too late. */
export class BodyUsedError extends PagiError {
  readonly code = "ERR_PAGI_BODY_USED";
  readonly fault = "application";

  constructor(how: BodyUse) {
    super(`The request body ${HOW_USED[how]}`);
  }
}
