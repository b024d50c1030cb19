import { FLAG, limit, oneOf, type OptionRules } from "../../spec/option-rules.ts";
import { MalformedBodyError } from "./error.ts";
import { writeNewFile, type NewFileOptions } from "./new-file.ts";

/** How a body is streamed. */
export interface BodyStreamOptions {
  /** Bytes at most. Default: as many as the server lets through. */
  maxBytes?: number | undefined;
  /** Delivers strings, no char ever cut in two. */
  decode?: "utf-8" | undefined;
  /** With `decode`: whether bytes that are no UTF-8 are refused. Default false: they become U+FFFD. */
  strict?: boolean | undefined;
}

/** What {@link BodyStreamOptions} may be. */
export const STREAM_RULES: OptionRules<BodyStreamOptions> = {
  maxBytes: limit(0),
  decode: oneOf("utf-8"),
  strict: FLAG,
};

/** Makes what is delivered of bytes; `last` with the end of the body. */
type Convert<Chunk> = (bytes: Uint8Array, last: boolean) => Chunk;

const NOTHING = new Uint8Array(0);

/**
 * A request body as it comes: an async iterable of chunks, never empty ones. The client is slowed down to the speed
 * at which they are taken.
 */
export class BodyStream<Chunk extends Uint8Array | string> implements AsyncIterable<Chunk> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #convert: Convert<Chunk>;
  #bytesRead = 0;
  #isDone = false;
  #error: unknown;

  constructor(chunks: AsyncIterator<Uint8Array>, convert: Convert<Chunk>) {
    this.#chunks = chunks;
    this.#convert = convert;
  }

  /** Bytes received so far, before decoding. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** True after the last chunk, and after an error. */
  isDone(): boolean {
    return this.#isDone;
  }

  /** What ended the stream too early, if something did. */
  get error(): unknown {
    return this.#error;
  }

  /**
   * The next chunk; `undefined` at the end.
   *
   * @throws BodyTooLargeError, IncompleteBodyError, or with `strict` MalformedBodyError; the same again from then on.
   */
  async nextChunk(): Promise<Chunk | undefined> {
    if (this.#error !== undefined) throw this.#error;
    try {
      while (!this.#isDone) {
        const { done, value } = await this.#chunks.next();
        this.#isDone = done === true;
        this.#bytesRead += done ? 0 : value.byteLength;
        const chunk = this.#convert(done ? NOTHING : value, this.#isDone);
        if (chunk.length > 0) return chunk;
      }
      return undefined;
    } catch (error) {
      this.#isDone = true;
      this.#error = error;
      throw error;
    }
  }

  /** Gives each chunk to `sink` and waits for it. @returns how many bytes were received. */
  async streamTo(sink: (chunk: Chunk) => void | Promise<void>): Promise<number> {
    for await (const chunk of this) await sink(chunk);
    return this.#bytesRead;
  }

  /**
   * Writes the rest of the body to a file; see {@link writeNewFile}. @returns how many bytes.
   *
   * @throws TypeError for a stream of text, which would not be the bytes that the client has sent.
   */
  async streamToFile(this: BodyStream<Uint8Array>, path: string, options?: NewFileOptions): Promise<number> {
    return await writeNewFile(path, onlyBytes(this), options);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk, void, void> {
    for (let chunk = await this.nextChunk(); chunk !== undefined; chunk = await this.nextChunk()) yield chunk;
  }
}

async function* onlyBytes(chunks: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array))
      throw new TypeError("streamToFile() writes bytes; ask for the stream without 'decode'.");
    yield chunk;
  }
}

/** A stream of bytes. */
export function byteStream(chunks: AsyncIterator<Uint8Array>): BodyStream<Uint8Array> {
  return new BodyStream(chunks, (bytes) => bytes);
}

/** A stream of text. */
export function textStream(chunks: AsyncIterator<Uint8Array>, strict: boolean): BodyStream<string> {
  const decoder = new TextDecoder("utf-8", { fatal: strict, ignoreBOM: true });
  return new BodyStream(chunks, (bytes, last) => {
    try {
      return decoder.decode(bytes, { stream: !last });
    } catch (cause) {
      throw new MalformedBodyError("It has bytes that are no UTF-8.", { cause });
    }
  });
}
