import { SessionError } from "../errors.ts";
import type { Send } from "../spec/application.ts";
import type { HttpResponseStart } from "../spec/events.ts";
import type { HttpScope, LifespanScope } from "../spec/scope.ts";
import {
  checkOptions,
  FUNCTION,
  limit,
  OBJECT,
  type OptionRule,
  type OptionRules,
} from "../spec/option-rules.ts";
import type { Headers } from "../spec/values.ts";
import type { Middleware } from "./middleware.ts";
import { isPublic, keepPrivate, varyOn } from "./session/caching.ts";
import type { CookieStateOptions, StateCarrier } from "./session/carriers.ts";
import { assertCarrier, assertMethods, cookieState } from "./session/carriers.ts";
import { LiveSession } from "./session/life.ts";
import { MemoryStore } from "./session/memory-store.ts";
import { Session, SESSION_KEY } from "./session/object.ts";
import type { Clock, LoadedSession, StoredSession, Store } from "./session/store.ts";
import { isId } from "./session/store.ts";

export { SessionError } from "../errors.ts";
export { bearerState, callbackState, cookieState, headerState } from "./session/carriers.ts";
export type {
  CallbackStateOptions,
  CookieStateOptions,
  HeaderStateOptions,
  StateCarrier,
  Transport,
} from "./session/carriers.ts";
export { CookieStore } from "./session/cookie-store.ts";
export type { CookieStoreOptions } from "./session/cookie-store.ts";
export { MemoryStore } from "./session/memory-store.ts";
export type { MemoryStoreOptions } from "./session/memory-store.ts";
export { Session } from "./session/object.ts";
export type { SessionSource } from "./session/object.ts";
export { SqliteStore } from "./session/sqlite-store.ts";
export type { SqliteStoreOptions } from "./session/sqlite-store.ts";
export type { Clock, LoadedSession, StoredSession, Store } from "./session/store.ts";

/** What {@link sessions} is told. */
export interface SessionsOptions {
  /** Where sessions are kept. Default: a `MemoryStore` of its own, which other workers know nothing of. */
  store?: Store | undefined;
  /** How the client carries its token. Default: {@link cookieState}. */
  state?: StateCarrier | undefined;
  /** For the cookie, where there is no `state`. */
  cookie?: CookieStateOptions | undefined;
  /** Seconds after which a session ends when it is not used. Default 3600. */
  idleTimeout?: number | undefined;
  /** Seconds after which a session ends however much it is used; Infinity for never. Default 604800, a week. */
  absoluteTimeout?: number | undefined;
  /** Bytes of JSON that one session may have. Default 65536. */
  maxBytes?: number | undefined;
  /** Default `Date.now`. */
  now?: Clock | undefined;
}

const TIMEOUT: OptionRule = {
  text: "a number of seconds, more than 0, or Infinity",
  accepts: (value) => typeof value === "number" && value > 0,
};

const SESSIONS_RULES: OptionRules<SessionsOptions> = {
  store: OBJECT,
  state: OBJECT,
  cookie: OBJECT,
  idleTimeout: TIMEOUT,
  absoluteTimeout: TIMEOUT,
  maxBytes: limit(1),
  now: FUNCTION,
};

/** The options of one middleware, complete. Times in milliseconds. */
interface Settings {
  readonly store: Store;
  readonly state: StateCarrier;
  readonly idle: number;
  readonly absolute: number;
  readonly maxBytes: number;
  readonly now: Clock;
}

/** What the client has to be told: its token, that it has none any more, or nothing. */
type Outcome = { readonly token: string; readonly expiresAt: number } | "cleared" | undefined;

/**
 * The middleware that gives every `http`, `websocket` and `sse` scope its {@link Session}, found with
 * `Session.of(scope)`.
 *
 * The session is loaded before the application is called, if the client has brought a token, and saved just before the
 * head of an http response goes out: changes come before it. A session that was not changed is not written, and a new
 * one in which there is nothing is neither kept nor given a cookie. On `websocket` and `sse` scopes it can only be read.
 *
 * Around an application that has a session already it does nothing.
 *
 * @throws OptionError for an option that it does not know, and for a value that is none; TypeError for options that
 *   contradict each other.
 */
export function sessions(options: SessionsOptions = {}): Middleware {
  const settings = settingsOf(options);
  return (app) => async (scope, receive, send) => {
    if (scope.type === "lifespan") warnOfWorkers(settings.store, scope);
    if (scope.type === "lifespan" || Session.has(scope)) return app(scope, receive, send);
    const token = settings.state.extract(scope);
    const live = new LiveSession(token === undefined ? undefined : await load(settings, token));
    const inner = { ...scope, [SESSION_KEY]: new Session(live) };
    if (scope.type === "http") return app(inner, receive, savingSend(settings, live, scope, token, send));
    live.seal(
      `On a ${scope.type} scope it can only be read, for nothing there would give the client its token; change it in ` +
        "an http request.",
    );
    return app(inner, receive, send);
  };
}

function settingsOf(options: SessionsOptions): Settings {
  // `[sessions]` instead of `[sessions()]`: what it would make of an application is no application.
  if (typeof options === "function")
    throw new TypeError(
      "sessions() makes a middleware and takes no application: write sessions(), or sessions()(app).",
    );
  if (options.store instanceof Promise)
    throw new TypeError("sessions: store is a promise; write await SqliteStore.open(...).");
  checkOptions("sessions", SESSIONS_RULES, options);
  const { now = Date.now, store = new MemoryStore({ now }), state, cookie } = options;
  const { idleTimeout = 3600, absoluteTimeout = 7 * 24 * 3600, maxBytes = 65_536 } = options;
  if (idleTimeout === Infinity && absoluteTimeout === Infinity)
    throw new TypeError("sessions: a session has to end; give idleTimeout or absoluteTimeout.");
  if (state !== undefined && cookie !== undefined)
    throw new TypeError("sessions: give the cookie's options to cookieState(), or leave out state.");
  assertMethods(store, ["load", "save", "touch", "destroy"], "sessions: the store");
  if (state !== undefined) assertCarrier(state, "sessions: state");
  return {
    store,
    state: state ?? cookieState(cookie),
    idle: idleTimeout * 1000,
    absolute: absoluteTimeout * 1000,
    maxBytes,
    now,
  };
}

/** By one worker of several, so that it is said once. */
function warnOfWorkers(store: Store, { pagi }: LifespanScope): void {
  if (pagi.worker_num !== 2 || !(store instanceof MemoryStore)) return;
  process.emitWarning(
    "Each worker has a MemoryStore of its own, so that sessions are lost whenever a request reaches another worker. " +
      "Give sessions() a SqliteStore or a CookieStore, or serve without workers.",
    "PagiSessionWarning",
  );
}

/** The session of a token. What has no token's shape is not looked up, and nobody's word makes an id. */
async function load({ store, now, absolute }: Settings, token: string): Promise<LoadedSession | undefined> {
  if (!(store.isToken?.(token) ?? isId(token))) return undefined;
  const found = await store.load(token);
  if (found === undefined) return undefined;
  const time = now();
  return found.expiresAt > time && found.createdAt + absolute > time ? found : undefined;
}

function savingSend(
  settings: Settings,
  live: LiveSession,
  scope: HttpScope,
  token: string | undefined,
  send: Send,
): Send {
  const sendHead = async (event: HttpResponseStart): Promise<void> => {
    const headers: Headers = [...(event.headers ?? [])];
    // Once, also when it fails: the page that then tells of the failure has to get through.
    const saving = live.isSealed ? undefined : save(settings, live, token, headers);
    live.seal("The head of the response has been sent, and the session is saved with it; change it before.");
    const outcome = await saving;
    if (outcome === undefined && !live.isAccessed) return send(event);
    if (outcome === "cleared") settings.state.clear(headers, scope);
    else if (outcome !== undefined) {
      const maxAge = Math.ceil((outcome.expiresAt - settings.now()) / 1000);
      settings.state.inject(headers, outcome.token, { scope, maxAge });
    }
    if (outcome !== undefined) keepPrivate(headers);
    if (live.isAccessed) varyOn(headers, settings.state.reads);
    await send({ ...event, headers });
  };
  let head: Promise<void> | undefined;
  return (event) => {
    if (event.type === "http.response.start") return (head = sendHead(event));
    // Not before the head, which waits for the store, where the application has not waited for it.
    return head === undefined ? send(event) : head.then(() => send(event));
  };
}

/** Does with the session what the application has asked for. */
async function save(
  settings: Settings,
  live: LiveSession,
  token: string | undefined,
  headers: Headers,
): Promise<Outcome> {
  const { store } = settings;
  const { loaded } = live;
  if (live.isDestroyed) {
    if (loaded !== undefined) await store.destroy(loaded.id);
    return token === undefined ? undefined : "cleared";
  }
  const { json } = live;
  if (loaded === undefined) return json === "{}" ? undefined : write(settings, live, json);
  if (live.isRegenerated || json !== loaded.json) return write(settings, live, json);
  if (!isTouchDue(settings, live, loaded, headers)) return undefined;
  const touched = { ...loaded, expiresAt: expiryOf(settings, loaded.createdAt) };
  return outcomeOf(await store.touch(touched), touched);
}

async function write(settings: Settings, live: LiveSession, json: string): Promise<Outcome> {
  const size = Buffer.byteLength(json);
  if (size > settings.maxBytes)
    throw new SessionError(
      `The session has ${size} bytes of JSON, more than the ${settings.maxBytes} of maxBytes. Put less into it, an ` +
        "id instead of what it stands for, or raise maxBytes.",
    );
  const createdAt = live.loaded?.createdAt ?? settings.now();
  const session: StoredSession = { id: live.id, json, createdAt, expiresAt: expiryOf(settings, createdAt) };
  return outcomeOf(await settings.store.save(session, live.loaded?.id), session);
}

/**
 * A session that has gone meanwhile, by a logout or with another id by a login, has no outcome: were its cookie cleared
 * here, the one that the other response has set would go with it.
 */
function outcomeOf(token: string | undefined, { expiresAt }: StoredSession): Outcome {
  return token === undefined ? undefined : { token, expiresAt };
}

function expiryOf({ now, idle, absolute }: Settings, createdAt: number): number {
  return Math.min(now() + idle, createdAt + absolute);
}

/**
 * Once a tenth of the idle time has gone, so that most requests write nothing. A response that all may share is not
 * made private for that, where the application did not even look at the session.
 */
function isTouchDue(settings: Settings, live: LiveSession, loaded: LoadedSession, headers: Headers): boolean {
  if (!live.isAccessed && isPublic(headers)) return false;
  if (loaded.renew === true) return true;
  const gained = expiryOf(settings, loaded.createdAt) - loaded.expiresAt;
  return gained >= settings.idle / 10 || gained < 0;
}
