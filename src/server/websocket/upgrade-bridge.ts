import { randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Server, ServerWebSocket, Socket, SocketHandler } from "bun";

import { ABNORMAL_CLOSURE } from "../../spec/close-code.ts";
import { ControlFrames } from "../../websocket/control-frames.ts";

/** What every WebSocket of a bridge has in common. */
export interface BridgeOptions {
  /** Bytes; a longer message is refused with 1009. */
  readonly maxMessageSize: number;
  /** Agree to permessage-deflate where the client offers it. */
  readonly compression: boolean;
}

/** Who is at the near end of a bridged socket: it has the client's bytes, and gets the messages in them. */
export interface BridgedSocketOwner {
  /** The bridged socket stands. `extensions` is what was agreed on, for the answer to the client; empty for none. */
  onBridged(extensions: string): void;
  /** The bridged socket could not be made, or has broken before it stood. */
  onBridgeFailed(error: Error): void;
  /** Something was thrown, be it by the owner itself. `onBridgeEnd` follows. */
  onBridgeError(error: Error): void;
  onMessage(message: string | Uint8Array): void;
  /**
   * A Ping that has to be answered. Bun's own Pong does not come out: it would be a turn late, behind the answers to
   * messages that came after the Ping.
   */
  onPing(payload: Uint8Array): void;
  /** Whole control frames, for the client. */
  onControlFrames(frames: Uint8Array): void;
  /** Bytes go in again, after `write` has returned false. */
  onBridgeWritable(): void;
  /** The client's Close frame was read; an answer to it is among the control frames. 1005 when it had no code. */
  onCloseFrame(code: number, reason: string): void;
  /**
   * Nothing more comes out: the control frames are all there. `closeCode` is the code of the Close frame among them,
   * undefined when there was none, or none in it.
   */
  onBridgeEnd(closeCode: number | undefined): void;
}

/** The near end of a bridge: bytes of a client go in, messages and control frames come out. */
export interface BridgedSocket {
  /**
   * Takes bytes of the client; they are kept until they are through.
   *
   * @returns false when bytes wait: write no more until `onBridgeWritable`.
   */
  write(bytes: Uint8Array): boolean;
  /** The client sends no more. */
  endInput(): void;
  /** Sends a Close frame to the client and ends the bridged socket. */
  close(code: number, reason: string): void;
  /** Ends the bridged socket at once; nothing more is reported. */
  destroy(): void;
}

const NO_BYTES = new Uint8Array(0);
const HEAD_END = "\r\n\r\n";

/**
 * Chars of offered extensions that are passed on; a client that offers more gets none. Bun refuses a head of more than
 * 16 KiB, and each char may be two bytes of UTF-8.
 */
const MAX_OFFER = 4096;

/** Any key does: nobody looks at the answer to it. */
const KEY = randomBytes(16).toString("base64");

/**
 * The way to Bun's WebSocket: a private `Bun.serve`, on a socket that nobody else knows of, whose `upgrade` takes over
 * connections that we open to it. So masks, fragments, UTF-8, decompression, pings and the closing handshake are
 * Bun's, and they work the same for any duplex of bytes: TCP, TLS, Unix sockets, a stream of HTTP/2.
 */
export class UpgradeBridge {
  readonly #path: string;
  /** Only where there are no abstract sockets. */
  readonly #folder: string | undefined;
  readonly #server: Server<BridgedConnection>;
  /** Spans whose connection has not arrived, by their number. */
  readonly #expected = new Map<string, BridgedConnection>();
  #count = 0;
  #isClosed = false;

  /** Listens at once. `isAbstract`: on a name without a file, which only Linux has. */
  constructor(options: BridgeOptions, isAbstract = process.platform === "linux") {
    this.#folder = isAbstract ? undefined : fs.mkdtempSync(join(tmpdir(), "pagi-")); // with mode 0700
    this.#path =
      this.#folder === undefined ? `\0pagi-${process.pid}-${randomUUID()}` : join(this.#folder, "bridge");
    this.#server = Bun.serve<BridgedConnection>({
      unix: this.#path,
      development: false,
      fetch: (request, server) => {
        const bridged = this.#claim(new URL(request.url).pathname);
        // `upgrade` has to be called in this very turn, or bytes that have come already are lost.
        if (bridged !== undefined && server.upgrade(request, { data: bridged })) return undefined;
        return new Response(null, { status: 404, headers: { connection: "close" } });
      },
      websocket: {
        maxPayloadLength: options.maxMessageSize,
        perMessageDeflate: options.compression,
        idleTimeout: 0,
        sendPings: false,
        open: (socket) => socket.data.onOpen(socket),
        ping: (socket, payload: Uint8Array) => socket.data.onPing(payload),
        message: (socket, message) => socket.data.onMessage(message),
        error: (error, socket) => socket.data.onError(error),
        // Bun gives its own reason for stopping as if a client had said it.
        close: (socket, code, reason) =>
          socket.data.onClose(this.#isClosed ? ABNORMAL_CLOSURE : code, reason),
      },
    });
  }

  /** Opens a bridged socket. `extensions` is what the client offers. */
  open(extensions: string, owner: BridgedSocketOwner): BridgedSocket {
    const id = String(this.#count++);
    const bridged = new BridgedConnection(owner, () => this.#expected.delete(id));
    this.#expected.set(id, bridged);
    const isPassedOn = extensions !== "" && extensions.length <= MAX_OFFER;
    const offer = isPassedOn ? `Sec-WebSocket-Extensions: ${extensions}\r\n` : "";
    const request =
      `GET /${id}/${bridged.secret} HTTP/1.1\r\nHost: bridge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${offer}\r\n`;
    bridged.connect(this.#path, request);
    return bridged;
  }

  /** How many bridged sockets wait for their connection to arrive. */
  get expectedCount(): number {
    return this.#expected.size;
  }

  /** Ends all bridged sockets and stops listening. */
  close(): void {
    this.#isClosed = true;
    void this.#server.stop(true);
    if (this.#folder !== undefined) fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The bridged socket that a connection is for, once: by its number, and by a secret that only its opener knows. */
  #claim(path: string): BridgedConnection | undefined {
    const [, id = "", secret = ""] = path.split("/");
    const bridged = this.#expected.get(id);
    if (bridged === undefined || !isSame(secret, bridged.secret)) return undefined;
    this.#expected.delete(id);
    return bridged;
  }
}

function isSame(given: string, secret: string): boolean {
  const bytes = Buffer.from(given);
  const expected = Buffer.from(secret);
  return bytes.byteLength === expected.byteLength && timingSafeEqual(bytes, expected);
}

/** One object for all near ends, since there may be thousands. */
const NEAR_END: SocketHandler<BridgedConnection> = {
  open: (socket) => socket.data.onConnect(socket),
  data: (socket, bytes) => socket.data.onBytes(bytes),
  drain: (socket) => socket.data.onDrain(),
  end: (socket) => socket.data.onEnd(),
  close: (socket) => socket.data.onEnd(),
  error: (socket, error) => socket.data.onError(error),
};

/** One connection to the private server, from both ends. */
class BridgedConnection implements BridgedSocket {
  readonly owner: BridgedSocketOwner;
  readonly secret = randomUUID();
  readonly #forget: () => void;
  readonly #controls = new ControlFrames();
  /** The near end. */
  #socket: Socket<BridgedConnection> | undefined;
  /** The far end: Bun's WebSocket. */
  #webSocket: ServerWebSocket<BridgedConnection> | undefined;
  #request = "";
  #head = "";
  #isOpen = false;
  #isOver = false;
  #isInputOver = false;
  /** The Close frame is ours. */
  #isClosing = false;
  /** What the socket has not taken yet. */
  #queue: Uint8Array[] = [];

  constructor(owner: BridgedSocketOwner, forget: () => void) {
    this.owner = owner;
    this.#forget = forget;
  }

  connect(path: string, request: string): void {
    this.#request = request;
    Bun.connect<BridgedConnection>({ unix: path, allowHalfOpen: true, data: this, socket: NEAR_END }).catch(
      (error: Error) => this.onError(error),
    );
  }

  // ── what the near end tells ────────────────────────────────────────────────────────────────────────────────────

  onConnect(socket: Socket<BridgedConnection>): void {
    this.#socket = socket;
    if (this.#isOver) socket.terminate();
    else socket.write(this.#request); // a new socket takes as little as that
    this.#request = "";
  }

  onBytes(bytes: Uint8Array): void {
    const rest = this.#isOpen ? bytes : this.#readHead(bytes);
    if (rest.byteLength === 0 || this.#isOver) return;
    const frames = this.#controls.take(rest);
    if (frames.byteLength > 0) this.owner.onControlFrames(frames);
  }

  onDrain(): void {
    const socket = this.#socket;
    if (!this.#isOpen || socket === undefined || this.#isOver) return;
    for (;;) {
      const [first] = this.#queue;
      if (first === undefined) break;
      const taken = socket.write(first, 0, first.byteLength);
      if (taken < 0) return;
      if (taken < first.byteLength) {
        this.#queue[0] = first.subarray(taken);
        return;
      }
      this.#queue.shift();
    }
    if (this.#isInputOver) socket.shutdown();
    else this.owner.onBridgeWritable();
  }

  onEnd(): void {
    if (!this.#isOpen) this.onError(new Error("the bridge to Bun's WebSocket was closed"));
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket?.end();
    this.owner.onBridgeEnd(this.#controls.closeCode);
  }

  onError(error: Error): void {
    if (this.#isOver) return;
    this.destroy();
    if (!this.#isOpen) return this.owner.onBridgeFailed(error);
    this.owner.onBridgeError(error);
    this.owner.onBridgeEnd(this.#controls.closeCode);
  }

  // ── what the far end tells ─────────────────────────────────────────────────────────────────────────────────────

  onOpen(webSocket: ServerWebSocket<BridgedConnection>): void {
    webSocket.binaryType = "uint8array";
    this.#webSocket = webSocket;
    if (this.#isOver) webSocket.terminate();
  }

  onMessage(message: string | Uint8Array): void {
    if (!this.#isOver) this.owner.onMessage(message);
  }

  onPing(payload: Uint8Array): void {
    if (!this.#isOver) this.owner.onPing(payload);
  }

  /** Also called for our own close. Bun reports 1006 for anything but a Close frame; the control frames and their end say the rest. */
  onClose(code: number, reason: string): void {
    this.#webSocket = undefined;
    if (code !== ABNORMAL_CLOSURE && !this.#isClosing && !this.#isOver) this.owner.onCloseFrame(code, reason);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver || bytes.byteLength === 0) return true;
    // Otherwise a message in the bytes could be reported before `onBridged`.
    const socket = this.#isOpen ? this.#socket : undefined;
    if (socket === undefined || this.#queue.length > 0) {
      this.#queue.push(bytes);
      return false;
    }
    const taken = socket.write(bytes, 0, bytes.byteLength);
    if (taken < 0 || taken === bytes.byteLength) return true; // what is closed needs no more
    this.#queue.push(bytes.subarray(taken));
    return false;
  }

  endInput(): void {
    this.#isInputOver = true;
    if (this.#isOpen && this.#queue.length === 0) this.#socket?.shutdown();
  }

  close(code: number, reason: string): void {
    this.#isClosing = true;
    this.#webSocket?.close(code, reason);
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#forget();
    this.#queue = [];
    this.#socket?.terminate();
  }

  /** Reads Bun's answer to the handshake; what follows it is given back. */
  #readHead(bytes: Uint8Array): Uint8Array {
    const before = this.#head.length;
    this.#head += Buffer.from(bytes).toString("latin1");
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return NO_BYTES;
    const head = this.#head.slice(0, end);
    this.#head = "";
    if (!head.startsWith("HTTP/1.1 101 ")) {
      this.onError(new Error(`Bun refused an upgrade: ${head.split("\r\n", 1)[0]}`));
      return NO_BYTES;
    }
    this.#isOpen = true;
    this.owner.onBridged(/^sec-websocket-extensions:\s*(.*?)\s*$/im.exec(head)?.[1] ?? "");
    this.onDrain();
    return bytes.subarray(end + HEAD_END.length - before);
  }
}
