import { ptr } from "bun:ffi";

import { loadFunctions } from "./c-library.ts";

// Files that are in the page cache, without a copy or without a thread. A file that is not would stop the process until
// the disk answers, so every call here asks the kernel not to wait, and does nothing where it would have to.

/** Flag of `preadv2`: fail instead of waiting for the disk (Linux 4.14). */
const RWF_NOWAIT = 8;

const SYMBOLS = {
  sendfile: { args: ["int", "int", "ptr", "u64"], returns: "i64" },
  preadv2: { args: ["int", "ptr", "int", "i64", "i64", "int"], returns: "i64" },
} as const;

type Functions = ReturnType<typeof loadFunctions<typeof SYMBOLS>>;

/** `undefined`: not tried yet; `null`: this system has none of it. */
let functions: Functions | null | undefined;

const vector = new BigUint64Array(2);
const position = new BigInt64Array(1);
const oneByte = Buffer.allocUnsafeSlow(1);

/**
 * Reads of a file what the page cache has of it, beginning at `offset`.
 *
 * @returns how many bytes; 0 at the end of the file, and `undefined` where the disk would have to be waited for, or
 * the file or the system cannot tell.
 */
export function readCached(
  file: number,
  buffer: Uint8Array,
  length: number,
  offset: number,
): number | undefined {
  const calls = load();
  if (calls === null) return undefined;
  vector[0] = BigInt(ptr(buffer));
  vector[1] = BigInt(length);
  const count = Number(calls.preadv2(file, ptr(vector), 1, offset, 0, RWF_NOWAIT));
  return count < 0 ? undefined : count;
}

/**
 * Gives a part of a file to a socket that does not block, if its ends are in the page cache. What lies between them
 * nearly always is then, for files are read ahead; if not, that waits for the disk, as `read` would.
 *
 * @returns how many bytes the socket has taken; fewer than `length` when it is full, the file ends, or an error is to be
 * found out by reading and writing; `undefined` where that is to be done anyway.
 */
export function sendCached(socket: number, file: number, offset: number, length: number): number | undefined {
  const calls = load();
  if (calls === null || !isCached(file, offset) || !isCached(file, offset + length - 1)) return undefined;
  position[0] = BigInt(offset);
  const count = Number(calls.sendfile(socket, file, ptr(position), length));
  return Math.max(0, count);
}

function isCached(file: number, offset: number): boolean {
  return readCached(file, oneByte, 1, offset) === 1;
}

function load(): Functions | null {
  if (functions !== undefined) return functions;
  try {
    functions = loadFunctions(SYMBOLS);
  } catch {
    functions = null;
  }
  return functions;
}
