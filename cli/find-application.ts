import fs from "node:fs";

import { OptionError } from "../src/errors.ts";
import { danglingLinkProblem } from "../src/system/dangling-link.ts";

/** Where an application is looked for when no FILE is named. */
const NAMES = ["app", "src/app", "index"] as const;
const EXTENSIONS = ["ts", "js", "mjs", "tsx"] as const;

/** The files of the current directory that an application usually has, in the order in which they are named. */
export async function usualFiles(): Promise<string[]> {
  const candidates = NAMES.flatMap((name) => EXTENSIONS.map((extension) => `${name}.${extension}`));
  const found = await Promise.all(candidates.map((file) => Bun.file(file).exists()));
  return candidates.filter((_, at) => found[at]);
}

/**
 * The application where none is named: the one usual file. A directory is never served unless that was asked for, since
 * its files may include source code and secrets.
 *
 * @throws OptionError that says what to type, for several such files, and for none.
 */
export async function findApplication(): Promise<string> {
  const files = await usualFiles();
  const [file, ...others] = files;
  if (file === undefined)
    throw new OptionError(
      "FILE",
      "is missing, and there is no app.ts, src/app.ts or index.ts (or .js, .mjs, .tsx) here. " +
        "Name the application: pagi-server FILE. To serve the files of this directory: pagi-server directory",
    );
  if (others.length > 0)
    throw new OptionError(
      "FILE",
      `is missing, and ${listed(files)} could each be the application. Name one: pagi-server ${file}`,
    );
  return file;
}

/** Refuses what `pagi-server directory` cannot serve. @throws OptionError */
export function checkDirectory(name: string): void {
  const link = danglingLinkProblem(name);
  if (link !== undefined) throw new OptionError("directory", `${link}.`);
  const stat = fs.statSync(name, { throwIfNoEntry: false });
  if (stat === undefined) throw new OptionError("directory", `there is no directory '${name}'.`);
  if (!stat.isDirectory())
    throw new OptionError(
      "directory",
      `'${name}' is not a directory. To serve the application in it: pagi-server ${name}`,
    );
}

function listed(files: readonly string[]): string {
  return `${files.slice(0, -1).join(", ")} and ${files.at(-1) ?? ""}`;
}
