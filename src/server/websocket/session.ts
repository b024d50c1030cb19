import type { DisconnectReason } from "../../spec/connection-state.ts";
import type { WebSocketReceiver, WebSocketTransport } from "../../exchange/websocket-transport.ts";
import { ABNORMAL_CLOSURE, MESSAGE_TOO_BIG, NORMAL_CLOSURE } from "../../spec/close-code.ts";
import { PING, agreedDeflate, outgoingFrame, pongHeader } from "../../websocket/outgoing-frame.ts";
import type { Deflate } from "../../websocket/outgoing-frame.ts";
import type { BridgedSocket, BridgedSocketOwner, UpgradeBridge } from "./upgrade-bridge.ts";
import type { Connection, Protocol } from "../connection/connection.ts";
import type { ServerContext } from "../connection/shared.ts";
import { BridgeFeed } from "./bridge-feed.ts";
import { advance, isAnswered } from "./phases.ts";
import type { Phase, WebSocketAction, WebSocketEvent } from "./phases.ts";

/** The session of the handshake's request, which gives the connection away. */
export interface HandshakeOwner {
  /** Method and path of the handshake. */
  readonly request: string | undefined;
  /** The connection changes hands. @returns the bytes that came behind the handshake. */
  onAccepted(): readonly Uint8Array[];
  /** No WebSocket can be opened: the client is answered that. */
  onWebSocketFailed(error: Error): void;
  /** No WebSocket can be opened: the client is answered that. */
  onWebSocketFailed(error: Error | undefined): void;
  /** The client has its answer. */
  onWebSocketOpen(): void;
  /** The WebSocket has ended. `status` is what the client was answered; 0 when it was gone before that. */
  onWebSocketEnd(sentBytes: number, status: number): void;
}

/** How a WebSocket was closed or lost, as the exchange is told. */
interface Ending {
  readonly code: number;
  readonly reason: string;
}

/**
 * A WebSocket on a connection: the client's bytes go over a bridge to Bun's WebSocket, as fast as the application takes
 * the messages that come out of it; messages to the client are written straight to the connection. `phases.ts` says what
 * happens when.
 */
export class WebSocketSession implements Protocol, WebSocketTransport, BridgedSocketOwner {
  readonly #connection: Connection;
  readonly #receiver: WebSocketReceiver;
  readonly #owner: HandshakeOwner;
  readonly #answerWith: (extensions: string) => string;
  readonly #feed: BridgeFeed;
  #phase: Phase = "opening";
  #bridged: BridgedSocket | undefined;
  /** What the handshake has agreed on. */
  #extensions = "";
  #deflate: Deflate | undefined;
  /** What was sent before the client has its answer. */
  #early: (Uint8Array | string)[] = [];
  #earlyBytes = 0;
  /** What the application closes with. */
  #ownClose: Ending = { code: NORMAL_CLOSURE, reason: "" };
  /** What the application gets when it ends otherwise. */
  #ending: Ending = { code: ABNORMAL_CLOSURE, reason: "client_closed" };
  #lossReason: DisconnectReason = "client_closed";
  /** Why there is no bridge. */
  #failure: Error | undefined;
  /** The payload of the last Ping, as long as its Pong has to wait. */
  #latePong: Uint8Array | undefined;
  #isInputOver = false;
  #receivedBytes = 0;
  #sentBytes = 0;

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
    this.#feed = new BridgeFeed(connection.context.maxWsMessageSize);
  }

  get request(): string | undefined {
    return this.#owner.request;
  }

  /** Builds the bridge. `rest` has come behind the handshake. */
  open(bridge: UpgradeBridge, extensions: string, rest: readonly Uint8Array[]): void {
    for (const bytes of rest) this.#feed.hold(bytes);
    this.#receivedBytes = rest.reduce((sum, each) => sum + each.byteLength, 0);
    this.#bridged = bridge.open(extensions, this);
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
    this.#ownClose = { code, reason };
    this.#happen("close");
  }

  abort(): void {
    this.#happen("abort");
  }

  messageTaken(length: number): void {
    this.#feed.taken(length);
    if (!this.#feed.isEmpty) this.#read();
  }

  bufferedAmount(): number {
    const { output, context } = this.#connection;
    // Found closed by a write, and not told yet: see ActiveRequest.
    if (output.isClosed && this.#phase !== "over") return context.host.highWaterMark;
    return output.size + this.#earlyBytes;
  }

  receivedBytes(): number {
    return this.#receivedBytes;
  }

  isReading(): boolean {
    return this.#feed.isReading;
  }

  // ── what the connection tells ──────────────────────────────────────────────────────────────────────────────────

  onData(bytes: Buffer): void {
    this.#receivedBytes += bytes.byteLength;
    if (this.#phase === "over" || this.#phase === "closing") return;
    this.#feed.hold(bytes);
    // A client that does not wait for its answer has to wait with the rest.
    if (this.#phase === "open") this.#read();
    else this.#connection.pause();
  }

  onEnd(): void {
    this.#isInputOver = true;
    if (this.#feed.isEmpty) this.#bridged?.endInput();
    else this.#receiver.deliverLoss("client_closed"); // the messages that wait are still the application's
  }

  onWritable(): void {
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
    this.#lose("gone", error === undefined ? "client_closed" : hasUnsent ? "write_error" : "read_error");
  }

  onDeadline(): void {}

  onShutDown(): void {
    this.#receiver.deliverShutdown();
  }

  onLost(reason: DisconnectReason): void {
    this.#lose("lost", reason);
  }

  // ── what the bridge tells ──────────────────────────────────────────────────────────────────────────────────────

  onBridged(extensions: string): void {
    this.#extensions = extensions;
    this.#happen("ready");
  }

  onBridgeFailed(error: Error): void {
    this.#failure = error;
    this.#lose("failed", "server_error");
  }

  onBridgeError(error: Error): void {
    // Nothing of an application's gets here; this is a fault of the server, which costs one connection.
    this.#server.logger.error("internal error on a WebSocket", error);
    this.#ending = { code: ABNORMAL_CLOSURE, reason: "server_error" };
  }

  onMessage(message: string | Uint8Array): void {
    this.#feed.delivered(message.length);
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

  onBridgeWritable(): void {
    this.#feed.unblock();
    this.#read();
  }

  onCloseFrame(code: number, reason: string): void {
    this.#ending = { code, reason };
    this.#happen("close-frame");
  }

  onBridgeEnd(closeCode: number | undefined): void {
    if (closeCode !== undefined) {
      const reason = closeCode === MESSAGE_TOO_BIG ? "body_too_large" : "protocol_error";
      this.#ending = { code: closeCode, reason };
    }
    this.#happen("ended");
  }

  // ── what happens then ──────────────────────────────────────────────────────────────────────────────────────────

  /** The client cannot be reached any more. */
  #lose(event: WebSocketEvent, reason: DisconnectReason): void {
    this.#lossReason = reason;
    this.#ending = { code: ABNORMAL_CLOSURE, reason };
    this.#happen(event);
  }

  #happen(event: WebSocketEvent): void {
    const before = this.#phase;
    const step = advance(before, event);
    if (step === undefined) return;
    this.#phase = step.to;
    for (const action of step.actions) this.#perform(action, before, event);
  }

  #perform(action: WebSocketAction, before: Phase, event: WebSocketEvent): void {
    const { output } = this.#connection;
    switch (action) {
      case "answer":
        this.#deflate = agreedDeflate(this.#extensions);
        if (this.#extensions !== "") this.#feed.expectCompressed();
        output.write(this.#answerWith(this.#extensions), "", 0, "");
        this.#owner.onWebSocketOpen();
        break;
      case "refuse":
        this.#owner.onWebSocketFailed(this.#failure);
        break;
      case "sendEarly": {
        const early = this.#early;
        this.#early = [];
        this.#earlyBytes = 0;
        for (const message of early) this.#sendFrame(message);
        break;
      }
      case "read":
        this.#read();
        break;
      case "beginClose":
        this.#bridged?.close(this.#ownClose.code, this.#ownClose.reason);
        break;
      case "endInput":
        // What waits for the application is lost with the connection.
        this.#feed.clear();
        this.#bridged?.endInput();
        break;
      case "deliverDrain":
        // Where the kernel has taken all of it, nothing else tells a `send` that waits for that.
        this.#receiver.deliverDrain();
        break;
      case "deliverLoss":
        this.#receiver.deliverLoss(this.#lossReason);
        break;
      case "deliverClose":
        this.#receiver.deliverClose(this.#ending.code, this.#ending.reason);
        break;
      case "release":
        this.#feed.clear();
        this.#early = [];
        this.#earlyBytes = 0;
        this.#bridged?.destroy();
        this.#owner.onWebSocketEnd(this.#sentBytes, event === "failed" ? 503 : isAnswered(before) ? 101 : 0);
        break;
      case "closeConnection":
        // Where the client has not closed in order, there is nobody to wait for.
        if (this.#isInputOver) this.#connection.closeWhenFlushed();
        else this.#connection.lingeringClose();
        break;
      case "resetConnection":
        this.#connection.reset();
    }
  }

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

  /** Gives the client's bytes to the bridge, and reads on where there is room. */
  #read(): void {
    if (this.#phase !== "open" || this.#bridged === undefined || !this.#feed.feed(this.#bridged)) return;
    if (!this.isReading()) this.#connection.pause();
    else {
      this.#connection.resume();
      if (this.#isInputOver) this.#bridged.endInput();
    }
  }
}
