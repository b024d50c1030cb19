import { checkOptions, FUNCTION, whole, type OptionRules } from "../../spec/option-rules.ts";
import type { Clock, StoredSession, Store } from "./store.ts";

const SWEEP_INTERVAL = 60_000;

/** What a {@link MemoryStore} is told. */
export interface MemoryStoreOptions {
  /** How many sessions are kept; beyond that the one that was not used for the longest time goes. Default 10000. */
  maxSessions?: number | undefined;
  /** Default `Date.now`. */
  now?: Clock | undefined;
}

const MEMORY_STORE_RULES: OptionRules<MemoryStoreOptions> = { maxSessions: whole(1), now: FUNCTION };

/**
 * Keeps sessions in this process: gone with it, and unknown to other workers. For development, tests, and servers
 * without workers.
 */
export class MemoryStore implements Store {
  /** In the order of their last use. */
  readonly #sessions = new Map<string, StoredSession>();
  readonly #maxSessions: number;
  readonly #now: Clock;
  #sweptAt: number;

  /** @throws OptionError for an option that it does not know, and for a value that is none. */
  constructor(options: MemoryStoreOptions = {}) {
    checkOptions("new MemoryStore", MEMORY_STORE_RULES, options);
    const { maxSessions = 10_000, now = Date.now } = options;
    this.#maxSessions = maxSessions;
    this.#now = now;
    this.#sweptAt = now();
  }

  /** How many sessions there are, with those that have expired and were not swept yet. */
  get size(): number {
    return this.#sessions.size;
  }

  load(id: string): Promise<StoredSession | undefined> {
    const session = this.#present(id);
    if (session !== undefined) this.#put(session);
    return Promise.resolve(session);
  }

  save(session: StoredSession, replaces?: string): Promise<string | undefined> {
    if (replaces !== undefined) {
      if (this.#present(replaces) === undefined) return Promise.resolve(undefined);
      this.#sessions.delete(replaces);
    }
    this.#put(session);
    this.#sweep();
    return Promise.resolve(session.id);
  }

  touch(session: StoredSession): Promise<string | undefined> {
    const present = this.#present(session.id);
    if (present === undefined) return Promise.resolve(undefined);
    // Only the expiry: another request may have changed the data meanwhile.
    this.#put({ ...present, expiresAt: session.expiresAt });
    return Promise.resolve(session.id);
  }

  destroy(id: string): Promise<void> {
    this.#sessions.delete(id);
    return Promise.resolve();
  }

  /** Forgets all sessions. */
  clear(): void {
    this.#sessions.clear();
  }

  #present(id: string): StoredSession | undefined {
    const session = this.#sessions.get(id);
    return session !== undefined && session.expiresAt > this.#now() ? session : undefined;
  }

  #put(session: StoredSession): void {
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
  }

  #sweep(): void {
    const now = this.#now();
    if (now - this.#sweptAt >= SWEEP_INTERVAL) {
      this.#sweptAt = now;
      for (const [id, session] of this.#sessions) if (session.expiresAt <= now) this.#sessions.delete(id);
    }
    for (const id of this.#sessions.keys()) {
      if (this.#sessions.size <= this.#maxSessions) break;
      this.#sessions.delete(id);
    }
  }
}
