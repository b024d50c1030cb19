/** Where Bun puts the files that were built into a program. */
const EMBEDDED = "/$bunfs/";

/**
 * Whether a path leads into the files that were built into this program. They can be listed, measured and read, but
 * Bun 1.4.5 gives them neither descriptors nor real paths: `open` and `realpath` say that there is no such file.
 */
export function isEmbeddedPath(path: string): boolean {
  return path.startsWith(EMBEDDED);
}
