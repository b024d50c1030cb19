import type { PagiHeaders } from "../values/headers.ts";
import { FileError } from "./file-error.ts";
import type { FilePlan } from "./file-plan.ts";

/** A regular file that is the body of a Fetch `Response`, or the part of it that is. */
export interface FetchFile {
  readonly path: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Bytes from `start` to before `end` are the body. */
  readonly start: number;
  readonly end: number;
}

/**
 * Finds the file of a `Response` that has one, whose body begins at `offset`. Anything but a regular file (a pipe, a
 * device, an open descriptor) has no length, and is returned as the Blob that it is.
 *
 * Bun has the files of a compiled program in memory, so that they never come here.
 *
 * @throws FileError (as a rejection) for a missing file or a directory.
 */
export async function fetchFile(response: Response, offset: number): Promise<FetchFile | Blob> {
  const blob = await response.blob();
  return "name" in blob && typeof blob.name === "string" ? partOf(blob, blob.name, offset) : blob;
}

/**
 * A whole file, as {@link fetchFile} finds one.
 *
 * @throws FileError (as a rejection) for a missing file or a directory.
 */
export async function fileAt(path: string): Promise<FetchFile | Blob> {
  return partOf(Bun.file(path), path, 0);
}

function partOf(blob: Blob, path: string, offset: number): FetchFile | Blob {
  const stat = globalThis.process.getBuiltinModule("node:fs").statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new FileError(path, "does not exist");
  if (stat.isDirectory()) throw new FileError(path, "is a directory");
  if (!stat.isFile()) return blob;
  const start = Math.min(offset, stat.size);
  return { path, size: stat.size, start, end: Math.min(stat.size, start + blob.size) };
}

/** Whether all of the file is the body. */
export function isWholeFile({ size, start, end }: FetchFile): boolean {
  return start === 0 && end === size;
}

/** A slice of a file is a range that the application has chosen: 206 in the place of 200, as `Bun.serve` answers it. */
export function planSlice(
  status: number,
  headers: PagiHeaders,
  { start, end }: FetchFile,
  isHead: boolean,
): FilePlan {
  const body = { start, end };
  if (isHead || start === end || (status !== 200 && status !== 206)) return { status, headers, body };
  headers.setDefault("content-range", `bytes ${start}-${end - 1}/*`);
  return { status: 206, headers, body };
}
