import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";

import { EventError, messageOf } from "../errors.ts";
import { isEmbeddedPath } from "../spec/embedded-path.ts";
import type { FileSource, Maybe } from "../spec/values.ts";

/** A part of an open file, ready to be read. */
export interface FileRange {
  /** What to read from: a descriptor, or a Blob that is no file on disk. */
  readonly source: number | Blob;
  /** Whether reads may name a position; pipes and sockets cannot. */
  readonly seekable: boolean;
  /** Where to begin, in bytes. */
  readonly offset: number;
  /** How many bytes to send; `undefined` where only the end of the stream can tell. */
  readonly length: number | undefined;
  /** Closes what the server opened itself; does nothing to what belongs to the application. */
  close(): void;
}

/** The fields of a body event that name a file. */
export interface FileFields {
  readonly type: string;
  readonly file?: Maybe<string>;
  readonly fh?: Maybe<FileSource>;
  readonly offset?: Maybe<number>;
  readonly length?: Maybe<number>;
}

const KEEP_OPEN = (): void => {};

/**
 * Opens what a body event names, before a byte of it is sent, so that a missing or unreadable file can still be
 * answered with something else. Source: PAGI Www, "Response Body".
 *
 * @throws EventError when the file cannot be opened or is no file, or for an offset in something that has none.
 */
export function openFileRange(event: FileFields): FileRange {
  const offset = wholeNumber(event, "offset") ?? 0;
  const limit = wholeNumber(event, "length");
  if (typeof event.file === "string" && isEmbeddedPath(event.file))
    return embeddedRange(event, event.file, offset, limit);
  if (event.file != null) {
    const descriptor = openPath(event.type, "file", event.file);
    const close = (): void => closeSync(descriptor);
    try {
      if (fstatSync(descriptor).isFIFO())
        throw new EventError(event.type, "file", "is a FIFO; open it yourself and send it as 'fh'");
      return descriptorRange(event.type, "file", descriptor, offset, limit, close);
    } catch (error) {
      close();
      throw error;
    }
  }
  const handle = event.fh;
  if (typeof handle === "number") return descriptorRange(event.type, "fh", handle, offset, limit, KEEP_OPEN);
  if (handle instanceof Blob) return blobRange(event.type, handle, offset, limit);
  if (handle !== null && typeof handle === "object" && typeof handle.fd === "number") {
    return descriptorRange(event.type, "fh", handle.fd, offset, limit, KEEP_OPEN);
  }
  throw new EventError(event.type, "fh", "must be a FileHandle, a file descriptor or a Blob");
}

function openPath(eventType: string, field: string, path: string): number {
  if (typeof path !== "string") throw new EventError(eventType, field, "must be a path");
  try {
    // Without O_NONBLOCK the process would stand still in here until somebody writes to a FIFO.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new EventError(eventType, field, `cannot be opened: ${messageOf(error)}`);
  }
}

function descriptorRange(
  eventType: string,
  field: string,
  descriptor: number,
  offset: number,
  limit: number | undefined,
  close: () => void,
): FileRange {
  let stat;
  try {
    stat = fstatSync(descriptor);
  } catch (error) {
    throw new EventError(eventType, field, `is not open: ${messageOf(error)}`);
  }
  if (stat.isDirectory()) throw new EventError(eventType, field, "is a directory");
  if (stat.isFile()) {
    const rest = Math.max(0, stat.size - offset);
    return { source: descriptor, seekable: true, offset, length: Math.min(rest, limit ?? rest), close };
  }
  if (offset > 0)
    throw new EventError(eventType, "offset", "needs a regular file; pipes and sockets have no positions");
  return { source: descriptor, seekable: false, offset, length: limit, close };
}

function blobRange(eventType: string, blob: Blob, offset: number, limit: number | undefined): FileRange {
  const end = limit === undefined ? undefined : offset + limit;
  const range = { seekable: false, offset: 0, close: KEEP_OPEN };
  if ("name" in blob && typeof blob.name === "string" && !(blob instanceof File) && !isEmbedded(blob)) {
    // A Bun.file(). It opens its path only when read, so try that now, while another answer can still be given. What
    // it holds is found out by reading: a slice of one keeps its name, but not where it begins.
    const descriptor = openPath(eventType, "fh", blob.name);
    const isDirectory = fstatSync(descriptor).isDirectory();
    closeSync(descriptor);
    if (isDirectory) throw new EventError(eventType, "fh", "is a directory");
    return { ...range, source: blob.slice(offset, end), length: undefined };
  }
  const part = blob.slice(offset, end);
  return { ...range, source: part, length: part.size };
}

/** A file of a compiled program has no descriptor: it is in memory, and read as what it is there. */
function embeddedRange(
  event: FileFields,
  path: string,
  offset: number,
  limit: number | undefined,
): FileRange {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new EventError(event.type, "file", `cannot be opened: '${path}' was not built into this program`);
  if (!stat.isFile()) throw new EventError(event.type, "file", "is a directory");
  const part = Bun.file(path).slice(offset, limit === undefined ? undefined : offset + limit);
  return { source: part, seekable: false, offset: 0, length: part.size, close: KEEP_OPEN };
}

/** Whether a Blob is a `Bun.file()` of the compiled program, or a part of one: these go by relative names. */
function isEmbedded(blob: Blob & { readonly name?: unknown }): boolean {
  if (!Bun.isStandaloneExecutable) return false;
  return Bun.embeddedFiles.some((each) => "name" in each && each.name === blob.name);
}

function wholeNumber(event: FileFields, field: "offset" | "length"): number | undefined {
  const value = event[field];
  if (value == null) return undefined;
  if (!Number.isSafeInteger(value) || value < 0)
    throw new EventError(event.type, field, "must be a whole number of bytes");
  return value;
}
