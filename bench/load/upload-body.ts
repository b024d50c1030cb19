import { createHash } from "node:crypto";

/** How a file travels: in a form, or as the whole body. */
export type UploadKind = "form" | "raw";

const BOUNDARY = "----bench-7f3a9c1e5b2d4086";
const PART_HEAD = Buffer.from(
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="upload.bin"\r\n` +
    "Content-Type: application/octet-stream\r\n\r\n",
);
const CLOSING = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
const NOTHING = Buffer.alloc(0);

/** 1 MiB that goes out again and again; it has CR and LF as other bytes have, so that a parser has to look. */
const CONTENT = contentBytes(2 ** 20);

/** A request with a file of `fileBytes`, of which any part is found without making the whole. */
export class UploadBody {
  readonly type: string;
  /** The length of the request, its head included. */
  readonly length: number;
  readonly #head: Buffer;
  readonly #pieces: readonly { readonly end: number; bytesAt(at: number): Buffer }[];

  constructor(kind: UploadKind, path: string, fileBytes: number) {
    const [before, after] = kind === "form" ? [PART_HEAD, CLOSING] : [NOTHING, NOTHING];
    this.type = kind === "form" ? `multipart/form-data; boundary=${BOUNDARY}` : "application/octet-stream";
    this.#head = Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${this.type}\r\n` +
        `Content-Length: ${before.length + fileBytes + after.length}\r\n\r\n`,
    );
    const start = Buffer.concat([this.#head, before]);
    const end = start.length + fileBytes;
    this.length = end + after.length;
    this.#pieces = [
      { end: start.length, bytesAt: (at) => start.subarray(at) },
      { end, bytesAt: (at) => contentAt(at - start.length, fileBytes) },
      { end: this.length, bytesAt: (at) => after.subarray(at - end) },
    ];
  }

  /** Some of the bytes of the request from `at` on; none at the end. */
  bytesAt(at: number): Buffer {
    return this.#pieces.find(({ end }) => at < end)?.bytesAt(at) ?? NOTHING;
  }

  /** The body alone, in one piece. */
  whole(): Buffer<ArrayBuffer> {
    const pieces: Buffer[] = [];
    for (let at = this.#head.length; at < this.length; at += pieces.at(-1)?.length ?? 0)
      pieces.push(this.bytesAt(at));
    return Buffer.concat(pieces);
  }
}

/** The SHA-256 of a file of that length, in hex. */
export function uploadDigest(fileBytes: number): string {
  const hash = createHash("sha256");
  for (let at = 0; at < fileBytes; at += CONTENT.length) hash.update(contentAt(at, fileBytes));
  return hash.digest("hex");
}

function contentAt(at: number, fileBytes: number): Buffer {
  return CONTENT.subarray(at % CONTENT.length).subarray(0, fileBytes - at);
}

/** Pseudo-random, the same each time: xorshift32. */
function contentBytes(length: number): Buffer {
  const words = new Uint32Array(length / 4);
  let state = 0x9e3779b9;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer);
}
