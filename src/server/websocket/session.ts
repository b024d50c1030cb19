import type { DisconnectReason } from "../../spec/connection-state.ts";
import type {
  Acceptance,
  WebSocketOffer,
  WebSocketReceiver,
  WebSocketTransport,
} from "../../exchange/websocket-transport.ts";
import { errorResponse } from "../../http1/error-response.ts";
import { upgradeFields, webSocketHead } from "../../http1/upgrade-head.ts";
import { ABNORMAL_CLOSURE, MESSAGE_TOO_BIG } from "../../spec/close-code.ts";
import { acceptOf } from "../../websocket/handshake.ts";
import type { Handshake } from "../../websocket/handshake.ts";
import { PING, agreedDeflate, outgoingFrame, pongHeader } from "../../websocket/outgoing-frame.ts";
import type { Deflate } from "../../websocket/outgoing-frame.ts";
import { ReceiveWindow } from "../../websocket/receive-window.ts";
import type { Span, SpanOwner, UpgradeBridge } from "./upgrade-bridge.ts";
import type { Connection, Protocol } from "../connection/connection.ts";
import type { ServerContext } from "../connection/shared.ts";
import { httpDate } from "../http-date.ts";

/**
 * `opening` until the bridge stands and the client has its answer; `open`; `closing` once a Close frame is on its way
 * or nothing more can be; `over`.
 */
type Phase = "opening" | "open" | "closing" | "over";

/** The session of the handshake's request, which gives the connection away. */
export interface HandshakeOwner {
  /** Method and path of the handshake. */
  readonly request: string | undefined;
  /** The connection changes hands. @returns the bytes that came behind the handshake. */
  onAccepted(): readonly Uint8Array[];
  /** The client has its answer. */
  onWebSocketOpen(): void;
  /** The WebSocket has ended. `status` is what the client was answered; 0 when it was gone before that. */
  onWebSocketEnd(sentBytes: number, status: number): void;
}

/** What an HTTP/1.1 request offers to the application that is asked for a WebSocket. */
export class Http1WebSocketOffer implements WebSocketOffer {
  readonly subprotocols: string[];
  readonly #connection: Connection;
  readonly #handshake: Handshake;
  readonly #owner: HandshakeOwner;

  constructor(connection: Connection, handshake: Handshake, owner: HandshakeOwner) {
    this.#connection = connection;
    this.#handshake = handshake;
    this.#owner = owner;
    this.subprotocols = handshake.subprotocols;
  }

  accept(eventType: string, acceptance: Acceptance, receiver: WebSocketReceiver): WebSocketTransport {
    const fields = upgradeFields(eventType, acceptance.headers);
    const bridge = this.#connection.context.bridge(); // where this fails, the handshake can still be refused
    const rest = this.#owner.onAccepted();
    const answerWith = (extensions: string): string => {
      const accept = acceptOf(this.#handshake.key);
      return webSocketHead({ accept, subprotocol: acceptance.subprotocol, extensions }, fields, httpDate());
    };
    const session = new WebSocketSession(this.#connection, receiver, this.#owner, answerWith);
    this.#connection.start(session);
    session.open(bridge, this.#handshake.extensions, rest);
    return session;
  }
}

/**
 * A WebSocket on a connection: the client's bytes go over a bridge to Bun's WebSocket, as fast as the application takes
 * the messages that come out of it; messages to the client are written straight to the connection.
 */
export class WebSocketSession implements Protocol, WebSocketTransport, SpanOwner {
  readonly #connection: Connection;
  readonly #receiver: WebSocketReceiver;
  readonly #owner: HandshakeOwner;
  readonly #answerWith: (extensions: string) => string;
  #phase: Phase = "opening";
  #span: Span | undefined;
  #window: ReceiveWindow;
  #deflate: Deflate | undefined;
  /** What was sent before the client has its answer. */
  #early: (Uint8Array | string)[] = [];
  #earlyBytes = 0;
  /** The client's bytes for which there is no room; reading stands still as long as there are any. */
  #held: Uint8Array[] = [];
  #closeOnOpen: { readonly code: number; readonly reason: string } | undefined;
  /** The payload of the last Ping, as long as its Pong has to wait. */
  #latePong: Uint8Array | undefined;
  #isSpanBlocked = false;
  #isFeeding = false;
  #isInputOver = false;
  #receivedBytes = 0;
  #sentBytes = 0;
  /** What to tell the application when the span ends without a Close frame. */
  #lossReason: DisconnectReason = "client_closed";

  constructor(
    connection: Connection,
    receiver: WebSocketReceiver,
    owner: HandshakeOwner,
    answerWith: (extensions: string) => string,
  ) {
    this.#connection = connection;
    this.#receiver = receiver;
    this.#owner = owner;
    this.#answerWith = answerWith;
    this.#window = new ReceiveWindow(this.#server.maxWsMessageSize, false);
  }

  get request(): string | undefined {
    return this.#owner.request;
  }

  /** Builds the bridge. `rest` has come behind the handshake. */
  open(bridge: UpgradeBridge, extensions: string, rest: readonly Uint8Array[]): void {
    this.#held = [...rest];
    this.#receivedBytes = rest.reduce((sum, each) => sum + each.byteLength, 0);
    this.#span = bridge.open(extensions, this);
  }

  // ── what the exchange asks for ─────────────────────────────────────────────────────────────────────────────────

  sendMessage(message: Uint8Array | string): void {
    if (this.#phase === "open") this.#sendFrame(message);
    else if (this.#phase === "opening") {
      this.#early.push(typeof message === "string" ? message : message.slice());
      this.#earlyBytes += typeof message === "string" ? Buffer.byteLength(message) : message.byteLength;
    }
  }

  ping(): void {
    if (this.#phase === "open") this.#connection.output.write(PING, "", 0, "");
  }

  close(code: number, reason: string): void {
    if (this.#phase === "opening") {
      // The client gets its answer first, and what was sent.
      this.#closeOnOpen = { code, reason };
    } else if (this.#phase === "open") {
      this.#phase = "closing";
      this.#span?.close(code, reason);
    }
  }

  abort(): void {
    this.#finish();
    this.#connection.cut();
  }

  messageTaken(length: number): void {
    this.#window.taken(length);
    if (this.#held.length > 0) this.#feed();
  }

  bufferedAmount(): number {
    const { output, context } = this.#connection;
    // Found closed by a write, and not told yet: see Http1Transport.
    if (output.isClosed && this.#phase !== "over") return context.host.highWaterMark;
    return output.size + this.#earlyBytes;
  }

  receivedBytes(): number {
    return this.#receivedBytes;
  }

  isReading(): boolean {
    return this.#held.length === 0 && !this.#isSpanBlocked;
  }

  // ── what the connection tells ──────────────────────────────────────────────────────────────────────────────────

  onData(bytes: Buffer): void {
    this.#receivedBytes += bytes.byteLength;
    if (this.#phase === "over" || this.#phase === "closing") return;
    this.#held.push(bytes);
    // A client that does not wait for its answer has to wait with the rest.
    if (this.#phase === "opening") this.#connection.pause();
    else this.#feed();
  }

  onEnd(): void {
    this.#isInputOver = true;
    if (this.#held.length === 0) this.#span?.endInput();
    else this.#receiver.deliverLoss("client_closed"); // the messages that wait are still the application's
  }

  onDrain(): void {
    const { output, context } = this.#connection;
    if (output.size <= context.host.lowWaterMark) {
      output.detach();
      if (this.#latePong !== undefined && this.#phase === "open") this.onPing(this.#latePong);
    }
    this.#receiver.deliverDrain();
  }

  onTurnEnd(): void {}

  onClose(error: Error | undefined): void {
    if (this.#phase === "over") return;
    const { output } = this.#connection;
    const hasUnsent = output.size > 0 || output.isClosed;
    this.#lossReason = error === undefined ? "client_closed" : hasUnsent ? "write_error" : "read_error";
    this.#receiver.deliverLoss(this.#lossReason);
    // What has come whole is still read; what waits for the application is lost with the connection.
    this.#held = [];
    this.#span?.endInput();
  }

  onDeadline(): void {}

  onWriteTimeout(): void {
    this.#lose("write_timeout");
  }

  onDrainServer(): void {
    this.#receiver.deliverShutdown();
  }

  onCut(): void {
    this.#lose("server_shutdown");
  }

  // ── what the span tells ────────────────────────────────────────────────────────────────────────────────────────

  onSpanOpen(extensions: string): void {
    if (this.#phase !== "opening") return;
    this.#phase = "open";
    this.#deflate = agreedDeflate(extensions);
    if (extensions !== "") this.#window = new ReceiveWindow(this.#server.maxWsMessageSize, true);
    this.#connection.output.write(this.#answerWith(extensions), "", 0, "");
    this.#owner.onWebSocketOpen();
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const message of early) this.#sendFrame(message);
    if (this.#closeOnOpen !== undefined) this.close(this.#closeOnOpen.code, this.#closeOnOpen.reason);
    else this.#feed();
    // Where the kernel has taken all of it, nothing else tells a `send` that waits for that.
    this.#receiver.deliverDrain();
  }

  onSpanFailed(error: Error): void {
    this.#server.logger.error("no WebSocket could be opened", error);
    const response = errorResponse(503, "No WebSocket can be opened now. Try again in a moment.", httpDate());
    this.#connection.output.write(response, "", 0, "");
    this.#receiver.deliverLoss("server_error");
    this.#receiver.deliverClose(ABNORMAL_CLOSURE, "server_error");
    this.#finish(503);
    this.#connection.linger();
  }

  onSpanError(error: Error): void {
    // Nothing of an application's gets here; this is a fault of the server, which costs one connection.
    this.#server.logger.error("internal error on a WebSocket", error);
    this.#lossReason = "server_error";
  }

  onMessage(message: string | Uint8Array): void {
    this.#window.delivered(message.length);
    this.#receiver.deliverMessage(message);
  }

  onPing(payload: Uint8Array): void {
    const { output, context } = this.#connection;
    // A client that does not read gets only the last Pong, which stands for all of them: RFC 6455 section 5.5.3.
    this.#latePong = output.size < context.host.highWaterMark ? undefined : payload;
    if (this.#latePong === undefined) output.write(pongHeader(payload), payload, payload.byteLength, "");
  }

  onControlFrames(frames: Uint8Array): void {
    this.#connection.output.write("", frames, frames.byteLength, "");
  }

  onSpanWritable(): void {
    this.#isSpanBlocked = false;
    this.#feed();
  }

  onCloseFrame(code: number, reason: string): void {
    if (this.#phase === "open") this.#phase = "closing";
    this.#receiver.deliverClose(code, reason);
  }

  onSpanEnd(closeCode: number | undefined): void {
    if (this.#phase === "over") return;
    if (closeCode === undefined) this.#receiver.deliverClose(ABNORMAL_CLOSURE, this.#lossReason);
    else
      this.#receiver.deliverClose(
        closeCode,
        closeCode === MESSAGE_TOO_BIG ? "body_too_large" : "protocol_error",
      );
    this.#finish();
    // Where the client has not closed in order, there is nobody to wait for.
    if (this.#isInputOver) this.#connection.end();
    else this.#connection.linger();
  }

  // ── within ─────────────────────────────────────────────────────────────────────────────────────────────────────

  get #server(): ServerContext {
    return this.#connection.context;
  }

  #sendFrame(message: Uint8Array | string): void {
    const { output, context } = this.#connection;
    const { header, payload, length } = outgoingFrame(message, this.#deflate);
    const { highWaterMark } = context.host;
    // Bytes that wait for more must not be what makes the application wait.
    output.write(header, payload, length, "", output.size + header.length + length < highWaterMark);
    if (output.size > 0 && output.size < highWaterMark) output.detach();
    this.#sentBytes += header.length + length;
  }

  /** Gives the client's bytes to the bridge, as far as there is room for what is in them. */
  #feed(): void {
    if (this.#isFeeding || this.#phase !== "open" || this.#span === undefined) return;
    this.#isFeeding = true; // a message that is taken at once comes back here
    for (let first = this.#held[0]; first !== undefined && !this.#isSpanBlocked; first = this.#held[0]) {
      const end = this.#window.admit(first, 0);
      if (end === 0) break;
      if (end === first.byteLength) this.#held.shift();
      else this.#held[0] = first.subarray(end);
      this.#isSpanBlocked = !this.#span.write(end === first.byteLength ? first : first.subarray(0, end));
    }
    this.#isFeeding = false;
    if (!this.isReading()) this.#connection.pause();
    else {
      this.#connection.resume();
      if (this.#isInputOver) this.#span.endInput();
    }
  }

  #lose(reason: DisconnectReason): void {
    this.#receiver.deliverLoss(reason);
    this.#receiver.deliverClose(ABNORMAL_CLOSURE, reason);
    this.#finish();
  }

  #finish(status = this.#phase === "opening" ? 0 : 101): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#held = [];
    this.#early = [];
    this.#earlyBytes = 0;
    this.#span?.destroy();
    this.#owner.onWebSocketEnd(this.#sentBytes, status);
  }
}
