import { isFulfilled } from "../../spec/at-hand.ts";

/** A piece of a body: bytes, or a string that is sent as UTF-8. */
export type Chunk = Uint8Array | string;

/** What a stream's reader gives. */
interface Result {
  readonly done: boolean;
  readonly value?: unknown;
}

/** What is read at most before the head of a response leaves, to see whether it is all of its body: bytes, and chunks. */
const OPENING = 65_536;
const OPENING_CHUNKS = 64;
const LATE = Symbol("late");

/**
 * Reads a stream chunk by chunk, and can look at its beginning first: a response of which the beginning is all goes out
 * with its length, as `Bun.serve` sends it.
 */
export class ChunkReader implements AsyncIterable<Chunk> {
  readonly #reader: {
    readonly closed: Promise<unknown>;
    read(): Promise<Result>;
    cancel(reason?: unknown): Promise<void>;
  };
  /** Chunks that were read and not taken. */
  #ahead: Chunk[] = [];
  #reading: Promise<Result> | undefined;
  #isOver = false;
  #isIterated = false;
  #isOfBytes = false;

  /** @throws TypeError where somebody else reads the stream. */
  constructor(stream: ReadableStream<unknown>) {
    this.#reader = stream.getReader();
  }

  /** Begins to read. In the same turn a stream of bytes in memory tells what it is; later, that of a file looks the same. */
  begin(): void {
    const reading = (this.#reading ??= this.#reader.read());
    this.#isOfBytes = isFulfilled(reading) && !isFulfilled(this.#reader.closed);
    // A failure is thrown where the chunk is taken.
    reading.catch(() => {});
  }

  /**
   * Reads what is there until the end of the turn, up to 64 KiB, and waits for bytes only until there are `minimum` of
   * them.
   *
   * @throws what the stream throws.
   */
  async lookAhead(minimum = 0): Promise<void> {
    let late: Promise<typeof LATE> | undefined;
    let length = 0;
    while (!this.#isOver && (length < minimum || (length < OPENING && this.#ahead.length < OPENING_CHUNKS))) {
      const reading = (this.#reading ??= this.#reader.read());
      // The end of a body in memory is told in the same turn, and the timer costs more than all the rest.
      for (let turns = 0; turns < 3 && !isFulfilled(reading); turns++) await undefined;
      if (length >= minimum && !isFulfilled(reading)) {
        late ??= new Promise((resolve) => setImmediate(resolve, LATE));
        if ((await Promise.race([reading, late])) === LATE) return;
      }
      const chunk = await this.#read();
      if (chunk === undefined) return;
      length += byteLength(chunk);
      this.#ahead.push(chunk);
    }
  }

  /** Whether the stream has ended, and what was looked at is all of it. */
  get isWhole(): boolean {
    return this.#isOver;
  }

  /**
   * Whether the stream behaves as Bun's own does, of a few bytes that a Response holds: the only chunk is there at once,
   * and the stream is not over with it. It decides on nothing but a type where none is given.
   */
  get isOfBytes(): boolean {
    return this.#isOfBytes && this.#ahead.length === 1;
  }

  /** What was looked at and not taken yet, as bytes. */
  get opening(): Uint8Array {
    const [first] = this.#ahead;
    if (this.#ahead.length === 1 && first instanceof Uint8Array) return first;
    const opening = Buffer.concat(
      this.#ahead.map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk) : chunk)),
    );
    this.#ahead = [opening];
    return opening;
  }

  /** The next chunk; `undefined` at the end. @throws what the stream throws; TypeError for what is not a chunk. */
  async take(): Promise<Chunk | undefined> {
    return this.#ahead.shift() ?? (await this.#read());
  }

  /**
   * Tells the stream that nobody reads it any more, even while a read is under way. Its answer is not waited for: one
   * half of a tee gives none before the other half is cancelled too.
   */
  cancel(reason?: unknown): void {
    this.#ahead = [];
    this.#reader.cancel(reason).catch(() => {});
  }

  /** @throws TypeError the second time, for a stream can be read once. */
  [Symbol.asyncIterator](): AsyncIterator<Chunk, undefined> {
    if (this.#isIterated) throw new TypeError("The stream of the Response has been sent already.");
    this.#isIterated = true;
    return {
      next: async () => {
        const value = await this.take();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      return: async () => {
        this.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  async #read(): Promise<Chunk | undefined> {
    if (this.#isOver) return undefined;
    const { done, value } = await (this.#reading ?? this.#reader.read());
    this.#reading = undefined;
    this.#isOver = done;
    return done ? undefined : chunkOf(value);
  }
}

function byteLength(chunk: Chunk): number {
  return typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.byteLength;
}

function chunkOf(value: unknown): Chunk {
  if (value instanceof Uint8Array || typeof value === "string") return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError(
    `The stream of the response gave a chunk of type ${value === null ? "null" : typeof value}; ` +
      "chunks have to be Uint8Array, ArrayBuffer or string.",
  );
}
