import fs from "node:fs";
import path from "node:path";

import { danglingLinkProblem } from "../system/dangling-link.ts";
import { similarName } from "../spec/nearest-name.ts";
import { describeObstacle, obstacleTo, ownFileUser } from "../system/path-access.ts";

/** Asked for when a name is given without one. */
const EXTENSIONS = [".ts", ".tsx", ".js", ".mjs", ".jsx", ".mts", ".cjs", ".cts"];

/** Why an application's file cannot be imported although it was named, and what its user may have meant. */
export function missingFileProblem(file: string): string {
  const location = path.resolve(file);
  const dangling = danglingLinkProblem(file);
  if (dangling !== undefined) return `${dangling}. Repair the link, or name another file.`;
  const hidden = unreadableProblem(file);
  if (hidden !== undefined) return hidden;
  const stat = fs.statSync(location, { throwIfNoEntry: false });
  if (stat === undefined) return `There is no file '${file}'.${suggestion(file, location)}`;
  return `'${file}' is not a regular file. Name one that can be imported, such as app.ts.`;
}

/** Why this process may not read a file that it was given, or may not even see it; `undefined` where it may. */
export function unreadableProblem(file: string): string | undefined {
  const obstacle = obstacleTo(file, "read");
  if (obstacle === undefined || obstacle.lacks === "missing" || obstacle.lacks === "not-a-directory")
    return undefined;
  const { problem, advice } = describeObstacle(obstacle, ownFileUser());
  return `'${file}' cannot be read: ${problem.replace(/^it /, "this user ")}. ${advice}`;
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
