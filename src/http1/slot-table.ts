/**
 * Values by hash, one for each slot: nothing is searched and nothing grows. What comes later takes the slot, but only
 * when its hash comes a second time, with no other for this slot in between.
 */
export class SlotTable<Value> {
  readonly #values: (Value | undefined)[];
  readonly #seen: Int32Array;

  /** @param size a power of two. */
  constructor(size: number) {
    this.#values = new Array<Value | undefined>(size).fill(undefined);
    this.#seen = new Int32Array(size);
  }

  slotOf(hash: number): number {
    return hash & (this.#values.length - 1);
  }

  get(slot: number): Value | undefined {
    return this.#values[slot];
  }

  /** Notes that a hash has come. @returns whether it came before. */
  see(hash: number): boolean {
    const slot = this.slotOf(hash);
    if (this.#seen[slot] === hash) return true;
    this.#seen[slot] = hash;
    return false;
  }

  /** @returns the slot. */
  put(hash: number, value: Value): number {
    const slot = this.slotOf(hash);
    this.#values[slot] = value;
    return slot;
  }
}
