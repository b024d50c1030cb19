import type { FileRange } from "./file-range.ts";

/** Bytes that are read of a file at a time. */
export const FILE_CHUNK = 64 * 1024;

/** Reads a file, as far as its range goes, for a transport that has no faster way. */
export async function* chunksOf({
  source,
  seekable,
  offset,
  length,
}: FileRange): AsyncGenerator<Uint8Array, void> {
  if (typeof source !== "number") {
    yield* source.stream();
    return;
  }
  const { read } = await import("node:fs");
  let position = offset;
  let rest = length ?? Infinity;
  while (rest > 0) {
    const buffer = new Uint8Array(Math.min(FILE_CHUNK, rest));
    const count = await new Promise<number>((resolve, reject) => {
      read(source, buffer, 0, buffer.byteLength, seekable ? position : null, (error, got) =>
        error ? reject(error) : resolve(got),
      );
    });
    if (count === 0) return;
    position += count;
    rest -= count;
    yield buffer.subarray(0, count);
  }
}
