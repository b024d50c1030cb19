import fs from "node:fs";
import path from "node:path";

import { messageOf } from "../errors.ts";
import { type Access, describeObstacle, obstacleTo, ownFileUser } from "../system/path-access.ts";

/** How to run this program once more, with the code that there is by then. */
export interface Program {
  /** The file of the runtime, or of the compiled program. */
  readonly file: string;
  /** Its name as it was called, by which some programs know what they are, and every argument as it was given. */
  readonly words: readonly [name: string, ...rest: string[]];
  /** Where it was started. */
  readonly directory: string;
}

/** Taken before anything changes the directory. */
let memory: Program | undefined;

/**
 * How this process was started. It says so once and for all: call it before the directory is changed.
 *
 * The arguments are those of the operating system, not `process.argv`, which has resolved a symbolic link to a release
 * that may have been replaced since.
 */
export function thisProgram(): Program {
  if (memory !== undefined) return memory;
  const words = commandLine();
  const directory = startDirectory();
  const file = Bun.isStandaloneExecutable ? compiledFile(words[0], directory) : process.execPath;
  return (memory = { file, words, directory });
}

/**
 * The file of a compiled program, as it was called: a new version of it may be there by now, or a link to one. The
 * kernel knows only the old version, as a file that was deleted or that the link no longer leads to. A name without a
 * slash counts only where it leads to this very file, for a program can be called by any name.
 *
 * @param real what the kernel calls this program.
 */
export function compiledFile(name: string, directory: string, real: string = process.execPath): string {
  const own = real.replace(/ \(deleted\)$/, "");
  const called = name.includes("/") ? path.resolve(directory, name) : Bun.which(name, { cwd: directory });
  if (called === null || !fs.existsSync(called)) return own;
  return name.includes("/") || fs.realpathSync(called) === own ? called : own;
}

function commandLine(): [string, ...string[]] {
  const [name = process.execPath, ...rest] = fs
    .readFileSync("/proc/self/cmdline", "utf8")
    .split("\0")
    .slice(0, -1);
  return [name, ...rest];
}

/** How `Bun.spawn` starts a program once more. */
export function spawnCommand(): { command: string[]; options: { argv0: string; cwd: string } } {
  const { file, words, directory } = thisProgram();
  const [argv0, ...rest] = words;
  return { command: [file, ...rest], options: { argv0, cwd: directory } };
}

/**
 * Why this program cannot be run once more by the user that it runs as, as a part of a sentence; `undefined` where nothing
 * is in the way.
 */
export function programProblem(): string | undefined {
  const { file, directory } = thisProgram();
  const needs: [string, Access, string][] = [
    [file, "run", `${file} cannot be run`],
    [directory, "enter", `its working directory ${directory} cannot be entered`],
  ];
  if (!Bun.isStandaloneExecutable) needs.push([Bun.main, "read", `${Bun.main} cannot be read`]);
  for (const [location, access, what] of needs) {
    const obstacle = obstacleTo(location, access);
    if (obstacle === undefined) continue;
    const { problem, advice } = describeObstacle(obstacle, ownFileUser());
    return `${what}, because ${problem.replace(/^it /, "this user ")}. ${advice}`;
  }
  return undefined;
}

/** Why a start of this program has failed, given what `Bun.spawn` threw, as a part of a sentence. */
export function spawnProblem(error: unknown): string {
  return programProblem() ?? `cannot be run: ${messageOf(error)}`;
}

/** As the shell knows it, symbolic links included, if that is still where we are. */
function startDirectory(): string {
  const { PWD } = process.env;
  const directory = process.cwd();
  if (PWD === undefined || !PWD.startsWith("/")) return directory;
  const [named, actual] = [PWD, directory].map((path) => fs.statSync(path, { throwIfNoEntry: false }));
  const isSame = named !== undefined && named.ino === actual?.ino && named.dev === actual.dev;
  return isSame ? PWD : directory;
}
