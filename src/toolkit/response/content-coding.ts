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

/** A body, or how it begins. */
export interface Beginning {
  readonly bytes: Uint8Array;
  /** These bytes are all of the body. */
  readonly isWhole: boolean;
}

/** What decoding is tried for. `zlib` is what HTTP calls deflate (RFC 9110 section 8.4.1.2), `deflate` the same without its wrapper. */
type TriedFormat = "zlib" | "deflate" | "br";

/** Nothing, as brotli with the usual window. All other encoded bodies have bytes that no text has. */
const EMPTY_BROTLI = 0x3b;

/** Up to this size, in bytes, a whole body is decoded to tell, and up to this size of what comes out. */
const TRIED = 65_536;

/**
 * Whether a body is encoded that is this, or begins with at least {@link BYTES_TO_TELL} of these bytes. Sources: RFC 1952
 * section 2.3.1, RFC 8878 section 3.1. Brotli (RFC 7932) and DEFLATE without its zlib wrapper have no signature, and texts
 * may begin with the two bytes of the wrapper (RFC 1950 section 2.2): what is text is not encoded, and of anything else
 * decoding tells.
 */
export function isEncoded(coding: ContentCoding, beginning: Beginning): boolean {
  const [a = 0, b = 0, c = 0, d = 0] = beginning.bytes;
  switch (coding) {
    case "gzip":
      return a === 0x1f && b === 0x8b && c === 8;
    case "zstd":
      return b === 0xb5 && a === 0x28 && c === 0x2f && d === 0xfd;
    case "deflate":
      return decodes("zlib", beginning) || decodes("deflate", beginning);
    case "br":
      return (a === EMPTY_BROTLI && beginning.bytes.byteLength === 1) || decodes("br", beginning);
  }
}

function decodes(format: TriedFormat, { bytes, isWhole }: Beginning): boolean {
  if (bytes.byteLength === 0 || isUtf8(bytes)) return false;
  // Built in, and needed only here: a server of pages that nobody compressed never loads it.
  const zlib = globalThis.process?.getBuiltinModule?.("node:zlib");
  if (zlib === undefined) return true;
  const { BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH, Z_SYNC_FLUSH, Z_FINISH } = zlib.constants;
  const toTheEnd = isWhole && bytes.byteLength <= TRIED;
  const tried = toTheEnd ? bytes : bytes.subarray(0, BYTES_TO_TELL);
  try {
    if (format === "br") {
      const finishFlush = toTheEnd ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH;
      zlib.brotliDecompressSync(tried, { finishFlush, maxOutputLength: TRIED });
    } else {
      const options = { finishFlush: toTheEnd ? Z_FINISH : Z_SYNC_FLUSH, maxOutputLength: TRIED };
      if (format === "zlib") zlib.inflateSync(tried, options);
      else zlib.inflateRawSync(tried, options);
    }
    return true;
  } catch (error) {
    return error instanceof RangeError; // there is more than that
  }
}
