import { limit, type OptionRules } from "../../spec/option-rules.ts";
import type { PagiHeaders } from "../values/headers.ts";
import {
  MultipartParser,
  type MultipartEvent,
  type MultipartLimits,
  type PartHead,
} from "./multipart-parser.ts";
import { writeNewFile, type NewFileOptions } from "./new-file.ts";
import { MalformedBodyError } from "./error.ts";

/** What a streamed multipart body may hold where nothing else is said. Sizes in bytes. */
export const STREAM_LIMITS: MultipartLimits & { maxRequestBody: number } = {
  maxFiles: 1000,
  maxFields: 1000,
  maxFieldSize: 1024 * 1024,
  maxFileSize: 100 * 1024 * 1024,
  maxHeaderSize: 16 * 1024,
  /** The body as a whole. */
  maxRequestBody: 1024 * 1024 * 1024,
};

/** Limits of a streamed multipart body; see {@link STREAM_LIMITS} for what they are by default. */
export type MultipartOptions = { [Name in keyof typeof STREAM_LIMITS]?: number | undefined };

/** What {@link MultipartOptions} may be. */
export const MULTIPART_RULES: OptionRules<MultipartOptions> = {
  maxFiles: limit(0),
  maxFields: limit(0),
  maxFieldSize: limit(0),
  maxFileSize: limit(0),
  maxHeaderSize: limit(0),
  maxRequestBody: limit(0),
};

/** What a part needs of its stream. */
interface Source {
  nextChunk(part: Part): Promise<Uint8Array | undefined>;
  fail(error: unknown): void;
}

/**
 * A `multipart/form-data` body, part by part, each read only as far as it is asked for: the client is slowed down to
 * that speed, and nothing is kept. What is left of a part is skipped when the next one is asked for.
 */
export class MultipartStream implements AsyncIterable<Part> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #parser: MultipartParser;
  readonly #source: Source;
  #current: Part | undefined;
  #hasBegun = false;
  #isDone = false;
  #error: unknown;

  constructor(chunks: AsyncIterator<Uint8Array>, boundary: string, limits: MultipartLimits) {
    this.#chunks = chunks;
    this.#parser = new MultipartParser(boundary, limits);
    this.#source = {
      nextChunk: (part) => this.#nextChunk(part),
      fail: (error) => (this.#error ??= error),
    };
  }

  /**
   * The next part; `undefined` after the last.
   *
   * @throws the error of the limit that was passed, MalformedBodyError, IncompleteBodyError, or what a sink has thrown:
   *   the same again from then on.
   */
  async next(): Promise<Part | undefined> {
    await this.#current?.skip();
    const event = await this.#nextEvent();
    if (event?.type !== "part") return undefined;
    this.#current = new Part(this.#source, event.head);
    return this.#current;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Part, void, void> {
    for (let part = await this.next(); part !== undefined; part = await this.next()) yield part;
  }

  async #nextChunk(part: Part): Promise<Uint8Array | undefined> {
    if (part !== this.#current)
      throw new Error("This part is over: a part is read before the next one is asked for.");
    const event = await this.#nextEvent();
    if (event?.type === "data") return event.bytes;
    this.#current = undefined;
    return undefined;
  }

  /** The next event; `undefined` when the body is over. */
  async #nextEvent(): Promise<MultipartEvent | undefined> {
    if (this.#error !== undefined) throw this.#error;
    try {
      while (!this.#isDone) {
        const event = this.#parser.next();
        if (event?.type === "end") await this.#skipEpilogue();
        else if (event !== undefined) return event;
        else {
          const { done, value } = await this.#chunks.next();
          // A body of no bytes has no parts, as one of no fields has none.
          this.#isDone = done === true && !this.#hasBegun;
          if (this.#isDone) break;
          if (done) throw new MalformedBodyError("The multipart body ends before its last delimiter.");
          this.#hasBegun = true;
          this.#parser.push(value);
        }
      }
      return undefined;
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }

  /** What follows the last delimiter means nothing, but belongs to the body that the connection goes on after. */
  async #skipEpilogue(): Promise<void> {
    while (!(await this.#chunks.next()).done);
    this.#isDone = true;
  }
}

/** One part of a multipart body. */
export class Part implements AsyncIterable<Uint8Array> {
  readonly #source: Source;
  readonly #head: PartHead;
  #isDone = false;

  constructor(source: Source, head: PartHead) {
    this.#source = source;
    this.#head = head;
  }

  /** The name of the form field. */
  get name(): string {
    return this.#head.name;
  }

  /** As the client sent it, so never to be used as a path; absent for a field that is no file. */
  get filename(): string | undefined {
    return this.#head.filename;
  }

  /** As the client says; `text/plain` where it says nothing (RFC 7578 section 4.4). */
  get contentType(): string {
    return this.#head.headers.get("content-type") ?? "text/plain";
  }

  /** `Content-Transfer-Encoding`, which no browser sends; the content is not decoded. */
  get encoding(): string | undefined {
    return this.#head.headers.get("content-transfer-encoding");
  }

  get headers(): PagiHeaders {
    return this.#head.headers;
  }

  get type(): "field" | "file" {
    return this.#head.filename === undefined ? "field" : "file";
  }

  isFile(): boolean {
    return this.type === "file";
  }

  /** The next chunk of the content; `undefined` at its end. @throws as {@link MultipartStream.next}. */
  async nextChunk(): Promise<Uint8Array | undefined> {
    if (this.#isDone) return undefined;
    const chunk = await this.#source.nextChunk(this);
    this.#isDone = chunk === undefined;
    return chunk;
  }

  /** The rest of the content, whole; its size is limited by `maxFieldSize` or `maxFileSize`. */
  async bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** The same as {@link bytes}, by the name it has in the Perl toolkit. */
  value(): Promise<Uint8Array> {
    return this.bytes();
  }

  /** The rest of the content as UTF-8; bytes that are none become U+FFFD. */
  async text(): Promise<string> {
    return Buffer.from(await this.bytes()).toString("utf8");
  }

  /**
   * Gives each chunk to `sink` and waits for it. What `sink` throws ends the stream.
   *
   * @returns how many bytes there were.
   */
  async streamTo(sink: (chunk: Uint8Array) => void | Promise<void>): Promise<number> {
    let size = 0;
    for await (const chunk of this) {
      try {
        await sink(chunk);
      } catch (error) {
        this.#source.fail(error);
        throw error;
      }
      size += chunk.byteLength;
    }
    return size;
  }

  /** Writes the rest of the content to a file; see {@link writeNewFile}. @returns how many bytes. */
  async streamToFile(path: string, options?: NewFileOptions): Promise<number> {
    try {
      return await writeNewFile(path, this, options);
    } catch (error) {
      this.#source.fail(error);
      throw error;
    }
  }

  /** Reads the rest of the content and drops it. */
  async skip(): Promise<void> {
    while ((await this.nextChunk()) !== undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (let chunk = await this.nextChunk(); chunk !== undefined; chunk = await this.nextChunk()) yield chunk;
  }
}
