import type { Database, Statement } from "bun:sqlite";
import { createHash } from "node:crypto";
import { amount, checkOptions, FUNCTION, whole, type OptionRules } from "../../spec/option-rules.ts";
import type { Clock, StoredSession, Store } from "./store.ts";

const SWEEP_INTERVAL = 60_000;
/** So many at a time, that a sweep does not hold up the event loop. */
const SWEEP_SIZE = 1000;
/** Milliseconds. */
const RETRY_INTERVAL = 20;

const SCHEMA = [
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = NORMAL",
  `CREATE TABLE IF NOT EXISTS pagi_sessions (id_hash BLOB PRIMARY KEY, json TEXT NOT NULL,
   created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS pagi_sessions_expiry ON pagi_sessions (expires_at)",
] as const;

const DEFAULT_MAX_SESSIONS = 1_000_000;

/** What a {@link SqliteStore} is told. */
export interface SqliteStoreOptions {
  /**
   * How many sessions are kept, about: when the expired ones are removed, those that would expire next go as well where
   * there are more. Programs that take no cookies get a new session with each request. Default 1000000.
   */
  maxSessions?: number | undefined;
  /** Milliseconds to wait while another process writes. Default 5000. */
  busyTimeout?: number | undefined;
  /** Default `Date.now`. */
  now?: Clock | undefined;
}

const SQLITE_STORE_RULES: OptionRules<SqliteStoreOptions> = {
  maxSessions: whole(1),
  busyTimeout: amount("milliseconds", 0, 2 ** 31 - 1),
  now: FUNCTION,
};

interface Row {
  json: string;
  createdAt: number;
  expiresAt: number;
}

/**
 * Keeps sessions in a file of SQLite, which all workers of one machine may share: `await SqliteStore.open(file)`. The
 * file holds hashes of the ids, so that nobody who reads a copy of it can use the sessions; their data is readable.
 *
 * Expired sessions are removed once a minute by whoever saves one then. SQLite is called within the event loop, and a
 * call takes some microseconds; for a file that several workers write all the time it is the wrong store.
 */
export class SqliteStore implements Store, Disposable {
  readonly #database: Database;
  readonly #now: Clock;
  readonly #maxSessions: number;
  readonly #select: Statement<Row, [Uint8Array, number]>;
  readonly #insert: Statement<unknown, [Uint8Array, string, number, number]>;
  readonly #replace: Statement<unknown, [Uint8Array, string, number, number, Uint8Array, number]>;
  readonly #extend: Statement<unknown, [number, Uint8Array, number]>;
  readonly #delete: Statement<unknown, [Uint8Array]>;
  readonly #sweepSome: Statement<unknown, [number, number]>;
  readonly #sweepSurplus: Statement<unknown, [number, number]>;
  #sweptAt: number;

  private constructor(database: Database, now: Clock, maxSessions: number) {
    this.#database = database;
    this.#maxSessions = maxSessions;
    this.#now = now;
    this.#sweptAt = now();
    this.#select = database.prepare(
      `SELECT json, created_at AS createdAt, expires_at AS expiresAt FROM pagi_sessions
       WHERE id_hash = ? AND expires_at > ?`,
    );
    this.#insert = database.prepare(
      "INSERT INTO pagi_sessions (id_hash, json, created_at, expires_at) VALUES (?, ?, ?, ?)",
    );
    this.#replace = database.prepare(
      `UPDATE pagi_sessions SET id_hash = ?, json = ?, created_at = ?, expires_at = ?
       WHERE id_hash = ? AND expires_at > ?`,
    );
    this.#extend = database.prepare(
      "UPDATE pagi_sessions SET expires_at = ? WHERE id_hash = ? AND expires_at > ?",
    );
    this.#delete = database.prepare("DELETE FROM pagi_sessions WHERE id_hash = ?");
    this.#sweepSome = database.prepare(
      `DELETE FROM pagi_sessions WHERE id_hash IN
       (SELECT id_hash FROM pagi_sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
    );
    this.#sweepSurplus = database.prepare(
      `DELETE FROM pagi_sessions WHERE id_hash IN
       (SELECT id_hash FROM pagi_sessions ORDER BY expires_at
        LIMIT min(?2, max(0, (SELECT count(*) FROM pagi_sessions) - ?1)))`,
    );
  }

  /**
   * Opens the file, and makes it where there is none, readable for its owner only. `:memory:` is a store for tests.
   *
   * @throws SQLiteError (as a rejection) when the file cannot be opened or is no database; OptionError for an
   *   option that it does not know, and for a value that is none.
   */
  static async open(file: string, options: SqliteStoreOptions = {}): Promise<SqliteStore> {
    checkOptions("SqliteStore.open", SQLITE_STORE_RULES, options);
    const { busyTimeout = 5000, maxSessions = DEFAULT_MAX_SESSIONS, now = Date.now } = options;
    const [{ Database }, { open }] = await Promise.all([import("bun:sqlite"), import("node:fs/promises")]);
    // SQLite itself would make it readable for all; its WAL takes over the mode of the file.
    if (file !== ":memory:") await (await open(file, "a", 0o600)).close();
    const database = new Database(file, { readwrite: true, create: true, strict: true });
    try {
      database.run(`PRAGMA busy_timeout = ${Math.trunc(busyTimeout)}`);
      await prepare(database, performance.now() + busyTimeout);
      return new SqliteStore(database, now, maxSessions);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  async load(id: string): Promise<StoredSession | undefined> {
    const row = this.#select.get(hashOf(id), this.#now());
    return row === null ? undefined : { id, ...row };
  }

  async save(session: StoredSession, replaces?: string): Promise<string | undefined> {
    const { id, json, createdAt, expiresAt } = session;
    this.#sweep();
    if (replaces === undefined) {
      this.#insert.run(hashOf(id), json, createdAt, expiresAt);
      return id;
    }
    const former = hashOf(replaces);
    const { changes } = this.#replace.run(hashOf(id), json, createdAt, expiresAt, former, this.#now());
    return changes > 0 ? id : undefined;
  }

  async touch({ id, expiresAt }: StoredSession): Promise<string | undefined> {
    return this.#extend.run(expiresAt, hashOf(id), this.#now()).changes > 0 ? id : undefined;
  }

  async destroy(id: string): Promise<void> {
    this.#delete.run(hashOf(id));
  }

  /** How many sessions there are, with those that have expired and were not swept yet. */
  get size(): number {
    const row = this.#database
      .query<{ count: number }, []>("SELECT count(*) AS count FROM pagi_sessions")
      .get();
    return row?.count ?? 0;
  }

  /** Closes the file. Whatever is asked of the store afterwards fails. */
  close(): void {
    // SQLite keeps the file open for as long as there are statements.
    const writing = [this.#insert, this.#replace, this.#extend, this.#delete];
    const prepared = [this.#select, ...writing, this.#sweepSome, this.#sweepSurplus];
    for (const statement of prepared) statement.finalize();
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #sweep(): void {
    const now = this.#now();
    if (now - this.#sweptAt < SWEEP_INTERVAL) return;
    // What is more than that is for the next one.
    if (this.#sweepSome.run(now, SWEEP_SIZE).changes === SWEEP_SIZE) return;
    if (this.#sweepSurplus.run(this.#maxSessions, SWEEP_SIZE).changes === SWEEP_SIZE) return;
    this.#sweptAt = now;
  }
}

/** Tries until the deadline, since SQLite does not wait for a process that switches to WAL at the same time. */
async function prepare(database: Database, deadline: number): Promise<void> {
  for (;;) {
    try {
      for (const statement of SCHEMA) database.run(statement);
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL));
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
}

function hashOf(id: string): Uint8Array {
  return createHash("sha256").update(id).digest();
}
