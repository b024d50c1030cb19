// What the body of a Fetch `Response` is. The standard does not tell, and to send it well one has to know.

export const OCTET_STREAM = "application/octet-stream";

/** The path of a `Bun.file()` that is not cut short; a slice keeps the name, and may reach beyond the file's end. */
export function wholeFile(file: Blob): string | undefined {
  if (!("name" in file) || typeof file.name !== "string") return undefined;
  return file.size === Bun.file(file.name).size ? file.name : undefined;
}

export type BodyKind = "empty" | "bytes" | "file" | "slice" | "stream";

/**
 * What a body is made of. The Fetch standard shows every body as a stream, and a stream has neither a length nor a
 * file name; Bun tells them apart only when it prints the object: `FileRef` for a `Bun.file()`, with an offset for
 * a slice, a size in the first line for bytes, nothing after the last field for no body. Where a later Bun prints
 * something else, everything is a stream, which is slower and as right.
 */
export function bodyKind(response: Response): BodyKind {
  if (holdsBytes(response)) return "bytes";
  const printed = Bun.inspect(response, { depth: 0 });
  const file = printed.search(/\n +FileRef \(/);
  if (file >= 0) return printed.includes("offset: ", file) ? "slice" : "file";
  if (/\n +bodyUsed: false,?\n *\}$/.test(printed)) return "empty";
  return /^Response \((?!0 KB)[\d.]+ \w+\) \{/.test(printed) ? "bytes" : "stream";
}

// Printing costs more than all the rest of a small response. The engine's own estimate of what the object takes is
// cheap, and above an empty one's by nothing but the bytes of the body that it holds, and its URL if it was fetched.
const sizeOf = sizeEstimate();
const EMPTY_SIZE = sizeOf(new Response(null, { headers: [["x", "y"]] }));
const ESTIMATE_TELLS =
  sizeOf(new Response("abc")) > EMPTY_SIZE &&
  sizeOf(new Response("")) === EMPTY_SIZE &&
  sizeOf(new Response(new ReadableStream())) === EMPTY_SIZE;

/** Whether the body is a string or bytes, for certain; false where that has to be found out in another way. */
function holdsBytes(response: Response): boolean {
  return ESTIMATE_TELLS && sizeOf(response) > EMPTY_SIZE && response.url === "";
}

/** Not an import: other runtimes than Bun, which have no such module, load this file for `toFetch`. */
function sizeEstimate(): (value: object) => number {
  const engine: object | undefined = globalThis.process?.getBuiltinModule?.("bun:jsc");
  const estimate: unknown =
    engine !== undefined && "estimateShallowMemoryUsageOf" in engine && engine.estimateShallowMemoryUsageOf;
  if (typeof estimate !== "function") return () => 0;
  return (value) => Number(estimate(value));
}

const SNIFFED_BYTES = 1445;

/** The type that Bun gives to bytes or a string without one, but only when its own server sends them. */
export function lateTypeOf(bytes: Uint8Array): string {
  return isBinary(bytes) ? OCTET_STREAM : "text/plain;charset=utf-8";
}

/** Whether bytes are no text. Source: WHATWG MIME Sniffing, section 7.2. */
function isBinary(bytes: Uint8Array): boolean {
  const end = Math.min(bytes.byteLength, SNIFFED_BYTES);
  for (let at = 0; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 && (byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte !== 0x1b))) return true;
  }
  return false;
}
