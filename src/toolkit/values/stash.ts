import { scopeOf } from "./scope-source.ts";
import type { ScopeSource } from "./scope-source.ts";
import { assertKeys, setOwn } from "./own-property.ts";

const KEY = "pagi.stash";

/**
 * What middleware and handlers of one request leave for each other, in `scope["pagi.stash"]`. Every `Stash` of a scope,
 * and of the copies that are made of it afterwards, is a view of the same data.
 */
export class Stash<T extends object = Record<string, unknown>> {
  readonly #data: Partial<T>;

  /** @throws TypeError for what has no scope. */
  constructor(source: ScopeSource) {
    const scope: Record<string, unknown> = scopeOf(source, "A stash");
    const present = scope[KEY];
    if (isData<T>(present)) {
      this.#data = present;
    } else {
      this.#data = {};
      scope[KEY] = this.#data;
    }
  }

  /** A stash over an object of one's own, for tests. @throws TypeError for what is not an object of keys. */
  static fromData<T extends object>(data: T): Stash<T> {
    assertKeys(data, "Stash.fromData()");
    const pagi = { version: "0.3", spec_version: "0.3" };
    return new Stash<T>({
      type: "lifespan",
      pagi: { ...pagi, is_worker: 0, role: "single" },
      state: {},
      [KEY]: data,
    });
  }

  /**
   * The value of a key, or `fallback` where the key is not there.
   *
   * @throws RangeError that names the keys that are there, when it is not and no fallback is given.
   */
  get<K extends keyof T & string>(key: K): T[K];
  get<K extends keyof T & string, D>(key: K, fallback: D): T[K] | D;
  get<K extends keyof T & string>(key: K, ...fallback: unknown[]): unknown {
    if (this.exists(key)) return this.#data[key];
    if (fallback.length > 0) return fallback[0];
    const keys = this.keys().sort();
    const known =
      keys.length <= 10 ? `Its keys are: ${keys.join(", ") || "none"}` : `It has ${keys.length} keys`;
    throw new RangeError(
      `The stash has no key '${key}'. ${known}. Give get() a fallback for a key that may be absent.`,
    );
  }

  /** Sets one key, or all keys of an object. */
  set<K extends keyof T & string>(key: K, value: T[K]): this;
  set(values: Partial<T>): this;
  set<K extends keyof T & string>(key: K | Partial<T>, value?: T[K]): this {
    if (typeof key === "object")
      for (const [name, each] of Object.entries(key)) setOwn(this.#data, name, each);
    else setOwn(this.#data, key, value);
    return this;
  }

  exists(key: string): boolean {
    return Object.hasOwn(this.#data, key);
  }

  delete(...keys: readonly (keyof T & string)[]): this {
    for (const key of keys) delete this.#data[key];
    return this;
  }

  keys(): string[] {
    return Object.keys(this.#data);
  }

  /** The keys that are there of those asked for, with their values. */
  slice<K extends keyof T & string>(...keys: readonly K[]): Partial<Pick<T, K>> {
    const found: Partial<Pick<T, K>> = {};
    for (const key of keys) if (this.exists(key)) setOwn(found, key, this.#data[key]);
    return found;
  }

  /** The object behind it. */
  get data(): Partial<T> {
    return this.#data;
  }
}

/** The type is what its user says that middleware has put there, as with any shared store. */
function isData<T extends object>(value: unknown): value is Partial<T> {
  return typeof value === "object" && value !== null;
}
