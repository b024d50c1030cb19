import { createHash } from "node:crypto";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { Wire, field } from "./wire.ts";
import type { WireResponse } from "./wire.ts";

/** RFC 6455 section 11.8. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  /** A name, or a number for a reserved opcode. */
  readonly opcode: keyof typeof OPCODE | number;
  /** Default: none. A string is sent as UTF-8. */
  readonly payload?: string | Uint8Array;
  /** Default true. */
  readonly fin?: boolean;
  /** The three bits as a number: 4 is RSV1, which marks a compressed message. Default 0. */
  readonly rsv?: number;
  /** Default true; a client must (RFC 6455 section 5.3). */
  readonly mask?: boolean;
  /** Four bytes. Default: the key of the RFC's examples. */
  readonly maskKey?: Uint8Array;
  /** How many bits hold the length. Default: the least, as the RFC demands. */
  readonly lengthForm?: 7 | 16 | 64;
  /** The length that the frame claims. Default: that of the payload. */
  readonly length?: number | bigint;
}

const EXAMPLE_MASK = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** The bytes of one frame of a client, well-formed or not (RFC 6455 section 5.2). */
export function frame(options: FrameOptions): Uint8Array {
  const { opcode, payload = "", fin = true, rsv = 0, mask = true, maskKey = EXAMPLE_MASK } = options;
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
  const { length = bytes.length } = options;
  const form = options.lengthForm ?? (length < 126 ? 7 : length < 65536 ? 16 : 64);
  const head = Buffer.alloc(2 + (form === 7 ? 0 : form / 8) + (mask ? 4 : 0));
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | (typeof opcode === "number" ? opcode : OPCODE[opcode]);
  head[1] = (mask ? 0x80 : 0) | (form === 7 ? Number(length) : form === 16 ? 126 : 127);
  if (form === 16) head.writeUInt16BE(Number(length), 2);
  if (form === 64) head.writeBigUInt64BE(BigInt(length), 2);
  if (!mask) return Buffer.concat([head, bytes]);
  head.set(maskKey, head.length - 4);
  const masked = Buffer.from(bytes);
  for (let at = 0; at < masked.length; at++) masked[at] = (masked[at] ?? 0) ^ (maskKey[at & 3] ?? 0);
  return Buffer.concat([head, masked]);
}

/** The payload of a close frame (RFC 6455 section 5.5.1). The code is not checked. */
export function closePayload(code: number, reason: string | Uint8Array = ""): Uint8Array {
  return Buffer.concat([Uint8Array.of(code >> 8, code & 0xff), Buffer.from(reason)]);
}

export interface MessageOptions {
  readonly type: "text" | "binary";
  readonly payload: string | Uint8Array;
  /** The most bytes of payload in a frame. Default: all in one frame. */
  readonly fragmentSize?: number;
  /** Compressed by itself, which any agreed permessage-deflate allows (RFC 7692 section 7.2.1). Default false. */
  readonly compressed?: boolean;
}

/** The frames of a message. */
export function messageFrames(options: MessageOptions): FrameOptions[] {
  const { type, payload, compressed = false } = options;
  const plain = Buffer.from(payload);
  const bytes = compressed ? deflateMessage(plain) : plain;
  const { fragmentSize = Math.max(bytes.length, 1) } = options;
  const frames: FrameOptions[] = [];
  let at = 0;
  do {
    const part = bytes.subarray(at, at + fragmentSize);
    frames.push({
      opcode: at === 0 ? type : "continuation",
      rsv: compressed && at === 0 ? 4 : 0,
      fin: at + fragmentSize >= bytes.length,
      payload: part,
    });
    at += fragmentSize;
  } while (at < bytes.length);
  return frames;
}

/** What ends every message before these four bytes are cut off (RFC 7692 section 7.2.1). */
const DEFLATE_TAIL = Buffer.from([0, 0, 0xff, 0xff]);

function deflateMessage(bytes: Uint8Array): Buffer {
  const whole = deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  if (!whole.subarray(-4).equals(DEFLATE_TAIL)) throw new Error("the deflated bytes do not end with a flush");
  return whole.subarray(0, -4);
}

/** A frame of the server, checked against RFC 6455 section 5.2. */
export interface ServerFrame {
  readonly opcode: keyof typeof OPCODE;
  readonly fin: boolean;
  /** RSV1: the first frame of a compressed message. */
  readonly isCompressed: boolean;
  readonly payload: Buffer;
}

/** What a server can say. */
export type ServerMessage =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "binary" | "ping" | "pong"; readonly bytes: Uint8Array }
  /** `code` is 1005 for a close frame without one. */
  | { readonly type: "close"; readonly code: number; readonly reason: string };

const OPCODE_NAMES = new Map<number, keyof typeof OPCODE>([
  [0, "continuation"],
  [1, "text"],
  [2, "binary"],
  [8, "close"],
  [9, "ping"],
  [10, "pong"],
]);

/** The first frame of what was received, and its size on the wire; undefined while it is not all there. */
function readFrame(received: string): { frame: ServerFrame; size: number } | undefined {
  if (received.length < 2) return undefined;
  const head = Buffer.from(received.slice(0, 10), "latin1");
  const [first = 0, second = 0] = head;
  const opcode = OPCODE_NAMES.get(first & 15);
  const fin = first >= 0x80;
  const short = second & 0x7f;
  if (opcode === undefined) throw new Error(`the server sent the reserved opcode ${first & 15}`);
  if (first & 0x30) throw new Error("the server set RSV2 or RSV3");
  if (second & 0x80) throw new Error("the server masked a frame (RFC 6455 section 5.1)");
  if ((first & 15) >= 8 && (!fin || short > 125))
    throw new Error("the server sent a control frame that is fragmented or too long (RFC 6455 section 5.5)");
  const headSize = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (head.length < headSize) return undefined;
  const length =
    short === 127 ? Number(head.readBigUInt64BE(2)) : short === 126 ? head.readUInt16BE(2) : short;
  if ((short === 126 && length < 126) || (short === 127 && length < 65536))
    throw new Error("the server did not use the shortest form of a length (RFC 6455 section 5.2)");
  const size = headSize + length;
  if (received.length < size) return undefined;
  const payload = Buffer.from(received.slice(headSize, size), "latin1");
  return { frame: { opcode, fin, isCompressed: (first & 0x40) !== 0, payload }, size };
}

/** Fields of a handshake by name: several values are several fields, and null takes away a field of the default. */
export type HandshakeFields = Readonly<Record<string, string | readonly string[] | null>>;

/** The key of the RFC's example. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** The bytes of an opening handshake (RFC 6455 section 4.1): a valid one, with `fields` put over it. */
export function upgradeRequest(target = "/", fields: HandshakeFields = {}): string {
  const all: HandshakeFields = {
    Host: "a",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    ...fields,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === null ? [] : [value].flat().map((each) => `${name}: ${each}`),
  );
  return [`GET ${target} HTTP/1.1`, ...lines, "", ""].join("\r\n");
}

/**
 * A WebSocket client for tests. It sends any bytes, right or wrong, and is strict about what the server sends: it
 * throws on a frame that breaks RFC 6455 or 7692.
 */
export class WebSocketWire implements AsyncDisposable {
  readonly wire: Wire;
  /** The 101 of the handshake. */
  readonly response: WireResponse;
  /** Whether permessage-deflate was agreed on. */
  readonly isDeflating: boolean;
  /** How many compressed messages `nextMessage` has read. */
  compressedMessages = 0;

  private constructor(wire: Wire, response: WireResponse) {
    this.wire = wire;
    this.response = response;
    const extensions = field(response, "sec-websocket-extensions");
    this.isDeflating = extensions !== undefined;
    if (extensions !== undefined && !/^permessage-deflate\b.*\bserver_no_context_takeover\b/.test(extensions))
      throw new Error(`this client reads each message by itself, the server agreed to: ${extensions}`);
  }

  /** Connects to `ws://host:port/target` and does the handshake. Throws unless the answer is a valid 101. */
  static async open(url: string | URL, fields: HandshakeFields = {}): Promise<WebSocketWire> {
    const { hostname, port, pathname, search } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, "");
    const wire = await Wire.open({ host, port: Number(port) });
    try {
      return await WebSocketWire.upgrade(wire, pathname + search, fields);
    } catch (error) {
      await wire[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Does the handshake on a connection that is there: of TCP, TLS or a Unix socket. */
  static async upgrade(wire: Wire, target = "/", fields: HandshakeFields = {}): Promise<WebSocketWire> {
    await wire.send(upgradeRequest(target, fields));
    const response = await wire.response();
    if (response.status !== 101) throw new Error(`no WebSocket: ${response.head}\n\n${response.body}`);
    const key = fields["Sec-WebSocket-Key"] ?? KEY;
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    if (field(response, "sec-websocket-accept") !== accept)
      throw new Error(`the Sec-WebSocket-Accept of the server is wrong: ${response.head}`);
    return new WebSocketWire(wire, response);
  }

  /** Where the handshake has been made already. */
  static of(wire: Wire, response: WireResponse): WebSocketWire {
    return new WebSocketWire(wire, response);
  }

  /** Sends frames in one piece. */
  send(...frames: FrameOptions[]): Promise<void> {
    return this.wire.send(Buffer.concat(frames.map(frame)));
  }

  sendText(text: string): Promise<void> {
    return this.send({ opcode: "text", payload: text });
  }

  sendBinary(bytes: Uint8Array): Promise<void> {
    return this.send({ opcode: "binary", payload: bytes });
  }

  /** Sends a close frame and leaves the connection open: the server has to end it (RFC 6455 section 7.1.1). */
  sendClose(code = 1000, reason = ""): Promise<void> {
    return this.send({ opcode: "close", payload: closePayload(code, reason) });
  }

  /** The next frame; null once the server has ended the connection. Throws when it ends within a frame. */
  async nextFrame(): Promise<ServerFrame | null> {
    const isOver = (received: string): boolean => received === "" && this.wire.isEnded;
    const found = await this.wire.until(
      (received) => readFrame(received) ?? (isOver(received) ? null : undefined),
    );
    if (found === null) return null;
    await this.wire.read(found.size);
    return found.frame;
  }

  /** The next whole message or control frame, inflated; null once the server has ended the connection. */
  async nextMessage(): Promise<ServerMessage | null> {
    const first = await this.nextFrame();
    if (first === null) return null;
    const { opcode, payload, isCompressed } = first;
    if (isCompressed && (!this.isDeflating || (opcode !== "text" && opcode !== "binary")))
      throw new Error(`the server set RSV1 in a ${opcode} frame without the right to it`);
    switch (opcode) {
      case "continuation":
        throw new Error("the server continued a message that was not there (RFC 6455 section 5.4)");
      case "ping":
      case "pong":
        return { type: opcode, bytes: new Uint8Array(payload) };
      case "close":
        return readClose(payload);
      case "text":
      case "binary": {
        const parts = [payload];
        for (let last = first; !last.fin;) {
          const next = await this.nextFrame();
          // A server may put control frames between fragments; none that is tested here does.
          if (next?.opcode !== "continuation" || next.isCompressed)
            throw new Error(`the server broke off a message with ${next?.opcode ?? "the end"}`);
          parts.push(next.payload);
          last = next;
        }
        const whole = Buffer.concat(parts);
        const bytes = isCompressed ? inflateMessage(whole) : whole;
        if (isCompressed) this.compressedMessages++;
        return opcode === "text"
          ? { type: "text", text: decodeText(bytes) }
          : { type: "binary", bytes: new Uint8Array(bytes) };
      }
    }
  }

  /** Waits for the end of the connection. Throws if the server sends anything before it. */
  async end(): Promise<void> {
    const rest = await this.wire.readToEnd();
    if (rest !== "")
      throw new Error(`the server did not end, but sent ${JSON.stringify(rest.slice(0, 200))}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.wire[Symbol.asyncDispose]();
  }
}

function inflateMessage(bytes: Uint8Array): Buffer {
  return inflateRawSync(Buffer.concat([bytes, DEFLATE_TAIL]), { finishFlush: constants.Z_SYNC_FLUSH });
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

function readClose(payload: Buffer): ServerMessage {
  if (payload.length === 0) return { type: "close", code: 1005, reason: "" };
  if (payload.length === 1) throw new Error("the server sent half a close code");
  return { type: "close", code: payload.readUInt16BE(0), reason: decodeText(payload.subarray(2)) };
}
