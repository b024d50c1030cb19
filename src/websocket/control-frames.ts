/** The opcode of a Close frame. Source: RFC 6455 section 5.5.1. */
const CLOSE = 0x8;

const NO_BYTES = new Uint8Array(0);

/**
 * The control frames that come out of Bun's end of a bridge, whole frames only: between two of them a message may go
 * to the client, but not within one. A server's control frames have a header of two bytes and no mask.
 */
export class ControlFrames {
  #rest: Uint8Array = NO_BYTES;
  #closeCode: number | undefined;

  /** The code of the Close frame that has passed, if one has, and it has a code. */
  get closeCode(): number | undefined {
    return this.#closeCode;
  }

  /** Takes bytes and gives the frames that are complete, which may be none. */
  take(bytes: Uint8Array): Uint8Array {
    const all = this.#rest.byteLength === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let end = 0;
    for (;;) {
      const next = end + 2 + (all[end + 1] ?? 0);
      if (end + 2 > all.byteLength || next > all.byteLength) break;
      this.#note(all, end);
      end = next;
    }
    this.#rest = end === all.byteLength ? NO_BYTES : Uint8Array.prototype.slice.call(all, end);
    return all.subarray(0, end);
  }

  #note(bytes: Uint8Array, at: number): void {
    const [opcode = 0, length = 0, high = 0, low = 0] = bytes.subarray(at, at + 4);
    if ((opcode & 0xf) === CLOSE && length >= 2) this.#closeCode = high * 256 + low;
  }
}
