import type { ByteString } from "./values.ts";

// What PAGI asks of header and trailer fields, whatever carries them. A wire has rules of its own besides.

/** True for a string whose every char stands for one byte. */
export function isByteString(text: string): text is ByteString {
  return !/[^\x00-\xff]/.test(text);
}

/** True for a token in lower case. Source: RFC 9110 section 5.6.2; PAGI Www, "Headers Format". */
export function isFieldName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name);
}

/** True for a byte string without CR, LF and NUL. Source: PAGI Www, "Header byte safety"; RFC 9110 section 5.5. */
export function isFieldValue(value: string): boolean {
  return !/[\0\r\n]|[^\x00-\xff]/.test(value);
}

/** What is wrong with a list of fields, naming the entry; `undefined` when nothing is. */
export function fieldListProblem(fields: readonly unknown[]): string | undefined {
  for (let i = 0; i < fields.length; i++) {
    const problem = fieldProblem(fields[i]);
    if (problem !== undefined) return `entry ${i} ${problem}`;
  }
  return undefined;
}

function fieldProblem(pair: unknown): string | undefined {
  if (!Array.isArray(pair) || pair.length !== 2) return "is not a pair";
  const [name, value]: unknown[] = pair;
  if (typeof name !== "string") return `has a name of type ${typeof name}`;
  const shown = JSON.stringify(name);
  if (!isFieldName(name)) {
    if (isFieldName(name.toLowerCase())) return `has the name ${shown}, which is not in lower case`;
    return `has the name ${shown}, which is not a token`;
  }
  if (typeof value !== "string") return `(${shown}) has a value of type ${typeof value}`;
  if (isFieldValue(value)) return undefined;
  return `(${shown}) has a value with ${isByteString(value) ? "CR, LF or NUL" : "a char above U+00FF"}`;
}
