import { constants, deflateRawSync } from "node:zlib";

// Only what a server's data messages need: one frame each, without a mask. Source: RFC 6455 section 5.2.

const FIN = 0x80;
/** The message is compressed. Source: RFC 7692 section 6. */
const RSV1 = 0x40;
const TEXT = 0x1;
const BINARY = 0x2;

/** Bytes from which a message is compressed: below, a frame saves little and costs as much time. */
const COMPRESSION_THRESHOLD = 1024;

/** A deflate block that is flushed ends with these bytes, which are left out. Source: RFC 7692 section 7.2.1. */
const FLUSH_TAIL_BYTES = 4;

/** A message as a frame: its header, one char for each byte, and its payload. */
export interface OutgoingFrame {
  readonly header: string;
  readonly payload: Uint8Array | string;
  /** Bytes of the payload; text is UTF-8. */
  readonly length: number;
}

/** How messages are compressed; what the handshake agreed on. */
export interface Deflate {
  /** Base-two logarithm of the window, 9 to 15. */
  readonly windowBits: number;
}

/** Makes the frame of a message; with `deflate`, large ones are compressed, each on its own. */
export function outgoingFrame(message: Uint8Array | string, deflate: Deflate | undefined): OutgoingFrame {
  const opcode = typeof message === "string" ? TEXT : BINARY;
  const length = typeof message === "string" ? Buffer.byteLength(message) : message.byteLength;
  if (deflate !== undefined && length >= COMPRESSION_THRESHOLD) {
    const compressed = compress(message, deflate);
    return {
      header: header(FIN | RSV1 | opcode, compressed.byteLength),
      payload: compressed,
      length: compressed.byteLength,
    };
  }
  return { header: header(FIN | opcode, length), payload: message, length };
}

/**
 * What the handshake agreed on: the parameters of permessage-deflate in the server's answer, if it has any. Source:
 * RFC 7692 section 7.1.
 */
export function agreedDeflate(extensions: string): Deflate | undefined {
  if (!/^\s*permessage-deflate\b/i.test(extensions)) return undefined;
  const bits = /server_max_window_bits\s*=\s*"?(\d+)/i.exec(extensions)?.[1];
  // zlib has no window of 8 bits; blocks made with 9 could point too far back for a client that asked for 8.
  const windowBits = bits === undefined ? 15 : Number(bits);
  return windowBits < 9 ? undefined : { windowBits };
}

function compress(message: Uint8Array | string, { windowBits }: Deflate): Uint8Array {
  const flushed = deflateRawSync(message, { windowBits, level: 1, finishFlush: constants.Z_SYNC_FLUSH });
  return flushed.subarray(0, flushed.byteLength - FLUSH_TAIL_BYTES);
}

function header(first: number, length: number): string {
  if (length < 126) return String.fromCharCode(first, length);
  if (length < 0x1_0000) return String.fromCharCode(first, 126, length >> 8, length & 0xff);
  const high = Math.floor(length / 0x1_0000_0000);
  return String.fromCharCode(
    ...[first, 127, 0, 0, (high >> 8) & 0xff, high & 0xff],
    ...[(length >>> 24) & 0xff, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff],
  );
}
