import { isUtf8 } from "./fetch-body.ts";

// `fetch` undoes the content coding of a body and leaves Content-Encoding as it was, as the standard has it. A response
// that is passed on would so promise the client a coding that its body has not.

/** A coding that Bun's `fetch` undoes. */
export type ContentCoding = "gzip" | "deflate" | "br" | "zstd";

const NAMES: { readonly [name: string]: ContentCoding } = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "br",
  zstd: "zstd",
};

/** How many bytes tell whether a body is encoded. */
export const BYTES_TO_TELL = 64;

/** The coding that a Content-Encoding names, where it is a single one and `fetch` knows it. RFC 9110 section 8.4.1. */
export function soleCoding(contentEncoding: string | null): ContentCoding | undefined {
  if (contentEncoding === null) return undefined;
  const codings = contentEncoding
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "identity" && coding !== "");
  const [only = "", ...others] = codings;
  return others.length === 0 && Object.hasOwn(NAMES, only) ? NAMES[only] : undefined;
}

/**
 * Whether a body that begins with these bytes is encoded: {@link BYTES_TO_TELL} of them, or all that there are. Sources:
 * RFC 1952 section 2.3.1, RFC 1950 section 2.2, RFC 8878 section 3.1. Brotli (RFC 7932), and DEFLATE without its zlib
 * wrapper, have no signature: what is text is not encoded, and of anything else decoding tells.
 */
export function isEncoded(coding: ContentCoding, beginning: Uint8Array): boolean {
  const [a = 0, b = 0, c = 0, d = 0] = beginning;
  switch (coding) {
    case "gzip":
      return a === 0x1f && b === 0x8b && c === 8;
    case "zstd":
      return b === 0xb5 && a === 0x28 && c === 0x2f && d === 0xfd;
    case "deflate":
      return ((a & 0x0f) === 8 && ((a << 8) | b) % 31 === 0) || decodes("deflate", beginning);
    case "br":
      return decodes("br", beginning);
  }
}

function decodes(coding: "deflate" | "br", beginning: Uint8Array): boolean {
  const bytes = beginning.subarray(0, BYTES_TO_TELL);
  if (bytes.byteLength === 0 || isUtf8(bytes)) return false;
  // Built in, and needed only here: a server of pages that nobody compressed never loads it.
  const zlib = globalThis.process?.getBuiltinModule?.("node:zlib");
  if (zlib === undefined) return true;
  const { BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH } = zlib.constants;
  try {
    if (coding === "br") zlib.brotliDecompressSync(bytes, { finishFlush: BROTLI_OPERATION_FLUSH });
    else zlib.inflateRawSync(bytes, { finishFlush: Z_SYNC_FLUSH });
    return true;
  } catch {
    return false;
  }
}
