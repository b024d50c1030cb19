import { messageOf, RouteError } from "../../errors.ts";
import { constraintOf, type Constraint } from "./constraint.ts";
import { withoutHost } from "../../spec/request-path.ts";

/** A parameter of a pattern, and what its value must match as a whole. */
export interface PatternParameter {
  readonly name: string;
  readonly constraints: readonly Constraint[];
}

/** A segment without parameters; its text is percent-decoded. */
export interface LiteralSegment {
  readonly kind: "literal";
  readonly text: string;
}

/** A segment with parameters between literals: one literal more than there are parameters, any of them empty. */
export interface ParameterSegment {
  readonly kind: "parameters";
  readonly literals: readonly string[];
  readonly parameters: readonly PatternParameter[];
}

/** A wildcard: everything from here on, slashes included, behind a literal that may be empty. */
export interface WildcardSegment {
  readonly kind: "wildcard";
  readonly prefix: string;
  readonly parameter: PatternParameter;
}

export type PatternSegment = LiteralSegment | ParameterSegment | WildcardSegment;

/** A path pattern, read. `segments` are what stands between the slashes; the pattern "" has none, "/" has an empty one. */
export interface RoutePattern {
  readonly text: string;
  readonly segments: readonly PatternSegment[];
  /** In the order of the pattern. */
  readonly names: readonly string[];
}

/** A parameter's value for {@link pathOf}. */
export type PathValue = string | number | bigint | boolean;

type Token = string | PatternParameter | { readonly wildcard: PatternParameter };

const WORD = /\w+/y;

/**
 * Reads a pattern: `/users/:id`, `/users/{id}`, `/users/{id:\d+}`, `/files/*path`, and mixtures as `/:name.:ext`. What
 * stands behind the colon in braces is the source of a regular expression, with the flag `u`.
 *
 * @throws RouteError for a pattern that cannot be matched in one way only, or that is written wrongly.
 */
export function parsePattern(text: string): RoutePattern {
  if (text !== "" && !text.startsWith("/")) throw wrong(text, "has to begin with a slash");
  const segments: PatternSegment[] = [];
  let tokens: Token[] = [];
  let at = Math.min(1, text.length);
  while (at < text.length) {
    if (text[at] === "/") {
      segments.push(segmentOf(text, tokens));
      tokens = [];
      at += 1;
    } else {
      const [token, end] = readToken(text, at);
      tokens.push(token);
      at = end;
    }
  }
  if (text !== "") segments.push(segmentOf(text, tokens));
  const names = segments.flatMap((segment) => parametersOf(segment).map(({ name }) => name));
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) throw wrong(text, `has two parameters '${name}'`);
    if (name === "__proto__") throw wrong(text, "has a parameter with a name that no object can have");
  }
  const wildcard = segments.findIndex(({ kind }) => kind === "wildcard");
  if (wildcard !== -1 && wildcard !== segments.length - 1) {
    throw wrong(text, "goes on behind its wildcard, which takes the rest of the path");
  }
  return { text, segments, names };
}

/**
 * The pattern with more constraints on its parameters.
 *
 * @throws RouteError for a parameter that the pattern does not have, or a constraint that is no RegExp.
 */
export function constrained(
  pattern: RoutePattern,
  constraints: Readonly<Record<string, RegExp>>,
): RoutePattern {
  for (const [name, constraint] of Object.entries(constraints)) {
    if (!pattern.names.includes(name)) throw wrong(pattern.text, `has no parameter '${name}' to constrain`);
    if (!(constraint instanceof RegExp)) {
      throw new RouteError(`The constraint on '${name}' has to be a RegExp; this is a ${typeof constraint}.`);
    }
  }
  const more = (parameter: PatternParameter): PatternParameter => {
    const constraint = Object.hasOwn(constraints, parameter.name) ? constraints[parameter.name] : undefined;
    if (constraint === undefined) return parameter;
    return {
      ...parameter,
      constraints: [...parameter.constraints, constraintOf(parameter.name, constraint)],
    };
  };
  const segments = pattern.segments.map((segment): PatternSegment => {
    switch (segment.kind) {
      case "literal":
        return segment;
      case "parameters":
        return { ...segment, parameters: segment.parameters.map(more) };
      case "wildcard":
        return { ...segment, parameter: more(segment.parameter) };
    }
  });
  return { ...pattern, segments };
}

/** The parameters of a segment, in order. */
export function parametersOf(segment: PatternSegment): readonly PatternParameter[] {
  if (segment.kind === "literal") return [];
  return segment.kind === "parameters" ? segment.parameters : [segment.parameter];
}

/**
 * Puts the parameters' values of one segment of a path into `values`; each takes as much as it can, the first first.
 * Takes time that is linear in the segment's length.
 *
 * @param text percent-decoded.
 * @param longest a longer value, in UTF-16 units, meets no constraint.
 * @returns false when the segment does not match; `values` may have grown all the same.
 */
export function matchSegment(
  { literals, parameters }: ParameterSegment,
  text: string,
  longest: number,
  values: string[],
): boolean {
  const first = literals[0] ?? "";
  const last = literals[parameters.length] ?? "";
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const [only] = parameters;
  if (only !== undefined && parameters.length === 1) {
    const value = text.slice(first.length, Math.max(text.length - last.length, first.length));
    values.push(value);
    return accepts(only, value, longest);
  }
  const mark = values.length;
  values.length = mark + parameters.length;
  let end = text.length - last.length;
  // From the right, since the first parameter takes most: the last places of all literals are found that way.
  for (let index = parameters.length - 1; index > 0; index--) {
    const literal = literals[index] ?? "";
    const latest = end - 1 - literal.length;
    const place = latest > first.length ? text.lastIndexOf(literal, latest) : -1;
    if (place <= first.length) return false;
    values[mark + index] = text.slice(place + literal.length, end);
    end = place;
  }
  values[mark] = text.slice(first.length, Math.max(end, first.length));
  return parameters.every((parameter, index) => accepts(parameter, values[mark + index] ?? "", longest));
}

/** True when a value is one that the parameter takes: not empty, and meeting its constraints. */
export function accepts(parameter: PatternParameter, value: string, longest: number): boolean {
  if (value === "") return false;
  if (parameter.constraints.length === 0) return true;
  return value.length <= longest && parameter.constraints.every((constraint) => constraint.test(value));
}

/**
 * The path that the pattern matches with these values, percent-encoded. A slash in a value is encoded, but for the
 * value of a wildcard. It never begins with two slashes, so it cannot lead to another host.
 *
 * @throws RouteError when a value is missing, empty or does not meet its constraint, or makes a segment `.` or `..`,
 *   which clients would take for a step in the hierarchy.
 */
export function pathOf(
  pattern: RoutePattern,
  values: Readonly<Record<string, PathValue | undefined>>,
): string {
  const valueOf = (parameter: PatternParameter): string => {
    const given = Object.hasOwn(values, parameter.name) ? values[parameter.name] : undefined;
    if (given === undefined || given === null) {
      throw new RouteError(`'${pattern.text}' needs a value for the parameter '${parameter.name}'.`);
    }
    const value = String(given);
    if (!accepts(parameter, value, Infinity)) {
      const shown = JSON.stringify(value.slice(0, 100));
      throw new RouteError(`'${pattern.text}' does not take ${shown} as '${parameter.name}'.`);
    }
    return value;
  };
  const path = pattern.segments.map((segment) => `/${segmentText(pattern, segment, valueOf)}`).join("");
  if (!path.startsWith("//")) return path;
  // A wildcard's value that begins with a slash would name a host (RFC 3986 section 4.2); encoded it is the same value.
  return pattern.segments[0]?.kind === "wildcard" ? `/%2F${path.slice(2)}` : withoutHost(path);
}

function segmentText(
  pattern: RoutePattern,
  segment: PatternSegment,
  valueOf: (parameter: PatternParameter) => string,
): string {
  switch (segment.kind) {
    case "literal":
      return encodeLiteral(segment.text);
    case "parameters": {
      const [first = "", ...others] = segment.literals;
      const values = segment.parameters.map(valueOf);
      assertNoStep(pattern, first + values.map((value, index) => value + (others[index] ?? "")).join(""));
      return (
        encodeLiteral(first) +
        values.map((value, index) => encodeValue(value) + encodeLiteral(others[index] ?? "")).join("")
      );
    }
    case "wildcard": {
      const value = valueOf(segment.parameter);
      for (const part of (segment.prefix + value).split("/")) assertNoStep(pattern, part);
      return encodeLiteral(segment.prefix) + value.split("/").map(encodeValue).join("/");
    }
  }
}

function assertNoStep(pattern: RoutePattern, segment: string): void {
  if (segment !== "." && segment !== "..") return;
  throw new RouteError(`'${pattern.text}' cannot be addressed with the segment '${segment}'.`);
}

/** Percent-encodes all but the unreserved characters (RFC 3986 section 2.3), so that it fits path and query. */
export function encodeValue(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** What the developer has written stays readable where RFC 3986 section 3.3 lets it stand. */
function encodeLiteral(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/%(?:3A|40|24|26|2B|2C|3B|3D)/g, decodeURIComponent);
}

function readToken(text: string, at: number): [token: Token, end: number] {
  const char = text[at];
  const word = wordAt(text, at + 1);
  if (char === "{") return readBraces(text, at, word);
  if (char === "*") {
    if (word === "") throw wrong(text, "has a wildcard without a name; write it as *rest");
    return [{ wildcard: { name: word, constraints: [] } }, at + 1 + word.length];
  }
  if (char === ":" && word !== "") return [{ name: word, constraints: [] }, at + 1 + word.length];
  let end = at + 1;
  while (end < text.length && !"/{*:".includes(text[end] ?? "")) end += 1;
  return [text.slice(at, end), end];
}

function readBraces(text: string, at: number, name: string): [token: Token, end: number] {
  const close = closingBrace(text, at);
  if (close === -1) throw wrong(text, "has a brace that is not closed");
  const inner = text.slice(at + 1 + name.length, close);
  if (name === "" || (inner !== "" && !inner.startsWith(":"))) {
    throw wrong(text, "has braces that are neither {name} nor {name:pattern}");
  }
  if (inner === "") return [{ name, constraints: [] }, close + 1];
  if (inner === ":") throw wrong(text, `has nothing behind the colon of '${name}'`);
  let expression: RegExp;
  try {
    expression = new RegExp(inner.slice(1), "u");
  } catch (error) {
    throw wrong(text, `has a constraint on '${name}' that is no regular expression: ${messageOf(error)}`);
  }
  return [{ name, constraints: [constraintOf(name, expression)] }, close + 1];
}

/** Braces of the regular expression itself, such as `\d{4}`, come in pairs; a single one is escaped there. */
function closingBrace(text: string, at: number): number {
  let depth = 0;
  for (let index = at; index < text.length; index++) {
    const char = text[index];
    if (char === "\\") index += 1;
    else if (char === "{") depth += 1;
    else if (char === "}" && --depth === 0) return index;
  }
  return -1;
}

function wordAt(text: string, at: number): string {
  WORD.lastIndex = at;
  return WORD.exec(text)?.[0] ?? "";
}

function segmentOf(text: string, tokens: readonly Token[]): PatternSegment {
  const literals = [""];
  const parameters: PatternParameter[] = [];
  let previous: Token | undefined;
  for (const [index, token] of tokens.entries()) {
    if (typeof token === "string") {
      literals[literals.length - 1] += token;
    } else if ("wildcard" in token) {
      if (parameters.length > 0) throw wrong(text, "has a parameter and a wildcard in one segment");
      if (index < tokens.length - 1) throw wrong(text, "goes on behind its wildcard, which takes the rest");
      return { kind: "wildcard", prefix: literals[0] ?? "", parameter: token.wildcard };
    } else {
      if (previous !== undefined && typeof previous !== "string") {
        throw wrong(text, "has two parameters with nothing between them");
      }
      parameters.push(token);
      literals.push("");
    }
    previous = token;
  }
  if (parameters.length === 0) return { kind: "literal", text: literals[0] ?? "" };
  return { kind: "parameters", literals, parameters };
}

function wrong(text: string, problem: string): RouteError {
  return new RouteError(`The path pattern '${text}' ${problem}.`);
}
