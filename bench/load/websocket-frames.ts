/** The bytes in which a message of text travels (RFC 6455 §5.2): its header, and its payload. */

const TEXT = 0x81;
const MASKED = 0x80;
const MASK = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** The first byte of a whole message of text. */
export const FIRST_BYTE = TEXT;

/** The length of a server's frame: not masked, and with the shortest length field. */
export function serverFrameBytes(payload: number): number {
  return 2 + lengthFieldBytes(payload) + payload;
}

/** A client's frame: masked. */
export function clientFrame(payload: Uint8Array): Uint8Array {
  const extended = lengthFieldBytes(payload.byteLength);
  const start = 2 + extended + MASK.byteLength;
  const frame = new Uint8Array(start + payload.byteLength);
  const view = new DataView(frame.buffer);
  frame[0] = TEXT;
  if (extended === 0) frame[1] = MASKED | payload.byteLength;
  else if (extended === 2) {
    frame[1] = MASKED | 126;
    view.setUint16(2, payload.byteLength);
  } else {
    frame[1] = MASKED | 127;
    view.setBigUint64(2, BigInt(payload.byteLength));
  }
  frame.set(MASK, 2 + extended);
  for (const [index, byte] of payload.entries()) frame[start + index] = byte ^ (MASK[index % 4] ?? 0);
  return frame;
}

function lengthFieldBytes(payload: number): 0 | 2 | 8 {
  if (payload < 126) return 0;
  return payload < 65_536 ? 2 : 8;
}
