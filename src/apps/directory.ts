import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { dispatch, type Application, type Receive } from "../spec/application.ts";
import { parseHttpDate } from "../spec/http-date.ts";
import { checkOptions, FLAG, TEXT, TEXTS, type OptionRules } from "../spec/option-rules.ts";
import { endsWithSlash, otherSlash } from "../spec/request-path.ts";
import type { HttpScope, SseScope } from "../spec/scope.ts";
import type { Headers } from "../spec/values.ts";
import { PLAIN_PAGE_POLICY } from "../toolkit/plain-page.ts";
import { receiveForEnd } from "../toolkit/request/body-reader.ts";
import { folderAt, isVisible, locate, segmentsOf, type Found } from "../toolkit/response/served-folder.ts";
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

const DIRECTORY_RULES: OptionRules<DirectoryOptions> = { root: TEXT, index: TEXTS, listing: FLAG };

interface Answer {
  status: number;
  headers: Headers;
  body: string | { file: string; length: number };
}

/**
 * Serves the files of a folder to GET and HEAD, with `Last-Modified` and `If-Modified-Since`. Names that begin with a
 * dot are not found, nor is anything that a symbolic link leads to outside the folder. An `sse` scope gets the same
 * answer, for a browser that asks for an event stream may ask for a file.
 *
 * @throws Error at once when `root` is no folder, and OptionError for an unknown option and a value that is none; UnsupportedScopeError (as a rejection) for other scope types.
 */
export function directory(options: DirectoryOptions): Application {
  checkOptions("directory", DIRECTORY_RULES, options);
  const { index = ["index.html"], listing = true } = options;
  const root = folderAt(options.root, "directory: the root");

  async function answer(scope: HttpScope | SseScope): Promise<Answer> {
    if (scope.method !== "GET" && scope.method !== "HEAD") {
      return plain(405, "Method Not Allowed", [["allow", "GET, HEAD"]]);
    }
    const segments = segmentsOf(scope.path);
    const found = segments && locate(root, join(root, ...segments));
    if (found === undefined) return plain(404, "Not Found");
    if (!found.stat.isDirectory()) {
      return scope.path.endsWith("/") ? plain(404, "Not Found") : fileAnswer(scope, found);
    }
    // Without the slash the links of a page would lead beside the folder.
    const withSlash = endsWithSlash(scope) ? undefined : otherSlash(scope);
    if (withSlash !== undefined) return plain(301, "Moved Permanently", [["location", withSlash]]);
    for (const name of index) {
      const page = locate(root, join(found.path, name));
      if (page?.stat.isFile() === true) return fileAnswer(scope, page);
    }
    if (!listing) return plain(404, "Not Found");
    const page = listingPage(
      (scope.root_path ?? "") + scope.path,
      found.path !== root,
      await entriesOf(root, found.path),
    );
    const headers = textHeaders("text/html;charset=utf-8", page);
    return { status: 200, headers: [...headers, ["content-security-policy", PLAIN_PAGE_POLICY]], body: page };
  }

  return dispatch({
    async http(scope, _receive, send) {
      const { status, headers, body } = await answer(scope);
      await send({ type: "http.response.start", status, headers });
      if (scope.method === "HEAD" || typeof body === "string") {
        await send({ type: "http.response.body", body: typeof body === "string" ? body : "" });
      } else {
        await send({ type: "http.response.body", file: body.file, length: body.length });
      }
    },
    async sse(scope, receive, send) {
      const { status, headers, body } = await answer(scope);
      await send({ type: "sse.http.response.start", status, headers });
      if (scope.method !== "HEAD" && typeof body !== "string") {
        // The events that decline a stream know no files.
        let gone = false;
        leaving(scope, receive)
          .catch(() => {})
          .finally(() => (gone = true));
        for await (const chunk of Bun.file(body.file).slice(0, body.length).stream()) {
          if (gone) return;
          await send({ type: "sse.http.response.body", body: chunk, more: true });
        }
      }
      await send({ type: "sse.http.response.body", body: typeof body === "string" ? body : "" });
    },
  });
}

function fileAnswer(scope: HttpScope | SseScope, { path, stat }: Found): Answer {
  const headers: Headers = [];
  // A file inside a compiled program has the time 0, which would stay the same in the next version of it.
  if (stat.mtimeMs > 0) {
    headers.push(["last-modified", stat.mtime.toUTCString()]);
    if (isUnchanged(scope.headers, stat.mtimeMs)) return { status: 304, headers, body: "" };
  }
  headers.push(["content-type", Bun.file(path).type], ["content-length", String(stat.size)]);
  return { status: 200, headers, body: { file: path, length: stat.size } };
}

/** RFC 9110 section 13.1.3: to the second, only for a valid date, and not beside If-None-Match. */
function isUnchanged(headers: Headers, modified: number): boolean {
  let since: number | undefined;
  for (const [name, value] of headers) {
    if (name === "if-none-match") return false;
    if (name === "if-modified-since") since = parseHttpDate(value, Date.now());
  }
  return since !== undefined && Math.floor(modified / 1000) * 1000 <= since;
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
async function leaving(scope: SseScope, receive: Receive): Promise<void> {
  while ((await receiveForEnd(scope, receive)).type !== "sse.disconnect");
}
