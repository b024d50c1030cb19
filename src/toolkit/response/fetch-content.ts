import { valueAtHand } from "../../spec/at-hand.ts";
import { ChunkReader } from "./chunk-reader.ts";
import {
  BYTES_TO_TELL,
  isEncoded,
  soleCoding,
  type Beginning,
  type ContentCoding,
} from "./content-coding.ts";
import { fetchBody, type BytesOrigin } from "./fetch-body.ts";
import { fetchFile, fileAt, type FetchFile } from "./fetch-file.ts";
import { announcedLength } from "./fetch-head.ts";

/** What a Fetch `Response` sends, ready to be sent. */
export type FetchContent =
  | {
      readonly kind: "none";
      /** As in Content-Length: what the answer to HEAD says of the one to GET. */
      readonly announcedLength: string | undefined;
      readonly isDecoded: boolean;
    }
  | {
      readonly kind: "bytes";
      readonly bytes: Uint8Array;
      readonly origin: BytesOrigin;
      /** The coding that Content-Encoding names has been undone. */
      readonly isDecoded: boolean;
    }
  | { readonly kind: "file"; readonly file: FetchFile }
  | FetchStream;

/** A stream, which {@link openStream} may find to be bytes. */
export interface FetchStream {
  readonly kind: "stream";
  readonly reader: ChunkReader;
  /** The coding that Content-Encoding names. */
  readonly coding: ContentCoding | undefined;
}

/** A body that has to be sent, with what its first bytes tell. */
export type OpenedContent =
  Extract<FetchContent, { kind: "bytes" }> | (FetchStream & { readonly isDecoded: boolean });

const UNREAD: FetchContent = { kind: "none", announcedLength: undefined, isDecoded: false };

/**
 * Finds out what a `Response` sends: at once, unless its file has to be looked for, or its bytes are not at hand.
 *
 * @param wanted false for HEAD, and for a status without content: a stream is cancelled.
 * @throws FileError (as a rejection) where its file is missing.
 */
export function fetchContent(response: Response, wanted: boolean): FetchContent | Promise<FetchContent> {
  const body = fetchBody(response);
  switch (body.kind) {
    case "bytes": {
      const bytes = body.held ?? valueAtHand(response.bytes());
      return bytes instanceof Promise
        ? bytes.then((read) => bytesContent(response, read, body.origin))
        : bytesContent(response, bytes, body.origin);
    }
    case "none": {
      // `fetch` decodes what GET gets.
      const isDecoded = response.url !== "" && codingOf(response) !== undefined;
      return { kind: "none", announcedLength: isDecoded ? undefined : announcedLength(response), isDecoded };
    }
    case "file":
      return fileContent(fetchFile(response, body.offset), wanted);
    case "file stream": {
      const { path, stream } = body;
      // The file is sent in the place of the stream, which has not opened it yet.
      stream.cancel().catch(() => {});
      return fileContent(fileAt(path), wanted);
    }
    case "stream": {
      const reader = new ChunkReader(body.stream);
      if (!wanted) {
        reader.cancel();
        return UNREAD;
      }
      reader.begin();
      return { kind: "stream", reader, coding: codingOf(response) };
    }
  }
}

function bytesContent(response: Response, bytes: Uint8Array, origin: BytesOrigin): FetchContent {
  return { kind: "bytes", bytes, origin, isDecoded: isUndone(codingOf(response), { bytes, isWhole: true }) };
}

async function fileContent(found: Promise<FetchFile | Blob>, wanted: boolean): Promise<FetchContent> {
  const file = await found;
  if (!(file instanceof Blob)) return { kind: "file", file };
  if (!wanted) return UNREAD;
  return { kind: "stream", reader: new ChunkReader(file.stream()), coding: undefined };
}

/**
 * Looks at the beginning of a stream until the end of the turn: one that has ended by then is bytes. Where it would be
 * encoded, its first bytes are waited for.
 *
 * @throws what the stream throws.
 */
export async function openStream(stream: FetchStream): Promise<OpenedContent> {
  const { reader, coding } = stream;
  await reader.lookAhead(coding === undefined ? 0 : BYTES_TO_TELL);
  const { isWhole } = reader;
  const isDecoded = coding !== undefined && isUndone(coding, { bytes: reader.opening, isWhole });
  if (!isWhole) return { ...stream, isDecoded };
  const origin = reader.isOfBytes ? "stream of bytes" : "stream";
  return { kind: "bytes", bytes: reader.opening, origin, isDecoded };
}

function codingOf(response: Response): ContentCoding | undefined {
  return soleCoding(response.headers.get("content-encoding"));
}

function isUndone(coding: ContentCoding | undefined, beginning: Beginning): boolean {
  return coding !== undefined && !isEncoded(coding, beginning);
}
