import { readSync, read as readCallback } from "node:fs";

import { EventError, messageOf } from "../../errors.ts";
import type { FileRange } from "../../exchange/file-range.ts";
import type { WriteBuffer } from "./write-buffer.ts";

const BUFFER_SIZE = 256 * 1024;

// Buffers of files on their way. A buffer is in use only between a read and the write that follows it, and not while
// a slow client is waited for, so a few serve any number of downloads.
const MAX_SPARE = 8;
const spare: Buffer[] = [];

function read(descriptor: number, buffer: Buffer, length: number, position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    readCallback(descriptor, buffer, 0, length, position, (error, count) =>
      error ? reject(error) : resolve(count),
    );
  });
}

/**
 * Sends a part of a regular file as it is, through one reused buffer: what the kernel does not take of it is read
 * again later, so nothing is kept for a slow client.
 *
 * @returns how many bytes were sent: fewer than `length` when the file ended early or the connection was lost.
 */
export async function pumpFile(
  output: WriteBuffer,
  descriptor: number,
  offset: number,
  length: number,
): Promise<number> {
  let sent = 0;
  while (sent < length) {
    await output.whenWritable();
    if (output.isClosed) break;
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_SIZE);
    try {
      const count = await read(descriptor, buffer, Math.min(BUFFER_SIZE, length - sent), offset + sent);
      if (count === 0) break;
      sent += output.writeSome(buffer, count);
    } finally {
      if (spare.length < MAX_SPARE) spare.push(buffer);
    }
  }
  return sent;
}

/** The chunks of what has no length or no positions: a pipe, or a Blob. At most `range.length` bytes in all. */
export async function* readChunks(range: FileRange): AsyncGenerator<Uint8Array, void> {
  if (typeof range.source !== "number") {
    // A Blob is cut to its part already.
    yield* range.source.stream();
    return;
  }
  const buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  let rest = range.length ?? Infinity;
  while (rest > 0) {
    const count = await read(range.source, buffer, Math.min(BUFFER_SIZE, rest), null);
    if (count === 0) return;
    rest -= count;
    yield buffer.subarray(0, count);
  }
}

/**
 * Reads a small part of a regular file at once, which costs less than asking a thread for it.
 *
 * @throws EventError when the file has shrunk since it was opened, or cannot be read.
 */
export function readWhole(eventType: string, descriptor: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  let count = 0;
  try {
    while (count < length) {
      const more = readSync(descriptor, bytes, count, length - count, offset + count);
      if (more === 0) break;
      count += more;
    }
  } catch (error) {
    throw new EventError(eventType, "file", `cannot be read: ${messageOf(error)}`);
  }
  if (count < length) throw new EventError(eventType, "file", "has shrunk while it was being read");
  return bytes;
}
