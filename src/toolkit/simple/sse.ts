import { UnsupportedScopeError } from "../../errors.ts";
import type { Application, Receive, Send } from "../../spec/application.ts";
import type { SseScope } from "../../spec/scope.ts";
import { isTellable } from "./http-error.ts";
import { waitedFor, type Listener } from "./listener.ts";
import { Membership } from "./membership.ts";
import { Outbox } from "./outbox.ts";
import type { PathParams } from "../router/path-params.ts";
import type { Message } from "./pub-sub.ts";
import { jsonText } from "../response/body.ts";
import { PagiResponse } from "../response.ts";
import type { SimpleApp } from "./app.ts";
import type { StartOptions, StreamEnd } from "../sse.ts";
import { PagiSse } from "../sse.ts";

/** Says what is sent in a stream: it sends, subscribes, or declines. */
export type SseHandler<Params extends PathParams = PathParams> = (
  sse: SimpleSse<Params>,
) => void | Promise<void>;

/**
 * One event stream, with the channels that it hears. The handler may decline it; what it sends first starts it, and at
 * its end the stream is started and stays open until the client goes.
 *
 * Messages of channels that the client does not take fast enough wait in a queue with limits; `app.slowClients` says
 * what becomes of the rest. A stream that is closed for that is opened again by the browser.
 */
export class SimpleSse<Params extends PathParams = PathParams> extends PagiSse<Params> {
  /** The application that has the route. */
  readonly app: SimpleApp;
  readonly #outbox: Outbox;
  readonly #member: Membership;
  readonly #onConnect: Listener<[]>[] = [];
  /** The callbacks of the start, which run one after another. */
  #connecting: Promise<void> = Promise.resolve();
  #hasStarted = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(app: SimpleApp, scope: SseScope, receive: Receive, send: Send) {
    super(scope, receive, send);
    this.app = app;
    this.#outbox = new Outbox(app.slowClients, {
      onOverflow: () => void this.close("x-too-slow").catch((error: unknown) => this.#failed(error)),
      onError: (error) => void this.#failed(error),
      onDrop: () => app.countDropped(),
    });
    this.#member = new Membership(app.pubsub, this.#outbox, app.maxChannels);
    this.onClose(() => this.#member.end());
  }

  override async start(options?: StartOptions): Promise<void> {
    await super.start(options);
    this.#outbox.open();
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    for (const callback of this.#onConnect) this.#connected(callback);
  }

  // ── events of its life ──────────────────────────────────────────────────────────────────────────────────────

  /**
   * Runs `callback` when the stream has started, at once if it has; callbacks wait for each other. A promise that one
   * returns is waited for. Without one the stream is started all the same.
   */
  onConnect(callback: Listener<[]>): this {
    if (this.#hasStarted) this.#connected(callback);
    else this.#onConnect.push(callback);
    return this;
  }

  /** `onConnect`, `onClose` and `onError` by their names. A promise that a callback returns is waited for. */
  override on(event: "connect", callback: Listener<[]>): this;
  override on(event: "close", callback: Listener<[reason: StreamEnd]>): this;
  override on(event: "error", callback: Listener<[error: unknown]>): this;
  override on(
    ...[event, callback]:
      | [event: "connect", callback: Listener<[]>]
      | [event: "close", callback: Listener<[reason: StreamEnd]>]
      | [event: "error", callback: Listener<[error: unknown]>]
  ): this {
    switch (event) {
      case "connect":
        return this.onConnect(callback);
      case "close":
        return this.onClose(waitedFor(callback));
      case "error":
        return this.onError(waitedFor(callback));
      default:
        throw new RangeError(
          `An event stream has no event '${String(event)}'; it has connect, close and error.`,
        );
    }
  }

  #connected(callback: Listener<[]>): void {
    this.#connecting = this.#connecting
      .then(() => this.life.during(async () => void (await callback())))
      .catch((error: unknown) => this.#failed(error));
  }

  // ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Sends an event that has nothing but data: text as it is, bytes in base64, anything else as JSON.
   *
   * @throws TypeError for a value without JSON, before the stream is started by it; StateError after `close()`.
   */
  override async send(data: Message): Promise<void> {
    await super.send(dataOf(data, () => jsonText(data)));
  }

  /** As {@link send}, if it can. @throws TypeError for a value without JSON. */
  override async trySend(data: Message): Promise<boolean> {
    return await super.trySend(dataOf(data, () => jsonText(data)));
  }

  // ── channels ────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Resolves once what is published in the channel reaches this stream: as the data of an event, in JSON where it is no
   * string (bytes in base64); or `callback` gets it, and sends what it wants to. Callbacks wait for each other.
   *
   * @throws RangeError (as a rejection) for more channels than it may hear (`maxChannels`), and for one without a name or with a name of
   *   more than 1000 chars.
   */
  subscribe(channel: string, callback?: (message: Message) => unknown): Promise<void> {
    return this.#member.join(channel, (message, json) => {
      const data = dataOf(message, json);
      const send =
        callback === undefined
          ? async () => void (await super.trySend(data))
          : async () => void (await callback(message));
      return { size: data.length, send };
    });
  }

  /** Resolves once nothing of the channel reaches this stream any more. */
  unsubscribe(channel: string): Promise<void> {
    return this.#member.leave(channel);
  }

  /** Happens by itself when the stream ends. */
  unsubscribeAll(): Promise<void> {
    return this.#member.leaveAll();
  }

  /** The channels that this stream hears. */
  channels(): string[] {
    return this.#member.channels();
  }

  /** Whether this stream hears a channel. */
  inChannel(channel: string): boolean {
    return this.#member.has(channel);
  }

  /** Gives a message to all that hear a channel, this stream too if it does. Resolves with their number. */
  publish(channel: string, message: Message): Promise<number> {
    return this.app.publish(channel, message);
  }

  /** Gives a message to all that hear a channel but this stream. */
  publishOthers(channel: string, message: Message): Promise<number> {
    return this.app.publish(channel, message, { except: this.#member.id });
  }

  /** Messages of channels that were left out for this stream. */
  get dropped(): number {
    return this.#outbox.dropped;
  }

  // ── its life ────────────────────────────────────────────────────────────────────────────────────────────────

  /** A callback of `subscribe` or `onConnect` threw: report it to `onError`, or end the stream with it. */
  async #failed(error: unknown): Promise<void> {
    if (await this.life.tellError(error)) return;
    this.#failure ??= { error };
    await this.fail();
  }

  /** Takes it from the handler to its end. */
  async serve(handler: SseHandler<Params>): Promise<void> {
    try {
      await handler(this);
      if (!this.isClosed()) await this.run();
      await this.#connecting;
      if (this.#failure !== undefined) throw this.#failure.error;
    } catch (error) {
      if (this.connectionState === "pending" && isTellable(error)) {
        await this.decline(PagiResponse.problem(error));
        return;
      }
      if (this.isStarted()) await this.fail();
      throw error;
    } finally {
      // A stream that was declined has no end that `onClose` would tell of.
      await this.#member.end();
    }
  }
}

function dataOf(message: Message, json: () => string): string {
  if (typeof message === "string") return message;
  if (message instanceof Uint8Array) return Buffer.from(message).toString("base64");
  return json();
}

/** The application of one handler. */
export function streamed<Params extends PathParams>(
  app: SimpleApp,
  handler: SseHandler<Params>,
): Application {
  return async (scope, receive, send) => {
    if (scope.type !== "sse") throw new UnsupportedScopeError(scope.type);
    await new SimpleSse<Params>(app, scope, receive, send).serve(handler);
  };
}
