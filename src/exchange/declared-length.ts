import { EventError } from "../errors.ts";

// An application's content-length holds in both directions, whatever carries the response. Lengths in bytes.

/** @throws EventError for a body that is longer than its content-length, before any of what is too much is sent. */
export function assertNotLonger(eventType: string, declared: number, length: number): void {
  if (length > declared)
    throw lengthError(eventType, `${length - declared} bytes longer`, declared, " allows");
}

/** The error for a body that has ended before its content-length. */
export function tooShort(eventType: string, declared: number, length: number): EventError {
  return lengthError(eventType, `${declared - length} bytes shorter`, declared, "");
}

function lengthError(eventType: string, difference: string, declared: number, end: string): EventError {
  return new EventError(eventType, "body", `is ${difference} than the content-length of ${declared}${end}`);
}
