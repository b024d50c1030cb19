/** Blocks of one size. */
interface Pool {
  /** Bytes of a block. */
  readonly size: number;
  /** Blocks that are kept for the next ones that need some. */
  readonly limit: number;
  readonly spare: Buffer[];
}

// Bytes are held back for less than a turn of the event loop, so that few blocks serve many connections. The smallest are
// many: an event that goes to a thousand clients in one turn is held back for each of them.
const POOLS: readonly Pool[] = [
  { size: 4 * 1024, limit: 1024, spare: [] },
  { size: 16 * 1024, limit: 64, spare: [] },
  { size: 64 * 1024, limit: 16, spare: [] },
];

/** A block of at least `size` bytes; what it holds is of no account. @throws RangeError above 64 KiB. */
export function takeBlock(size: number): Buffer {
  const pool = POOLS.find((each) => size <= each.size);
  if (pool === undefined) throw new RangeError(`There are no blocks of ${size} bytes.`);
  return pool.spare.pop() ?? Buffer.allocUnsafeSlow(pool.size);
}

/** Takes a block back. Whoever gave it must not use it any more. */
export function giveBack(block: Buffer): void {
  const pool = POOLS.find((each) => block.length === each.size);
  if (pool !== undefined && pool.spare.length < pool.limit) pool.spare.push(block);
}
