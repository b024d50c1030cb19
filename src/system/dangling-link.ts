// Loaded when something cannot be opened, since together they take 4 ms of a start.
const loadFs = (): typeof import("node:fs") => require("node:fs");
const loadPath = (): typeof import("node:path") => require("node:path");

/**
 * Explains why a path cannot be opened although its name exists: the path, or one of its folders, is a symbolic link to
 * a missing target or to itself.
 *
 * @returns a sentence without its full stop, or undefined if no link is the cause.
 */
export function danglingLinkProblem(file: string): string | undefined {
  const path = loadPath();
  const { root } = path.parse(path.resolve(file));
  const names = path.resolve(file).slice(root.length).split(path.sep).filter(Boolean);
  let location = root;
  for (const [at, name] of names.entries()) {
    location = path.join(location, name);
    const target = linkTarget(location);
    if (target === undefined) continue;
    const problem = problemBehind(location);
    if (problem === undefined) continue;
    const what = at === names.length - 1 ? `'${file}'` : `'${location}', on the way to '${file}',`;
    return `${what} is a symbolic link to '${target}', ${problem}`;
  }
  return undefined;
}

function linkTarget(location: string): string | undefined {
  try {
    return loadFs().readlinkSync(location);
  } catch {
    return undefined; // not a link, or not there
  }
}

function problemBehind(location: string): string | undefined {
  try {
    loadFs().statSync(location);
    return undefined;
  } catch (error) {
    switch (error instanceof Error && "code" in error ? error.code : undefined) {
      case "ENOENT":
      case "ENOTDIR":
        return "which does not exist";
      case "ELOOP":
        return "which leads back to it";
      default:
        return undefined;
    }
  }
}
