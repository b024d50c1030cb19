import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PagiError } from "../../errors.ts";
import { INVALID_PAYLOAD, MAX_REASON_BYTES, UNSUPPORTED_DATA } from "../../spec/close-code.ts";
import type { WebSocketReceive } from "../../spec/events.ts";
import { parseJson } from "../request/json-depth.ts";
import type { ValidationIssue } from "../request/error.ts";
import { check, type OutputOf } from "../request/validation.ts";

/** One thing that a schema found in a message. */
export type MessageIssue = Omit<ValidationIssue, "in">;

/** The client sent a message that is not what is wanted. The message of the error may be told to it. */
export class MessageError extends PagiError {
  readonly code = "ERR_PAGI_MESSAGE";
  readonly fault = "client";
  /** What to close the connection with: 1003 for the wrong kind of message, 1007 for wrong content. RFC 6455 section 7.4.1. */
  readonly closeCode: typeof UNSUPPORTED_DATA | typeof INVALID_PAYLOAD;
  /** All that a schema has found; empty where there was none to ask. */
  readonly issues: readonly MessageIssue[];

  constructor(
    closeCode: MessageError["closeCode"],
    problem: string,
    issues: readonly MessageIssue[] = [],
    options?: ErrorOptions,
  ) {
    super(problem, options);
    this.closeCode = closeCode;
    this.issues = issues;
  }

  /** The message, cut to what a Close frame holds. */
  get closeReason(): string {
    const bytes = Buffer.from(this.message).subarray(0, MAX_REASON_BYTES);
    // As of a stream that goes on, so that a char that was cut in two is left out.
    return new TextDecoder().decode(bytes, { stream: true });
  }
}

/** A text or binary message as the application gets it. */
export function dataOf(event: WebSocketReceive): string | Uint8Array {
  return event.text ?? event.bytes;
}

/** @throws MessageError (1003) for a binary message. */
export function textOf(event: WebSocketReceive): string {
  if (event.text !== undefined) return event.text;
  throw new MessageError(UNSUPPORTED_DATA, "The message is binary; send text.");
}

/** @throws MessageError (1003) for a text message. */
export function bytesOf(event: WebSocketReceive): Uint8Array {
  if (event.bytes !== undefined) return event.bytes;
  throw new MessageError(UNSUPPORTED_DATA, "The message is text; send a binary one.");
}

/**
 * The value that a text message stands for.
 *
 * @throws MessageError: 1003 for a binary one, 1007 for what is no JSON or is nested too deeply.
 */
export function jsonOf(event: WebSocketReceive): unknown {
  const text = textOf(event);
  try {
    return parseJson(text);
  } catch (cause) {
    const problem =
      cause instanceof RangeError ? "The message is nested too deeply." : "The message is no JSON.";
    throw new MessageError(INVALID_PAYLOAD, problem, [], { cause });
  }
}

/** The value of a text message, as a schema makes it. @throws MessageError as {@link jsonOf}; 1007 for what the schema refuses. */
export async function valueOf<S extends StandardSchemaV1>(
  event: WebSocketReceive,
  schema: S,
): Promise<OutputOf<S>> {
  const result = await check(schema, jsonOf(event));
  if ("value" in result) return result.value;
  const [first] = result.issues;
  const what = first === undefined ? "" : ` ${first.pointer || "/"}: ${first.message}`;
  throw new MessageError(INVALID_PAYLOAD, `The message is not valid.${what}`, result.issues);
}
