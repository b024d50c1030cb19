/**
 * Names with one or more values each, in the order in which they came: query and form parameters, uploads. Where one
 * value is asked for and there are several, it is the last, as in the Perl toolkit's `Hash::MultiValue`.
 */
export class MultiValue<T> {
  readonly #entries: readonly (readonly [name: string, value: T])[];

  constructor(entries: Iterable<readonly [name: string, value: T]> = []) {
    this.#entries = [...entries];
  }

  /** The value of a name, the last one where there are several. */
  get(name: string): T | undefined {
    return this.#entries.findLast(([each]) => each === name)?.[1];
  }

  /** All values of a name, in order. */
  getAll(name: string): T[] {
    return this.#entries.filter(([each]) => each === name).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.#entries.some(([each]) => each === name);
  }

  /** The names, each once, in the order of their first occurrence. */
  keys(): string[] {
    return [...new Set(this.#entries.map(([name]) => name))];
  }

  values(): T[] {
    return this.#entries.map(([, value]) => value);
  }

  /** How many pairs there are. */
  get size(): number {
    return this.#entries.length;
  }

  /**
   * An object of name and last value (`"last"`, the default), of name and list (`"all"`), or of name and value where
   * it has one and list where it has several (`"mixed"`, what a schema is given).
   */
  toObject(values?: "last"): Record<string, T>;
  toObject(values: "all"): Record<string, T[]>;
  toObject(values: "mixed"): Record<string, T | T[]>;
  toObject(values: "last" | "all" | "mixed" = "last"): Record<string, T | T[]> {
    const lists = new Map<string, [T, ...T[]]>();
    for (const [name, value] of this.#entries) {
      const list = lists.get(name);
      if (list === undefined) lists.set(name, [value]);
      else list.push(value);
    }
    // Made from entries, so that a parameter `__proto__` is a key like any other.
    return Object.fromEntries(
      [...lists].map(([name, list]) => {
        if (values === "all" || (values === "mixed" && list.length > 1)) return [name, list];
        return [name, list.at(-1) ?? list[0]];
      }),
    );
  }

  *[Symbol.iterator](): Generator<[name: string, value: T]> {
    for (const [name, value] of this.#entries) yield [name, value];
  }
}
