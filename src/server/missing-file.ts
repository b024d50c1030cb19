import fs from "node:fs";
import path from "node:path";

import { danglingLinkProblem } from "./dangling-link.ts";
import { similarName } from "../spec/nearest-name.ts";

/** Asked for when a name is given without one. */
const EXTENSIONS = [".ts", ".tsx", ".js", ".mjs", ".jsx", ".mts", ".cjs", ".cts"];

/** Why an application's file cannot be imported although it was named, and what its user may have meant. */
export function missingFileProblem(file: string): string {
  const location = path.resolve(file);
  const dangling = danglingLinkProblem(file);
  if (dangling !== undefined) return `${dangling}. Repair the link, or name another file.`;
  const stat = fs.statSync(location, { throwIfNoEntry: false });
  if (stat === undefined) return `There is no file '${file}'.${suggestion(file, location)}`;
  if (!stat.isDirectory())
    return `'${file}' is not a regular file. Name one that can be imported, such as app.ts.`;
  const inside = EXTENSIONS.map((extension) => `app${extension}`).find((name) => {
    return fs.existsSync(path.join(location, name));
  });
  return (
    `'${file}' is a directory. Name a file in it, such as ${path.join(file, inside ?? "app.ts")}. ` +
    "To serve its files, start pagi-server in it without a file."
  );
}

function suggestion(file: string, location: string): string {
  const extension = EXTENSIONS.find((candidate) => fs.existsSync(location + candidate));
  if (extension !== undefined) return ` Did you mean '${file}${extension}'?`;
  const folder = path.dirname(location);
  if (!fs.existsSync(folder))
    return ` Its directory does not exist either. The current one is ${process.cwd()}.`;
  const modules = fs.readdirSync(folder).filter((name) => EXTENSIONS.includes(path.extname(name)));
  if (modules.length === 0) return ` Its directory, ${folder}, holds no module at all.`;
  const similar = similarName(path.basename(location), modules);
  if (similar === undefined) return ` Its directory, ${folder}, has none of a similar name either.`;
  return ` Did you mean '${path.join(path.dirname(file), similar)}'?`;
}
