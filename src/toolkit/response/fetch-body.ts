// Finds out what the body of a Fetch `Response` is made of. The standard shows every body as a stream, which has neither
// a length nor a file name. So a body counts as bytes or as a file only where that is proved; everything else is read as
// the stream that the standard says it is, which is always right. See docs/decisions/0020.

import { fileOfStream } from "./file-stream.ts";

/** The body of a Fetch `Response`. */
export type FetchBody =
  /** There is none. */
  | { readonly kind: "none" }
  /** All of it is in memory: `held`, or else `response.bytes()` has it at once. */
  | { readonly kind: "bytes"; readonly origin: BytesOrigin; readonly held: Uint8Array | undefined }
  /** A `Bun.file()`, or a slice of one that begins at `offset` bytes: `response.blob()` gives it back. */
  | { readonly kind: "file"; readonly offset: number }
  /** The stream of a whole file, of which nothing has been read. */
  | { readonly kind: "file stream"; readonly path: string; readonly stream: ReadableStream<unknown> }
  | { readonly kind: "stream"; readonly stream: ReadableStream<unknown> };

/**
 * What bytes come from; a string of other chars than ASCII cannot be told from bytes, nor always a stream from the one
 * that Bun makes of bytes.
 */
export type BytesOrigin = "ASCII" | "string or bytes" | "fetch" | "unknown" | "stream" | "stream of bytes";

/** Takes a `Response` whose body nobody has read. */
export function fetchBody(response: Response): FetchBody {
  const held = heldBody(response);
  if (held !== undefined) return held;
  const shown = shownBody(response, response.url === "" ? "unknown" : "fetch");
  if (shown !== undefined) return shown;
  const { body } = response;
  if (body === null) return { kind: "none" };
  const path = body.locked ? undefined : fileOfStream(body);
  return path === undefined ? { kind: "stream", stream: body } : { kind: "file stream", path, stream: body };
}

/**
 * Bun prints a body that it holds itself behind the last field: `Blob` or `File` for bytes, `FileRef` for a file on
 * disk, with the offset of a slice. Nothing else of a Response is printed there, whatever its fields contain. Anything
 * else in that place, or nothing, proves nothing.
 */
function shownBody(response: Response, origin: BytesOrigin): FetchBody | undefined {
  if (typeof Bun === "undefined") return undefined;
  const shown = HELD.exec(Bun.inspect(response, FLAT));
  if (shown === null) return undefined;
  const [, kind, rest = ""] = shown;
  return kind === "FileRef"
    ? { kind: "file", offset: Number(OFFSET.exec(rest)?.[1] ?? 0) }
    : { kind: "bytes", origin, held: undefined };
}

const FLAT = { depth: 0 };
/** The last such place, for a status text may hold line breaks. */
const HELD = /^[^]*\n {2}bodyUsed: false,\n {2}(Blob|File|FileRef) \(([^]*)$/;
const OFFSET = /\n {4}offset: (\d+)/;

// JavaScriptCore's estimate of an object's size counts a string or bytes that a Response is made with. In the versions of
// Bun that were examined it counts nothing of any stream, so that it is proof enough. In others the length that a stream
// announces could count too; so there a clone is asked: of what is in memory it has the bytes at once, and of a stream one
// branch, which it reads. That is why it is asked of small bodies only. Of a large one a clone tells by its size: it has a
// string of ASCII in common with the original. A clone also tells a string from bytes, which decides on nothing but a type
// where none is given. It doubles the objects that a request leaves to the garbage collector. See docs/decisions/0042.
const sizeOf = sizeEstimate();
const EMPTY_SIZE = sizeOf(new Response(null, { headers: [["x", "y"]] }));
const TELLS = sizeOfBody(new Response("abc")) === 3 && sizeOfBody(new Response(new ReadableStream())) === 0;

/** Versions of Bun in which no stream counts: `test/toolkit/fetch-body.test.ts` makes every kind of them. */
export const EXAMINED_VERSIONS: readonly string[] = ["1.4.5"];
const IS_EXAMINED = typeof Bun !== "undefined" && EXAMINED_VERSIONS.includes(Bun.version);

/** Up to this size, in bytes, a clone reads a branch of what may still be a stream. */
const SMALL = 65_536;

function heldBody(response: Response): FetchBody | undefined {
  const size = TELLS ? sizeOfBody(response) : 0;
  if (size === 0) return undefined;
  if (IS_EXAMINED && response.headers.has("content-type"))
    return { kind: "bytes", origin: "string or bytes", held: undefined };
  const clone = response.clone();
  if (sizeOf(clone) - EMPTY_SIZE === size) return { kind: "bytes", origin: "ASCII", held: undefined };
  if (size > SMALL) {
    clone.body?.cancel().catch(() => {});
    return shownBody(response, "string or bytes");
  }
  const bytes = clone.bytes();
  const held = Bun.peek(bytes);
  if (held instanceof Uint8Array) return { kind: "bytes", origin: "string or bytes", held };
  bytes.catch(() => {});
  return undefined;
}

/** 0 where the estimate does not tell it, for a URL, a status text and properties of one's own count as well. */
function sizeOfBody(response: Response): number {
  const size = sizeOf(response) - EMPTY_SIZE;
  const isPlain =
    size > 0 &&
    response.url === "" &&
    response.statusText === "" &&
    Object.getPrototypeOf(response) === Response.prototype &&
    Reflect.ownKeys(response).length === 0;
  return isPlain ? size : 0;
}

/** Not an import: other runtimes than Bun, which have no such module, load this file for `toFetch`. */
function sizeEstimate(): (value: object) => number {
  const engine: object | undefined = globalThis.process?.getBuiltinModule?.("bun:jsc");
  const estimate: unknown =
    engine !== undefined && "estimateShallowMemoryUsageOf" in engine && engine.estimateShallowMemoryUsageOf;
  if (typeof estimate !== "function") return () => 0;
  return (value) => Number(estimate(value));
}

const OCTET_STREAM = "application/octet-stream";
const SNIFFED_BYTES = 1445;

/**
 * The type that Bun gives to a body without one, but only when its own server sends it: text for a string, that of no
 * text for bytes and for what `fetch` has received, for a Blob what its bytes look like, and none for a stream.
 */
export function lateTypeOf(bytes: Uint8Array, origin: BytesOrigin): string | undefined {
  if (bytes.byteLength === 0 || origin === "stream") return undefined;
  if (origin === "stream of bytes" || origin === "fetch") return OCTET_STREAM;
  const isText =
    origin === "ASCII" || (isUtf8(bytes) && (origin === "unknown" || bytes.some((byte) => byte > 0x7f)));
  return isText ? "text/plain;charset=utf-8" : OCTET_STREAM;
}

/** UTF-8 without control chars, as far as one looks; the last char may be cut off. */
export function isUtf8(bytes: Uint8Array): boolean {
  if (isBinary(bytes)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, SNIFFED_BYTES), { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Whether bytes are not text. Source: WHATWG MIME Sniffing, section 7.2. */
function isBinary(bytes: Uint8Array): boolean {
  const end = Math.min(bytes.byteLength, SNIFFED_BYTES);
  for (let at = 0; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 && (byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte !== 0x1b))) return true;
  }
  return false;
}
