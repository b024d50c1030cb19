import type { ByteRange } from "./byte-range.ts";

/** One part of a `multipart/byteranges` body. */
interface RangePart {
  /** The delimiter and the header section of the part. */
  readonly head: Uint8Array;
  readonly range: ByteRange;
}

/**
 * Several ranges of one file as one body, `multipart/byteranges`. RFC 9110 section 14.6.
 *
 * @param contentType of the file; `undefined` where it has none.
 * @param size bytes of the whole file.
 */
export class ByteRangesBody {
  readonly #boundary = `range-${crypto.randomUUID()}`;
  readonly #parts: readonly RangePart[];
  readonly #end: Uint8Array;

  constructor(ranges: readonly ByteRange[], contentType: string | undefined, size: number) {
    const type = contentType === undefined ? "" : `content-type: ${contentType}\r\n`;
    this.#parts = ranges.map((range, place) => ({
      range,
      head: Buffer.from(
        `${place === 0 ? "" : "\r\n"}--${this.#boundary}\r\n${type}` +
          `content-range: bytes ${range.start}-${range.end - 1}/${size}\r\n\r\n`,
        "latin1",
      ),
    }));
    this.#end = Buffer.from(`\r\n--${this.#boundary}--\r\n`);
  }

  get contentType(): string {
    return `multipart/byteranges; boundary=${this.#boundary}`;
  }

  /** Bytes. */
  get contentLength(): number {
    return this.#parts.reduce(
      (sum, { head, range }) => sum + head.byteLength + range.end - range.start,
      this.#end.byteLength,
    );
  }

  /** The body, with the file read range by range. */
  async *chunks(file: Blob): AsyncGenerator<Uint8Array, void, void> {
    for (const { head, range } of this.#parts) {
      yield head;
      yield* file.slice(range.start, range.end).stream();
    }
    yield this.#end;
  }
}
