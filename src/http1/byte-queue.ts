import { ProtocolError } from "../errors.ts";

/** How long a line, and the section that it stands in, may grow. All amounts are bytes. */
export interface LineRules {
  /** Bytes of one line, its line end not counted. */
  readonly maxLine: number;
  /** Makes the error for a longer line. */
  readonly lineTooLong: () => ProtocolError;
  /** Bytes of all lines since `beginSection`, line ends counted. */
  readonly maxSection: number;
  /** Makes the error for a longer section. */
  readonly sectionTooLong: () => ProtocolError;
}

const LF = 0x0a;
const CR = 0x0d;
const EMPTY = Buffer.alloc(0);

/** 1 for every byte that may stand inside a line: HTAB, visible ASCII, SP, obs-text. */
const IN_LINE = new Uint8Array(256).fill(1, 0x20).fill(1, 0x09, 0x0a).fill(0, 0x7f, 0x80);

/**
 * Received bytes in order, read as lines or as they are. Nothing is copied except the lines, which become strings.
 *
 * Faults are found byte by byte, in order, at the moment their byte is there, and not before: so the outcome does not
 * depend on how the bytes were cut into chunks.
 */
export class ByteQueue {
  #chunk: Buffer = EMPTY;
  /** The first unread byte of `#chunk`. */
  #position = 0;
  #waiting: Buffer[] = [];
  /** The first of `#waiting` that has not become `#chunk` yet. */
  #nextWaiting = 0;
  #length = 0;
  /** The start of a line whose end has not come, without the CR that may have come; grows by doubling. */
  #held: Buffer = EMPTY;
  #heldLength = 0;
  #sawCr = false;
  /** Bytes of the section's finished lines. */
  #sectionLength = 0;

  /** Bytes pushed and not read; the start of an unfinished line counts as read. */
  get length(): number {
    return this.#length;
  }

  /** True between the first byte of a line (a lone CR is none) and its end. */
  get insideLine(): boolean {
    return this.#heldLength > 0;
  }

  /** True when there is not a byte here, nor the memory of one. */
  get isFresh(): boolean {
    return this.#length === 0 && this.#heldLength === 0 && !this.#sawCr;
  }

  /** The piece that the next byte is in, if a line begins with it; for a caller that may recognise what comes. */
  get piece(): Buffer | undefined {
    return this.#length > 0 && this.#heldLength === 0 && !this.#sawCr ? this.#chunk : undefined;
  }

  /** Where in `piece` the next byte is. */
  get position(): number {
    return this.#position;
  }

  /** Bytes of the section's finished lines, line ends counted. */
  get sectionLength(): number {
    return this.#sectionLength;
  }

  /** Passes over whole lines at the start of what is left of `piece`. */
  pass(length: number): void {
    this.#sectionLength += length;
    this.#skip(length);
  }

  /** Adds bytes. The buffer is kept, not copied. */
  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#length === 0) {
      this.#chunk = bytes;
      this.#position = 0;
    } else {
      this.#waiting.push(bytes);
    }
    this.#length += bytes.length;
  }

  /** Forgets everything. */
  clear(): void {
    this.#chunk = EMPTY;
    this.#position = 0;
    this.#waiting = [];
    this.#nextWaiting = 0;
    this.#length = 0;
    this.#held = EMPTY;
    this.#heldLength = 0;
    this.#sawCr = false;
  }

  /** Counts the section's bytes from 0 again. Only between two lines. */
  beginSection(): void {
    this.#sectionLength = 0;
  }

  /**
   * The next line without its line end, one char for each byte, or `undefined` while its end has not come. A line
   * holds no control characters but HTAB.
   *
   * @throws ProtocolError 400 for a control character, a CR without LF and an LF without CR, and the rules' errors,
   * whichever comes first in the bytes.
   */
  readLine(rules: LineRules): string | undefined {
    while (this.#length > 0) {
      const chunk = this.#chunk;
      const start = this.#position;
      const lineRoom = rules.maxLine - this.#heldLength;
      const crLength = this.#sawCr ? 1 : 0;
      const sectionRoom = rules.maxSection - this.#sectionLength - this.#heldLength - crLength;
      let end = start;
      if (crLength === 0) {
        const stop = Math.min(chunk.length, start + Math.min(lineRoom, sectionRoom));
        while (end < stop && IN_LINE[chunk[end]!] === 1) end++;
      }
      // `end` is the first byte that is not simply a part of the line: none is left, or a limit, a CR or a fault.
      let after = end;
      let complete = false;
      if (end < chunk.length) {
        const byte = chunk[end]!;
        if (crLength === 0 && IN_LINE[byte] === 1 && end - start >= lineRoom) throw rules.lineTooLong();
        if (end - start >= sectionRoom) throw rules.sectionTooLong();
        after = end + 1;
        if (crLength === 1) {
          if (byte !== LF) throw bareCr();
          complete = true;
        } else if (byte !== CR) {
          throw controlCharacter(byte);
        } else if (after === chunk.length) {
          this.#sawCr = true;
        } else {
          if (after - start >= sectionRoom) throw rules.sectionTooLong();
          if (chunk[after] !== LF) throw bareCr();
          after++;
          complete = true;
        }
      }
      if (complete) {
        this.#sawCr = false;
        const line = this.#heldLength === 0 ? textOf(chunk, start, end) : this.#release(chunk, start, end);
        this.#skip(after - start);
        this.#sectionLength += line.length + 2;
        return line;
      }
      this.#hold(chunk, start, end);
      this.#skip(after - start);
    }
    return undefined;
  }

  /** What has come of a line that is not complete, or that `readLine` has refused: at most `max` chars, and no fault. */
  lineSoFar(max: number): string {
    const chunk = this.#chunk;
    const stop = Math.min(chunk.length, this.#position + Math.max(0, max - this.#heldLength));
    let end = this.#position;
    if (!this.#sawCr) while (end < stop && IN_LINE[chunk[end]!] === 1) end++;
    const held = this.#held.toString("latin1", 0, Math.min(this.#heldLength, max));
    return held + chunk.toString("latin1", this.#position, end);
  }

  /** At most `max` of the next bytes, as many as lie in one piece; `undefined` when there are none. Not a copy. */
  take(max: number): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const size = Math.min(max, this.#chunk.length - this.#position);
    const bytes = new Uint8Array(this.#chunk.buffer, this.#chunk.byteOffset + this.#position, size);
    this.#skip(size);
    return bytes;
  }

  /** Copies a part of a line. As a string that grows byte by byte it would take forty times the memory. */
  #hold(chunk: Buffer, start: number, end: number): void {
    const length = this.#heldLength + end - start;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(128, 2 * length));
      this.#held.copy(larger, 0, 0, this.#heldLength);
      this.#held = larger;
    }
    chunk.copy(this.#held, this.#heldLength, start, end);
    this.#heldLength = length;
  }

  /** The line that is complete with this last part. */
  #release(chunk: Buffer, start: number, end: number): string {
    this.#hold(chunk, start, end);
    const line = this.#held.toString("latin1", 0, this.#heldLength);
    this.#held = EMPTY;
    this.#heldLength = 0;
    return line;
  }

  /** Passes over bytes of the current chunk; a finished chunk is let go at once, for an idle connection needs none. */
  #skip(count: number): void {
    this.#position += count;
    this.#length -= count;
    if (this.#position < this.#chunk.length) return;
    this.#position = 0;
    const next = this.#waiting[this.#nextWaiting];
    if (next === undefined) {
      this.#chunk = EMPTY;
      return;
    }
    this.#chunk = next;
    this.#nextWaiting++;
    if (this.#nextWaiting === this.#waiting.length) {
      this.#waiting = [];
      this.#nextWaiting = 0;
    }
  }
}

/** Every head ends with an empty line, for which Buffer need not be asked. */
function textOf(bytes: Buffer, start: number, end: number): string {
  return start === end ? "" : bytes.toString("latin1", start, end);
}

function bareCr(): ProtocolError {
  return new ProtocolError(400, "A CR is not followed by LF (RFC 9112 section 2.2)");
}

function controlCharacter(byte: number): ProtocolError {
  if (byte === LF)
    return new ProtocolError(400, "A line ends with LF alone instead of CRLF (RFC 9112 section 2.2)");
  if (byte === 0) return new ProtocolError(400, "A line holds a NUL (RFC 9110 section 5.5)");
  return new ProtocolError(400, "A line holds a control character (RFC 9110 section 5.5)");
}
