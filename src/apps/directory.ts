import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { dispatch, type Application } from "../spec/application.ts";
import type { HttpScope, SseScope } from "../spec/scope.ts";
import type { Headers } from "../spec/values.ts";
import type { AnySend } from "../toolkit/response/events.ts";
import { sendResponse } from "../toolkit/response/sender.ts";
import { folderAt, isVisible, locate, segmentsOf } from "../toolkit/response/served-folder.ts";
import { PagiHeaders } from "../toolkit/values/headers.ts";
import { listingPage, type ListingEntry } from "./directory-listing.ts";

/** What {@link directory} serves. */
export interface DirectoryOptions {
  /** The folder; nothing outside it is ever served. */
  root: string;
  /** File names that answer for a folder, first found first. Default `["index.html"]`. */
  index?: string[];
  /** Whether a folder without an index file answers with a list of its files. Default true. */
  listing?: boolean;
}

/** A page of its own, or a file. */
type Answer = { status: number; headers: Headers; body: string } | { file: string };

/**
 * Serves the files of a folder to GET and HEAD, with `ETag` and `Last-Modified`, conditions and ranges (RFC 9110 sections
 * 13 and 14). Names that begin with a dot are not found, nor is anything that a symbolic link leads to outside the folder.
 * An `sse` scope gets the same answer, for a browser that asks for an event stream may ask for a file.
 *
 * @throws Error at once when `root` is no folder; UnsupportedScopeError (as a rejection) for other scope types.
 */
export function directory(options: DirectoryOptions): Application {
  const { index = ["index.html"], listing = true } = options;
  const root = folderAt(options.root, "directory: the root");

  async function answer(scope: HttpScope | SseScope): Promise<Answer> {
    if (scope.method !== "GET" && scope.method !== "HEAD") {
      return plain(405, "Method Not Allowed", [["allow", "GET, HEAD"]]);
    }
    const below = scope.path.startsWith(scope.root_path)
      ? scope.path.slice(scope.root_path.length)
      : scope.path;
    const segments = segmentsOf(below);
    const found = segments && locate(root, join(root, ...segments));
    if (found === undefined) return plain(404, "Not Found");
    if (!found.stat.isDirectory()) {
      return below.endsWith("/") ? plain(404, "Not Found") : { file: found.path };
    }
    if (!below.endsWith("/")) return plain(301, "Moved Permanently", [["location", withSlash(scope)]]);
    for (const name of index) {
      const page = locate(root, join(found.path, name));
      if (page?.stat.isFile() === true) return { file: page.path };
    }
    if (!listing) return plain(404, "Not Found");
    const page = listingPage(scope.path, found.path !== root, await entriesOf(root, found.path));
    return { status: 200, headers: textHeaders("text/html;charset=utf-8", page), body: page };
  }

  return dispatch({
    async http(scope, _receive, send) {
      const found = await answer(scope);
      if ("file" in found) return await sendFile(found.file, send, scope);
      const { status, headers, body } = found;
      await send({ type: "http.response.start", status, headers });
      await send({ type: "http.response.body", body: scope.method === "HEAD" ? "" : body });
    },
    async sse(scope, receive, send) {
      const found = await answer(scope);
      if (!("file" in found)) {
        const { status, headers, body } = found;
        await send({ type: "sse.http.response.start", status, headers });
        await send({ type: "sse.http.response.body", body: scope.method === "HEAD" ? "" : body });
        return;
      }
      // The rest of a large file is not read for a client that has left.
      let hasLeft = false;
      leaving(receive)
        .catch(() => {})
        .finally(() => (hasLeft = true));
      await sendFile(found.file, send, scope, () => !hasLeft);
    },
  });
}

function sendFile(
  path: string,
  send: AnySend,
  scope: HttpScope | SseScope,
  isConnected?: () => boolean,
): Promise<void> {
  const headers = new PagiHeaders([["content-type", Bun.file(path).type]]);
  const body = { kind: "file", path, offset: 0, length: undefined, validators: true } as const;
  return sendResponse({ status: 200, headers, body }, send, scope, isConnected);
}

/**
 * The request's own URL with a slash, as a relative reference: right below any proxy, and unlike an absolute path
 * it can never begin with `//` and so lead to another host.
 */
function withSlash(scope: HttpScope | SseScope): string {
  const name = scope.raw_path.slice(scope.raw_path.lastIndexOf("/") + 1);
  const query = scope.query_string === "" ? "" : `?${scope.query_string}`;
  return `./${name}/${query}`.replace(
    /[^!-~]|["<>\\^`{|}]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

async function entriesOf(root: string, folder: string): Promise<ListingEntry[]> {
  const entries: ListingEntry[] = [];
  for (const name of await readdir(folder)) {
    const found = isVisible(name) ? locate(root, join(folder, name)) : undefined;
    if (found === undefined) continue;
    const isFolder = found.stat.isDirectory();
    const { size, mtime, mtimeMs } = found.stat;
    entries.push({ name, isFolder, size, modified: mtimeMs > 0 ? mtime : undefined });
  }
  return entries;
}

function plain(status: number, message: string, headers: Headers = []): Answer {
  const body = `${message}\n`;
  return { status, headers: [...textHeaders("text/plain;charset=utf-8", body), ...headers], body };
}

function textHeaders(type: string, body: string): Headers {
  return [
    ["content-type", type],
    ["content-length", String(Buffer.byteLength(body))],
  ];
}

/** Resolves when the client of an `sse` scope goes. */
async function leaving(receive: () => Promise<{ type: string }>): Promise<void> {
  while ((await receive()).type !== "sse.disconnect");
}
