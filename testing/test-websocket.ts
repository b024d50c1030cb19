import type { ApplicationRun } from "./application-run.ts";
import { ClientLine } from "./client-line.ts";
import { DEFAULTS } from "./client-options.ts";
import type { TestClientOptions, WebSocketOptions } from "./client-options.ts";
import { ClosedError, UnexpectedMessageError } from "./test-error.ts";
import type { TestResponse } from "./test-response.ts";
import { fieldsOf } from "./test-transport.ts";
import { atTurnEnd } from "./turn.ts";
import type { RequestHead } from "../src/exchange/transport.ts";
import type {
  Acceptance,
  WebSocketOffer,
  WebSocketReceiver,
  WebSocketTransport,
} from "../src/exchange/websocket-transport.ts";
import { upgradeFields, webSocketHead } from "../src/http1/upgrade-head.ts";
import type { DisconnectReason } from "../src/spec/connection-state.ts";
import type { Headers } from "../src/spec/values.ts";
import { ABNORMAL_CLOSURE, MESSAGE_TOO_BIG, NORMAL_CLOSURE } from "../src/spec/close-code.ts";
import { acceptOf, maybeHandshake } from "../src/websocket/handshake.ts";
import type { Handshake } from "../src/websocket/handshake.ts";
import { MAX_BYTES, MAX_MESSAGES } from "../src/websocket/receive-window.ts";

/** Bytes of a Pong without a payload, and of the mask and header of any short frame. */
const FRAME_BYTES = 6;

/** How a WebSocket ended. */
export interface Closing {
  /** 1006 where there was no Close frame. */
  readonly code: number;
  /** Empty where there was none. */
  readonly reason: string;
}

/** What the request of a WebSocket has. RFC 6455 section 4.1. */
export function handshakeHeaders(subprotocols: readonly string[]): Headers {
  const headers: Headers = [
    ["upgrade", "websocket"],
    ["connection", "Upgrade"],
    ["sec-websocket-version", "13"],
    ["sec-websocket-key", Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64")],
  ];
  if (subprotocols.length > 0) headers.push(["sec-websocket-protocol", subprotocols.join(", ")]);
  return headers;
}

/** A handshake that waits for the application's answer. */
export class TestWebSocketOffer implements WebSocketOffer {
  readonly subprotocols: string[];
  /** There once the application has accepted. */
  connection: WebSocketConnection | undefined;
  readonly #handshake: Handshake;
  readonly #run: ApplicationRun;
  readonly #options: TestClientOptions & WebSocketOptions;

  /** @throws TypeError for a request that is no handshake, ProtocolError for a malformed one. */
  constructor(run: ApplicationRun, head: RequestHead, options: TestClientOptions & WebSocketOptions) {
    const handshake = maybeHandshake({ ...head, httpVersion: "1.1", hasBody: false });
    if (handshake === undefined) throw new TypeError("The headers do not ask for a WebSocket.");
    this.#handshake = handshake;
    this.#run = run;
    this.#options = options;
    this.subprotocols = handshake.subprotocols;
  }

  accept(
    eventType: string,
    { subprotocol, headers }: Acceptance,
    receiver: WebSocketReceiver,
  ): WebSocketTransport {
    const fields = upgradeFields(eventType, headers);
    const answer = { accept: acceptOf(this.#handshake.key), subprotocol, extensions: "" };
    const head = webSocketHead(answer, fields, new Date().toUTCString());
    this.connection = new WebSocketConnection(receiver, this.#options);
    this.#run.upgraded(this.connection);
    this.#run.transport.upgrade({ status: 101, headers: fieldsOf(head) });
    return this.connection;
  }
}

/** An accepted WebSocket without a wire: messages to the client, and messages to the application. */
export class WebSocketConnection implements WebSocketTransport {
  readonly line: ClientLine<Uint8Array | string>;
  readonly #receiver: WebSocketReceiver;
  readonly #answersPings: boolean;
  readonly #maxMessageSize: number;
  /** What the client has sent and the application has no room for. */
  readonly #held: { readonly message: Uint8Array | string; readonly size: number }[] = [];
  #waitingMessages = 0;
  #waitingBytes = 0;
  #isFeeding = false;
  #receivedBytes = 0;
  #closeWhenSent: Closing | undefined;
  #closing: Closing | undefined;
  /** Pings that have come to the client. */
  pings = 0;

  constructor(receiver: WebSocketReceiver, options: TestClientOptions & WebSocketOptions) {
    this.#receiver = receiver;
    this.#answersPings = options.answersPings ?? true;
    this.#maxMessageSize = options.maxWsMessageSize ?? DEFAULTS.maxWsMessageSize;
    this.line = new ClientLine(options.socketBuffer ?? DEFAULTS.socketBuffer, "eager", () =>
      receiver.deliverDrain(),
    );
  }

  /** How it ended, as the client sees it. */
  get closing(): Closing | undefined {
    return this.#closing;
  }

  // ── what the exchange asks for ─────────────────────────────────────────────────────────────────────────────────

  sendMessage(message: Uint8Array | string): void {
    if (this.#closing !== undefined) return;
    // Its owner may use it again while it waits here.
    const copy = typeof message === "string" ? message.toWellFormed() : new Uint8Array(message);
    this.line.put(copy, typeof copy === "string" ? Buffer.byteLength(copy) : copy.byteLength);
  }

  ping(): void {
    if (this.#closing !== undefined) return;
    this.pings++;
    if (!this.#answersPings) return;
    atTurnEnd(() => {
      this.#receivedBytes += FRAME_BYTES;
    });
  }

  close(code: number, reason: string): void {
    this.#end({ code, reason });
  }

  abort(): void {
    this.#end({ code: ABNORMAL_CLOSURE, reason: "" });
  }

  messageTaken(length: number): void {
    this.#waitingMessages--;
    this.#waitingBytes -= length;
    this.#feed();
  }

  bufferedAmount(): number {
    return this.line.unsent;
  }

  receivedBytes(): number {
    return this.#receivedBytes;
  }

  isReading(): boolean {
    return this.#held.length === 0;
  }

  // ── what the client does ───────────────────────────────────────────────────────────────────────────────────────

  receive(message: Uint8Array | string): void {
    const size = typeof message === "string" ? Buffer.byteLength(message) : message.byteLength;
    this.#held.push({ message, size });
    this.#receivedBytes += size + FRAME_BYTES;
    this.#feed();
  }

  receiveClose(code: number, reason: string): void {
    if (this.#closing !== undefined) return;
    this.#closeWhenSent = { code, reason };
    this.#feed();
  }

  /** The connection is gone without a closing handshake. */
  lose(reason: DisconnectReason): void {
    if (this.#closing !== undefined) return;
    this.#end({ code: ABNORMAL_CLOSURE, reason: "" });
    this.line.clear();
    this.#receiver.deliverLoss(reason);
    this.#receiver.deliverClose(ABNORMAL_CLOSURE, reason);
  }

  /** Gives the application what it has room for. Reading stops where the server's does. */
  #feed(): void {
    if (this.#isFeeding) return;
    this.#isFeeding = true; // a message that is taken at once comes back here
    while (
      this.#closing === undefined &&
      this.#waitingMessages < MAX_MESSAGES &&
      this.#waitingBytes < MAX_BYTES
    ) {
      const next = this.#held.shift();
      if (next === undefined) break;
      if (next.size > this.#maxMessageSize) {
        this.#end({ code: MESSAGE_TOO_BIG, reason: "" });
        this.#receiver.deliverClose(MESSAGE_TOO_BIG, "body_too_large");
        break;
      }
      this.#waitingMessages++;
      this.#waitingBytes += next.message.length;
      this.#receiver.deliverMessage(next.message);
    }
    this.#isFeeding = false;
    const closing = this.#closeWhenSent;
    if (closing === undefined || this.#closing !== undefined || this.#held.length > 0) return;
    this.#end(closing);
    this.#receiver.deliverClose(closing.code, closing.reason);
  }

  #end(closing: Closing): void {
    this.#closing ??= closing;
    this.line.end();
  }
}

/** The client's end of a WebSocket. */
export class TestWebSocket implements AsyncIterable<string | Uint8Array>, AsyncDisposable {
  /** The 101 of the handshake. */
  readonly response: TestResponse;
  readonly #run: ApplicationRun;
  readonly #connection: WebSocketConnection;

  constructor(run: ApplicationRun, response: TestResponse, connection: WebSocketConnection) {
    this.#run = run;
    this.response = response;
    this.#connection = connection;
  }

  /** What the application has chosen of the subprotocols that were offered. */
  get subprotocol(): string | undefined {
    return this.response.header("sec-websocket-protocol");
  }

  /** The code with which it was closed; 1006 where it was not closed in order; `undefined` while it is open. */
  get closeCode(): number | undefined {
    return this.#connection.closing?.code;
  }

  /** The reason that the Close frame gave; `undefined` while it is open. */
  get closeReason(): string | undefined {
    return this.#connection.closing?.reason;
  }

  /** True once it is closed, from whichever side; messages that came before can still be received. */
  isClosed(): boolean {
    return this.#connection.closing !== undefined;
  }

  /** Pings that have come. They are answered, unless `answersPings` is false. */
  get pings(): number {
    return this.#connection.pings;
  }

  /** Sends text. @throws ClosedError when the WebSocket is closed. */
  sendText(text: string): void {
    this.#send("sendText", text.toWellFormed());
  }

  /** Sends bytes. @throws ClosedError when the WebSocket is closed. */
  sendBytes(bytes: Uint8Array): void {
    this.#send("sendBytes", new Uint8Array(bytes));
  }

  /** Sends a value as JSON in a message of text. @throws ClosedError when the WebSocket is closed. */
  sendJson(value: unknown): void {
    this.#send("sendJson", JSON.stringify(value));
  }

  /**
   * The next message.
   *
   * @throws ClosedError when it is closed before one comes; what the application throws; TestTimeoutError.
   */
  async receive(options?: { readonly timeout?: number }): Promise<string | Uint8Array> {
    const message = await this.#maybeReceive(options?.timeout);
    if (message !== undefined) return message;
    const { code, reason } = this.#connection.closing ?? { code: ABNORMAL_CLOSURE, reason: "" };
    throw new ClosedError(
      `The WebSocket of ${this.#run.name} was closed with ${code} ${JSON.stringify(reason)}.`,
    );
  }

  /** The next message, which is text. @throws as {@link receive}; UnexpectedMessageError for bytes. */
  async receiveText(options?: { readonly timeout?: number }): Promise<string> {
    const message = await this.receive(options);
    if (typeof message === "string") return message;
    throw new UnexpectedMessageError(`Text was expected, and ${message.byteLength} bytes have come.`);
  }

  /** The next message, which is bytes. @throws as {@link receive}; UnexpectedMessageError for text. */
  async receiveBytes(options?: { readonly timeout?: number }): Promise<Uint8Array> {
    const message = await this.receive(options);
    if (typeof message !== "string") return message;
    throw new UnexpectedMessageError(
      `Bytes were expected, and the text ${JSON.stringify(message)} has come.`,
    );
  }

  /** The next message as JSON. `T` is not checked. @throws as {@link receiveText}; SyntaxError. */
  async receiveJson<T = unknown>(options?: { readonly timeout?: number }): Promise<T> {
    return JSON.parse(await this.receiveText(options));
  }

  /** The messages, until it is closed. @throws what the application throws; TestTimeoutError. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array, void> {
    for (;;) {
      const message = await this.#maybeReceive();
      if (message === undefined) return;
      yield message;
    }
  }

  /** Waits until the application closes it; messages that come before are thrown away. */
  async whenClosed(): Promise<Closing> {
    while ((await this.#maybeReceive()) !== undefined);
    return this.#connection.closing ?? { code: ABNORMAL_CLOSURE, reason: "" };
  }

  /**
   * Closes it in order and waits until the application has returned. Does nothing more where it is closed already.
   *
   * @throws what the application throws; TestTimeoutError when it does not return.
   */
  async close(code: number = NORMAL_CLOSURE, reason = ""): Promise<void> {
    this.#connection.receiveClose(code, reason);
    await this.#run.finish();
  }

  /** Is gone without a closing handshake, as when a cable is pulled. The application sees 1006. */
  abort(): void {
    this.#connection.lose("client_closed");
  }

  /** Stops reading, so that the application's messages wait and `send` with them. */
  pause(): void {
    this.#connection.line.pause();
  }

  /** Reads again, and first what has come meanwhile. */
  resume(): void {
    this.#connection.line.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #send(method: string, message: string | Uint8Array): void {
    if (this.isClosed())
      throw new ClosedError(`${method}() came after the WebSocket was closed with ${this.closeCode}.`);
    this.#connection.receive(message);
  }

  async #maybeReceive(timeout?: number): Promise<string | Uint8Array | undefined> {
    const { line } = this.#connection;
    const message = await this.#run.nextOf(line, "a message", timeout);
    if (message === undefined) this.#run.check();
    return message;
  }
}
