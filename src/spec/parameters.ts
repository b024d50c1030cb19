import { isToken } from "./token.ts";

/**
 * Parameters and quoted strings of `Content-Type`, `Accept`, `Content-Disposition` and `Forwarded`. All code that reads
 * one of these fields uses this parser, so that no two parts of the program see different values.
 * Source: RFC 9110 sections 5.6.4 and 5.6.6, RFC 7239 section 4.
 */

/** The part after a semicolon: the name in lower case, the value without quotes and escapes. */
export type Parameter = readonly [name: string, value: string];

/** Parameters in order. A name may be there twice; {@link parameterOf} takes the first, as browsers do. */
export interface Parameters {
  readonly list: readonly Parameter[];
  /** False where the text violates the grammar; parameters that can still be recognized are listed anyway. */
  readonly isWellFormed: boolean;
}

/**
 * Which chars a backslash in a quoted string escapes: in `http` any (RFC 9110 section 5.6.4), in a `form` only a quote and a
 * backslash, since browsers send file names such as `C:\a.txt` without escapes (RFC 7578 section 4.2).
 */
export type Quoting = "http" | "form";

/** A media type or range, or a disposition, and its parameters. */
export interface Parameterized {
  /** In lower case. */
  readonly type: string;
  readonly parameters: Parameters;
}

interface QuotedString {
  readonly value: string;
  /** Behind the closing quote. */
  readonly end: number;
}

/** Reads `type; name=value; name="value"`. The type is not checked. */
export function parseParameterized(field: string, quoting?: Quoting): Parameterized {
  const semicolon = field.indexOf(";");
  const type = semicolon === -1 ? field : field.slice(0, semicolon);
  return {
    type: trim(type).toLowerCase(),
    parameters: semicolon === -1 ? NONE : parseParameters(field.slice(semicolon), quoting),
  };
}

/**
 * Reads parameters separated by semicolons; empty ones are allowed (RFC 9110 section 5.6.6). Like browsers, it accepts
 * blanks around `=` and invalid chars in an unquoted value, and skips everything else that is malformed.
 */
export function parseParameters(text: string, quoting: Quoting = "http"): Parameters {
  const list: Parameter[] = [];
  let isWellFormed = true;
  let at = 0;
  while (at < text.length) {
    const nameEnd = nextOf(text, at, ";=");
    const name = trim(text.slice(at, nameEnd));
    if (text[nameEnd] !== "=") {
      if (name !== "") isWellFormed = false;
      at = nameEnd + 1;
      continue;
    }
    const valueStart = skipBlanks(text, nameEnd + 1);
    const isQuoted = text[valueStart] === '"';
    const quoted = isQuoted ? quotedAt(text, valueStart, quoting) : undefined;
    // An unclosed string extends to the end of the text, as in browsers.
    if (isQuoted && quoted === undefined) return { list, isWellFormed: false };
    const end = nextOf(text, quoted?.end ?? valueStart, ";");
    const rest = trim(text.slice(quoted?.end ?? valueStart, end));
    const value = quoted?.value ?? rest;
    const isBlankFree = valueStart === nameEnd + 1 && !isBlank(text[nameEnd - 1]);
    if (!isBlankFree || (quoted === undefined ? !isToken(rest) : rest !== "")) isWellFormed = false;
    if (isToken(name) && (isQuoted || rest !== "")) list.push([name.toLowerCase(), value]);
    else isWellFormed = false;
    at = end + 1;
  }
  return { list, isWellFormed };
}

/** The value of a parameter by its name in lower case, of several the first. */
export function parameterOf({ list }: Parameters, name: string): string | undefined {
  return list.find(([each]) => each === name)?.[1];
}

/** The members of a list, trimmed, without empty ones; a comma within a quoted string separates nothing. RFC 9110 section 5.6.1. */
export function splitList(text: string): string[] {
  const members: string[] = [];
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const char = text[at];
    if (char === '"') at = (quotedAt(text, at, "http")?.end ?? text.length) - 1;
    else if (char === "," || char === undefined) {
      const member = trim(text.slice(start, at));
      if (member !== "") members.push(member);
      start = at + 1;
    }
  }
  return members;
}

/** Writes a value for use after `=`: a token as it is, anything else in quotes. */
export function writeValue(value: string): string {
  return isToken(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}

const NONE: Parameters = { list: [], isWellFormed: true };

/** The quoted string whose opening quote stands at `start`; undefined when it is not closed. */
function quotedAt(text: string, start: number, quoting: Quoting): QuotedString | undefined {
  const escaped = readQuoted(text, start, quoting === "http" ? /[^]/ : /["\\]/);
  if (quoting === "http" || (escaped !== undefined && endsParameter(text, escaped.end))) return escaped;
  // A browser does not escape: here the name itself ends with a backslash.
  const plain = readQuoted(text, start, undefined);
  return plain !== undefined && endsParameter(text, plain.end) ? plain : escaped;
}

function readQuoted(text: string, start: number, escapable: RegExp | undefined): QuotedString | undefined {
  let value = "";
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === '"') return { value, end: at + 1 };
    const next = text[at + 1];
    if (char === "\\" && next !== undefined && escapable?.test(next) === true) {
      value += next;
      at += 1;
    } else value += char;
  }
  return undefined;
}

function endsParameter(text: string, at: number): boolean {
  const next = text[skipBlanks(text, at)];
  return next === undefined || next === ";";
}

/** Where the next of these chars stands, or the end of the text. */
function nextOf(text: string, from: number, chars: string): number {
  let at = from;
  while (at < text.length && !chars.includes(text[at] ?? "")) at += 1;
  return at;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text[at])) at += 1;
  return at;
}

function isBlank(char: string | undefined): boolean {
  return char === " " || char === "\t";
}

/** Without the blanks around it; not by a pattern, which would take a long run of blanks quadratic time. */
function trim(text: string): string {
  const start = skipBlanks(text, 0);
  let end = text.length;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}
