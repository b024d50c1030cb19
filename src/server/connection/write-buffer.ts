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

const SCRATCH_SIZE = 128 * 1024;

/** Up to here bytes that may wait are held back for more to come, in this turn of the event loop. */
const HOLD_LIMIT = 64 * 1024;

/** The same for text, which every connection holds for itself. */
const TEXT_LIMIT = 16 * 1024;

/** Bytes behind the last chunk's data; a longer suffix holds fields. */
const CHUNK_END = 7;

/** Up to here what the kernel leaves is copied at once; a longer rest is kept where it is until `send` resolves. */
const COPY_LIMIT = 64 * 1024;

// Head, framing and body meet here, so that they leave in one system call. One buffer serves the whole process: only
// one connection holds bytes in it at a time, and they are written before another one's go in. What the kernel does
// not take is copied out at once.
const scratch = Buffer.allocUnsafe(SCRATCH_SIZE);
let holder: WriteBuffer | undefined;
let heldBytes = 0;

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
  /** Text that is held back, framing included; a string, since many small texts make one without being copied. */
  #text = "";
  #textBytes = 0;
  /** What the held text becomes on the wire; `ascii` can become either. */
  #textCoding: "ascii" | "latin1" | "utf8" = "ascii";

  constructor(sink: ByteSink, owner: OutputOwner) {
    this.#sink = sink;
    this.#owner = owner;
  }

  /** Bytes that the kernel has not taken yet, held back ones included. */
  get size(): number {
    return this.#size + this.#textBytes + (holder === this ? heldBytes : 0);
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
    if (
      typeof body === "string" &&
      (hold || this.#textBytes > 0) &&
      this.#holdText(prefix, body, bodyLength, suffix, total)
    ) {
      if (!hold) this.release();
      return;
    }
    if (holder !== this || this.#textBytes > 0) {
      this.release();
      holder?.release();
    } else if (heldBytes + total > SCRATCH_SIZE) this.release();
    if (total > SCRATCH_SIZE) {
      this.#writeLarge(prefix, body, suffix);
      return;
    }
    let end = holder === this ? heldBytes : 0;
    if (prefix.length > 0) end += scratch.latin1Write(prefix, end);
    if (typeof body === "string") end += body.length === 0 ? 0 : scratch.utf8Write(body, end);
    else {
      scratch.set(body, end);
      end += bodyLength;
    }
    if (suffix.length > 0) end += scratch.latin1Write(suffix, end);
    if (!hold || end >= HOLD_LIMIT || this.#queue.length > 0) {
      holder = undefined;
      this.#giveScratch(end);
      return;
    }
    heldBytes = end;
    if (holder === this) return;
    holder = this;
    this.#owner.onHeld();
  }

  /** Writes what is held back. */
  release(): void {
    if (holder === this) {
      holder = undefined;
      if (!this.#closed) this.#giveScratch(heldBytes);
    } else if (this.#textBytes > 0) {
      const text = this.#text;
      const length = this.#textBytes;
      this.#text = "";
      this.#textBytes = 0;
      if (this.#textCoding === "latin1") this.write(text, "", 0, "");
      else this.write("", text, length, "");
    }
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
    if (holder === this) holder = undefined;
    this.#text = "";
    this.#textBytes = 0;
    this.#queue = NO_CHUNKS;
    this.#size = 0;
    this.#wake();
  }

  /** Holds text back for more to come, if it can be held as text. */
  #holdText(prefix: string, body: string, bodyLength: number, suffix: string, total: number): boolean {
    const isFirst = this.#textBytes === 0;
    if (holder === this || this.#queue.length > 0 || this.#textBytes + total > TEXT_LIMIT) return false;
    // All of it becomes Latin-1 or UTF-8 in the end: a head, or a frame's header, the one, a text the other.
    const isAsciiPrefix = Buffer.byteLength(prefix) === prefix.length;
    const isAsciiBody = bodyLength === body.length;
    const coding = isAsciiPrefix ? (isAsciiBody ? "ascii" : "utf8") : isAsciiBody ? "latin1" : undefined;
    const held = isFirst ? "ascii" : this.#textCoding;
    if (coding === undefined || (coding !== "ascii" && held !== "ascii" && coding !== held)) return false;
    if (suffix.length > CHUNK_END && Buffer.byteLength(suffix) !== suffix.length) return false; // trailers
    // Halves of a surrogate pair that come apart are two replacement characters; here they would become one char.
    if (
      !isFirst &&
      prefix === "" &&
      isLowSurrogate(body, 0) &&
      isHighSurrogate(this.#text, this.#text.length - 1)
    )
      return false;
    if (isFirst || coding !== "ascii") this.#textCoding = coding;
    this.#text += prefix + body + suffix;
    this.#textBytes += total;
    if (isFirst) this.#owner.onHeld();
    return true;
  }

  #giveScratch(end: number): void {
    const taken = this.#queue.length === 0 ? this.#give(scratch, end) : 0;
    if (taken < end && !this.#closed)
      this.#enqueue(Uint8Array.prototype.slice.call(scratch, taken, end), false);
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
    holder?.release(); // the scratch buffer is needed
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

function isHighSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800;
}

function isLowSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}
