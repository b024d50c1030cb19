import { EventError, StateError } from "../errors.ts";
import type { Receive } from "../spec/application.ts";
import type { DisconnectReason } from "../spec/connection-state.ts";
import type { SseComment, SseReceiveEvent, SseRequest, SseSend, SseSendEvent } from "../spec/events.ts";
import { checkOptions, OBJECT, whole, type OptionRules } from "../spec/option-rules.ts";
import type { SseScope } from "../spec/scope.ts";
import { EventReader } from "./connection/event-reader.ts";
import { Lifetime, nextTurn, type Callback } from "./connection/lifetime.ts";
import {
  KEEPALIVE_RULE,
  LongConnection,
  pairsOf,
  refusalOf,
  type Refusal,
} from "./connection/long-connection.ts";
import type { PathParams } from "./request/head.ts";
import { receiveForEnd } from "./request/body-reader.ts";
import { BodyUsedError } from "./request/error.ts";
import { PagiRequest } from "./request.ts";
import { jsonText } from "./response/body.ts";
import type { ResponseOptions } from "./response.ts";
import { decodeUtf8 } from "./values/url-encoded.ts";

export type { Callback } from "./connection/lifetime.ts";
export type { Refusal, RefusalParts } from "./connection/long-connection.ts";
export type { PathParams } from "./request/head.ts";

/** Seconds between the comments that keep a quiet stream open. Source: WHATWG HTML, section 9.2.7 "Authoring notes". */
export const KEEPALIVE_SECONDS = 15;

/** What the longest timer of the runtime can wait, in seconds. */
const MAX_SECONDS = 2_147_483;

/** How a stream is opened. */
export interface StartOptions {
  /** Default 200. A browser takes every other one for an error. */
  readonly status?: number | undefined;
  /** Fields to add to the response. Content-Type and Cache-Control are supplied where absent. */
  readonly headers?: ResponseOptions["headers"] | undefined;
  /** Seconds between comments while nothing else is sent; false or 0 for none. Default {@link KEEPALIVE_SECONDS}. */
  readonly keepalive?: number | false | undefined;
}

const START_RULES: OptionRules<StartOptions> = {
  status: whole(200, 999),
  headers: OBJECT,
  keepalive: KEEPALIVE_RULE,
};

/** One event of a stream. */
export interface EventFields {
  /** A string as it is, with as many lines as it has; any other value as JSON. */
  readonly data: unknown;
  /** The name under which a browser dispatches it; `message` where absent. One line. */
  readonly event?: string | undefined;
  /** What a client that comes back sends as `Last-Event-ID`. One line. */
  readonly id?: string | number | undefined;
  /** Milliseconds after which a client that was disconnected comes back. */
  readonly retry?: number | undefined;
}

/** Why a stream ended: a standard reason, or the one that was given to `close()`. */
export type StreamEnd = DisconnectReason | (string & {});

/** The reason of a stream that the application has closed without giving one. */
const CLOSED_BY_APPLICATION = "x-closed";

const KEY = "pagi.sse";

class SseLifetime extends Lifetime<SseRequest, StreamEnd> {
  keepalive: { interval: number; comment: string } = { interval: KEEPALIVE_SECONDS, comment: "" };
  /** The start is done, its keepalive too: events wait for it no more. */
  isReady = false;
  /** One for all objects, so that they share what was read. */
  receiveBody: Receive | undefined;
  /** Somebody may read the body, so it must not be dropped. */
  isBodyWanted = false;

  /** That of a scope, and of the copies that are made of it afterwards. */
  static of(scope: SseScope): SseLifetime {
    const present = scope[KEY];
    if (present instanceof SseLifetime) return present;
    const life = new SseLifetime();
    scope[KEY] = life;
    return life;
  }
}

/**
 * An event stream. The first thing that is sent starts it. From then on the client's going is noticed by itself: it ends
 * `run()`, `every()` and `each()`, aborts `signal` and runs the `onClose` callbacks. The scope's `receive` is read here
 * and nowhere else; a body is read through {@link request}.
 *
 * An error in a handler goes to `onError`, after which the stream goes on. Without one it is thrown, and the stream is
 * over for this object: no event tells the client of an end, so that the server cuts it and it is not taken for whole.
 */
export class PagiSse<Params extends PathParams = PathParams> extends LongConnection<
  SseScope,
  SseRequest,
  StreamEnd,
  Params
> {
  readonly #receive: Receive;
  readonly #send: (event: SseSendEvent) => Promise<void>;
  #request: PagiRequest<Params> | undefined;
  declare protected readonly life: SseLifetime;

  constructor(scope: SseScope, receive: Receive, send: (event: SseSendEvent) => Promise<void>) {
    super(scope, "sse", SseLifetime.of(scope));
    this.#receive = receive;
    this.#send = send;
  }

  // ── the request ─────────────────────────────────────────────────────────────────────────────────────────────

  /** What a client that was disconnected has received last, so that it can be sent what it has missed. */
  get lastEventId(): string | undefined {
    const value = this.header("last-event-id");
    return value === undefined ? undefined : decodeUtf8(Buffer.from(value, "latin1"), false);
  }

  /**
   * The request, for its body: that of a `POST`, say. Once a stream has begun to run, the body is dropped unless this was
   * asked for before; whoever has asked for it reads it, for the end is noticed behind it.
   */
  get request(): PagiRequest<Params> {
    this.life.isBodyWanted = true;
    return (this.#request ??= new PagiRequest<Params>(
      this.scope,
      (this.life.receiveBody ??= this.#receiveBody),
    ));
  }

  readonly #receiveBody = async (): Promise<SseReceiveEvent> => {
    if (this.#reader.isSpent) throw new BodyUsedError("dropped");
    const event = await this.#reader.take();
    return event ?? { type: "sse.disconnect", reason: this.life.end ?? CLOSED_BY_APPLICATION };
  };

  get #reader(): EventReader<SseRequest, StreamEnd> {
    return (this.life.reader ??= new EventReader(
      () => receiveForEnd(this.scope, this.#receive),
      (event, to) => {
        if (event.type === "sse.request") to.input(event, !event.more);
        else if (event.type === "sse.disconnect") to.end(event.reason);
      },
      (end) => void this.life.finish(end ?? "read_error"),
    ));
  }

  // ── the start ───────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Starts the stream, as the first event does too. Without effect on one that has started.
   *
   * @throws EventError for what cannot be sent; OptionError for an unknown option, and for a value that is none.
   */
  start(options: StartOptions = {}): Promise<void> {
    checkOptions("start", START_RULES, options);
    const { life } = this;
    if (life.phase === "closed") return Promise.resolve();
    return (life.opening ??= this.#open(options).then(
      () => {
        life.isReady = true;
      },
      (error: unknown) => {
        // One whose keepalive was refused has started all the same.
        life.isReady = life.phase !== "waiting";
        life.opening = life.isReady ? Promise.resolve() : undefined;
        throw error;
      },
    ));
  }

  async #open({ status = 200, headers, keepalive }: StartOptions): Promise<void> {
    const { life } = this;
    if (keepalive !== undefined) assertInterval(keepalive);
    await this.#send({ type: "sse.start", status, headers: pairsOf(headers) });
    if (this.isClosed()) return;
    life.phase = "open";
    this.#reader.watch();
    if (keepalive !== undefined) life.keepalive.interval = keepalive || 0;
    if (life.keepalive.interval > 0) await this.#send({ type: "sse.keepalive", ...life.keepalive });
  }

  /**
   * Refuses the stream with a response, 403 where nothing else is said.
   *
   * @throws StateError when the stream has started; TypeError for what is no response.
   */
  async decline(refusal: Refusal = {}): Promise<void> {
    const { life } = this;
    if (life.phase !== "waiting" || life.opening !== undefined)
      throw new StateError("sse.http.response.start", this.connectionState, "the stream has started");
    const responder = refusalOf(refusal);
    life.refuse();
    await responder.respond(this.#send, this.scope);
  }

  // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** `pending` until it has started or was declined. */
  get connectionState(): "pending" | "started" | "closed" {
    const { phase } = this.life;
    return phase === "waiting" ? "pending" : phase === "open" ? "started" : phase;
  }

  /** True while the stream runs, as `isConnected()`. */
  isStarted(): boolean {
    return this.isConnected();
  }

  /** Why the stream is over; `undefined` before that, and after {@link decline}. */
  disconnectReason(): StreamEnd | undefined {
    return this.life.end;
  }

  /**
   * Ends the stream, and waits for the `onClose` callbacks. One that has not started is started first, so that the client
   * gets an empty one. Browsers come back after an end; an event that tells them so lets them call `close()` instead.
   *
   * @param reason for logs and callbacks; the client does not see it.
   */
  async close(reason?: string): Promise<void> {
    const { life } = this;
    await this.start({ keepalive: false });
    if (life.phase === "closed") return;
    life.phase = "closed";
    life.isEndedHere = true;
    try {
      await this.#send({ type: "sse.close", reason });
    } finally {
      await life.finish(reason ?? CLOSED_BY_APPLICATION);
    }
  }

  protected async fail(): Promise<void> {
    if (this.isClosed()) return;
    this.life.isEndedHere = true;
    await this.life.finish("server_error");
  }

  // ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Sends an event that has nothing but data, which is text; {@link sendJson} takes anything else. Resolves when the next one may come, which with a slow client takes as long
   * as it takes; does nothing when the client has gone, so a loop that has no other end asks {@link isClosed}.
   *
   * Like every other call, one that cannot be right is rejected before it starts the stream, so that the request can
   * still be answered with an error.
   *
   * @throws EventError for data that is not text; StateError after `close()`.
   */
  send(data: string): Promise<void> {
    return this.#give({ type: "sse.send", data });
  }

  /** Sends a value as JSON, as {@link send}. @throws TypeError for what has no JSON. */
  async sendJson(value: unknown): Promise<void> {
    await this.#give({ type: "sse.send", data: jsonText(value) });
  }

  /** Sends an event, as {@link send}. @throws EventError for a field that cannot be sent; TypeError for data without JSON. */
  async sendEvent(fields: EventFields): Promise<void> {
    await this.#give(eventOf(fields));
  }

  /** Sends a comment, which browsers do not show to pages, as {@link send}. */
  sendComment(comment: string): Promise<void> {
    return this.#give({ type: "sse.comment", comment });
  }

  /**
   * Sends if it can: for broadcasts, which one client that has gone must not stop. It waits for a slow one, as `send` does:
   * where that must not be, ask `isWritable()` before. Whatever `send` rejects with goes to
   * `onError` callbacks and nowhere else. A client may go before it has read what was sent, so `true` is no receipt.
   *
   * @returns false when nothing was sent.
   */
  trySend(data: string): Promise<boolean> {
    return this.#tryGive({ type: "sse.send", data });
  }

  /** As {@link trySend}. @throws TypeError for what has no JSON. */
  async trySendJson(value: unknown): Promise<boolean> {
    return await this.#tryGive({ type: "sse.send", data: jsonText(value) });
  }

  /** As {@link trySend}. @throws EventError for a field that cannot be sent; TypeError for data without JSON. */
  async trySendEvent(fields: EventFields): Promise<boolean> {
    return await this.#tryGive(eventOf(fields));
  }

  /** As {@link trySend}. */
  trySendComment(comment: string): Promise<boolean> {
    return this.#tryGive({ type: "sse.comment", comment });
  }

  /**
   * Lets the server send a comment when nothing else was sent for a while, so that proxies do not take the stream for
   * dead. Without this call there is one every {@link KEEPALIVE_SECONDS}. Before the start it is kept for it.
   *
   * @param interval seconds; 0 or false for none.
   * @param comment default: empty.
   * @throws EventError for an interval that is not 0 or more, and a comment that is not text.
   */
  async keepalive(interval: number | false, comment = ""): Promise<void> {
    const { life } = this;
    assertInterval(interval);
    if (typeof comment !== "string")
      throw new EventError("sse.keepalive", "comment", `must be a string, not ${typeof comment}`);
    life.keepalive = { interval: interval || 0, comment };
    if (life.phase === "open") await this.#send({ type: "sse.keepalive", ...life.keepalive });
  }

  async #give(event: SseSend | SseComment): Promise<void> {
    const { life } = this;
    assertText(event);
    // Until the keepalive is on its way too: others wait for that, and are not to be overtaken.
    if (!life.isReady) await this.start();
    if (life.isEndedHere)
      throw new StateError(event.type, "closed", "the application has ended or declined the stream");
    // Where the client has gone, the server does nothing with it; where the server is about to stop, these are last words.
    await this.#send(event);
    // A loop that does not ask for the end must not keep everybody else from their turn.
    if (life.phase === "closed") await nextTurn();
  }

  async #tryGive(event: SseSend | SseComment): Promise<boolean> {
    if (this.isClosed()) return false;
    try {
      await this.#give(event);
    } catch (error) {
      await this.life.tellError(error);
      return false;
    }
    return this.isConnected();
  }

  // ── sending for as long as there is a client ────────────────────────────────────────────────────────────────

  async #startRunning(): Promise<void> {
    await this.start();
    if (!this.isClosed() && !this.life.isBodyWanted) this.#reader.drop();
  }

  /** Waits for the end of the stream; starts it if need be. A body that nobody reads is dropped. */
  async run(): Promise<void> {
    await this.#startRunning();
    await this.life.over;
    await this.life.callbacksDone();
    await this.life.reader?.take(); // rejects where it was `receive` that has failed
  }

  /**
   * Calls `callback`, waits for it, waits `seconds`, and calls it again, until the end of the stream. Resolves at the
   * end; starts the stream if need be.
   *
   * @throws RangeError for an interval that is not above 0, or longer than a timer can be (24 days).
   */
  async every(seconds: number, callback: () => void | Promise<void>): Promise<void> {
    if (typeof seconds !== "number" || !(seconds > 0 && seconds <= MAX_SECONDS))
      throw new RangeError(
        `${String(seconds)} is no interval; it is above 0 and at most ${MAX_SECONDS} seconds.`,
      );
    await this.#startRunning();
    while (!this.isClosed()) {
      await this.guarded(callback);
      await this.life.sleep(seconds * 1000);
    }
    await this.life.callbacksDone();
  }

  /**
   * Sends an event for each item, until there are no more or the stream is over; the source is then told. The next item is
   * asked for when the event of the last has been sent. The stream stays open.
   *
   * @param source a function gives an item each time it is called, and `undefined` when there are no more.
   * @param map makes the event of an item; without an event nothing is sent for it. Default: the item is the data.
   */
  async each<T>(
    source: Iterable<T> | AsyncIterable<T> | (() => T | undefined | Promise<T | undefined>),
    map: (item: T, index: number) => EventFields | void | Promise<EventFields | void> = (data) => ({ data }),
  ): Promise<void> {
    await this.#startRunning();
    const iterator = iteratorOf(source);
    let isOver = false;
    try {
      for (let index = 0; !this.isClosed(); index++) {
        const next = await this.life.unlessEnded(Promise.resolve(iterator.next()));
        isOver = next?.done === true;
        if (next === undefined || next.done === true) return;
        const { value } = next;
        await this.guarded(async () => {
          const fields = await map(value, index);
          if (fields !== undefined) await this.sendEvent(fields);
        });
      }
    } catch (error) {
      await this.fail();
      throw error;
    } finally {
      // Not waited for: a source that waits for something else may never say that it has stopped.
      if (!isOver) Promise.try(() => iterator.return?.()).catch(() => {});
    }
  }

  // ── callbacks ───────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Runs `callback` when the stream is over, whoever has ended it; at once if it is. When the client goes it waits for a
   * callback of `each` or `every` that is at work. Its errors become warnings of the process. Not after {@link decline},
   * where there never was a stream.
   */
  onClose(callback: Callback<[reason: StreamEnd]>): this {
    this.life.onClose(callback);
    return this;
  }

  /** `onClose` and `onError` by their names. */
  on(event: "close", callback: Callback<[reason: StreamEnd]>): this;
  on(event: "error", callback: Callback<[error: unknown]>): this;
  on(
    ...[event, callback]:
      | [event: "close", callback: Callback<[reason: StreamEnd]>]
      | [event: "error", callback: Callback<[error: unknown]>]
  ): this {
    switch (event) {
      case "close":
        return this.onClose(callback);
      case "error":
        return this.onError(callback);
      default:
        throw new RangeError(`An event stream has no event '${String(event)}'; it has close and error.`);
    }
  }
}

function eventOf({ data, event, id, retry }: EventFields): SseSend {
  if (data === undefined)
    throw new EventError("sse.send", "data", "is missing; a browser dispatches no event without it");
  const fields: SseSend = { type: "sse.send", data: typeof data === "string" ? data : jsonText(data) };
  if (event !== undefined) fields.event = oneLine("event", event);
  if (id !== undefined) fields.id = oneLine("id", String(id));
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0)
      throw new EventError(
        "sse.send",
        "retry",
        `must be milliseconds, an integer from 0 on, not ${String(retry)}`,
      );
    fields.retry = retry;
  }
  return fields;
}

/** Types end at the border of a program; what comes from JavaScript may be anything. */
function assertText(event: SseSend | SseComment): void {
  const [field, value]: [string, unknown] =
    event.type === "sse.send" ? ["data", event.data] : ["comment", event.comment];
  if (typeof value !== "string") {
    const advice = event.type === "sse.send" ? "; sendJson() takes anything" : "";
    throw new EventError(event.type, field, `must be a string, not ${typeof value}${advice}`);
  }
}

function assertInterval(interval: number | false): void {
  if (interval === false || (typeof interval === "number" && interval >= 0 && interval < Infinity)) return;
  throw new EventError(
    "sse.keepalive",
    "interval",
    `must be seconds, 0 or more, or false, not ${String(interval)}`,
  );
}

/** What comes from a user must not become fields of the stream. */
function oneLine(field: "event" | "id", value: string): string {
  if (typeof value !== "string")
    throw new EventError("sse.send", field, `must be a string, not ${typeof value}`);
  if (/[\r\n\0]/.test(value))
    throw new EventError("sse.send", field, "must be one line without NUL; only 'data' may have several");
  return value;
}

function iteratorOf<T>(
  source: Iterable<T> | AsyncIterable<T> | (() => T | undefined | Promise<T | undefined>),
): Iterator<T> | AsyncIterator<T> {
  if (typeof source === "function") return itemsOf(source);
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

async function* itemsOf<T>(
  next: () => T | undefined | Promise<T | undefined>,
): AsyncGenerator<T, void, void> {
  for (let item = await next(); item !== undefined; item = await next()) yield item;
}
