/** The sizes of blocks, in bytes: a small response or a few events, much text, much of anything. */
const SIZES = [2 * 1024, 16 * 1024, 64 * 1024] as const;

/** Spare bytes that are kept of each size. */
const MAX_SPARE_BYTES = 1024 * 1024;

interface Pool {
  readonly size: number;
  readonly limit: number;
  readonly spare: Buffer[];
}

// Bytes are held back for less than a turn of the event loop, so that few blocks serve many connections.
const pools: readonly Pool[] = SIZES.map((size) => ({ size, limit: MAX_SPARE_BYTES / size, spare: [] }));

/** A block of at least `size` bytes; what it holds is of no account. @throws RangeError above 64 KiB. */
export function takeBlock(size: number): Buffer {
  const pool = pools.find((each) => size <= each.size);
  if (pool === undefined) throw new RangeError(`There are no blocks of ${size} bytes.`);
  return pool.spare.pop() ?? Buffer.allocUnsafeSlow(pool.size);
}

/** Takes a block back. Whoever gave it must not use it any more. */
export function giveBack(block: Buffer): void {
  const pool = pools.find((each) => block.length === each.size);
  if (pool !== undefined && pool.spare.length < pool.limit) pool.spare.push(block);
}
