import { readSync, read as readCallback } from "node:fs";

import { EventError, messageOf } from "../../errors.ts";
import type { FileRange } from "../../exchange/file-range.ts";
import { readCached, sendCached } from "../../system/file-pages.ts";
import type { WriteBuffer } from "./write-buffer.ts";

const BUFFER_SIZE = 256 * 1024;

/** The kernel is given so many bytes of a file at once, and one download takes no more of a turn of the event loop. */
const TURN_BYTES = 1024 * 1024;

/** Written to a socket that is probably full, to learn when it can take more. */
const PROBE_SIZE = 16 * 1024;

// Buffers of files on their way. A buffer is in use only between a read and the write that follows it, and not while
// a slow client is waited for, so a few serve any number of downloads.
const MAX_SPARE = 8;
const spare: Buffer[] = [];

/** Where a file goes. */
export interface FileTarget {
  readonly output: WriteBuffer;
  /** The socket's descriptor, if bytes may go to it as they are; -1 otherwise, and once it is closed. */
  readonly plainDescriptor: number;
}

function read(descriptor: number, buffer: Buffer, length: number, position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    readCallback(descriptor, buffer, 0, length, position, (error, count) =>
      error ? reject(error) : resolve(count),
    );
  });
}

/**
 * Sends a part of a regular file as it is. What is in the page cache goes from there to a plain socket, or else through
 * one reused buffer; the rest is read by a thread. What the kernel does not take is read again later, so nothing is
 * kept for a slow client (decision 0053).
 *
 * @returns how many bytes were sent: fewer than `length` when the file ended early or the connection was lost.
 */
export async function pumpFile(
  target: FileTarget,
  descriptor: number,
  offset: number,
  length: number,
): Promise<number> {
  const { output } = target;
  let sent = 0;
  let inTurn = 0;
  while (sent < length) {
    if (inTurn >= TURN_BYTES) {
      inTurn = 0;
      await new Promise(setImmediate);
    }
    await output.whenWritable();
    if (output.isClosed) break;
    const window = Math.min(TURN_BYTES - inTurn, length - sent);
    const direct = sendDirect(target, descriptor, offset + sent, window);
    if (direct !== undefined) {
      sent += direct;
      inTurn += direct;
      if (direct === window) continue;
    }
    // Bun watches for room only behind a write that was taken in part.
    const size = Math.min(direct === undefined ? BUFFER_SIZE : PROBE_SIZE, length - sent);
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_SIZE);
    try {
      const count =
        readCached(descriptor, buffer, size, offset + sent) ??
        (await read(descriptor, buffer, size, offset + sent));
      if (count === 0) break;
      const taken = output.writeSome(buffer, count);
      sent += taken;
      inTurn += taken;
    } finally {
      if (spare.length < MAX_SPARE) spare.push(buffer);
    }
  }
  return sent;
}

/**
 * The descriptor is asked for just before its use: between two turns the socket may be closed, and its number belong to
 * another one.
 */
function sendDirect(target: FileTarget, file: number, offset: number, length: number): number | undefined {
  const socket = target.plainDescriptor;
  if (socket < 0) return undefined;
  const count = sendCached(socket, file, offset, length);
  if (count !== undefined && count > 0) target.output.noteTaken(count);
  return count;
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
