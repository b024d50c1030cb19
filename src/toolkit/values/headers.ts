import type { HeaderPair, Headers } from "../../spec/values.ts";

/** RFC 9110 section 7.6.1, and the list of RFC 2616 that old software still sends. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/**
 * Header fields as an ordered list in which names are looked up without regard to case. Names are kept in lower case,
 * as PAGI sends them; order and duplicates are kept. Values are byte strings that pass through untouched: it is the
 * server that refuses CR, LF and NUL. Source: PAGI Www, "Headers Format".
 */
export class PagiHeaders {
  #pairs: HeaderPair[] = [];

  /** Copies the pairs. @throws TypeError for a pair without a name or a value. */
  constructor(pairs?: Iterable<readonly [name: string, value: string | number]>) {
    if (pairs === undefined) return;
    for (const pair of pairs) {
      assertPair(pair);
      this.#pairs.push(pairOf(pair[0], pair[1]));
    }
  }

  /** A copy that shares nothing with this one. */
  clone(): PagiHeaders {
    const copy = new PagiHeaders();
    copy.#pairs = this.toPairs();
    return copy;
  }

  /** The value of a field, the last one where there are several. */
  get(name: string): string | undefined {
    const key = name.toLowerCase();
    for (let i = this.#pairs.length - 1; i >= 0; i--) {
      const pair = this.#pairs[i];
      if (pair !== undefined && pair[0] === key) return pair[1];
    }
    return undefined;
  }

  /** All values of a field, in order. */
  getAll(name: string): string[] {
    const key = name.toLowerCase();
    return this.#pairs.filter(([each]) => each === key).map(([, value]) => value);
  }

  /** All values of a field that is a list, joined by a comma; `undefined` without any. RFC 9110 section 5.3. */
  combined(name: string): string | undefined {
    const values = this.getAll(name);
    return values.length === 0 ? undefined : values.join(", ");
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** The names that occur, each once, in the order of their first occurrence. */
  names(): string[] {
    return [...new Set(this.#pairs.map(([name]) => name))];
  }

  /** How many pairs there are. */
  get count(): number {
    return this.#pairs.length;
  }

  isEmpty(): boolean {
    return this.#pairs.length === 0;
  }

  /** Replaces every field of the name by the values, at the end of the list; without values it removes them. */
  set(name: string, ...values: readonly (string | number)[]): this {
    const pairs = values.map((value) => pairOf(name, value));
    this.remove(name);
    for (const pair of pairs) this.#pairs.push(pair);
    return this;
  }

  /** Appends a field for each value. */
  add(name: string, ...values: readonly (string | number)[]): this {
    for (const value of values) this.#pairs.push(pairOf(name, value));
    return this;
  }

  /** Appends the field where none of its name is there. */
  setDefault(name: string, value: string | number): this {
    return this.has(name) ? this : this.add(name, value);
  }

  /** Removes the fields of a name, and returns their values. */
  remove(name: string): string[] {
    if (!this.has(name)) return [];
    const removed = this.getAll(name);
    const key = name.toLowerCase();
    this.#pairs = this.#pairs.filter(([each]) => each !== key);
    return removed;
  }

  clear(): this {
    this.#pairs = [];
    return this;
  }

  /** Removes the fields that describe a body, and returns them. */
  removeContentHeaders(): PagiHeaders {
    const removed = new PagiHeaders(this.#pairs.filter(([name]) => describesContent(name)));
    this.#pairs = this.#pairs.filter(([name]) => !describesContent(name));
    return removed;
  }

  /** Removes what concerns one connection only, and what `Connection` names: a proxy must not pass it on. */
  dehop(): this {
    const named = this.getAll("connection").flatMap((value) => value.split(","));
    const drop = new Set([...HOP_BY_HOP, ...named.map((name) => name.trim().toLowerCase())]);
    this.#pairs = this.#pairs.filter(([name]) => !drop.has(name));
    return this;
  }

  /** The list as events carry it, copied, without the names (in lower case) that `isLeftOut` names. */
  toPairs(isLeftOut?: (name: string) => boolean): Headers {
    const copy: Headers = [];
    for (const [name, value] of this.#pairs) {
      if (isLeftOut === undefined || !isLeftOut(name)) copy.push([name, value]);
    }
    return copy;
  }

  /** Names and values in turn. */
  flatten(): string[] {
    return this.#pairs.flat();
  }

  /** An object of name and last value, or with `"all"` of name and list of values. Values are never joined. */
  toObject(values?: "last"): Record<string, string>;
  toObject(values: "all"): Record<string, string[]>;
  toObject(values: "last" | "all" = "last"): Record<string, string | string[]> {
    // Made from entries, so that a field `__proto__` is a key like any other.
    return Object.fromEntries(
      this.names().map((name) => [name, values === "all" ? this.getAll(name) : (this.get(name) ?? "")]),
    );
  }

  /** For people to look at; what is sent is {@link toPairs}. */
  toString(): string {
    return this.#pairs.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  }

  *[Symbol.iterator](): Generator<HeaderPair> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }
}

/** The pairs of a header section, however they were given. @throws TypeError for a list of names and values in turn. */
export function headerPairs(
  headers:
    Iterable<readonly [name: string, value: string | number]> | Readonly<Record<string, string | number>>,
): (readonly [name: string, value: string | number])[] {
  const pairs = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  for (const pair of pairs) assertPair(pair);
  return pairs;
}

/** A string has a first and a second char, so that `["x-name", "value"]` would be two fields that nobody meant. */
function assertPair(pair: unknown): void {
  if (Array.isArray(pair) && pair.length === 2) return;
  const shown =
    typeof pair === "string" ? `'${pair}'` : Array.isArray(pair) ? `a list of ${pair.length}` : String(pair);
  throw new TypeError(`Header fields are pairs, [["x-name", "value"]], or an object; ${shown} is no pair.`);
}

function pairOf(name: string, value: string | number): HeaderPair {
  if (typeof name !== "string" || name === "")
    throw new TypeError("A header field needs a name that is a string.");
  if (typeof value !== "string" && typeof value !== "number")
    throw new TypeError(
      `The header field '${name}' needs a value that is a string or a number, not ${typeof value}.`,
    );
  return [name.toLowerCase(), String(value)];
}

/** Not so `Content-Security-Policy`, which protects the page of an error too. */
function describesContent(name: string): boolean {
  return name.startsWith("content-") && !name.startsWith("content-security-policy");
}
