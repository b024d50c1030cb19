import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { dispatch, type Application, type Receive } from "../spec/application.ts";
import { checkOptions, FLAG, TEXT, TEXTS, type OptionRules } from "../spec/option-rules.ts";
import { endsWithSlash, otherSlash } from "../spec/request-path.ts";
import { titleOf } from "../spec/reason-phrase.ts";
import type { HttpScope, SseScope } from "../spec/scope.ts";
import type { Headers } from "../spec/values.ts";
import { PLAIN_PAGE_POLICY, plainPage } from "../toolkit/plain-page.ts";
import { preferredType } from "../toolkit/request/negotiation.ts";
import { receiveForEnd } from "../toolkit/request/body-reader.ts";
import { sendResponse, type ResponseParts } from "../toolkit/response/sender.ts";
import { folderAt, isVisible, locate, segmentsOf } from "../toolkit/response/served-folder.ts";
import { PagiHeaders } from "../toolkit/values/headers.ts";
import { listingPage, type ListingEntry } from "./directory-listing.ts";

/** What {@link directory} serves. */
export interface DirectoryOptions {
  /** The folder; nothing outside it is ever served. */
  root: string;
  /** File names that answer for a folder, first found first. Default `["index.html"]`. */
  index?: string[] | undefined;
  /** Whether a folder without an index file answers with a list of its files. Default true. */
  listing?: boolean | undefined;
}

const DIRECTORY_RULES: OptionRules<DirectoryOptions> = { root: TEXT, index: TEXTS, listing: FLAG };

/**
 * Serves the files of a folder to GET and HEAD, with `ETag` and `Last-Modified`, conditions and ranges (RFC 9110 sections
 * 13 and 14). Names that begin with a dot are not found, nor is anything that a symbolic link leads to outside the folder.
 * An `sse` scope gets the same answer, for a browser that asks for an event stream may ask for a file.
 *
 * @throws Error at once when `root` is no folder, and OptionError for an unknown option and a value that is none; UnsupportedScopeError (as a rejection) for other scope types.
 */
export function directory(options: DirectoryOptions): Application {
  checkOptions("directory", DIRECTORY_RULES, options);
  const { index = ["index.html"], listing = true } = options;
  const root = folderAt(options.root, "directory: the root");

  async function answer(scope: HttpScope | SseScope): Promise<ResponseParts> {
    if (scope.method !== "GET" && scope.method !== "HEAD") {
      return message(scope, 405, [["allow", "GET, HEAD"]]);
    }
    const segments = segmentsOf(scope.path);
    const found = segments && locate(root, join(root, ...segments));
    if (found === undefined) return message(scope, 404);
    if (!found.stat.isDirectory()) {
      return scope.path.endsWith("/") ? message(scope, 404) : fileParts(found.path);
    }
    // Without the slash the links of a page would lead beside the folder.
    const withSlash = endsWithSlash(scope) ? undefined : otherSlash(scope);
    if (withSlash !== undefined) return message(scope, 301, [["location", withSlash]]);
    for (const name of index) {
      const page = locate(root, join(found.path, name));
      if (page?.stat.isFile() === true) return fileParts(page.path);
    }
    if (!listing) return message(scope, 404);
    const page = listingPage(
      (scope.root_path ?? "") + scope.path,
      found.path !== root,
      await entriesOf(root, found.path),
    );
    return pageParts(200, page);
  }

  return dispatch({
    async http(scope, _receive, send) {
      await sendResponse(await answer(scope), send, scope);
    },
    async sse(scope, receive, send) {
      const parts = await answer(scope);
      // The rest of a large file is not read for a client that has left.
      let hasLeft = false;
      leaving(scope, receive)
        .catch(() => {})
        .finally(() => (hasLeft = true));
      await sendResponse(parts, send, scope, () => !hasLeft);
    },
  });
}

function fileParts(path: string): ResponseParts {
  return {
    status: 200,
    headers: new PagiHeaders([["content-type", Bun.file(path).type]]),
    body: { kind: "file", path, offset: 0, length: undefined, validators: true },
  };
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

/** The name of a status: as a page for browsers, as a line of text for other clients. */
function message(
  { headers: fields }: HttpScope | SseScope,
  status: number,
  headers: Headers = [],
): ResponseParts {
  const title = titleOf(status);
  const varying: Headers = [...headers, ["vary", "accept"]];
  const accept = new PagiHeaders(fields).combined("accept");
  if (preferredType(accept, ["text/plain", "text/html"]) === "text/html")
    return pageParts(status, plainPage(`${status} ${title}`, ""), varying);
  return textParts(status, `${title}\n`, [["content-type", "text/plain;charset=utf-8"], ...varying]);
}

function pageParts(status: number, page: string, headers: Headers = []): ResponseParts {
  return textParts(status, page, [
    ["content-type", "text/html;charset=utf-8"],
    ["content-security-policy", PLAIN_PAGE_POLICY],
    ...headers,
  ]);
}

function textParts(status: number, text: string, headers: Headers): ResponseParts {
  return { status, headers: new PagiHeaders(headers), body: { kind: "text", text } };
}

/** Resolves when the client of an `sse` scope goes. */
async function leaving(scope: SseScope, receive: Receive): Promise<void> {
  while ((await receiveForEnd(scope, receive)).type !== "sse.disconnect");
}
