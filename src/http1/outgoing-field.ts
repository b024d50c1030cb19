import { maybeFieldName } from "./field-names.ts";
import { isFieldValue } from "./grammar.ts";
import { EventError } from "../errors.ts";

/**
 * The name of a field that an application sends, in lower case.
 *
 * @throws EventError for a name that is no token (RFC 9110 section 5.1).
 */
export function outgoingName(eventType: string, name: unknown): string {
  const lower = typeof name === "string" ? maybeFieldName(name) : undefined;
  if (lower !== undefined) return lower;
  throw new EventError(
    eventType,
    "headers",
    `has the name ${JSON.stringify(name)}: a name is one or more letters, digits and !#$%&'*+-.^_\`|~ (RFC 9110 section 5.1)`,
  );
}

/**
 * Checks the value of a field that an application sends.
 *
 * @param name in lower case.
 * @throws EventError for anything but bytes without control characters other than HTAB (RFC 9110 section 5.5).
 */
export function checkOutgoingValue(eventType: string, name: string, value: unknown): void {
  if (typeof value !== "string") {
    throw new EventError(eventType, "headers", `has a value of '${name}' that is no string: make it one`);
  }
  if (!isFieldValue(value)) {
    throw new EventError(
      eventType,
      "headers",
      `has a value of '${name}' with a control character (CR, LF, NUL, ...) or a char over U+00FF: remove or encode it`,
    );
  }
}
