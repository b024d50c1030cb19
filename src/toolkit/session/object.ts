import { SessionError } from "../../errors.ts";
import { scopeOf } from "../values/scope-source.ts";
import type { ScopeSource } from "../values/scope-source.ts";
import { assertJson } from "./json.ts";
import { LiveSession } from "./life.ts";
import { assertKeys, setOwn } from "../values/own-property.ts";

/** Where the middleware puts the session. */
export const SESSION_KEY = "pagi.session";

/** What a session can be taken from: a scope, or what has one. */
export type SessionSource = ScopeSource;

/** What is kept under a key: `undefined`, which an optional key might have, never is. */
type Kept<V> = Exclude<V, undefined>;

/**
 * What a server knows of one visitor from request to request. The middleware `sessions()` loads it before the
 * application is called, which is why everything here is synchronous, and saves it with the head of the response.
 *
 * Its data is JSON: strings, numbers, booleans, null, arrays and plain objects. A type parameter says which keys there
 * may be; it is a promise of the program, and is not checked.
 */
export class Session<T extends object = Record<string, unknown>> {
  readonly #live: LiveSession;

  /** Made by `sessions()`; programs use {@link Session.of}, tests {@link Session.fromData}. */
  constructor(live: LiveSession) {
    this.#live = live;
  }

  /**
   * The session of a scope, or of a request or context that has one.
   *
   * @throws SessionError when no middleware has put one there; TypeError for what has no scope.
   */
  static of<T extends object = Record<string, unknown>>(source: SessionSource): Session<T> {
    const scope = scopeOf(source, "Session.of()");
    const session = scope[SESSION_KEY];
    if (isSession<T>(session)) return session;
    throw new SessionError(
      scope.type === "lifespan"
        ? "A lifespan scope has no session: sessions belong to http, sse and websocket scopes."
        : "This scope has no session. Put the middleware around the application, sessions()(app), into use() of a Simple, " +
            "or into the list before a route or mount that needs it.",
    );
  }

  /** True when {@link Session.of} would find one. @throws TypeError for what has no scope. */
  static has(source: SessionSource): boolean {
    return isSession(scopeOf(source, "Session.has()")[SESSION_KEY]);
  }

  /**
   * A session over data of one's own, for tests of handlers. Nothing of it is kept.
   *
   * @throws TypeError for what is not an object of keys; SessionError for a value that is not JSON, as {@link set}.
   */
  static fromData<T extends object>(data: T): Session<T> {
    assertKeys(data, "Session.fromData()");
    for (const [name, each] of Object.entries(data)) assertJson(each, `The session's '${name}'`);
    return new Session<T>(new LiveSession(undefined, Object.fromEntries(Object.entries(data))));
  }

  /**
   * The id of the session, which whoever knows it can use. After {@link regenerate} the new one.
   *
   * A new session in which nothing is put is not kept, and so neither is its id.
   *
   * @throws SessionError on a `websocket` or `sse` scope for which there is no session.
   */
  get id(): string {
    return this.#live.id;
  }

  /** True when the client came without a session that is still good. */
  isNew(): boolean {
    return this.#live.isNew;
  }

  /** True when changes would be lost, and so throw: on `websocket` and `sse` scopes, and after the response's head. */
  isReadOnly(): boolean {
    return this.#live.isSealed;
  }

  /**
   * The value of a key, or `fallback` where the key is not there.
   *
   * @throws RangeError that names the keys that are there, when it is not and no fallback is given.
   */
  get<K extends keyof T & string>(key: K): Kept<T[K]>;
  get<K extends keyof T & string, D>(key: K, fallback: D): Kept<T[K]> | D;
  get<K extends keyof T & string>(key: K, ...fallback: unknown[]): unknown {
    const data = this.data;
    if (Object.hasOwn(data, key)) return data[key];
    if (fallback.length > 0) return fallback[0];
    const keys = this.keys().sort();
    const known =
      keys.length <= 10 ? `Its keys are: ${keys.join(", ") || "none"}` : `It has ${keys.length} keys`;
    throw new RangeError(
      `The session has no key '${key}'. ${known}. Give get() a fallback for a key that may be absent.`,
    );
  }

  /**
   * Sets one key, or all keys of an object.
   *
   * @throws SessionError for a value that is not JSON, and when the session cannot be changed any more.
   */
  set<K extends keyof T & string>(key: K, value: Kept<T[K]>): this;
  set(values: Partial<T>): this;
  set<K extends keyof T & string>(key: K | Partial<T>, value?: T[K]): this {
    this.#live.assertChangeable();
    const entries: [string, unknown][] = typeof key === "object" ? Object.entries(key) : [[key, value]];
    for (const [name, each] of entries) assertJson(each, `The session's '${name}'`);
    for (const [name, each] of entries) {
      setOwn(this.data, name, each);
    }
    return this;
  }

  /** True when the key is there. */
  has(key: string): boolean {
    return Object.hasOwn(this.data, key);
  }

  /** The same as {@link has}. */
  exists(key: string): boolean {
    return this.has(key);
  }

  /** The keys that are there, in the order in which they were set. */
  keys(): string[] {
    return Object.keys(this.data);
  }

  /** The keys that are there of those asked for, with their values. */
  slice<K extends keyof T & string>(...keys: readonly K[]): Partial<Pick<T, K>> {
    const data = this.data;
    const found: Partial<Pick<T, K>> = {};
    for (const key of keys) if (Object.hasOwn(data, key)) setOwn(found, key, data[key]);
    return found;
  }

  /** Removes keys; those that are not there are passed over. @throws SessionError when it cannot be changed. */
  delete(...keys: readonly (keyof T & string)[]): this {
    this.#live.assertChangeable();
    const data = this.data;
    for (const key of keys) delete data[key];
    return this;
  }

  /**
   * The value of a key, which is then gone: for messages that are shown once, such as "Saved" after a redirect.
   *
   * @throws RangeError as {@link get}; SessionError when the session cannot be changed.
   */
  take<K extends keyof T & string>(key: K): Kept<T[K]>;
  take<K extends keyof T & string, D>(key: K, fallback: D): Kept<T[K]> | D;
  take<K extends keyof T & string>(key: K, ...fallback: unknown[]): unknown {
    this.#live.assertChangeable();
    if (fallback.length > 0 && !this.has(key)) return fallback[0];
    const value = this.get(key);
    this.delete(key);
    return value;
  }

  /** Removes all keys and keeps the session. @throws SessionError when it cannot be changed. */
  clear(): this {
    this.#live.assertChangeable();
    const data = this.data;
    for (const key of Object.keys(data)) Reflect.deleteProperty(data, key);
    return this;
  }

  /**
   * Gives the session a new id and makes the old one worthless. **Call it whenever a user logs in** or gets more
   * rights: an id that somebody else has planted or seen before is then no good to them (session fixation).
   *
   * @throws SessionError when the session cannot be changed.
   */
  regenerate(): this {
    this.#live.regenerate();
    return this;
  }

  /**
   * Ends the session: the store forgets it and the client is told to. For logging out.
   *
   * @throws SessionError when the session cannot be changed.
   */
  destroy(): void {
    this.#live.destroy();
  }

  /** The object behind it. What is changed in there is kept too, but only `set` looks whether it is JSON. */
  get data(): Partial<T> {
    const data: unknown = this.#live.data;
    if (isDataOf<T>(data)) return data;
    throw new SessionError("The session's data is no object.");
  }
}

/** The types of the data are what the program says that it has put there, as with any store. */
function isSession<T extends object>(value: unknown): value is Session<T> {
  return value instanceof Session;
}

function isDataOf<T extends object>(value: unknown): value is Partial<T> {
  return typeof value === "object" && value !== null;
}
