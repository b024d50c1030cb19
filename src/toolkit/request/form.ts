import { MultiValue } from "../values/multi-value.ts";
import {
  MULTIPART_RULES,
  STREAM_LIMITS,
  type MultipartOptions,
  type MultipartStream,
} from "./multipart-stream.ts";
import { overlay, type OptionRules } from "../../spec/option-rules.ts";
import {
  BodyTooLargeError,
  FieldsTooLargeError,
  PartHeaderTooLargeError,
  PartTooLargeError,
  TooManyFieldsError,
  TooManyFilesError,
} from "./error.ts";
import { SPOOL_RULES, Upload, type SpoolOptions } from "./upload.ts";
import { DECODING_RULES, decodeUtf8, type DecodingOptions } from "../values/url-encoded.ts";

/** All limits of a form, of any encoding. */
export type FormLimits = typeof STREAM_LIMITS;

/** What a form may hold where nothing else is said. Sizes in bytes. */
export const FORM_LIMITS: FormLimits = {
  ...STREAM_LIMITS,
  maxFiles: 20,
  maxFileSize: 10 * 1024 * 1024,
  maxRequestBody: 256 * 1024 * 1024,
};

/** Limits of a form, see {@link FORM_LIMITS} for what they are by default, and where its files are kept. */
export interface FormOptions extends MultipartOptions, SpoolOptions, DecodingOptions {}

/** What {@link FormOptions} may be. */
export const FORM_RULES: OptionRules<FormOptions> = { ...MULTIPART_RULES, ...SPOOL_RULES, ...DECODING_RULES };

/** The fields and files of a form as they came; fields are bytes until somebody says how they are decoded. */
export type FormEntries = readonly (readonly [name: string, value: Uint8Array | Upload])[];

/** A form: fields are strings, files are uploads. Reads like `FormData`, but for `get`, which takes the last value. */
export class Form extends MultiValue<string | Upload> implements AsyncDisposable {
  /** What is no file. */
  readonly fields: MultiValue<string>;
  readonly uploads: MultiValue<Upload>;

  constructor(entries: Iterable<readonly [name: string, value: string | Upload]>) {
    const all = [...entries];
    super(all);
    this.fields = new MultiValue(all.filter((each): each is [string, string] => typeof each[1] === "string"));
    this.uploads = new MultiValue(all.filter((each): each is [string, Upload] => each[1] instanceof Upload));
  }

  /** Removes the files that were not moved. Requests do so themselves when they end. */
  async discard(): Promise<void> {
    await Promise.all(this.uploads.values().map((upload) => upload.discard()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }
}

/** Decodes the fields. @throws MalformedBodyError in strict mode for bytes that are no UTF-8. */
export function decodeForm(entries: FormEntries, { strict = false, raw = false }: DecodingOptions): Form {
  const decode = (bytes: Uint8Array): string =>
    raw ? Buffer.from(bytes).toString("latin1") : decodeUtf8(bytes, strict);
  return new Form(
    entries.map(([name, value]) => [name, value instanceof Uint8Array ? decode(value) : value] as const),
  );
}

const UNLIMITED: FormLimits & { maxBytes: number } = {
  maxFiles: Infinity,
  maxFields: Infinity,
  maxFieldSize: Infinity,
  maxFileSize: Infinity,
  maxHeaderSize: Infinity,
  maxRequestBody: Infinity,
  maxBytes: Infinity,
};

/**
 * Holds a multipart form that was read before, with other limits, to those that its reader now names. Of the body as a
 * whole and of the headers of parts, what the form has kept of them counts.
 *
 * @throws the error of the limit that was passed, as when it is read.
 */
export function checkForm(
  entries: FormEntries,
  named: MultipartOptions & { readonly maxBytes?: number | undefined },
): void {
  const { maxBytes, ...limits } = overlay(UNLIMITED, named);
  let [files, fields, inFields, inAll] = [0, 0, 0, 0];
  for (const [name, value] of entries) {
    const isFile = value instanceof Upload;
    const size = isFile ? value.size : value.byteLength;
    const names = name.length + (isFile ? value.filename.length : 0);
    if (isFile) files += 1;
    else fields += 1;
    inFields += names + (isFile ? 0 : size);
    inAll += names + size;
    if (names > limits.maxHeaderSize) throw new PartHeaderTooLargeError(limits.maxHeaderSize);
    const limit = isFile ? limits.maxFileSize : limits.maxFieldSize;
    if (size > limit) throw new PartTooLargeError(isFile ? "file" : "field", name, limit);
  }
  if (files > limits.maxFiles) throw new TooManyFilesError(limits.maxFiles);
  if (fields > limits.maxFields) throw new TooManyFieldsError("fields", limits.maxFields);
  if (inFields > maxBytes) throw new FieldsTooLargeError(maxBytes);
  if (inAll > limits.maxRequestBody) throw new BodyTooLargeError(limits.maxRequestBody);
}

/** How a form is read whole. */
export interface ReadFormOptions extends SpoolOptions {
  /** Bytes of all fields and all names together, which stay in memory. */
  maxBytes: number;
}

/**
 * Reads a multipart form whole. `keep` is told of every upload that has come, so that it can be removed when the
 * request ends; when the form cannot be read to its end, those that have come are removed at once.
 *
 * @throws FieldsTooLargeError; as {@link MultipartStream.next}.
 */
export async function readForm(
  stream: MultipartStream,
  options: ReadFormOptions,
  keep: (upload: Upload) => void,
): Promise<FormEntries> {
  const entries: [string, Uint8Array | Upload][] = [];
  let size = 0;
  const count = (bytes: number): void => {
    size += bytes;
    if (size > options.maxBytes) throw new FieldsTooLargeError(options.maxBytes);
  };
  try {
    for await (const part of stream) {
      count(part.name.length + (part.filename?.length ?? 0));
      if (!part.isFile()) {
        const value = await part.bytes();
        count(value.byteLength);
        entries.push([part.name, value]);
        continue;
      }
      const upload = await Upload.receive(part, options);
      keep(upload);
      entries.push([part.name, upload]);
    }
    return entries;
  } catch (error) {
    await Promise.all(entries.map(([, value]) => value instanceof Upload && value.discard()));
    throw error;
  }
}
