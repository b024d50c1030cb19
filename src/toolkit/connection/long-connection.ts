import {
  amount,
  checkOptions,
  either,
  instanceOf,
  OBJECT,
  oneOf,
  TEXT,
  whole,
  type OptionRule,
  type OptionRules,
} from "../../spec/option-rules.ts";
import type { SseScope, WebSocketScope } from "../../spec/scope.ts";
import type { Headers } from "../../spec/values.ts";
import { headerPairs, PagiHeaders } from "../values/headers.ts";
import type { Callback, Lifetime } from "./lifetime.ts";
import { RequestHead, type PathParams } from "../request/head.ts";
import { PagiResponse, toResponder, type Responder, type ResponseOptions } from "../response.ts";

/** A response that refuses a connection: one that sends itself, a Fetch `Response`, or what it consists of. */
export type Refusal = Responder | Response | RefusalParts;

/** A refusal in its parts. */
export interface RefusalParts extends Pick<ResponseOptions, "headers"> {
  /** Default 403. */
  readonly status?: number | undefined;
  /** Default: none. A string is plain text, unless `headers` has another type. */
  readonly body?: string | Uint8Array | undefined;
}

/** The interval of a keepalive. False and 0 are none, and nothing else is, be it undefined or NaN. */
export const KEEPALIVE_RULE: OptionRule = either(oneOf(false), amount("seconds", 0, 2_147_483));

const REFUSAL_RULES: OptionRules<RefusalParts> = {
  status: whole(200, 999),
  headers: OBJECT,
  body: either(TEXT, instanceOf(Uint8Array, "bytes")),
};

const FORBIDDEN = 403;

/**
 * What a WebSocket and an event stream have in common. Any number of these can stand over one scope: its state is in the
 * scope, so that they all agree on it.
 */
export abstract class LongConnection<
  S extends SseScope | WebSocketScope,
  Input,
  End,
  Params extends PathParams,
>
  extends RequestHead<S, Params>
  implements AsyncDisposable
{
  protected readonly life: Lifetime<Input, End>;

  /** @throws TypeError for a scope of another type, which only JavaScript can give. */
  constructor(scope: S, type: S["type"], life: Lifetime<Input, End>) {
    super(scope);
    if (scope.type !== type)
      throw new TypeError(`This is a scope of the type '${scope.type}', not '${type}'.`);
    this.life = life;
  }

  /** A parameter by name, from the path or else from the query. */
  param(name: string): string | undefined {
    const params: PathParams = this.params;
    return Object.hasOwn(params, name) ? params[name] : this.queryParam(name);
  }

  /** True from when it is open until the end is known of. */
  isConnected(): boolean {
    return this.life.phase === "open";
  }

  /** True after the end, from whichever side, and when it was refused. */
  isClosed(): boolean {
    return this.life.phase === "closed";
  }

  /**
   * Aborted with an `AbortError` when the connection ends: for what should not outlive it, as a query or a `fetch`.
   */
  get signal(): AbortSignal {
    return this.life.signal;
  }

  /** Resolves at the end. */
  whenClosed(): Promise<void> {
    return this.life.over;
  }

  /**
   * Runs `callback` for errors that would end the connection, which then goes on: those of handlers, and messages that
   * are not what is wanted. Its own errors become warnings of the process.
   */
  onError(callback: Callback<[error: unknown]>): this {
    this.life.onError(callback);
    return this;
  }

  /** Ends the connection if it is open, and waits for the `onClose` callbacks; without effect on one that is not. */
  async [Symbol.asyncDispose](): Promise<void> {
    // One that was never opened has still to be answered, and an error that is under way is the better answer.
    if (this.life.phase === "waiting") return;
    await this.close();
    await this.life.callbacksDone();
  }

  abstract close(): Promise<void>;

  /** Ends the connection in the way that says that something has gone wrong here. */
  protected abstract fail(): Promise<void>;

  /** Calls a handler; an error goes to `onError`, or ends the connection and is thrown. */
  protected async guarded<T>(handler: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await this.life.during(handler);
    } catch (error) {
      if (await this.life.tellError(error)) return undefined;
      await this.fail();
      throw error;
    }
  }
}

/** A refusal as something that sends itself. @throws TypeError for what is none. */
export function refusalOf(refusal: Refusal): Responder {
  if (refusal instanceof Response || "respond" in refusal) return toResponder(refusal);
  checkOptions("a refusal", REFUSAL_RULES, refusal);
  const { status = FORBIDDEN, headers = [], body = "" } = refusal;
  const options = { status, headers };
  if (body instanceof Uint8Array) return PagiResponse.sendRaw(body, options);
  return body === "" ? PagiResponse.empty(options) : PagiResponse.text(body, options);
}

/** The fields of a header section, however they were given. */
export function pairsOf(headers: ResponseOptions["headers"]): Headers {
  if (headers === undefined) return [];
  return new PagiHeaders(headerPairs(headers)).toPairs();
}
