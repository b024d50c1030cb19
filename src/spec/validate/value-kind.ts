import { fieldListProblem, isByteString } from "../header-rules.ts";
import { isToken } from "../token.ts";

/** A kind of value: the rule in words and its check, side by side. */
export interface ValueKind {
  /** What a value must be, as the rest of a sentence that begins with the field's name: "must be ...". */
  readonly text: string;
  /** What is wrong with a value, such as `found the number 3`; `undefined` when nothing is. */
  readonly check: (value: unknown) => string | undefined;
}

/** A field of an event or a scope. */
export interface FieldRule extends ValueKind {
  readonly required: boolean;
  /** Page and section of the specification, or of an RFC. */
  readonly source: string;
}

/** A field that must be there. */
export function required(kind: ValueKind, source: string): FieldRule {
  return { required: true, text: kind.text, check: kind.check, source };
}

/** A field that may be absent, `undefined` or `null`. */
export function optional(kind: ValueKind, source: string): FieldRule {
  return { required: false, text: kind.text, check: kind.check, source };
}

/** A kind that a predicate decides. */
export function kind(text: string, accepts: (value: unknown) => boolean): ValueKind {
  return { text, check: (value) => (accepts(value) ? undefined : `found ${described(value)}`) };
}

/** What a value is, in words for an error message. */
export function described(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `the string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
    case "number":
    case "bigint":
    case "boolean":
      return `the ${typeof value} ${value}`;
    case "object":
      if (value === null) return "null";
      if (value instanceof Uint8Array) return `a Uint8Array of ${value.byteLength} bytes`;
      if (Array.isArray(value)) return `an array of ${value.length}`;
      return `an object of class ${value.constructor?.name ?? "null"}`;
    case "undefined":
      return "undefined";
    default:
      return `a ${typeof value}`;
  }
}

/** Narrows to an object whose keys can be read. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

export function isIntegerFrom(least: number, most: number): (value: unknown) => boolean {
  return (value) =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most;
}

export const STRING = kind("must be a string", (value) => typeof value === "string");

export const FLAG = kind(
  "must be a flag: true, false, 1 or 0",
  (value) => typeof value === "boolean" || value === 0 || value === 1,
);

export const BYTES = kind("must be a Uint8Array", (value) => value instanceof Uint8Array);

export const BODY = kind(
  "must be a Uint8Array, or a string that is sent as UTF-8",
  (value) => typeof value === "string" || value instanceof Uint8Array,
);

export const BYTE_STRING = kind(
  "must be a string whose every char is a byte, up to U+00FF",
  (value) => typeof value === "string" && isByteString(value),
);

export const TOKEN = kind(
  "must be a token: letters, digits and !#$%&'*+-.^_`|~",
  (value) => typeof value === "string" && isToken(value),
);

export const HEADERS: ValueKind = {
  text:
    "must be a list of [name, value] pairs of strings, " +
    "each name a token in lower case, each value without CR, LF, NUL and chars above U+00FF",
  check: (value) => (Array.isArray(value) ? fieldListProblem(value) : `found ${described(value)}`),
};

export const COUNT = kind(
  "must be an integer, 0 or more, and safe (at most 2**53 - 1)",
  isIntegerFrom(0, Number.MAX_SAFE_INTEGER),
);

export const SECONDS = kind(
  "must be a number of seconds, 0 or more, and finite",
  (value) => typeof value === "number" && Number.isFinite(value) && value >= 0,
);
