/** Messages that may wait for the application before reading stops. */
export const MAX_MESSAGES = 64;

/** Bytes of messages that may wait for the application before reading stops. */
export const MAX_BYTES = 1024 * 1024;

/** A byte of deflate makes at most so many. */
const MAX_INFLATION = 1032;

const FIN = 0x80;
const RSV1 = 0x40;
const CONTROL = 0x8;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * How much of what a client sends goes on to be read as messages: so much that a certain number of messages and bytes
 * wait for the application, and no more. It counts frames and otherwise knows nothing of them; whether they are in
 * order is found out by who reads them.
 *
 * Bun's WebSocket gives out all messages of a piece of input at once, so a pause in between would come too late: one
 * piece may hold tens of thousands of small messages, or hundreds of compressed ones of a megabyte each.
 */
export class ReceiveWindow {
  readonly #maxMessageSize: number;
  readonly #isCompressed: boolean;
  /** Header bytes of a frame that have passed while the rest of the header has not come. */
  #header: number[] = [];
  /** Bytes of the current frame's payload and mask that have not passed. */
  #left = 0;
  /** The current frame ends a message. */
  #endsMessage = false;
  /** Bytes that the message counts for whose frames are passing. */
  #current = 0;
  #isCurrentDeflated = false;
  /** What each message counts for that has passed and has not been delivered. */
  #passed: number[] = [];
  #waitingMessages = 0;
  /** Bytes of messages that have passed, as far as they are known, until the application has them. */
  #bytes = 0;

  /** `isCompressed`: the handshake agreed on permessage-deflate. */
  constructor(maxMessageSize: number, isCompressed: boolean) {
    this.#maxMessageSize = maxMessageSize;
    this.#isCompressed = isCompressed;
  }

  /** Where in `bytes`, from `from` on, reading stops for now; their length when all of them may pass. */
  admit(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.byteLength) {
      if (this.#left > 0) {
        const count = Math.min(this.#left, bytes.byteLength - at);
        at += count;
        this.#left -= count;
        if (this.#left === 0) this.#finishFrame();
      } else {
        if (this.#header.length === 0 && this.#isFull && !isControl(bytes[at] ?? 0)) return at;
        this.#header.push(bytes[at++] ?? 0);
        this.#maybeBeginPayload();
      }
    }
    return at;
  }

  /** A message has been read and was given to the application's queue. */
  delivered(length: number): void {
    this.#bytes += length - (this.#passed.shift() ?? 0);
    this.#waitingMessages++;
  }

  /** The application has taken a message out of its queue. */
  taken(length: number): void {
    this.#bytes -= length;
    this.#waitingMessages--;
  }

  /** A message in parts is never what makes the window full, for then it would never end. */
  get #isFull(): boolean {
    const messages = this.#passed.length + this.#waitingMessages;
    return messages >= MAX_MESSAGES || (messages > 0 && this.#bytes + this.#current >= MAX_BYTES);
  }

  #maybeBeginPayload(): void {
    const [first, second] = this.#header;
    if (first === undefined || second === undefined) return;
    const short = second & 0x7f;
    const lengthBytes = short === LENGTH_64 ? 8 : short === LENGTH_16 ? 2 : 0;
    if (this.#header.length < 2 + lengthBytes) return;
    let length = lengthBytes === 0 ? short : 0;
    for (let i = 2; i < this.#header.length; i++) length = length * 256 + (this.#header[i] ?? 0);
    this.#header.length = 0;
    this.#left = length + ((second & 0x80) === 0 ? 0 : 4);
    this.#endsMessage = !isControl(first) && (first & FIN) !== 0;
    if (!isControl(first)) this.#countPayload(first, length);
    if (this.#left === 0) this.#finishFrame();
  }

  #countPayload(first: number, length: number): void {
    if ((first & 0xf) !== 0) this.#isCurrentDeflated = this.#isCompressed && (first & RSV1) !== 0;
    this.#current += this.#isCurrentDeflated
      ? Math.min(length * MAX_INFLATION, this.#maxMessageSize)
      : length;
  }

  #finishFrame(): void {
    if (!this.#endsMessage) return;
    this.#endsMessage = false;
    this.#passed.push(this.#current);
    this.#bytes += this.#current;
    this.#current = 0;
  }
}

function isControl(first: number): boolean {
  return (first & CONTROL) !== 0;
}
