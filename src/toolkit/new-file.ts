import { open, rm } from "node:fs/promises";

/** How a file is written. */
export interface NewFileOptions {
  /** Whether a file of that name is replaced. Default false: it is an error, and no symbolic link is followed. */
  overwrite?: boolean;
  /** Permissions of a new file. Default `0o600`: what a client sends is nobody else's before it was looked at. */
  mode?: number;
}

/**
 * Writes a file chunk by chunk, the next one read when the last is written. Where that fails, the file is removed.
 *
 * @returns how many bytes it has.
 * @throws what reading throws; Error with the code of the operating system, `EEXIST` for one that is there already.
 */
export async function writeNewFile(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { overwrite = false, mode = 0o600 }: NewFileOptions = {},
): Promise<number> {
  const file = await open(path, overwrite ? "w" : "wx", mode);
  let size = 0;
  try {
    for await (const chunk of chunks) {
      await file.appendFile(chunk);
      size += chunk.byteLength;
    }
    await file.close();
  } catch (error) {
    await file.close().catch(() => {});
    await rm(path, { force: true });
    throw error;
  }
  return size;
}
