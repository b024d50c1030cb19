/**
 * Paths of requests, and how a mount changes them. There is one convention, that of PAGI-Tools' `URLMap` and of PSGI's
 * `SCRIPT_NAME` and `PATH_INFO`: a mount cuts its prefix, which ends at a slash, off the front of `path` and appends it
 * to `root_path`. `raw_path` stays whole, since it is what the client sent. A mounted application uses `path` as it
 * is, and never cuts `root_path` off it again.
 */

/** The keys of a scope that say where a request leads. Servers may leave out `raw_path` (PAGI Www, "HTTP Connection Scope"). */
export interface PathKeys {
  readonly path: string;
  readonly raw_path?: string;
  readonly root_path?: string;
}

const ENCODED_SLASH = /%2f/i;
/** Two slashes at the start of a reference begin a host (RFC 3986 section 4.2), and browsers read `\` as a slash. */
const LIKE_A_HOST = /^[/\\]{2}/;
/** Chars that a URL's path cannot contain (RFC 3986 section 3.3), or that browsers give another meaning. */
const UNSAFE_IN_PATH = /[^!-~]|["#<>?\\^`{|}]/g;
const UNSAFE_IN_ROOT = /[/\\\x00-\x1f\x7f]/g;
/** A query may have a question mark (RFC 3986 section 3.4). */
const UNSAFE_IN_QUERY = /[^!-~]|["#<>\\^`{|}]/g;

/**
 * The percent-decoded path as text: UTF-8 where the bytes are UTF-8, else one char for each byte; a `%` that begins
 * no escape stands for itself. Source: PAGI Www, "PAGI Encoding Differences".
 */
export function decodePath(rawPath: string): string {
  if (!rawPath.includes("%")) return rawPath;
  try {
    return decodeURIComponent(rawPath);
  } catch {
    const bytes = bytesOf(rawPath);
    return decodedUtf8([bytes])?.[0] ?? bytes;
  }
}

/** A decoded path, percent-encoded again: all but the chars that may stand in a segment (RFC 3986 section 3.3). */
export function encodePath(path: string): string {
  return path
    .split("/")
    .map((segment) =>
      encodeURIComponent(segment.toWellFormed()).replace(/%(?:3A|40|24|26|2B|2C|3B|3D)/g, decodeURIComponent),
    )
    .join("/");
}

/**
 * The segments between the slashes of a path, percent-decoded; text before the first slash is left out. A slash that the
 * client has encoded as `%2F` does not separate segments, so it is looked for in `rawPath`, of which `path` is the end:
 * a mount has cut off the beginning. Where the two do not belong together, since something on the way has changed `path`
 * alone, `path` is taken as it is.
 *
 * @returns undefined for a path that does not begin with a slash, such as the `*` of `OPTIONS *`.
 */
export function pathSegments(path: string, rawPath: string | undefined): string[] | undefined {
  if (!path.startsWith("/")) return undefined;
  if (hasEncodedSlash(rawPath)) {
    const end = segmentsAtEnd(path, rawPath);
    if (end !== undefined) return end.decoded;
  }
  return path.slice(1).split("/");
}

/** True when the path as it was sent has an encoded slash, so that the decoded one does not tell the segments. */
export function hasEncodedSlash(rawPath: string | undefined): rawPath is string {
  return rawPath !== undefined && rawPath.includes("%") && ENCODED_SLASH.test(rawPath);
}

/** The keys that a mount changes in the scope of its application: `length` segments move from `path` to `root_path`. */
export function belowMount(
  scope: PathKeys,
  segments: readonly string[],
  length: number,
): { path: string; root_path: string } {
  return {
    path: `/${segments.slice(length).join("/")}`,
    root_path: (scope.root_path ?? "").replace(/\/+$/, "") + prefixOf(segments.slice(0, length)),
  };
}

/**
 * `path` as the client has sent it: the end of `raw_path` that a mount has left. It is empty where the client has asked
 * for the prefix of a mount without the slash behind it, which `path` cannot say. Without a mount it is `raw_path`. Where
 * that is missing, or has nothing to do with `path` below a mount, it is `path`, encoded.
 */
export function rawPathBelow({ path, raw_path: raw, root_path: root = "" }: PathKeys): string {
  if (raw === undefined) return encodePath(path);
  if (root === "" || raw === path) return raw;
  const start = startOfEnd(path, raw, root);
  return start === undefined ? encodePath(path) : raw.slice(start);
}

/** Whether the path that the client has sent ends with a slash, so that relative references lead below it. */
export function endsWithSlash(scope: PathKeys): boolean {
  return rawPathBelow(scope).endsWith("/");
}

/**
 * Where the application is mounted, as the beginning of the paths that clients use: percent-encoded, without a slash at
 * the end, and never beginning with two. What mounts in this process have cut off is taken from `raw_path`, as
 * `root_path` is decoded and so cannot say whether a value had a slash or a percent sign in it.
 */
export function mountPathOf({ path, raw_path: raw, root_path: root = "" }: PathKeys): string {
  if (root === "" || root === "/") return "";
  const start = raw === undefined ? undefined : startOfEnd(path, raw, root);
  const cut = raw?.slice(0, start ?? 0) ?? "";
  const decoded = decodingsOf(cut).find((each) => root.endsWith(each)) ?? "";
  const outer = encodeRoot(root.slice(0, root.length - decoded.length));
  return withoutHost(outer + (decoded === "" ? "" : escaped(cut, UNSAFE_IN_PATH)));
}

/**
 * A path that clients cannot take for a host: one that begins with two slashes gets `/.` before them, which means the
 * same path (RFC 3986 sections 4.2 and 5.2.4; the URL standard writes it so too).
 */
export function withoutHost(path: string): string {
  return LIKE_A_HOST.test(path) ? `/.${path}` : path;
}

/**
 * Where the path of a request is with a slash at its end instead of without, or the other way round, together with the
 * query. It is a reference relative to that path: right behind proxies that change the path, and it can lead to no other
 * host, whatever the path begins with.
 *
 * @returns undefined for a path whose last segment is a step in the hierarchy.
 */
export function otherSlash(scope: PathKeys & { readonly query_string?: string }): string | undefined {
  const parts = (scope.raw_path ?? encodePath(scope.path)).split("/");
  const hasSlash = parts.at(-1) === "";
  const last = escaped(parts.at(hasSlash ? -2 : -1) ?? "", UNSAFE_IN_PATH);
  if (/^(?:\.|%2e){1,2}$/i.test(last)) return undefined;
  const path = hasSlash ? `../${last}` : `./${last}/`;
  const query = escaped(scope.query_string ?? "", UNSAFE_IN_QUERY);
  return query === "" ? path : `${path}?${query}`;
}

// ── which end of the path as it was sent is left ────────────────────────────────────────────────────────────────

/** Where the end of `raw` begins that decodes to `path`. */
function startOfEnd(path: string, raw: string, root: string): number | undefined {
  const end = segmentsAtEnd(path, raw);
  if (end !== undefined) return end.start;
  // The prefix of a mount without a slash behind it leaves nothing, for which `path` is "/".
  return path === "/" && decodingsOf(raw).some((cut) => root.endsWith(cut)) ? raw.length : undefined;
}

/** The segments at the end of `raw` that decode to `path`, and where they begin in it. */
function segmentsAtEnd(path: string, raw: string): { start: number; decoded: string[] } | undefined {
  const parts = raw.split("/");
  const segments = decodedSegments(raw);
  let length = 0;
  let start = raw.length;
  for (let at = segments.length - 1; at >= 0; at--) {
    length += 1 + (segments[at]?.length ?? 0);
    start -= 1 + (parts[at + 1]?.length ?? 0);
    if (length < path.length) continue;
    const decoded = segments.slice(at);
    return `/${decoded.join("/")}` === path ? { start, decoded } : undefined;
  }
  return undefined;
}

/** UTF-8 where all of the path is that, as a server decodes it as a whole. No sequence goes across a slash. */
function decodedSegments(raw: string): string[] {
  const parts = raw.split("/").slice(1).map(bytesOf);
  return decodedUtf8(parts) ?? parts;
}

/**
 * A prefix for `root_path`. Slashes and backslashes of a value, and control characters, which browsers drop, stay encoded:
 * otherwise `root_path + "/x"` would lead to another host below `/:tenant` for the request `/%2Fhost/x`.
 */
function prefixOf(segments: readonly string[]): string {
  return segments.map((segment) => `/${escaped(segment, UNSAFE_IN_ROOT)}`).join("");
}

/** The ways in which a mount may have appended a prefix to `root_path`: with slashes of values encoded, as ours, or decoded. */
function decodingsOf(cut: string): string[] {
  return [prefixOf(decodedSegments(cut)), decodePath(cut)];
}

/** `root_path`, encoded; what a mount has left encoded there is not encoded again. */
function encodeRoot(root: string): string {
  return encodePath(root.replace(/\/+$/, "")).replace(/%25(?=(?:2F|5C|[01][\dA-F]|7F))/gi, "%");
}

/** The bytes of a percent-encoded text, one char each; a `%` that begins no escape stands for itself. */
function bytesOf(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function decodedUtf8(parts: readonly string[]): string[] | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return parts.map((part) => decoder.decode(Buffer.from(part, "latin1")));
  } catch {
    return undefined;
  }
}

/** Percent-encodes chars of a byte string. */
function escaped(bytes: string, unsafe: RegExp): string {
  return bytes.replace(
    unsafe,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
