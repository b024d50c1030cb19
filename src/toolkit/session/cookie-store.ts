import { hkdfSync } from "node:crypto";
import { checkOptions, FUNCTION, TEXT, TEXTS, type OptionRules } from "../../spec/option-rules.ts";
import type { Clock, LoadedSession, StoredSession, Store } from "./store.ts";
import { isId } from "./store.ts";

/** Longer ones no browser keeps. Chars. */
const MAX_TOKEN = 4096;
const ENCRYPTION = "A256GCM";

/** What a {@link CookieStore} is told. */
export interface CookieStoreOptions {
  /**
   * Random texts of 32 chars or more that nobody else knows, the same for all workers and machines. The first one
   * encrypts; the others can still be read, so that a secret can be changed: put the new one in front, and take the old
   * one away when the sessions of its time have expired.
   */
  secrets: readonly [string, ...string[]];
  /**
   * What the sessions are for. Those of one purpose are no good for another with the same secrets, so that two
   * applications cannot be given each other's. Default `session`.
   */
  purpose?: string | undefined;
  /** Default `Date.now`. */
  now?: Clock | undefined;
}

const COOKIE_STORE_RULES: OptionRules<CookieStoreOptions> = { secrets: TEXTS, purpose: TEXT, now: FUNCTION };

/**
 * Keeps nothing: the whole session is in the client's cookie, encrypted and authenticated, with its expiry. A token is a
 * JWE in compact form, algorithms `dir` and `A256GCM` (RFC 7516), with keys made from the secrets by HKDF-SHA-256.
 *
 * What that cannot do:
 * - **A session cannot be taken back.** `destroy()` deletes the cookie, and `regenerate()` replaces it, but whoever has
 *   a copy of an old one can use it until it expires, with the data of then. `absoluteTimeout` of `sessions()` is the
 *   limit. Do not count on it for logging out stolen sessions, nor keep a balance or a number of attempts in it.
 * - Of two requests at a time, the response that comes last decides; the other's changes are lost.
 * - There is room for about 2.8 kB of JSON, in a cookie of 4096 bytes that comes with each request.
 */
export class CookieStore implements Store {
  readonly #jose: Promise<typeof import("jose")>;
  readonly #keys: Promise<readonly CryptoKey[]>;
  readonly #now: Clock;

  /**
   * @throws TypeError for no secret, or one of less than 32 chars, which could be guessed; OptionError for an option that
   *   it does not know, and for a value that is none.
   */
  constructor(options: CookieStoreOptions) {
    checkOptions("new CookieStore", COOKIE_STORE_RULES, options);
    const { purpose = "session", now = Date.now } = options;
    const secrets: readonly string[] = options.secrets ?? [];
    if (secrets.length === 0 || secrets.some((secret) => secret.length < 32))
      throw new TypeError(
        "A secret that encrypts sessions needs 32 chars or more; take it from a random source, such as " +
          "`openssl rand -base64 32`.",
      );
    // Now, not with the first session: a process without a free descriptor could not load it any more.
    this.#jose = import("jose");
    this.#jose.catch(() => {}); // whoever needs it is told
    this.#keys = Promise.all(secrets.map((secret) => keyOf(secret, purpose)));
    this.#now = now;
  }

  /** True for a text of the shape of a JWE, of at most 4096 chars. */
  isToken(text: string): boolean {
    return text.length <= MAX_TOKEN && /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/.test(text);
  }

  /** What was encrypted with one of the secrets and has not expired. */
  async load(token: string): Promise<LoadedSession | undefined> {
    for (const [index, key] of (await this.#keys).entries()) {
      const payload = await decrypt(token, key, await this.#jose);
      if (payload === undefined) continue;
      const session = sessionOf(payload);
      if (session === undefined || session.expiresAt <= this.#now()) return undefined;
      return index === 0 ? session : { ...session, renew: true };
    }
    return undefined;
  }

  /** Always writes, whatever it replaces: it cannot know what was destroyed. */
  async save({ id, json, createdAt, expiresAt }: StoredSession): Promise<string> {
    const { CompactEncrypt } = await this.#jose;
    const [key] = await this.#keys;
    if (key === undefined) throw new TypeError("There is no secret to encrypt with.");
    const payload = `{"id":${JSON.stringify(id)},"createdAt":${createdAt},"expiresAt":${expiresAt},"data":${json}}`;
    return new CompactEncrypt(new TextEncoder().encode(payload))
      .setProtectedHeader({ alg: "dir", enc: ENCRYPTION })
      .encrypt(key);
  }

  /** As {@link save}: the expiry is within the token. */
  touch(session: StoredSession): Promise<string> {
    return this.save(session);
  }

  /** Does nothing: the cookie is with the client. */
  destroy(): Promise<void> {
    return Promise.resolve();
  }
}

function keyOf(secret: string, purpose: string): Promise<CryptoKey> {
  const bytes = hkdfSync("sha256", secret, "", `pagi-server/session/1 ${purpose}`, 32);
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** `undefined` for what was not encrypted with the key, and for what is no JWE. */
async function decrypt(
  token: string,
  key: CryptoKey,
  { compactDecrypt, errors }: typeof import("jose"),
): Promise<unknown> {
  try {
    const { plaintext } = await compactDecrypt(token, key, {
      keyManagementAlgorithms: ["dir"],
      contentEncryptionAlgorithms: [ENCRYPTION],
    });
    return JSON.parse(new TextDecoder().decode(plaintext));
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

function sessionOf(payload: unknown): StoredSession | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  if (!("id" in payload && "createdAt" in payload && "expiresAt" in payload && "data" in payload))
    return undefined;
  const { id, createdAt, expiresAt, data } = payload;
  if (typeof id !== "string" || !isId(id)) return undefined;
  if (typeof createdAt !== "number" || typeof expiresAt !== "number") return undefined;
  return { id, createdAt, expiresAt, json: JSON.stringify(data) };
}
