import type { Upload } from "pagi-server/request";

/** What a file may be. The extension is part of the name under which it is kept. */
export interface FileKind {
  readonly extension: string;
  readonly type: string;
}

/** The first bytes, as byte strings. */
const SIGNATURES: readonly (FileKind & { readonly starts: string })[] = [
  { extension: "pdf", type: "application/pdf", starts: "%PDF-" },
  { extension: "png", type: "image/png", starts: "\x89PNG\r\n\x1a\n" },
  { extension: "jpg", type: "image/jpeg", starts: "\xff\xd8\xff" },
];

const TEXT: FileKind = { extension: "txt", type: "text/plain" };
/** Control characters that text has no use for; binary files are full of them. */
const NO_TEXT = /[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/;

/** The kinds, for people, and for the `accept` of a form's field. */
export const ACCEPTED = "PDF, PNG, JPEG, plain text";
export const ACCEPT = ".pdf,.png,.jpg,.jpeg,.txt";

/** What a file is by its content: its name and its type are only what the client says. Undefined for anything else. */
export async function kindOf(upload: Upload): Promise<FileKind | undefined> {
  const bytes = await upload.bytes();
  const start = Buffer.from(bytes.subarray(0, 16)).toString("latin1");
  const found = SIGNATURES.find(({ starts }) => start.startsWith(starts));
  if (found !== undefined) return { extension: found.extension, type: found.type };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return NO_TEXT.test(text) ? undefined : TEXT;
  } catch {
    return undefined;
  }
}
