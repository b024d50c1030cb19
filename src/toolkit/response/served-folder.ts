import { realpathSync, statSync, type Stats } from "node:fs";
import { normalize, relative, resolve, sep } from "node:path";
import { isEmbeddedPath } from "../../spec/embedded-path.ts";

/** A file or folder that may be served. */
export interface Found {
  /** Without symbolic links. */
  path: string;
  stat: Stats;
}

/**
 * The real path of a folder whose files are to be served.
 *
 * @param who begins the message of the error.
 * @throws Error when there is no such folder.
 */
export function folderAt(root: string, who: string): string {
  let real: string;
  try {
    real = realPath(root);
  } catch (cause) {
    throw new Error(
      `${who} '${resolve(root)}' cannot be read; give a folder that exists, as import.meta.dir + "/public".`,
      { cause },
    );
  }
  if (statSync(real, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Error(`${who} '${root}' is no folder; give a folder.`);
  return real;
}

/** Inside a compiled program there are no links to follow. */
function realPath(path: string): string {
  return isEmbeddedPath(path) ? normalize(path).replace(/\/$/, "") : realpathSync(path);
}

/** The names on the way from the root, or `undefined` for a path that may name nothing. */
export function segmentsOf(path: string): string[] | undefined {
  if (path === "" || path === "/") return [];
  if (!path.startsWith("/") || /[\0\\]/.test(path)) return undefined;
  const segments = path.slice(1, path.endsWith("/") ? -1 : undefined).split("/");
  return segments.every(isVisible) ? segments : undefined;
}

/** Neither empty, nor `.` or `..`, nor hidden. */
export function isVisible(name: string): boolean {
  return name !== "" && !name.startsWith(".");
}

/** What stands at a path, followed through links, if it is a visible file or folder below the root. */
export function locate(root: string, path: string): Found | undefined {
  try {
    const real = realPath(path);
    const way = relative(root, real);
    if (way !== "" && !way.split(sep).every(isVisible)) return undefined;
    const stat = statSync(real);
    return stat.isFile() || stat.isDirectory() ? { path: real, stat } : undefined;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

const ABSENCES = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ENAMETOOLONG"]);

function isAbsence(error: unknown): boolean {
  return error instanceof Error && "code" in error && ABSENCES.has(String(error.code));
}
