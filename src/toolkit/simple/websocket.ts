import type { Application, Receive, Send } from "../../spec/application.ts";
import { EventError, UnsupportedScopeError } from "../../errors.ts";
import { TRY_AGAIN_LATER } from "../../spec/close-code.ts";
import type { WebSocketScope } from "../../spec/scope.ts";
import { isTellable } from "./http-error.ts";
import { waitedFor, type Listener } from "./listener.ts";
import { Membership } from "./membership.ts";
import { Outbox } from "./outbox.ts";
import type { Outgoing } from "./outbox.ts";
import type { PathParams } from "../router/path-params.ts";
import type { Message, PublishOptions } from "./pub-sub.ts";
import { jsonText } from "../response/body.ts";
import { PagiResponse } from "../response.ts";
import type { SimpleApp } from "./app.ts";
import type { AcceptOptions, Callback } from "../websocket.ts";
import { PagiWebSocket } from "../websocket.ts";
import type { WebSocketReceive } from "../../spec/events.ts";

/** Says what is to become of a connection: it registers callbacks, accepts or denies. */
export type WebSocketHandler<Params extends PathParams = PathParams> = (
  ws: SimpleWebSocket<Params>,
) => void | Promise<void>;

/**
 * One WebSocket connection, with the rooms it is in. The handler is called before the handshake is answered; unless it
 * denies or accepts it itself, or throws, the connection is then accepted, and the `open` callbacks are called. What is
 * sent in the handler accepts it too.
 *
 * Messages of rooms that the client does not take fast enough wait in a queue with limits; `app.slowClients` says what
 * becomes of the rest. What is sent with `send` does not stand in that queue.
 */
export class SimpleWebSocket<Params extends PathParams = PathParams> extends PagiWebSocket<Params> {
  /** The application that has the route. */
  readonly app: SimpleApp;
  readonly #outbox: Outbox;
  readonly #member: Membership;
  readonly #onOpen: Callback<[]>[] = [];
  #opening: Promise<void> | undefined;

  constructor(app: SimpleApp, scope: WebSocketScope, receive: Receive, send: Send) {
    super(scope, receive, send);
    this.app = app;
    this.#outbox = new Outbox(app.slowClients, {
      onOverflow: () => {
        const reason = "too slow for the messages of its rooms";
        this.close(TRY_AGAIN_LATER, reason).catch((error: unknown) => this.life.tellError(error));
      },
      onError: (error) => void this.life.tellError(error),
      onDrop: () => app.countDropped(),
    });
    this.#member = new Membership(app.pubsub, this.#outbox, app.maxChannels);
    // The first of its callbacks, so that those of the handler speak to rooms in which it is no longer.
    this.onClose(() => this.#member.end());
  }

  // ── the connection ──────────────────────────────────────────────────────────────────────────────────────────

  override async accept(options?: AcceptOptions): Promise<void> {
    // Do not wait: a slow or absent broker must not keep the client waiting.
    this.#member
      .joinAll((message, json) => this.#outgoing(message, json))
      .catch((error: unknown) => this.life.tellError(error));
    await super.accept(options);
    this.#outbox.open();
  }

  /** Runs `callback` when the connection is open, before the first message. */
  onOpen(callback: Listener<[]>): this {
    this.#onOpen.push(waitedFor(callback));
    return this;
  }

  /** `onOpen`, `onMessage`, `onClose` and `onError` by their names. A promise that a callback returns is waited for. */
  override on(event: "open", callback: Listener<[]>): this;
  override on(
    event: "message",
    callback: Listener<[data: string | Uint8Array, event: WebSocketReceive]>,
  ): this;
  override on(event: "close", callback: Listener<[code: number, reason: string]>): this;
  override on(event: "error", callback: Listener<[error: unknown]>): this;
  override on(
    ...[event, callback]:
      | [event: "open", callback: Listener<[]>]
      | [event: "message", callback: Listener<[data: string | Uint8Array, event: WebSocketReceive]>]
      | [event: "close", callback: Listener<[code: number, reason: string]>]
      | [event: "error", callback: Listener<[error: unknown]>]
  ): this {
    switch (event) {
      case "open":
        return this.onOpen(callback);
      case "message":
        return this.onMessage(waitedFor(callback));
      case "close":
        return this.onClose(waitedFor(callback));
      case "error":
        return this.onError(waitedFor(callback));
      default:
        throw new RangeError(
          `A WebSocket has no event '${String(event)}'; it has open, message, close and error.`,
        );
    }
  }

  // What cannot be sent does not accept the connection either, so that the handshake can still be answered with an error.

  override async sendText(text: string): Promise<void> {
    if (typeof text !== "string") throw notSendable("text", "a string", text);
    await this.#opened();
    await super.sendText(text);
  }

  override async sendBytes(bytes: Uint8Array): Promise<void> {
    if (!(bytes instanceof Uint8Array)) throw notSendable("bytes", "a Uint8Array", bytes);
    await this.#opened();
    await super.sendBytes(bytes);
  }

  override async sendJson(value: unknown): Promise<void> {
    await this.sendText(jsonText(value));
  }

  /** The next message; whoever asks for one before the connection is open accepts it, as whoever sends does. */
  override receive(): Promise<WebSocketReceive | undefined> {
    return this.connectionState === "connecting"
      ? this.#opened().then(() => super.receive())
      : super.receive();
  }

  /** Whatever is sent meanwhile waits for the same handshake, so that it keeps its order. */
  async #opened(): Promise<void> {
    if (this.connectionState === "connecting") {
      this.#opening = this.accept();
      this.#opening.catch(() => {
        this.#opening = undefined;
      });
    }
    await this.#opening;
  }

  // ── rooms ───────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Resolves once messages to the room reach this connection.
   *
   * @throws RangeError (as a rejection) for more rooms than it may be in (`maxChannels`), and for one without a name or with a name of
   *   more than 1000 chars.
   */
  join(room: string): Promise<void> {
    return this.#member.join(room, (message, json) => this.#outgoing(message, json));
  }

  /** Resolves once nothing of the room reaches this connection any more. */
  leave(room: string): Promise<void> {
    return this.#member.leave(room);
  }

  /** Happens by itself when the connection ends. */
  leaveAll(): Promise<void> {
    return this.#member.leaveAll();
  }

  /** The rooms that this connection is in. */
  rooms(): string[] {
    return this.#member.channels();
  }

  /** Whether this connection is in a room. */
  inRoom(room: string): boolean {
    return this.#member.has(room);
  }

  /**
   * Gives a message to everybody in a room, this connection too if it is in it; without a room to every WebSocket of the
   * application that is open. Text and bytes go as they are, anything else as JSON. Nobody waits for anybody.
   *
   * @returns the number of connections.
   * @throws TypeError (as a rejection) for a message without JSON.
   */
  broadcast(message: Message): Promise<number>;
  broadcast(room: string, message: Message): Promise<number>;
  broadcast(...given: [message: Message] | [room: string, message: Message]): Promise<number> {
    return this.#tell(given, {});
  }

  /** As {@link broadcast}, but not to this connection. */
  broadcastOthers(message: Message): Promise<number>;
  broadcastOthers(room: string, message: Message): Promise<number>;
  broadcastOthers(...given: [message: Message] | [room: string, message: Message]): Promise<number> {
    return this.#tell(given, { except: this.#member.id });
  }

  async #tell(
    given: [message: Message] | [room: string, message: Message],
    options: PublishOptions,
  ): Promise<number> {
    if (given.length === 2) return await this.app.publish(...given, options);
    return await this.app.broadcast(given[0], options);
  }

  /** Messages of rooms that were left out for this connection. */
  get dropped(): number {
    return this.#outbox.dropped;
  }

  #outgoing(message: Message, json: () => string): Outgoing {
    const data = typeof message === "string" || message instanceof Uint8Array ? message : json();
    return { size: data.length, send: async () => void (await this.trySend(data)) };
  }

  // ── its life ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes it from the handler to its end. */
  async serve(handler: WebSocketHandler<Params>): Promise<void> {
    try {
      await handler(this);
      if (this.connectionState === "connecting") await this.accept();
      for (const callback of this.#onOpen) await this.guarded(callback);
      if (this.isConnected()) await this.run();
    } catch (error) {
      if (this.connectionState === "connecting" && isTellable(error)) {
        await this.deny(PagiResponse.problem(error));
        return;
      }
      if (this.isConnected()) await this.fail();
      throw error;
    } finally {
      // A handshake that was denied has no end that `onClose` would tell of.
      await this.#member.end();
    }
  }
}

function notSendable(field: "text" | "bytes", wanted: string, found: unknown): EventError {
  const what = found === null ? "null" : typeof found;
  return new EventError("websocket.send", field, `must be ${wanted}, not ${what}; sendJson() takes anything`);
}

/** The application of one handler. */
export function connected<Params extends PathParams>(
  app: SimpleApp,
  handler: WebSocketHandler<Params>,
): Application {
  return async (scope, receive, send) => {
    if (scope.type !== "websocket") throw new UnsupportedScopeError(scope.type);
    await new SimpleWebSocket<Params>(app, scope, receive, send).serve(handler);
  };
}
