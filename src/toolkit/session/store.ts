/** A session as a store keeps it. */
export interface StoredSession {
  /** 32 chars of base64url, 192 random bits. */
  readonly id: string;
  /** The data: the JSON text of an object. Stores keep the text as it is. */
  readonly json: string;
  /** When the session began. Milliseconds since 1970. */
  readonly createdAt: number;
  /** When it ends unless it is used again. Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What a store has found for a token. */
export interface LoadedSession extends StoredSession {
  /** True when the client needs a new token soon: this one is made with a secret that is on its way out. */
  readonly renew?: boolean;
}

/**
 * Keeps sessions. A **token** is what the client has in its cookie: the id, unless the store keeps the session itself
 * in there.
 *
 * A store guarantees that
 * - a session that has expired or was destroyed is not loaded;
 * - `save` with `replaces`, and `touch`, look whether the session is still there and write in **one** step, so that a
 *   request that began before a logout cannot bring the session back. `CookieStore` cannot, and says so;
 * - what is loaded is what was saved last. There is no merging: of two requests that change one session at a time, the
 *   later one's data stands;
 * - tokens are opaque to everyone else, and whoever reads the store's backup should not be able to use it as a list of
 *   tokens (`SqliteStore` keeps hashes of ids).
 *
 * A method that rejects makes the request fail with a 500; nothing is lost without a word.
 */
export interface Store {
  /** The session of a token; `undefined` for one that is unknown, expired or forged. */
  load(token: string): Promise<LoadedSession | undefined>;
  /**
   * Writes a session and resolves with its token.
   *
   * @param replaces absent for a new session. Otherwise the id of the session that it takes the place of, which is its
   *   own, or after `regenerate()` its former one; when there is none of that id any more, nothing is written and the
   *   promise resolves with `undefined`.
   */
  save(session: StoredSession, replaces?: string): Promise<string | undefined>;
  /** Moves the expiry of a session that has not changed; as {@link save} when it has gone. */
  touch(session: StoredSession): Promise<string | undefined>;
  /** Forgets the session; one that is not there is no error. */
  destroy(id: string): Promise<void>;
  /** Whether a text from a client has the shape of a token; only such ones are looked up. Default: {@link isId}. */
  isToken?(text: string): boolean;
}

/** The time, in milliseconds since 1970; for tests. */
export type Clock = () => number;

/** A new id: 192 bits of the system's random source. */
export function newId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64url");
}

/** True for a text of the shape of an id. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9_-]{32}$/.test(text);
}
