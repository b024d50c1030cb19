import { SessionError } from "../../errors.ts";
import type { LoadedSession } from "./store.ts";
import { newId } from "./store.ts";

export type Data = Record<string, unknown>;

/**
 * One session while a request has it: what the store had of it, and what has become of that. `Session` is what
 * applications see; the middleware reads here what there is to do.
 */
export class LiveSession {
  /** As it was loaded; `undefined` for a new one. */
  readonly loaded: LoadedSession | undefined;
  #data: Data | undefined;
  #newId: string | undefined;
  #isAccessed = false;
  #isDestroyed = false;
  #sealed: string | undefined;

  constructor(loaded: LoadedSession | undefined, data?: Data) {
    this.loaded = loaded;
    this.#data = data;
  }

  /** Parsed when it is first asked for, since most requests never ask. */
  get data(): Data {
    this.#isAccessed = true;
    this.#data ??= this.loaded === undefined ? {} : parse(this.loaded.json);
    return this.#data;
  }

  /** True once anybody has looked at the session: the answer may depend on it. */
  get isAccessed(): boolean {
    return this.#isAccessed;
  }

  get id(): string {
    this.#isAccessed = true;
    if (this.#newId !== undefined) return this.#newId;
    if (this.loaded !== undefined) return this.loaded.id;
    if (this.#sealed !== undefined)
      throw new SessionError(`There is no session, and so no id. ${this.#sealed} Ask isNew() first.`);
    return (this.#newId = newId());
  }

  get isNew(): boolean {
    this.#isAccessed = true;
    return this.loaded === undefined;
  }

  /** True when the session is to be kept with another id. */
  get isRegenerated(): boolean {
    return this.loaded !== undefined && this.#newId !== undefined;
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  get isSealed(): boolean {
    return this.#sealed !== undefined;
  }

  /** The data as it would be stored now. */
  get json(): string {
    if (this.#data === undefined) return this.loaded?.json ?? "{}";
    return JSON.stringify(this.#data);
  }

  regenerate(): void {
    this.assertChangeable();
    this.#newId = newId();
  }

  destroy(): void {
    this.assertChangeable();
    this.#data = {};
    this.#isDestroyed = true;
  }

  /** From now on nothing can be changed; `why` is told to whoever tries. */
  seal(why: string): void {
    this.#sealed = why;
  }

  /** @throws SessionError when a change would be lost. */
  assertChangeable(): void {
    this.#isAccessed = true;
    if (this.#sealed !== undefined) throw new SessionError(`The session cannot be changed. ${this.#sealed}`);
    if (this.#isDestroyed)
      throw new SessionError(
        "The session was destroyed. To go on with an empty one, call clear() and regenerate() instead of destroy().",
      );
  }
}

function parse(json: string): Data {
  const data: unknown = JSON.parse(json);
  if (isData(data)) return data;
  throw new SessionError("The store has returned a session whose JSON is no object.");
}

function isData(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
