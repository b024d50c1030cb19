import path from "node:path";

import { LoadError } from "../errors.ts";
import { importModule } from "./import-module.ts";

/**
 * Imports modules, one after the other. Each is named as Bun's own `--preload` has it: a file, or a package.
 *
 * @throws LoadError (as a rejection) for the first that is not there or throws.
 */
export async function preloadModules(names: readonly string[]): Promise<void> {
  for (const name of names) await importModule(await fileOf(name));
}

async function fileOf(name: string): Promise<string> {
  if (name === "") throw new LoadError("--preload: '' names no module.");
  if (await Bun.file(name).exists()) return name;
  try {
    return Bun.resolveSync(name, process.cwd());
  } catch (error) {
    const { danglingLinkProblem } = await import("../system/dangling-link.ts");
    const dangling = danglingLinkProblem(name);
    if (dangling !== undefined)
      throw new LoadError(`--preload: ${dangling}. Repair the link, or name another module.`, {
        cause: error,
      });
    const isPath = name.startsWith(".") || name.startsWith("/") || path.extname(name) !== "";
    const advice = isPath ? "Check its path." : `Install it with: bun add ${name}`;
    throw new LoadError(`--preload: '${name}' is neither a file nor an installed package. ${advice}`, {
      cause: error,
    });
  }
}
