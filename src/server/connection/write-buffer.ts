import { giveBack, takeBlock } from "./hold-blocks.ts";

/** The part of a Bun socket that takes bytes: it returns how many the kernel took, or -1 when it is closed. */
export interface ByteSink {
  write(bytes: Uint8Array, byteOffset: number, byteLength: number): number;
}

// Every Buffer has these; they are faster than `write` with the name of an encoding. The types leave them out.
declare global {
  interface Buffer {
    latin1Write(text: string, offset: number): number;
    utf8Write(text: string, offset: number): number;
  }
}

/** Who is told what becomes of the bytes. */
export interface OutputOwner {
  /** The kernel has taken less than it was given. */
  onBlocked(): void;
  /** Bytes are held back: `release` is to be called when the turn is over. */
  onHeld(): void;
}

interface Chunk {
  bytes: Uint8Array;
  /** The memory belongs to the application, which may reuse it once its `send` has resolved. */
  borrowed: boolean;
}

/** The queue of every output that has none, which is nearly every one; nothing is put into it. */
const NO_CHUNKS: Chunk[] = [];

/** Up to here parts meet in one buffer on their way to the kernel; longer bodies go by themselves. */
const SCRATCH_SIZE = 128 * 1024;

/** Up to here bytes that may wait are held back for more to come, in this turn of the event loop. */
const HOLD_LIMIT = 64 * 1024;

/** The same for text: many connections hold theirs at once, while an event goes to all of them. */
const TEXT_LIMIT = 16 * 1024;

/** Up to here what the kernel leaves is copied at once; a longer rest is kept where it is until `send` resolves. */
const COPY_LIMIT = 64 * 1024;

// Head, framing and body meet here when they may not wait, so that they leave in one system call. One buffer serves the
// whole process: nothing stays in it, for what the kernel does not take is copied out at once.
const scratch = Buffer.allocUnsafeSlow(SCRATCH_SIZE);

/**
 * The bytes on their way out of one connection. Bun's sockets do not buffer: this writes what the kernel takes and
 * keeps the rest, in order, until the socket says that it can go on.
 */
export class WriteBuffer {
  readonly #sink: ByteSink;
  readonly #owner: OutputOwner;
  #queue: Chunk[] = NO_CHUNKS;
  #size = 0;
  #closed = false;
  #blocked = false;
  #writable: PromiseWithResolvers<void> | undefined;
  #taken = 0;
  /** Called when the kernel has taken bytes, where somebody measures how long it takes none. */
  onProgress: (() => void) | undefined;
  /** Bytes that are held back begin here. A buffer that holds nothing back has no block. */
  #block: Buffer | undefined;
  #held = 0;

  constructor(sink: ByteSink, owner: OutputOwner) {
    this.#sink = sink;
    this.#owner = owner;
  }

  /** Bytes that the kernel has not taken yet, held back ones included. */
  get size(): number {
    return this.#size + this.#held;
  }

  /** Bytes that the kernel has left; what is held back to leave with more is not among them. */
  get queued(): number {
    return this.#size;
  }

  /** Bytes that the kernel has taken so far; it grows as long as the client reads. */
  get taken(): number {
    return this.#taken;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** True while the kernel takes nothing more. */
  get isBlocked(): boolean {
    return this.#blocked;
  }

  /**
   * Writes three parts as one: Latin-1 framing before and after a body of bytes, or of text, which goes as UTF-8.
   * `bodyLength` is the body's length in bytes. With `hold` they may wait for more to come until the turn is over.
   */
  write(prefix: string, body: Uint8Array | string, bodyLength: number, suffix: string, hold = false): void {
    if (this.#closed) return;
    const total = prefix.length + bodyLength + suffix.length;
    if (total === 0) return;
    const limit = typeof body === "string" ? TEXT_LIMIT : HOLD_LIMIT;
    if (this.#held + total > (this.#held === 0 ? limit : HOLD_LIMIT)) this.release();
    // Without anything to wait for, or to wait with.
    if (this.#held === 0 && (!hold || total > limit || this.#queue.length > 0)) {
      if (total > SCRATCH_SIZE) this.#writeLarge(prefix, body, suffix);
      else this.#giveFrom(scratch, put(scratch, 0, prefix, body, suffix));
      return;
    }
    const isFirst = this.#held === 0;
    const block = this.#blockFor(this.#held + total);
    this.#held = put(block, this.#held, prefix, body, suffix);
    if (!hold || this.#held >= limit) this.release();
    else if (isFirst) this.#owner.onHeld();
  }

  /** Writes what is held back. */
  release(): void {
    const block = this.#block;
    if (block === undefined) return;
    const held = this.#held;
    this.#block = undefined;
    this.#held = 0;
    // Only then is the block another one's: the kernel, or a copy, has all of it.
    if (!this.#closed) this.#giveFrom(block, held);
    giveBack(block);
  }

  /**
   * Writes from a buffer that the caller goes on using; nothing is kept. Call it only while `isBlocked` is false.
   *
   * @returns how many bytes were taken; fewer than `length` means: wait for {@link whenWritable} and come again.
   */
  writeSome(bytes: Uint8Array, length: number): number {
    this.release();
    return this.#queue.length === 0 && !this.#closed ? this.#give(bytes, length) : 0;
  }

  /** Resolves once nothing is queued and the kernel takes bytes again, or the connection is closed. */
  whenWritable(): Promise<void> {
    this.release();
    if (this.#closed || (!this.#blocked && this.#queue.length === 0)) return Promise.resolve();
    return (this.#writable ??= Promise.withResolvers()).promise;
  }

  /** The socket can take more: gives it what is queued. */
  resume(): void {
    this.#blocked = false;
    while (this.#queue.length > 0 && !this.#blocked && !this.#closed) this.#giveQueued();
    if (this.#queue.length === 0 && !this.#blocked) this.#wake();
  }

  /** Copies what still points into the application's memory, before its `send` resolves. */
  detach(): void {
    for (const chunk of this.#queue) {
      if (!chunk.borrowed) continue;
      chunk.bytes = Uint8Array.prototype.slice.call(chunk.bytes);
      chunk.borrowed = false;
    }
  }

  /** Drops what is queued; every later write does nothing. */
  close(): void {
    this.#closed = true;
    if (this.#block !== undefined) giveBack(this.#block);
    this.#block = undefined;
    this.#held = 0;
    this.#queue = NO_CHUNKS;
    this.#size = 0;
    this.#wake();
  }

  /** The block of what is held back, with room for so many bytes in all; it grows with them. */
  #blockFor(size: number): Buffer {
    const block = this.#block;
    if (block !== undefined && size <= block.length) return block;
    const larger = takeBlock(size);
    if (block !== undefined) {
      block.copy(larger, 0, 0, this.#held);
      giveBack(block);
    }
    return (this.#block = larger);
  }

  /** Writes the first bytes of a buffer that is about to be used again. */
  #giveFrom(bytes: Buffer, end: number): void {
    const taken = this.#queue.length === 0 ? this.#give(bytes, end) : 0;
    if (taken < end && !this.#closed)
      this.#enqueue(Uint8Array.prototype.slice.call(bytes, taken, end), false);
  }

  #writeLarge(prefix: string, body: Uint8Array | string, suffix: string): void {
    if (prefix.length > 0) this.#put(Buffer.from(prefix, "latin1"), false);
    if (typeof body === "string") this.#put(Buffer.from(body), false);
    else this.#put(body, true);
    if (suffix.length > 0) this.#put(Buffer.from(suffix, "latin1"), false);
  }

  #put(bytes: Uint8Array, borrowed: boolean): void {
    const taken = this.#queue.length === 0 ? this.#give(bytes, bytes.byteLength) : 0;
    if (taken === bytes.byteLength || this.#closed) return;
    const rest = bytes.subarray(taken);
    const copies = borrowed && rest.byteLength <= COPY_LIMIT;
    this.#enqueue(copies ? Uint8Array.prototype.slice.call(rest) : rest, borrowed && !copies);
  }

  #enqueue(bytes: Uint8Array, borrowed: boolean): void {
    if (this.#queue === NO_CHUNKS) this.#queue = [];
    this.#queue.push({ bytes, borrowed });
    this.#size += bytes.byteLength;
  }

  #give(bytes: Uint8Array, length: number): number {
    const taken = this.#sink.write(bytes, 0, length);
    if (taken < 0) {
      this.close();
      return 0;
    }
    this.#taken += taken;
    if (taken > 0) this.onProgress?.();
    if (taken < length) {
      this.#blocked = true;
      this.#owner.onBlocked();
    }
    return taken;
  }

  /** Gives the front of the queue; small chunks go together. */
  #giveQueued(): void {
    const [first] = this.#queue;
    if (first === undefined) return;
    if (this.#queue.length === 1 || first.bytes.byteLength > COPY_LIMIT) {
      this.#drop(this.#give(first.bytes, first.bytes.byteLength));
      return;
    }
    let end = 0;
    for (const { bytes } of this.#queue) {
      if (end + bytes.byteLength > SCRATCH_SIZE) break;
      scratch.set(bytes, end);
      end += bytes.byteLength;
    }
    this.#drop(this.#give(scratch, end));
  }

  #drop(count: number): void {
    if (this.#closed) return;
    this.#size -= count;
    let whole = 0;
    for (const chunk of this.#queue) {
      if (count < chunk.bytes.byteLength) {
        chunk.bytes = chunk.bytes.subarray(count);
        break;
      }
      count -= chunk.bytes.byteLength;
      whole++;
    }
    if (whole === this.#queue.length) this.#queue = NO_CHUNKS;
    else if (whole > 0) this.#queue.splice(0, whole);
  }

  #wake(): void {
    this.#writable?.resolve();
    this.#writable = undefined;
  }
}

/** Writes three parts into a buffer; returns where they end. */
function put(
  buffer: Buffer,
  start: number,
  prefix: string,
  body: Uint8Array | string,
  suffix: string,
): number {
  let end = start;
  if (prefix.length > 0) end += buffer.latin1Write(prefix, end);
  if (typeof body === "string") end += body.length === 0 ? 0 : buffer.utf8Write(body, end);
  else if (body.byteLength > 0) {
    buffer.set(body, end);
    end += body.byteLength;
  }
  if (suffix.length > 0) end += buffer.latin1Write(suffix, end);
  return end;
}
