import type { MiddlewareHandler } from "hono";
import { serveStatic as honoServeStatic, type ServeStaticOptions } from "hono/serve-static";
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileResponse } from "../../src/toolkit/response/file-stream.ts";

/**
 * Hono's middleware for files, on Bun's: `app.use("/static/*", serveStatic({ root: "./" }))`. A file goes out as a
 * `file` event, with bounded memory and by ranges, also where a middleware such as `cors()` makes another response of it
 * for its headers. Options are Hono's: `root`, `path`, `rewriteRequestPath`, `precompressed`, ...
 */
export function serveStatic(options: ServeStaticOptions = {}): MiddlewareHandler {
  return async (c, next) => {
    let found: { readonly path: string; readonly size: number } | undefined;
    const serve = honoServeStatic({
      ...options,
      join,
      isDir: async (path) => (await stats(path))?.isDirectory() ?? false,
      // Hono is told only that there is content, by a mark in its place, for it would make a stream of it.
      getContent: async (path) => {
        const file = await stats(path);
        if (file?.isFile() !== true) return null;
        found = { path, size: file.size };
        return "file";
      },
    });
    const response = await serve(c, next);
    if (!(response instanceof Response) || found === undefined) return response;
    const whole = fileResponse(found.path, response);
    whole.headers.set("content-length", String(found.size));
    return whole;
  };
}

async function stats(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}
