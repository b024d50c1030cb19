/** What a request can have as its body. Strings go as UTF-8. */
export type BodyInit =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

/** One value, or several for the same name. */
export type OneOrMore<T> = T | readonly T[];

/** Names and values, in order: an object, pairs, or what the web has for them. */
export type Pairs =
  | Readonly<Record<string, OneOrMore<string | number | boolean> | null | undefined>>
  | Iterable<readonly [name: string, value: string | number | boolean]>;

/** A file of a form: its content, or with a name and a type. */
export type FileInit =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | {
      readonly content: string | ArrayBuffer | ArrayBufferView | Blob;
      /** Default: the name of the field. */
      readonly name?: string;
      /** Default: what its name's ending stands for. */
      readonly type?: string;
    };

/** What of a request's options says what its body is; at most one of `json`, `body` and the fields of a form. */
export interface BodyOptions {
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Fields of a form: url-encoded, or multipart where there are `files`. */
  readonly form?: Pairs | undefined;
  /** Files of a form, several for the same name too. */
  readonly files?: Readonly<Record<string, OneOrMore<FileInit>>> | undefined;
  /** The body as it is. A stream goes in chunks, one event for each, as it is read. */
  readonly body?: BodyInit | undefined;
}

/** A body that is ready to be sent. */
export interface EncodedBody {
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array | string>;
  /** What it is, where that is known. */
  readonly contentType: string | undefined;
}

/** Names and values as pairs; `null` and `undefined` in an object are left out. @throws TypeError for anything that is not a pair. */
export function pairsOf(pairs: Pairs): [name: string, value: string][] {
  if (isIterable(pairs)) {
    return Array.from(pairs, (pair) => {
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new TypeError(
          `Names and values are pairs, [["name", "value"]], or an object; ${String(pair)} is not a pair.`,
        );
      const [name, value] = pair;
      return [name, textOf(name, value)];
    });
  }
  return Object.entries(pairs).flatMap(([name, value]) =>
    value === null || value === undefined
      ? []
      : [value].flat().map((each): [string, string] => [name, textOf(name, each)]),
  );
}

function textOf(name: unknown, value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return String(value);
  throw new TypeError(
    `The value of '${String(name)}' is a string, a number or a boolean, not ${String(value)}.`,
  );
}

function isIterable(pairs: Pairs): pairs is Extract<Pairs, Iterable<unknown>> {
  return Symbol.iterator in pairs;
}

/**
 * Encodes a body; `undefined` without one.
 *
 * @throws TypeError where the options name more than one body.
 */
export async function encodeBody(options: BodyOptions): Promise<EncodedBody | undefined> {
  const { json, form, files, body } = options;
  const isForm = form !== undefined || files !== undefined;
  if ([json !== undefined, isForm, body !== undefined].filter(Boolean).length > 1)
    throw new TypeError("A request has one body: give 'json', or 'form' and 'files', or 'body'.");
  if (json !== undefined)
    return { bytes: new TextEncoder().encode(JSON.stringify(json)), contentType: "application/json" };
  if (files !== undefined) return blobBody(await new Response(multipart(form ?? {}, files)).blob());
  if (form !== undefined) {
    const bytes = new TextEncoder().encode(new URLSearchParams(pairsOf(form)).toString());
    return { bytes, contentType: "application/x-www-form-urlencoded" };
  }
  return body === undefined ? undefined : encodeInit(body);
}

async function encodeInit(body: BodyInit): Promise<EncodedBody> {
  if (typeof body === "string")
    return { bytes: new TextEncoder().encode(body), contentType: "text/plain;charset=UTF-8" };
  if (body instanceof URLSearchParams)
    return {
      bytes: new TextEncoder().encode(body.toString()),
      contentType: "application/x-www-form-urlencoded;charset=UTF-8",
    };
  if (body instanceof FormData) return blobBody(await new Response(body).blob());
  if (body instanceof Blob) return blobBody(body);
  if (body instanceof ArrayBuffer) return { bytes: new Uint8Array(body.slice(0)), contentType: undefined };
  if (ArrayBuffer.isView(body)) return { bytes: bytesOf(body).slice(), contentType: undefined };
  return { bytes: body, contentType: undefined };
}

async function blobBody(blob: Blob): Promise<EncodedBody> {
  return { bytes: await blob.bytes(), contentType: blob.type === "" ? undefined : blob.type };
}

function multipart(form: Pairs, files: Readonly<Record<string, OneOrMore<FileInit>>>): FormData {
  const data = new FormData();
  for (const [name, value] of pairsOf(form)) data.append(name, value);
  for (const [name, given] of Object.entries(files)) {
    for (const each of Array.isArray(given) ? given : [given]) appendFile(data, name, each);
  }
  return data;
}

function appendFile(data: FormData, field: string, file: FileInit): void {
  if (isContent(file)) {
    const name = file instanceof File && file.name !== "" ? file.name : field;
    data.append(field, file instanceof Blob ? file : new Blob([partOf(file)]), name);
    return;
  }
  const { content, name = field } = file;
  const type = file.type ?? (content instanceof Blob ? content.type : Bun.file(name).type);
  data.append(field, new Blob([partOf(content)], { type }), name);
}

function isContent(file: FileInit): file is Exclude<FileInit, { readonly content: unknown }> {
  return (
    typeof file === "string" ||
    file instanceof Blob ||
    file instanceof ArrayBuffer ||
    ArrayBuffer.isView(file)
  );
}

function partOf(
  content: string | ArrayBuffer | ArrayBufferView | Blob,
): string | ArrayBuffer | Uint8Array<ArrayBuffer> | Blob {
  return ArrayBuffer.isView(content) ? new Uint8Array(bytesOf(content)) : content;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
