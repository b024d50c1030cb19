import { checkOptions, TEXTS, whole, type OptionRules } from "../../spec/option-rules.ts";
import { join } from "node:path";
import { HttpError } from "./http-error.ts";
import { endsWithSlash, otherSlash } from "../../spec/request-path.ts";
import { folderAt, locate, segmentsOf } from "../response/served-folder.ts";
import type { SimpleHandler } from "./pipeline.ts";
import type { PagiResponse } from "../response.ts";
import type { SimpleContext } from "./context.ts";

/** How the files of a folder are served. */
export interface StaticOptions {
  /** File names that answer for a folder, first found first; an empty list for none. Default `["index.html"]`. */
  readonly index?: readonly string[] | undefined;
  /** Seconds for which browsers may keep a file without asking. Default: they ask each time, and mostly hear 304. */
  readonly maxAge?: number | undefined;
}

const STATIC_RULES: OptionRules<StaticOptions> = { index: TEXTS, maxAge: whole(0) };

/**
 * Serves the files of a folder, with ranges, `ETag` and `Last-Modified`. Names that begin with a dot are not found, nor
 * is anything that a symbolic link leads to outside the folder; folders are not listed.
 *
 * @throws Error at once when there is no such folder; OptionError for an unknown option, and for a value that is none.
 */
export function staticFiles(folder: string, options: StaticOptions = {}): SimpleHandler {
  checkOptions("static", STATIC_RULES, options);
  const { index = ["index.html"], maxAge } = options;
  const root = folderAt(folder, "static: the folder");

  const send = (c: SimpleContext, path: string): PagiResponse => {
    if (maxAge !== undefined) c.setHeader("cache-control", `public, max-age=${maxAge}`);
    return c.sendFile(path);
  };

  return (c) => {
    if (c.method !== "GET" && c.method !== "HEAD")
      throw new HttpError(405, undefined, { headers: [["allow", "GET, HEAD"]] });
    const segments = segmentsOf(c.path);
    const found = segments && locate(root, join(root, ...segments));
    if (found === undefined) throw new HttpError(404);
    if (found.stat.isFile()) {
      if (c.path.endsWith("/")) throw new HttpError(404);
      return send(c, found.path);
    }
    const withSlash = endsWithSlash(c.scope) ? undefined : otherSlash(c.scope);
    if (withSlash !== undefined) return c.redirect(withSlash, 301);
    for (const name of index) {
      const page = locate(root, join(found.path, name));
      if (page?.stat.isFile() === true) return send(c, page.path);
    }
    throw new HttpError(404);
  };
}
