// Finds out what the body of a Fetch `Response` is made of. The standard shows every body as a stream, which has neither
// a length nor a file name. So a body counts as bytes or as a file only where that is proved; everything else is read as
// the stream that the standard says it is, which is always right. See docs/decisions/0020.

/** The body of a Fetch `Response`. */
export type FetchBody =
  /** There is none. */
  | { readonly kind: "none" }
  /** All of it is in memory: `response.bytes()` has it at once. */
  | { readonly kind: "bytes"; readonly origin: BytesOrigin }
  /** A `Bun.file()`, or a slice of one that begins at `offset` bytes: `response.blob()` gives it back. */
  | { readonly kind: "file"; readonly offset: number }
  | {
      readonly kind: "stream";
      readonly stream: ReadableStream<unknown>;
      /**
       * The body is small, and all the signs are that it is in memory: to read it is the cheapest proof. Else this clone
       * has one branch of the stream, and must be cancelled.
       */
      readonly clone: Pick<Response, "body"> | undefined;
    };

/**
 * What bytes come from; a string of other chars than ASCII cannot be told from bytes, nor always a stream from the one
 * that Bun makes of bytes.
 */
export type BytesOrigin = "ASCII" | "string or bytes" | "unknown" | "stream" | "stream of bytes";

/** Up to this size, in the bytes that JavaScriptCore counts, Bun's stream gives a body in one chunk. */
const ONE_CHUNK = 4096;

/** Takes a `Response` whose body nobody has read. */
export function fetchBody(response: Response): FetchBody {
  const size = TELLS ? sizeOfBody(response) : 0;
  if (size > 0) {
    // Most responses are text, and known at a tenth of the cost of the other ways.
    const clone = response.clone();
    if (sizeOf(clone) - EMPTY_SIZE === size) return { kind: "bytes", origin: "ASCII" };
    if (size <= ONE_CHUNK) return streamOf(response, clone);
    cancelClone(clone);
  }
  const shown = shownBody(response);
  if (shown?.kind === "bytes") return { kind: "bytes", origin: size > 0 ? "string or bytes" : "unknown" };
  return shown ?? streamOf(response, undefined);
}

function streamOf(response: Response, clone: Pick<Response, "body"> | undefined): FetchBody {
  const { body } = response;
  return body === null ? { kind: "none" } : { kind: "stream", stream: body, clone };
}

/** Drops the branch of a stream that a clone has. */
export function cancelClone(clone: Pick<Response, "body">): void {
  clone.body?.cancel().catch(() => {});
}

/**
 * Bun prints a body that it holds itself behind the last field: `Blob` or `File` for bytes, `FileRef` for a file on disk,
 * with the offset of a slice. Nothing else of a Response is printed in that place, whatever its fields hold. What is printed for
 * streams, or by another runtime or a later Bun, proves nothing.
 */
function shownBody(response: Response): { kind: "bytes" } | { kind: "file"; offset: number } | undefined {
  if (typeof Bun === "undefined") return undefined;
  const shown = HELD.exec(Bun.inspect(response, FLAT));
  if (shown === null) return undefined;
  const [, kind, rest = ""] = shown;
  return kind === "FileRef"
    ? { kind: "file", offset: Number(OFFSET.exec(rest)?.[1] ?? 0) }
    : { kind: "bytes" };
}

const FLAT = { depth: 0 };
/** The last such place, for a status text may hold line breaks. */
const HELD = /^[^]*\n {2}bodyUsed: false,\n {2}(Blob|File|FileRef) \(([^]*)$/;
const OFFSET = /\n {4}offset: (\d+)/;

// JavaScriptCore's estimate of an object's size counts a string or bytes that a Response is made with. The length that a
// stream announces may count too; but a clone has a string of ASCII in common with the original, and of a stream it has
// one branch, of unknown length. So with a clone of the same size, the body is a string.
const sizeOf = sizeEstimate();
const EMPTY_SIZE = sizeOf(new Response(null, { headers: [["x", "y"]] }));
const TELLS = sizeOfBody(new Response("abc")) === 3 && sizeOfBody(new Response(new ReadableStream())) === 0;

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
 * text for bytes, for a Blob what its bytes look like, and none for a stream.
 */
export function lateTypeOf(bytes: Uint8Array, origin: BytesOrigin): string | undefined {
  if (bytes.byteLength === 0 || origin === "stream") return undefined;
  if (origin === "stream of bytes") return OCTET_STREAM;
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
