import type { StandardSchemaV1 } from "@standard-schema/spec";
import { EventError, StateError } from "../errors.ts";
import type { Receive } from "../spec/application.ts";
import { ABNORMAL_CLOSURE, INTERNAL_ERROR, NORMAL_CLOSURE, POLICY_VIOLATION } from "../spec/close-code.ts";
import type { WebSocketReceive, WebSocketSendEvent } from "../spec/events.ts";
import {
  amount,
  checkOptions,
  checkValue,
  either,
  FUNCTION,
  OBJECT,
  TEXT,
  TEXTS,
  type OptionRules,
} from "../spec/option-rules.ts";
import type { WebSocketScope } from "../spec/scope.ts";
import { EventReader } from "./connection/event-reader.ts";
import { Lifetime, nextTurn, type Callback } from "./connection/lifetime.ts";
import {
  KEEPALIVE_RULE,
  LongConnection,
  pairsOf,
  refusalOf,
  type Refusal,
} from "./connection/long-connection.ts";
import { bytesOf, dataOf, jsonOf, MessageError, textOf, valueOf } from "./connection/message-error.ts";
import type { PathParams } from "./request/head.ts";
import { jsonText } from "./response/body.ts";
import type { ResponseOptions } from "./response.ts";
import type { OutputOf, Schema } from "./request/validation.ts";

export type { Callback } from "./connection/lifetime.ts";
export type { Refusal, RefusalParts } from "./connection/long-connection.ts";
export { MessageError } from "./connection/message-error.ts";
export type { MessageIssue } from "./connection/message-error.ts";
export type { PathParams } from "./request/head.ts";
export type { Schema } from "./request/validation.ts";

/** A message: text or binary. */
export type Message = string | Uint8Array;

/** How a handshake is accepted. */
export interface AcceptOptions {
  /**
   * The subprotocol: one that the client offers; or a list, of which the first that the client offers is taken, and
   * none if there is none; or a function that is given what the client offers. Default: none.
   */
  readonly subprotocol?:
    string | readonly string[] | ((offered: readonly string[]) => string | undefined) | undefined;
  /** Fields to add to the response. */
  readonly headers?: ResponseOptions["headers"] | undefined;
}

const ACCEPT_RULES: OptionRules<AcceptOptions> = {
  subprotocol: either(TEXT, TEXTS, FUNCTION),
  headers: OBJECT,
};

const TIMEOUT_RULE = amount("seconds", 0, 2_147_483);

/** How a WebSocket ended. */
interface Closing {
  readonly code: number;
  readonly reason: string;
}

const KEY = "pagi.websocket";

class WebSocketLifetime extends Lifetime<WebSocketReceive, Closing> {
  subprotocol: string | undefined;
  readonly onMessage: Callback<[data: Message, event: WebSocketReceive]>[] = [];

  /** That of a scope, and of the copies that are made of it afterwards. */
  static of(scope: WebSocketScope): WebSocketLifetime {
    const present = scope[KEY];
    if (present instanceof WebSocketLifetime) return present;
    const life = new WebSocketLifetime();
    scope[KEY] = life;
    return life;
  }
}

/**
 * A WebSocket: `accept()` or `deny()` first, then messages with `for await`, with `each...`, one by one, or with
 * `onMessage` and `run()`. From `accept()` on the scope's `receive` is read here and nowhere else.
 *
 * A message that is not what a loop wants, and an error in a handler, goes to `onError`, after which the loop goes on.
 * Without one a message closes the connection with 1003 or 1007, which ends the loop; an error in a handler closes it
 * with 1011 and is thrown.
 */
export class PagiWebSocket<Params extends PathParams = PathParams> extends LongConnection<
  WebSocketScope,
  WebSocketReceive,
  Closing,
  Params
> {
  readonly #receive: Receive;
  readonly #send: (event: WebSocketSendEvent) => Promise<void>;
  declare protected readonly life: WebSocketLifetime;

  constructor(scope: WebSocketScope, receive: Receive, send: (event: WebSocketSendEvent) => Promise<void>) {
    super(scope, "websocket", WebSocketLifetime.of(scope));
    this.#receive = receive;
    this.#send = send;
  }

  // ── the handshake ───────────────────────────────────────────────────────────────────────────────────────────

  /** The subprotocols that the client offers, the one it likes best first. */
  get subprotocols(): readonly string[] {
    return this.scope.subprotocols ?? [];
  }

  /** The one that was accepted. */
  get subprotocol(): string | undefined {
    return this.life.subprotocol;
  }

  /**
   * Accepts the handshake.
   *
   * @throws EventError for a subprotocol that the client does not offer; StateError when it was answered already; what
   *   `send` rejects with.
   */
  async accept(options: AcceptOptions = {}): Promise<void> {
    checkOptions("accept", ACCEPT_RULES, options);
    const { subprotocol, headers } = options;
    this.#requireUnanswered("websocket.accept");
    const chosen = this.#choose(subprotocol);
    const { life } = this;
    life.phase = "open";
    life.subprotocol = chosen;
    try {
      await this.#send({ type: "websocket.accept", subprotocol: chosen, headers: pairsOf(headers) });
    } catch (error) {
      // Not where it was closed meanwhile, which stays so.
      if (life.phase === "open") life.phase = "waiting";
      life.subprotocol = undefined;
      throw error;
    }
    this.#reader.watch();
  }

  get #reader(): EventReader<WebSocketReceive, Closing> {
    const { life } = this;
    return (life.reader ??= new EventReader(
      this.#receive,
      (event, to) => {
        if (event.type === "websocket.receive") to.input(event);
        else if (event.type === "websocket.disconnect") {
          // The reason is optional, so that another server may leave it out. PAGI Www, "Disconnect - receive event".
          to.end({ code: event.code, reason: event.reason ?? "" });
        }
      },
      (end) => void life.finish(end ?? { code: ABNORMAL_CLOSURE, reason: "read_error" }),
    ));
  }

  /** True where the server can refuse a handshake with a response; without it all it can say is 403. */
  supportsDenialResponse(): boolean {
    return this.scope.extensions?.["websocket.http.response"] !== undefined;
  }

  /**
   * Refuses the handshake with a response, 403 where nothing else is said; with a bare 403 where the server can send
   * none.
   *
   * @throws StateError when the handshake was answered already; TypeError for what is no response.
   */
  async deny(refusal: Refusal = {}): Promise<void> {
    this.#requireUnanswered("websocket.http.response.start");
    const responder = refusalOf(refusal);
    if (this.supportsDenialResponse()) {
      this.life.refuse();
      await responder.respond(this.#send, this.scope);
    } else {
      this.life.refuse({ code: POLICY_VIOLATION, reason: "" });
      await this.#send({ type: "websocket.close", code: POLICY_VIOLATION });
    }
  }

  #requireUnanswered(eventType: WebSocketSendEvent["type"]): void {
    if (this.life.phase !== "waiting")
      throw new StateError(eventType, this.connectionState, "the handshake has been answered already");
  }

  #choose(wanted: AcceptOptions["subprotocol"]): string | undefined {
    const offered = this.subprotocols;
    if (typeof wanted === "object") return wanted.find((each) => offered.includes(each));
    const chosen = typeof wanted === "function" ? wanted(offered) : wanted;
    if (chosen === undefined || offered.includes(chosen)) return chosen;
    throw new EventError(
      "websocket.accept",
      "subprotocol",
      `is '${chosen}', which is none that the client offers: ${offered.join(", ") || "it offers none"}`,
    );
  }

  // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** `connecting` until the handshake is answered. */
  get connectionState(): "connecting" | "connected" | "closed" {
    const { phase } = this.life;
    return phase === "waiting" ? "connecting" : phase === "open" ? "connected" : phase;
  }

  /** The code that it was closed with, from whichever side; `undefined` before that, and after {@link deny} with a response. */
  get closeCode(): number | undefined {
    return this.life.end?.code;
  }

  /** The reason that came with the code; empty where there was none, `undefined` as {@link closeCode}. */
  get closeReason(): string | undefined {
    return this.life.end?.reason;
  }

  /**
   * Closes the connection, and waits for the `onClose` callbacks; before `accept()` it refuses the handshake with 403.
   * Without effect on one that is closed.
   *
   * @param code 1000 to 1003, 1007 to 1014, or one of your own from 3000 to 4999. Default 1000.
   * @param reason at most 123 bytes of UTF-8.
   * @throws EventError for another code or a longer reason.
   */
  async close(code: number = NORMAL_CLOSURE, reason = ""): Promise<void> {
    const { life } = this;
    if (life.phase === "closed") return;
    const before = life.phase;
    life.phase = "closed";
    life.isEndedHere = true;
    try {
      await this.#send({ type: "websocket.close", code, reason });
    } catch (error) {
      if (life.end === undefined) {
        life.phase = before;
        life.isEndedHere = false;
      }
      throw error;
    }
    await life.finish({ code, reason });
  }

  protected fail(): Promise<void> {
    return this.close(INTERNAL_ERROR);
  }

  // ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Sends a message: a string as text, bytes as a binary one. Resolves when the next one may come, which with a slow
   * client takes as long as it takes; does nothing when the client has gone, so a loop that has no other end asks
   * {@link isConnected}.
   *
   * @throws StateError before `accept()` and after `close()`; EventError for what is no message.
   */
  send(message: Message): Promise<void> {
    return typeof message === "string" ? this.sendText(message) : this.sendBytes(message);
  }

  /** As {@link send}. */
  sendText(text: string): Promise<void> {
    return this.#give({ type: "websocket.send", text });
  }

  /** As {@link send}. */
  sendBytes(bytes: Uint8Array): Promise<void> {
    return this.#give({ type: "websocket.send", bytes });
  }

  /** Sends a value as JSON in a text message, as {@link send}. @throws TypeError for what has no JSON. */
  async sendJson(value: unknown): Promise<void> {
    await this.#give({ type: "websocket.send", text: jsonText(value) });
  }

  /**
   * Sends if it can: for broadcasts, which one client that has gone must not stop. It waits for a slow one, as `send` does:
   * where that must not be, ask `isWritable()` before. Whatever `send` rejects with goes to
   * `onError` callbacks and nowhere else. A client may go before it has read what was sent, so `true` is no receipt.
   *
   * @returns false when nothing was sent.
   */
  trySend(message: Message): Promise<boolean> {
    return typeof message === "string" ? this.trySendText(message) : this.trySendBytes(message);
  }

  /** As {@link trySend}. */
  trySendText(text: string): Promise<boolean> {
    return this.#tryGive({ type: "websocket.send", text });
  }

  /** As {@link trySend}. */
  trySendBytes(bytes: Uint8Array): Promise<boolean> {
    return this.#tryGive({ type: "websocket.send", bytes });
  }

  /** As {@link trySend}. @throws TypeError for what has no JSON. */
  async trySendJson(value: unknown): Promise<boolean> {
    return await this.#tryGive({ type: "websocket.send", text: jsonText(value) });
  }

  /** As {@link trySendText}, for those who do not ask whether. */
  async sendTextIfConnected(text: string): Promise<void> {
    await this.trySendText(text);
  }

  /** As {@link trySendBytes}, for those who do not ask whether. */
  async sendBytesIfConnected(bytes: Uint8Array): Promise<void> {
    await this.trySendBytes(bytes);
  }

  /** As {@link trySendJson}, for those who do not ask whether. */
  async sendJsonIfConnected(value: unknown): Promise<void> {
    if (this.isConnected()) await this.trySendJson(value);
  }

  /**
   * Lets the server send pings, so that proxies do not take the connection for idle.
   *
   * @param interval seconds between them; 0 or false stops them.
   * @param timeout seconds without an answer after which the connection is closed (1006, `keepalive_timeout`). Default:
   *   never.
   */
  async keepalive(interval: number | false, timeout?: number): Promise<void> {
    checkValue("keepalive: the interval", KEEPALIVE_RULE, interval);
    if (timeout !== undefined) checkValue("keepalive: the timeout", TIMEOUT_RULE, timeout);
    await this.#give({ type: "websocket.keepalive", interval: interval || 0, timeout });
  }

  #give(event: WebSocketSendEvent): Promise<void> {
    const { phase, isEndedHere } = this.life;
    if (phase === "open") return this.#send(event);
    // The client has gone. A loop that does not ask for that must not keep everybody else from their turn.
    if (phase === "closed" && !isEndedHere) return this.#send(event).then(nextTurn);
    const why = phase === "waiting" ? "accept() comes first" : "the application has closed the connection";
    return Promise.reject(new StateError(event.type, this.connectionState, why));
  }

  async #tryGive(event: WebSocketSendEvent): Promise<boolean> {
    if (!this.isConnected()) return false;
    try {
      await this.#send(event);
    } catch (error) {
      await this.life.tellError(error);
      return false;
    }
    return this.isConnected();
  }

  // ── receiving, one by one ───────────────────────────────────────────────────────────────────────────────────

  /**
   * The next message as the event that it came in; `undefined` at the end, when the `onClose` callbacks have run.
   *
   * @throws StateError before `accept()`, when no message can come; what `receive` of the scope rejects with.
   */
  async receive(): Promise<WebSocketReceive | undefined> {
    const { life } = this;
    if (life.phase === "waiting")
      throw new StateError("receive", this.connectionState, "accept() or deny() the handshake first");
    const reader = life.phase === "open" ? this.#reader : life.reader;
    let event: WebSocketReceive | undefined;
    try {
      event = await reader?.take();
    } finally {
      if (event === undefined) await life.callbacksDone();
    }
    return event;
  }

  /** The next message, which has to be text; `undefined` at the end. @throws MessageError for a binary one. */
  async receiveText(): Promise<string | undefined> {
    const event = await this.receive();
    return event && textOf(event);
  }

  /** The next message, which has to be binary; `undefined` at the end. @throws MessageError for a text. */
  async receiveBytes(): Promise<Uint8Array | undefined> {
    const event = await this.receive();
    return event && bytesOf(event);
  }

  /**
   * The value of the next message, which has to be JSON, and what a schema makes of it; `undefined` at the end. Without a
   * schema `T` is a promise of the caller. The connection stays open when it is not: `close(error.closeCode)` ends it.
   *
   * @throws MessageError for anything else.
   */
  receiveJson<S extends StandardSchemaV1>(schema: S): Promise<OutputOf<S> | undefined>;
  receiveJson<T = unknown>(): Promise<T | undefined>;
  async receiveJson(schema?: Schema): Promise<unknown> {
    const event = await this.receive();
    if (event === undefined) return undefined;
    return schema === undefined ? jsonOf(event) : await valueOf(event, schema);
  }

  // ── receiving, all of them ──────────────────────────────────────────────────────────────────────────────────

  /** The messages, until the end. Leaving the loop early closes nothing. */
  [Symbol.asyncIterator](): AsyncGenerator<Message, void, void> {
    return this.messages();
  }

  /** The messages, until the end; as {@link values} with a schema. */
  messages(): AsyncGenerator<Message, void, void>;
  messages<S extends StandardSchemaV1>(schema: S): AsyncGenerator<OutputOf<S>, void, void>;
  messages(schema?: Schema): AsyncGenerator<unknown, void, void> {
    return schema === undefined ? this.#all(dataOf) : this.values(schema);
  }

  /** The text messages, until the end; others are refused with 1003. */
  texts(): AsyncGenerator<string, void, void> {
    return this.#all(textOf);
  }

  /** The binary messages, until the end; others are refused with 1003. */
  binaries(): AsyncGenerator<Uint8Array, void, void> {
    return this.#all(bytesOf);
  }

  /**
   * The values of the messages, until the end: binary ones are refused with 1003, what is no JSON, or what the schema does
   * not take, with 1007. Without a schema `T` is a promise of the caller.
   */
  values<S extends StandardSchemaV1>(schema: S): AsyncGenerator<OutputOf<S>, void, void>;
  values<T = unknown>(): AsyncGenerator<T, void, void>;
  values(schema?: Schema): AsyncGenerator<unknown, void, void> {
    return this.#all(schema === undefined ? jsonOf : (event) => valueOf(event, schema));
  }

  /** Calls `callback` with each message and waits for it, until the end. */
  eachMessage(callback: Callback<[message: Message]>): Promise<void> {
    return this.#each(this.messages(), callback);
  }

  /** Calls `callback` as {@link eachMessage}, for {@link texts}. */
  eachText(callback: Callback<[text: string]>): Promise<void> {
    return this.#each(this.texts(), callback);
  }

  /** Calls `callback` as {@link eachMessage}, for {@link binaries}. */
  eachBytes(callback: Callback<[bytes: Uint8Array]>): Promise<void> {
    return this.#each(this.binaries(), callback);
  }

  /** Calls `callback` as {@link eachMessage}, for {@link values}. */
  eachJson<S extends StandardSchemaV1>(schema: S, callback: Callback<[value: OutputOf<S>]>): Promise<void>;
  eachJson<T = unknown>(callback: Callback<[value: T]>): Promise<void>;
  eachJson<T>(...given: [Schema, Callback<[value: unknown]>] | [Callback<[value: T]>]): Promise<void> {
    return given.length === 1
      ? this.#each(this.values<T>(), given[0])
      : this.#each(this.values(given[0]), given[1]);
  }

  async *#all<T>(convert: (event: WebSocketReceive) => T | Promise<T>): AsyncGenerator<T, void, void> {
    for (let event = await this.receive(); event !== undefined; event = await this.receive()) {
      let value: T;
      try {
        value = await convert(event);
      } catch (error) {
        if (!(error instanceof MessageError)) throw error;
        // The client's mistake, so it is told and nobody else, unless somebody wants to know.
        if (!(await this.life.tellError(error))) await this.close(error.closeCode, error.closeReason);
        continue;
      }
      yield value;
    }
  }

  async #each<T>(values: AsyncIterable<T>, callback: Callback<[value: T]>): Promise<void> {
    for await (const value of values) await this.guarded(() => callback(value));
  }

  // ── receiving, by callbacks ─────────────────────────────────────────────────────────────────────────────────

  /** Runs `callback` with each message that comes while {@link run} runs. */
  onMessage(callback: Callback<[data: Message, event: WebSocketReceive]>): this {
    this.life.onMessage.push(callback);
    return this;
  }

  /**
   * Runs `callback` when the connection is over, whoever has ended it; at once if it is. When the client goes it waits for
   * a callback of `each...` or `run` that is at work. Its errors become warnings of the process. Not after {@link deny},
   * where there never was a connection.
   */
  onClose(callback: Callback<[code: number, reason: string]>): this {
    this.life.onClose(({ code, reason }) => callback(code, reason));
    return this;
  }

  /** `onMessage`, `onClose` and `onError` by their names. */
  on(event: "message", callback: Callback<[data: Message, event: WebSocketReceive]>): this;
  on(event: "close", callback: Callback<[code: number, reason: string]>): this;
  on(event: "error", callback: Callback<[error: unknown]>): this;
  on(
    ...[event, callback]:
      | [event: "message", callback: Callback<[data: Message, event: WebSocketReceive]>]
      | [event: "close", callback: Callback<[code: number, reason: string]>]
      | [event: "error", callback: Callback<[error: unknown]>]
  ): this {
    switch (event) {
      case "message":
        return this.onMessage(callback);
      case "close":
        return this.onClose(callback);
      case "error":
        return this.onError(callback);
      default:
        throw new RangeError(`A WebSocket has no event '${String(event)}'; it has message, close and error.`);
    }
  }

  /** Gives each message to the `onMessage` callbacks, one after the other, until the end. */
  async run(): Promise<void> {
    for (let event = await this.receive(); event !== undefined; event = await this.receive()) {
      const message = event;
      for (const callback of this.life.onMessage)
        await this.guarded(() => callback(dataOf(message), message));
    }
  }
}
