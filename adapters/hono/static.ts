import type { MiddlewareHandler } from "hono";
import { serveStatic as honoServeStatic, type ServeStaticOptions } from "hono/serve-static";
import { stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Hono's middleware for files, on Bun's: `app.use("/static/*", serveStatic({ root: "./" }))`. A file goes out as a
 * `file` event, with bounded memory. Options are Hono's: `root`, `path`, `rewriteRequestPath`, `precompressed`, ...
 */
export function serveStatic(options: ServeStaticOptions = {}): MiddlewareHandler {
  return async (c, next) => {
    let file: Bun.BunFile | undefined;
    const serve = honoServeStatic({
      ...options,
      join,
      isDir: async (path) => (await kindOf(path)) === "directory",
      // Hono is told only whether there is content, for it would make a stream of it.
      getContent: async (path) => {
        if ((await kindOf(path)) !== "file") return null;
        file = Bun.file(path);
        return "";
      },
    });
    const response = await serve(c, next);
    return response instanceof Response && file !== undefined ? new Response(file, response) : response;
  };
}

async function kindOf(path: string): Promise<"file" | "directory" | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? "file" : found.isDirectory() ? "directory" : undefined;
  } catch {
    return undefined;
  }
}
