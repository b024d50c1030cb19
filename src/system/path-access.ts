import fs from "node:fs";
import path from "node:path";

/**
 * What somebody wants with a path:
 * - `run` a program, `read` a file, `list` a directory, `write` a file that must be there,
 * - `append` to a file that is created when it is missing,
 * - `create` a file in the directory of the path,
 * - `enter` a directory.
 */
export type Access = "run" | "read" | "list" | "write" | "append" | "create" | "enter";

/** The first thing on the way to a path that refuses the access. */
export interface Obstacle {
  /** Without symbolic links. */
  readonly path: string;
  /** `missing` and `not-a-directory` say what is there instead of the right; the letters are those of `ls -l`. */
  readonly lacks: "x" | "r" | "w" | "missing" | "not-a-directory";
  readonly isDirectory: boolean;
}

/** Runs a check as another user; see `actingAs` in the supervisor. */
export type ActingAs = <T>(check: () => T) => T;

const { R_OK, W_OK, X_OK } = fs.constants;
const RIGHTS = { r: R_OK, w: W_OK, x: X_OK } as const;
/** As the kernel's own limit (path_resolution(7)). */
const MAX_LINKS = 40;

/** The rights that the last part of the path must grant. */
const WANTED: Readonly<Record<Access, readonly (keyof typeof RIGHTS)[]>> = {
  run: ["x"],
  read: ["r"],
  list: ["r", "x"],
  write: ["r", "w"],
  append: ["w"],
  create: ["w", "x"],
  enter: ["x"],
};

interface Route {
  /** Directories that must be entered, the outermost first. */
  readonly directories: readonly string[];
  /** Where the way ends, without symbolic links. */
  readonly end: string;
  /** What is at the end; `directory-missing` where a directory on the way is missing. */
  readonly found: "something" | "missing" | "directory-missing" | "not-a-directory";
}

/**
 * What keeps a user from a path. The kernel answers with access(2), so that groups, access control lists and mount options
 * count; nothing is opened or created.
 *
 * @param actingAs makes the kernel answer for another user. Default: this process's own.
 * @returns `undefined` when nothing is in the way.
 */
export function obstacleTo(
  file: string,
  access: Access,
  actingAs: ActingAs = (check) => check(),
): Obstacle | undefined {
  const wanted = path.resolve(file);
  // The way is looked up with this process's rights, which may reach further than those of the other user.
  const route = routeTo(access === "create" ? path.dirname(wanted) : wanted);
  return actingAs(() => {
    for (const directory of route.directories)
      if (!isAllowed(directory, "x")) return { path: directory, lacks: "x", isDirectory: true };
    return atEnd(route, access);
  });
}

function atEnd({ end, found }: Route, access: Access): Obstacle | undefined {
  const isCreated = access === "append" && found === "missing";
  if (found !== "something" && !isCreated) {
    const lacks = found === "not-a-directory" ? found : "missing";
    return { path: end, lacks, isDirectory: found === "directory-missing" || access === "create" };
  }
  const last = isCreated ? path.dirname(end) : end;
  const isFolderWanted = access === "create" || access === "enter" || access === "list";
  if (isFolderWanted && !isDirectory(last))
    return { path: last, lacks: "not-a-directory", isDirectory: false };
  const right = WANTED[isCreated ? "create" : access].find((each) => !isAllowed(last, each));
  if (right === undefined) return undefined;
  return { path: last, lacks: right, isDirectory: isCreated || isDirectory(last) };
}

/** The directories and symbolic links that a path leads through (path_resolution(7)). */
function routeTo(location: string): Route {
  const directories: string[] = [];
  const rest = location.split("/").filter(Boolean);
  let here = "/";
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (!directories.includes(here)) directories.push(here);
    if (name === "." || name === "..") {
      here = path.join(here, name);
      continue;
    }
    const next = path.join(here, name);
    const stat = lookUp(next);
    if (stat === undefined)
      return { directories, end: next, found: rest.length > 0 ? "directory-missing" : "missing" };
    if (stat.isSymbolicLink() && ++links <= MAX_LINKS) {
      const target = fs.readlinkSync(next);
      rest.unshift(...target.split("/").filter(Boolean));
      if (target.startsWith("/")) here = "/";
      continue;
    }
    if (rest.length > 0 && !stat.isDirectory()) return { directories, end: next, found: "not-a-directory" };
    here = next;
  }
  return { directories, end: here, found: "something" };
}

/** Undefined also for what this process may not see: the directory that hides it refuses to be entered. */
function lookUp(location: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(location, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isDirectory(location: string): boolean {
  return lookUp(location)?.isDirectory() ?? false;
}

function isAllowed(location: string, right: keyof typeof RIGHTS): boolean {
  try {
    fs.accessSync(location, RIGHTS[right]);
    return true;
  } catch {
    return false;
  }
}

/** The numbers that decide which of a file's three groups of permission bits hold for a user. */
export interface FileUser {
  readonly uid: number;
  /** The main group first. */
  readonly groups: readonly number[];
}

/** This process's own user. */
export function ownFileUser(): FileUser {
  return {
    uid: process.geteuid?.() ?? 0,
    groups: [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])],
  };
}

const REFUSED = { r: "read", w: "write to", x: "run" } as const;
const REFUSED_DIRECTORY = { r: "list", w: "create files in", x: "enter" } as const;

/**
 * The obstacle as the rest of a sentence whose subject is the user ("it may not enter /root (drwx------ root:root)"), and
 * what to do.
 */
export function describeObstacle(obstacle: Obstacle, user: FileUser): { problem: string; advice: string } {
  const { path: location, lacks, isDirectory: isFolder } = obstacle;
  const shown = shellWord(location);
  switch (lacks) {
    case "missing":
      return isFolder
        ? { problem: `there is no directory ${shown}`, advice: `Create it: mkdir -p ${shown}` }
        : { problem: `there is no file ${shown}`, advice: "Check its path." };
    case "not-a-directory":
      return { problem: `${shown} is not a directory`, advice: "Check the path." };
    default: {
      const stat = fs.statSync(location, { throwIfNoEntry: false });
      const verb = (isFolder ? REFUSED_DIRECTORY : REFUSED)[lacks];
      if (stat === undefined)
        return { problem: `it may not ${verb} ${shown}`, advice: "Change its permissions." };
      const owner = `${nameOf("/etc/passwd", stat.uid)}:${nameOf("/etc/group", stat.gid)}`;
      const problem = `it may not ${verb} ${shown} (${modeText(stat)} ${owner})`;
      const who = stat.uid === user.uid ? "u" : user.groups.includes(stat.gid) ? "g" : "o";
      const bits = stat.mode >> { u: 6, g: 3, o: 0 }[who];
      if ((bits & RIGHTS[lacks]) !== 0)
        return {
          problem,
          advice:
            "Its permission bits allow it: look for an access control list (getfacl), a mount option such as noexec or ro, or a security module.",
        };
      return { problem, advice: remedy(obstacle, who, nameOf("/etc/group", user.groups[0] ?? 0)) };
    }
  }
}

/** Nothing that would let everybody read a key, or write to a directory of logs. */
function remedy(
  { path: location, lacks, isDirectory: isFolder }: Obstacle,
  who: string,
  group: string,
): string {
  const shown = shellWord(location);
  if (who !== "o" || lacks === "x") return `Allow it: chmod ${who}+${lacks} ${shown}`;
  if (isFolder && lacks === "w") return "Choose a directory that it may write to.";
  return `Allow it to its group: chgrp ${group} ${shown} && chmod g+${lacks} ${shown}`;
}

function modeText(stat: fs.Stats): string {
  const letters = [8, 7, 6, 5, 4, 3, 2, 1, 0].map((bit) =>
    (stat.mode >> bit) & 1 ? ("xwr".at(bit % 3) ?? "") : "-",
  );
  return `${stat.isDirectory() ? "d" : "-"}${letters.join("")}`;
}

function nameOf(file: string, id: number): string {
  try {
    const lines = fs.readFileSync(file, "utf8").split("\n");
    return lines.map((line) => line.split(":")).find((fields) => fields[2] === String(id))?.[0] ?? String(id);
  } catch {
    return String(id);
  }
}

/** A path as a shell takes it. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
