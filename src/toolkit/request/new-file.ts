import { randomUUID } from "node:crypto";
import { link, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkOptions, FLAG, whole, type OptionRules } from "../../spec/option-rules.ts";

/** How a file is written. */
export interface NewFileOptions {
  /**
   * Whether a file of that name is replaced, in one step and only by a whole one. Default false: it is an error. A
   * symbolic link is never followed; it is replaced like a file.
   */
  overwrite?: boolean | undefined;
  /** Permissions of the file. Default `0o600`: what a client sends is nobody else's before it was looked at. */
  mode?: number | undefined;
}

const NEW_FILE_RULES: OptionRules<NewFileOptions> = { overwrite: FLAG, mode: whole(0, 0o7777) };

/**
 * Writes a file chunk by chunk, the next one read when the last is written. Where that fails, nothing stays of it, and
 * what was to be replaced is still there.
 *
 * @returns how many bytes it has.
 * @throws what reading throws; Error with the code of the operating system, `EEXIST` for one that is there already.
 */
export async function writeNewFile(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: NewFileOptions = {},
): Promise<number> {
  checkOptions("writing a file", NEW_FILE_RULES, options);
  const { overwrite = false, mode = 0o600 } = options;
  const written = overwrite ? siblingOf(path) : path;
  const file = await open(written, "wx", mode);
  let size = 0;
  try {
    for await (const chunk of chunks) {
      await file.appendFile(chunk);
      size += chunk.byteLength;
    }
    await file.close();
    if (overwrite) await rename(written, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(written, { force: true });
    throw error;
  }
  return size;
}

/**
 * Gives a file another name; across file systems, or where there are no hard links, by a copy.
 *
 * @throws Error with the code of the operating system, `EEXIST` for a name that is taken; the file is then still there.
 */
export async function moveFile(from: string, to: string, options: NewFileOptions): Promise<void> {
  checkOptions("moveTo", NEW_FILE_RULES, options);
  const { overwrite = false, mode } = options;
  // Kept open, since the new name could be somebody else's by the time the permissions are given.
  await using file = await open(from, "r");
  try {
    // A second name for the file fails where the name is taken; a rename would take it from the file that has it.
    await (overwrite ? rename(from, to) : link(from, to));
    if (mode !== undefined) await file.chmod(mode);
  } catch (error) {
    if (!needsCopy(error)) throw error;
    await writeNewFile(to, Bun.file(from).stream(), options);
  }
  await rm(from, { force: true });
}

function siblingOf(path: string): string {
  return join(dirname(path), `.pagi-${randomUUID()}`);
}

const NEEDS_COPY = new Set(["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "ENOSYS"]);

function needsCopy(error: unknown): boolean {
  return error instanceof Error && "code" in error && NEEDS_COPY.has(String(error.code));
}
