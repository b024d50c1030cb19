import { createHmac, timingSafeEqual } from "node:crypto";
import { parseCookie, stringifySetCookie, type SetCookie } from "cookie";
import {
  completeOptions,
  FLAG,
  oneOf,
  overlay,
  TEXT,
  whole,
  type OptionRules,
} from "../../spec/option-rules.ts";
import { isToken } from "../../spec/token.ts";

/** Attributes of a cookie that is set. RFC 6265 section 4.1.2. */
export interface CookieOptions {
  /** Seconds; 0 deletes. Default: for as long as the browser runs. */
  maxAge?: number | undefined;
  /** When the browser drops it; `maxAge` takes precedence (RFC 6265 section 5.3). Default: when the browser closes. */
  expires?: Date | undefined;
  /** Default `/`. */
  path?: string | undefined;
  /** Default: only the host that set it. */
  domain?: string | undefined;
  /** Default false. */
  secure?: boolean | undefined;
  /** Default false. */
  httpOnly?: boolean | undefined;
  /** Default: left to the browser, which means `lax`. */
  sameSite?: "strict" | "lax" | "none" | undefined;
  /** Default false. */
  partitioned?: boolean | undefined;
}

/** What {@link CookieOptions} may be. */
export const COOKIE_RULES: OptionRules<CookieOptions> = {
  maxAge: whole(0),
  expires: {
    text: "a valid Date",
    accepts: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
  },
  path: TEXT,
  domain: TEXT,
  secure: FLAG,
  httpOnly: FLAG,
  sameSite: oneOf("strict", "lax", "none"),
  partitioned: FLAG,
};

/**
 * The cookies of a `Cookie` field, values percent-decoded; of several with one name the first, which is the one with
 * the longest path (RFC 6265 section 5.4). What is no `name=value` is left out.
 */
export function parseCookies(field: string): Record<string, string> {
  const found = Object.entries(parseCookie(field));
  return Object.fromEntries(found.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/**
 * The value of a `Set-Cookie` field. Chars that cookies cannot carry are percent-encoded in the value.
 *
 * @throws TypeError for a name or attribute that no cookie can have, for `sameSite: "none"` and `partitioned` without
 *   `secure`, which browsers throw away, and for the prefixes `__Secure-` and `__Host-` without what they promise.
 */
export function serializeCookie(name: string, value: string, options: CookieOptions = {}): string {
  const cookie = completeOptions("a cookie", COOKIE_RULES, { path: "/" }, options);
  if (!isToken(name)) throw new TypeError(`The cookie name ${JSON.stringify(name)} is not a token.`);
  const reason = reasonForSecure(name, cookie);
  if (reason !== undefined && cookie.secure !== true)
    throw new TypeError(`The cookie '${name}' ${reason} and so needs 'secure: true'.`);
  if (/^__host-/i.test(name) && (cookie.path !== "/" || cookie.domain !== undefined))
    throw new TypeError(`The cookie '${name}' must have the path '/' and no domain.`);
  return stringifySetCookie(overlay<SetCookie>({ name, value }, cookie));
}

/** Why browsers throw the cookie away without `Secure`, behind its name in a sentence; `undefined` where they do not. */
export function reasonForSecure(name: string, cookie: CookieOptions): string | undefined {
  if (cookie.sameSite === "none") return "has 'sameSite: \"none\"'";
  if (cookie.partitioned === true) return "is partitioned";
  // RFC 6265bis section 4.1.3: browsers do not look at the case of the prefixes.
  if (/^__(secure|host)-/i.test(name)) return "has a name with a secure prefix";
  return undefined;
}

/** The `Set-Cookie` value that deletes a cookie; path and domain must be those with which it was set. */
export function deletedCookie(name: string, options: CookieOptions = {}): string {
  return serializeCookie(name, "", { ...options, maxAge: 0, expires: new Date(0) });
}

/**
 * Signs cookie values, so that a client cannot make up or change one; it can still read them, and send old ones
 * again. HMAC-SHA-256 over name and value, so that the value of one cookie is not good for another.
 */
export class CookieSigner {
  readonly #keys: readonly [string, ...string[]];

  /**
   * The first key signs; the others are still good for reading, so that keys can be changed.
   *
   * @throws TypeError for a key of less than 32 chars, which could be guessed, and for one that is not a string.
   */
  constructor(...keys: readonly [string, ...string[]]) {
    if (keys.length === 0 || keys.some((key) => typeof key !== "string" || key.length < 32))
      throw new TypeError("A key that signs cookies needs 32 chars or more; take them from a random source.");
    this.#keys = keys;
  }

  /** The value with its signature, `value.signature`. */
  sign(name: string, value: string): string {
    return `${value}.${signature(this.#keys[0], name, value)}`;
  }

  /** The value, where the signature is right; `undefined` otherwise. Takes the same time for every wrong one. */
  verify(name: string, signed: string): string | undefined {
    const dot = signed.lastIndexOf(".");
    if (dot < 0) return undefined;
    const value = signed.slice(0, dot);
    // As text, since a signature can be written in base64 in several ways, and one is ours.
    const given = Buffer.from(signed.slice(dot + 1));
    let isRight = false;
    for (const key of this.#keys) {
      const expected = Buffer.from(signature(key, name, value));
      if (given.length === expected.length && timingSafeEqual(given, expected)) isRight = true;
    }
    return isRight ? value : undefined;
  }
}

function signature(key: string, name: string, value: string): string {
  // A cookie's name has no `=`, so that no other name and value give the same text.
  return createHmac("sha256", key).update(`${name}=${value}`).digest("base64url");
}
