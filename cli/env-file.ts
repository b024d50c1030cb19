import fs from "node:fs";
import { parseEnv } from "node:util";

import { messageOf, OptionError } from "../src/errors.ts";
import { danglingLinkProblem } from "../src/system/dangling-link.ts";
import { inheritedVariables, setOwnVariable } from "../src/process/file-variables.ts";

/**
 * Sets the variables of files in this process, with the rules of Node's `--env-file`: comments, `export`, quotes, values
 * of several lines; nothing is put in for `$NAME`. What this process was started with wins, then the later file. A
 * `.env` that Bun has read by itself does not win, for nobody has named it.
 *
 * @returns the file that each variable which was set comes from.
 * @throws OptionError for a file that is not there or cannot be read.
 */
export function readEnvFiles(files: readonly string[], written: string): ReadonlyMap<string, string> {
  const inherited = inheritedVariables();
  const origins = new Map<string, string>();
  const variables = new Map<string, string>();
  for (const file of files) {
    for (const [name, value] of Object.entries(parseEnv(textOf(file, written)))) {
      if (value === undefined || inherited.has(name)) continue;
      variables.set(name, value);
      origins.set(name, file);
    }
  }
  for (const [name, value] of variables) setOwnVariable(name, value);
  return origins;
}

function textOf(file: string, written: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const problem = isMissing
      ? `${danglingLinkProblem(file) ?? `there is no file '${file}'`}.`
      : `'${file}' cannot be read: ${messageOf(error)}.`;
    throw new OptionError(written, problem, { cause: error });
  }
}
