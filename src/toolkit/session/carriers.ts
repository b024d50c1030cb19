import { SessionError } from "../../errors.ts";
import type { HttpScope, RequestScope } from "../../spec/scope.ts";
import {
  checkOptions,
  completeOptions,
  FLAG,
  FUNCTION,
  instanceOf,
  oneOf,
  TEXT,
  TEXTS,
  type OptionRules,
} from "../../spec/option-rules.ts";
import { cookieField } from "../../spec/cookie-fields.ts";
import { isToken } from "../../spec/token.ts";
import type { Headers } from "../../spec/values.ts";
import type { CookieOptions } from "../values/cookies.ts";
import {
  COOKIE_RULES,
  deletedCookie,
  parseCookies,
  reasonForSecure,
  serializeCookie,
} from "../values/cookies.ts";
import { bearerToken } from "../request/credentials.ts";

/** What browsers keep of one cookie at least, with its name and attributes. RFC 6265 section 6.1. Bytes. */
const MAX_COOKIE = 4096;

/** What a carrier may need to know when it writes. */
export interface Transport {
  /** Of the request that is answered. */
  readonly scope: HttpScope;
  /** Seconds until the session ends unless it is used. */
  readonly maxAge: number;
}

/** How a session's token goes from the client to the server and back. */
export interface StateCarrier {
  /** The token that the client has brought. */
  extract(scope: RequestScope): string | undefined;
  /** Adds to the fields of a response what gives the client its token. */
  inject(headers: Headers, token: string, transport: Transport): void;
  /** Adds to the fields of a response what takes it away. */
  clear(headers: Headers, scope: HttpScope): void;
  /** The request fields that `extract` reads, for `Vary`. */
  readonly reads: readonly string[];
}

/** The cookie of a session; `secure` and `httpOnly` are what they should be, unless told otherwise. */
export interface CookieStateOptions extends Omit<CookieOptions, "maxAge" | "expires" | "secure"> {
  /** Default `pagi_session`. With the prefix `__Host-` no other host of the domain can set it. */
  name?: string | undefined;
  /** Default: `auto`, which is true for a request that came over https. */
  secure?: boolean | "auto" | undefined;
  /** Whether the cookie outlives the browser, for as long as the session lives. Default true. */
  persistent?: boolean | undefined;
}

const { maxAge: _maxAge, expires: _expires, ...ATTRIBUTE_RULES } = COOKIE_RULES;

const COOKIE_STATE_RULES: OptionRules<CookieStateOptions> = {
  ...ATTRIBUTE_RULES,
  name: TEXT,
  secure: oneOf(true, false, "auto"),
  persistent: FLAG,
};

const COOKIE_STATE_DEFAULTS = {
  name: "pagi_session",
  secure: "auto",
  persistent: true,
  httpOnly: true,
  sameSite: "lax",
} as const satisfies CookieStateOptions;

/**
 * The token in a cookie: `HttpOnly`, `SameSite=Lax`, `Path=/`, and `Secure` when the request came over https.
 *
 * @throws TypeError for a name or attribute that no cookie can have.
 */
export function cookieState(options: CookieStateOptions = {}): StateCarrier {
  const { name, secure, persistent, ...attributes } = completeOptions(
    "cookieState",
    COOKIE_STATE_RULES,
    COOKIE_STATE_DEFAULTS,
    options,
  );
  // Whatever the request came over.
  const needsSecure = reasonForSecure(name, attributes) !== undefined;
  const attributesFor = (scope: HttpScope): CookieOptions => ({
    ...attributes,
    secure: secure === "auto" ? needsSecure || scope.scheme === "https" : secure,
  });
  // A name or attribute that cannot be is told here, and not with the first response.
  serializeCookie(name, "", { ...attributes, secure: secure !== false });
  return {
    reads: ["cookie"],
    extract(scope) {
      const field = cookieField(scope.headers);
      if (field?.includes(`${name}=`) !== true) return undefined;
      const cookies = parseCookies(field);
      return Object.hasOwn(cookies, name) ? cookies[name] : undefined;
    },
    inject(headers, token, { scope, maxAge }) {
      const cookie = serializeCookie(name, token, {
        ...attributesFor(scope),
        ...(persistent && Number.isFinite(maxAge) && { maxAge }),
      });
      if (cookie.length > MAX_COOKIE)
        throw new SessionError(
          `The session's cookie would have ${cookie.length} bytes, and browsers throw away what has more than ` +
            `${MAX_COOKIE}. Put less into the session, an id instead of what it stands for, or use a store that keeps ` +
            "the data on the server: SqliteStore or MemoryStore instead of CookieStore.",
        );
      headers.push(["set-cookie", cookie]);
    },
    clear(headers, scope) {
      headers.push(["set-cookie", deletedCookie(name, attributesFor(scope))]);
    },
  };
}

/** What {@link headerState} is told. */
export interface HeaderStateOptions {
  /** The request field, such as `x-session-id`. */
  name: string;
  /** Takes the token out of the field's value, as its first group. Default: the whole value. */
  pattern?: RegExp | undefined;
  /**
   * A response field that tells the client a new token, and is empty when the session was destroyed. Default: none; the
   * application tells its client `session.id` in a way of its own.
   */
  respondWith?: string | undefined;
}

const HEADER_STATE_RULES: OptionRules<HeaderStateOptions> = {
  name: TEXT,
  pattern: instanceOf(RegExp, "a regular expression"),
  respondWith: TEXT,
};

/** The token in a header field, for clients that are no browsers. @throws TypeError for what is no name of a field. */
export function headerState(options: HeaderStateOptions): StateCarrier {
  checkOptions("headerState", HEADER_STATE_RULES, options);
  const { name, pattern, respondWith } = options;
  const field = fieldName(name);
  const answer = respondWith === undefined ? undefined : fieldName(respondWith);
  if (pattern !== undefined && !(pattern instanceof RegExp))
    throw new TypeError(`headerState: 'pattern' must be a RegExp, not ${typeof pattern}.`);
  // A `g` or `y` would make the expression remember where the last request's match was.
  const expression = pattern && new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
  return {
    reads: [field],
    extract(scope) {
      const value = fieldOf(scope, field);
      return value === undefined || expression === undefined ? value : expression.exec(value)?.[1];
    },
    inject(headers, token) {
      if (answer !== undefined) headers.push([answer, token]);
    },
    clear(headers) {
      if (answer !== undefined) headers.push([answer, ""]);
    },
  };
}

/**
 * The token in `Authorization: Bearer`. These are tokens that mean nothing to the client, no JWTs. RFC 6750.
 *
 * @param options as of {@link headerState}.
 */
export function bearerState(options: Pick<HeaderStateOptions, "respondWith"> = {}): StateCarrier {
  return {
    ...headerState({ ...options, name: "authorization" }),
    extract: (scope) => bearerToken(fieldOf(scope, "authorization")),
  };
}

/** What {@link callbackState} is told. */
export interface CallbackStateOptions {
  /** Finds the token that the client has brought. */
  extract: StateCarrier["extract"];
  /** Default: nothing. */
  inject?: StateCarrier["inject"] | undefined;
  /** Default: nothing. */
  clear?: StateCarrier["clear"] | undefined;
  /** The request fields that `extract` reads, so that caches do not mix up clients. Default: every field, `*`. */
  reads?: readonly string[] | undefined;
}

const CALLBACK_STATE_RULES: OptionRules<CallbackStateOptions> = {
  extract: FUNCTION,
  inject: FUNCTION,
  clear: FUNCTION,
  reads: TEXTS,
};

/** The token wherever the functions look for it and put it. @throws TypeError without `extract`, and for other values. */
export function callbackState(options: CallbackStateOptions): StateCarrier {
  checkOptions("callbackState", CALLBACK_STATE_RULES, options);
  const { extract, inject = () => {}, clear = () => {}, reads = ["*"] } = options;
  const carrier = { extract, inject, clear, reads };
  assertCarrier(carrier, "callbackState");
  return carrier;
}

/** Reports a mistake at once, and not with the first request. @throws TypeError for anything that is not a carrier. */
export function assertCarrier(carrier: unknown, who: string): asserts carrier is StateCarrier {
  assertMethods(carrier, ["extract", "inject", "clear"], who);
  const reads: unknown = Reflect.get(carrier, "reads");
  if (
    !Array.isArray(reads) ||
    !reads.every((each) => each === "*" || (typeof each === "string" && isToken(each)))
  )
    throw new TypeError(`${who}: 'reads' must be a list of names of header fields, or ["*"].`);
}

/** @throws TypeError for what does not have all of these methods. */
export function assertMethods(
  value: unknown,
  names: readonly string[],
  who: string,
): asserts value is object {
  for (const name of names) {
    const method: unknown =
      typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
    if (typeof method !== "function")
      throw new TypeError(`${who}: '${name}' must be a function, not ${typeof method}.`);
  }
}

function fieldName(name: string): string {
  if (typeof name === "string" && isToken(name)) return name.toLowerCase();
  throw new TypeError(`${JSON.stringify(name)} is no name of a header field.`);
}

/** The last field of the name, as `header()` of a request reads it; names in scopes are in lower case. */
function fieldOf(scope: RequestScope, name: string): string | undefined {
  return scope.headers.findLast(([each]) => each === name)?.[1];
}
