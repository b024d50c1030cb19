const ENCODED_SLASH = /%2f/i;

/**
 * What stands between the slashes of a path, percent-decoded; what stands before the first is left out. A slash that the
 * client has encoded as `%2F` is no separator but part of its segment, so it is looked for in `rawPath`, of which `path`
 * is the end: a mount has taken the beginning away. Where the two do not belong together, since something on the way
 * has changed `path` alone, `path` is taken as it is.
 *
 * @returns undefined for a path that does not begin with a slash, such as the `*` of `OPTIONS *`.
 */
export function pathSegments(path: string, rawPath: string | undefined): string[] | undefined {
  if (!path.startsWith("/")) return undefined;
  if (hasEncodedSlash(rawPath)) {
    const segments = decodedEnd(path, rawPath);
    if (segments !== undefined) return segments;
  }
  return path.slice(1).split("/");
}

/** True when the path as it was sent has an encoded slash, so that the decoded one does not tell the segments. */
export function hasEncodedSlash(rawPath: string | undefined): rawPath is string {
  return rawPath !== undefined && rawPath.includes("%") && ENCODED_SLASH.test(rawPath);
}

/** The segments at the end of `rawPath` that decode to `path`. */
function decodedEnd(path: string, rawPath: string): string[] | undefined {
  const parts = rawPath.split("/").slice(1).map(bytesOf);
  const segments = decodedUtf8(parts) ?? parts;
  let length = 0;
  for (let at = segments.length - 1; at >= 0; at--) {
    length += 1 + (segments[at]?.length ?? 0);
    if (length < path.length) continue;
    const end = segments.slice(at);
    return `/${end.join("/")}` === path ? end : undefined;
  }
  return undefined;
}

/** The bytes of a percent-encoded text, one char each; a `%` that begins no escape stands for itself. */
function bytesOf(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** UTF-8 where all of it is that, as a server decodes the path as a whole. No sequence goes across a slash. */
function decodedUtf8(parts: readonly string[]): string[] | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return parts.map((part) => decoder.decode(Buffer.from(part, "latin1")));
  } catch {
    return undefined;
  }
}
