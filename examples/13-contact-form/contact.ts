import { Upload } from "pagi-server/request";
import { z } from "zod";
import { ACCEPTED, kindOf, type FileKind } from "./file-kind.ts";

/** What people are asked to keep to; they are told what was too much, and keep what they have written. */
export const MAX_FILES = 3;
/** Bytes of one file. */
export const MAX_FILE_SIZE = 2 * 1024 * 1024;

/** What is read at all; the answer to more is 413. The server itself refuses bodies of over 10 MB (`--max-body-size`). */
export const FORM_LIMITS = {
  maxFiles: 10,
  maxFields: 20,
  maxFieldSize: 64 * 1024,
  maxFileSize: 8_000_000,
  maxRequestBody: 9_000_000,
} as const;

export const TOPICS = {
  general: "A general question",
  support: "Technical support",
  feedback: "Feedback",
} as const;

/** A file that came with a message. Its name is for people to read, and for no path. */
export interface Attachment {
  readonly upload: Upload;
  readonly kind: FileKind;
  readonly name: string;
}

/** No control characters, so that a name cannot begin a new line in a mail or a log. */
const ONE_LINE = /^\P{Cc}*$/u;

function line(label: string, max: number, message: string) {
  return z
    .string(message)
    .trim()
    .min(1, message)
    .max(max, `${label} can have ${max} characters at most.`)
    .regex(ONE_LINE, `${label} has characters that cannot be seen.`);
}

/** A field without a file is a file without a name; several files are a list. */
function chosenFiles(value: unknown): unknown[] {
  const files: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return files.filter((file) => !(file instanceof Upload && file.filename === ""));
}

async function checked(uploads: readonly Upload[], context: z.RefinementCtx): Promise<Attachment[]> {
  const attachments: Attachment[] = [];
  for (const [i, upload] of uploads.entries()) {
    const name = upload.basename || "unnamed";
    const refuse = (why: string): void =>
      context.addIssue({ code: "custom", path: [i], message: `“${name}” ${why}` });
    if (upload.size > MAX_FILE_SIZE) {
      refuse(`is larger than ${MAX_FILE_SIZE / 1024 / 1024} MB.`);
      continue;
    }
    const kind = await kindOf(upload);
    if (kind === undefined) refuse(`is not one of the accepted kinds: ${ACCEPTED}.`);
    else attachments.push({ upload, kind, name });
  }
  return attachments;
}

/** A message, as the form sends it. */
export const Contact = z.object({
  name: line("Your name", 100, "Enter your name."),
  email: z
    .string("Enter your email address.")
    .trim()
    .min(1, "Enter your email address.")
    .max(200, "An email address can have 200 characters at most.")
    .regex(
      // One message is enough for an address that is missing. What stands between dots has none in it, so that there is
      // one way only to match: with several, a long address would keep the server busy for seconds.
      /^$|^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/,
      "Enter an email address in the correct form, as name@example.org.",
    ),
  topic: z.literal(["general", "support", "feedback"], "Choose a topic."),
  message: z
    .string("Enter a message.")
    .transform((text) => text.replaceAll("\r\n", "\n").trim())
    .pipe(z.string().min(1, "Enter a message.").max(5000, "The message can have 5000 characters at most.")),
  newsletter: z
    .literal("yes", "The newsletter is either chosen or not.")
    .optional()
    .transform((value) => value === "yes"),
  attachments: z
    .unknown()
    .optional()
    .transform(chosenFiles)
    .pipe(
      z
        .array(z.instanceof(Upload, { error: "Choose files." }))
        .max(MAX_FILES, `Choose ${MAX_FILES} files at most.`),
    )
    .transform(checked),
});

export type Contact = z.output<typeof Contact>;
