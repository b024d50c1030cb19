import type { Inbox } from "./inbox.ts";
import type { RequestScope } from "../../src/spec/scope.ts";
import type { Headers as HeaderList } from "../../src/spec/values.ts";

/** The events that carry a response: those of an `http` scope, or those that decline an `sse` or a `websocket` scope. */
export interface ResponseEvents {
  start(status: number, headers: HeaderList): Promise<void>;
  body(bytes: Uint8Array | string, more: boolean): Promise<void>;
  /** Sends a file as the whole body; absent where no event can. */
  file?(path: string): Promise<void>;
  /** Sends a part of a file, or a file without a path, as the whole body; absent where no event can. */
  slice?(file: Blob): Promise<void>;
}

/**
 * Sends a `Response` as events. A body whose bytes are at hand goes out whole with its Content-Length, a
 * `Bun.file()` as a file, a stream chunk by chunk as the server takes them.
 *
 * @throws what the body's stream throws, for the server to cut the response.
 */
export async function pipeResponse(
  response: Response,
  scope: RequestScope,
  inbox: Inbox,
  events: ResponseEvents,
): Promise<void> {
  if (inbox.isGone) {
    await response.body?.cancel(inbox.signal.reason);
    return;
  }
  if (response.bodyUsed) {
    throw new TypeError(
      "The handler returned a Response whose body has been read already; clone() it before.",
    );
  }
  const headers = headersOf(response);
  const { status } = response;
  const kind = bodyKind(response);
  if (scope.method === "HEAD" || status === 204 || status === 304) {
    if (scope.method === "HEAD") await addLength(headers, kind, response);
    if (kind === "stream") await response.body?.cancel();
    await events.start(status, headers);
    await events.body("", false);
    return;
  }
  switch (kind) {
    case "empty":
      setDefault(headers, "content-length", "0");
      await events.start(status, headers);
      await events.body("", false);
      return;
    case "bytes": {
      const bytes = await response.bytes();
      // Bun adds the type of a string body only when its own server sends it.
      setDefault(headers, "content-type", isBinary(bytes) ? OCTET_STREAM : "text/plain;charset=utf-8");
      setDefault(headers, "content-length", String(bytes.byteLength));
      await events.start(status, headers);
      await events.body(bytes, false);
      return;
    }
    case "file":
    case "slice": {
      const file = await response.blob();
      const path = kind === "file" ? wholeFile(file) : undefined;
      // An empty file and a missing one have the same size.
      if (path !== undefined && file.size > 0) setDefault(headers, "content-length", String(file.size));
      await events.start(status, headers);
      if (path !== undefined && events.file !== undefined) await events.file(path);
      else if (events.slice !== undefined) await events.slice(file);
      else await pipeStream(file.stream(), inbox, events);
      return;
    }
    case "stream":
      if (response.body === null) {
        await events.start(status, headers);
        await events.body("", false);
      } else await pipeStream(response.body, inbox, events, { status, headers });
  }
}

/**
 * Chunk by chunk: the next one is read once `send` has taken the last. Cancelled when the client goes. With `head`,
 * the response has not begun: it begins at once, or with its length where the stream ends within the turn, as that of
 * a response does which a framework has made from another one.
 */
async function pipeStream(
  stream: ReadableStream<unknown>,
  inbox: Inbox,
  events: ResponseEvents,
  head?: { readonly status: number; readonly headers: HeaderList },
): Promise<void> {
  const { signal } = inbox;
  const reader = stream.getReader();
  let cancelled: Promise<void> | undefined;
  const cancel = (): void => {
    cancelled = reader.cancel(signal.reason);
    // Awaited below, maybe only after a read has ended; until then it is not unhandled.
    cancelled.catch(() => {});
  };
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  inbox.respond();
  try {
    let reading: Promise<Chunk> | undefined;
    if (head !== undefined) {
      const opening = await readOpening(reader);
      if (signal.aborted) return await cancelled;
      if (opening.isWhole) {
        const [only = ""] = opening.chunks;
        const { status, headers } = head;
        setDefault(headers, "content-type", OCTET_STREAM);
        setDefault(headers, "content-length", String(Buffer.byteLength(only)));
        await events.start(status, headers);
        await events.body(only, false);
        return;
      }
      reading = opening.reading;
      await events.start(head.status, head.headers);
      for (const chunk of opening.chunks) await events.body(chunk, true);
    }
    while (!signal.aborted) {
      const { done, value } = await (reading ?? reader.read());
      reading = undefined;
      if (signal.aborted) break;
      if (done) {
        await events.body("", false);
        return;
      }
      await events.body(chunkOf(value), true);
    }
    await cancelled;
  } catch (thrown) {
    // `send` refused a chunk, or the stream failed; in the second case this does nothing.
    await reader.cancel(thrown).catch(() => {});
    throw thrown;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

interface Opening {
  readonly chunks: readonly (Uint8Array | string)[];
  /** The stream has ended already. */
  readonly isWhole: boolean;
  /** A read that has begun and not ended. */
  readonly reading?: Promise<Chunk>;
}

/** What a reader gives. */
interface Chunk {
  readonly done: boolean;
  readonly value?: unknown;
}

const LATE = Symbol("late");

/** What a stream has at hand: whether one chunk is all of it, or none. Waits for nothing but the end of the turn. */
async function readOpening(reader: { read(): Promise<Chunk> }): Promise<Opening> {
  const late = new Promise<typeof LATE>((resolve) => setImmediate(resolve, LATE));
  const chunks: (Uint8Array | string)[] = [];
  while (chunks.length < 2) {
    const reading = reader.read();
    const result = await Promise.race([reading, late]);
    if (result === LATE) return { chunks, isWhole: false, reading };
    if (result.done) return { chunks, isWhole: true };
    chunks.push(chunkOf(result.value));
  }
  return { chunks, isWhole: false };
}

const OCTET_STREAM = "application/octet-stream";
const SNIFFED_BYTES = 1445;

/** Whether bytes are no text. Source: WHATWG MIME Sniffing, section 7.2. */
function isBinary(bytes: Uint8Array): boolean {
  const end = Math.min(bytes.byteLength, SNIFFED_BYTES);
  for (let at = 0; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 && (byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte !== 0x1b))) return true;
  }
  return false;
}

/** The fields in the order of the `Headers` object, which keeps each Set-Cookie apart. */
function headersOf(response: Response): HeaderList {
  const headers: HeaderList = [];
  response.headers.forEach((value, name) => headers.push([name, value]));
  return headers;
}

function setDefault(headers: HeaderList, name: string, value: string): void {
  if (!headers.some(([present]) => present === name)) headers.push([name, value]);
}

/**
 * To HEAD: the Content-Length that GET would get, where it is known without reading a stream. An empty body tells
 * nothing of it, for a framework may have taken the body away already (RFC 9110 section 8.6).
 */
async function addLength(headers: HeaderList, kind: BodyKind, response: Response): Promise<void> {
  if (kind === "bytes") setDefault(headers, "content-length", String((await response.blob()).size));
  else if (kind === "file") {
    const file = await response.blob();
    if (wholeFile(file) !== undefined && file.size > 0)
      setDefault(headers, "content-length", String(file.size));
  }
}

/** The path of a `Bun.file()` that is not cut short; a slice keeps the name, and may reach beyond the file's end. */
function wholeFile(file: Blob): string | undefined {
  if (!("name" in file) || typeof file.name !== "string") return undefined;
  return file.size === Bun.file(file.name).size ? file.name : undefined;
}

export type BodyKind = "empty" | "bytes" | "file" | "slice" | "stream";

/**
 * What a body is made of. The Fetch standard shows every body as a stream, and a stream has neither a length nor a
 * file name; Bun tells them apart only when it prints the object: `FileRef` for a `Bun.file()`, with an offset for
 * a slice, a size in the first line for bytes, nothing after the last field for no body. Where a later Bun prints
 * something else, everything is a stream, which is slower and as right.
 */
export function bodyKind(response: Response): BodyKind {
  if (holdsBytes(response)) return "bytes";
  const printed = Bun.inspect(response, { depth: 0 });
  const file = printed.search(/\n +FileRef \(/);
  if (file >= 0) return printed.includes("offset: ", file) ? "slice" : "file";
  if (/\n +bodyUsed: false,?\n *\}$/.test(printed)) return "empty";
  return /^Response \((?!0 KB)[\d.]+ \w+\) \{/.test(printed) ? "bytes" : "stream";
}

// Printing costs more than all the rest of a small response. The engine's own estimate of what the object takes is
// cheap, and above an empty one's by nothing but the bytes of the body that it holds, and its URL if it was fetched.
const sizeOf = sizeEstimate();
const EMPTY_SIZE = sizeOf(new Response(null, { headers: [["x", "y"]] }));
const ESTIMATE_TELLS =
  sizeOf(new Response("abc")) > EMPTY_SIZE &&
  sizeOf(new Response("")) === EMPTY_SIZE &&
  sizeOf(new Response(new ReadableStream())) === EMPTY_SIZE;

/** Whether the body is a string or bytes, for certain; false where that has to be found out in another way. */
function holdsBytes(response: Response): boolean {
  return ESTIMATE_TELLS && sizeOf(response) > EMPTY_SIZE && response.url === "";
}

/** Not an import: other runtimes than Bun, which have no such module, load this file for `toFetch`. */
function sizeEstimate(): (value: object) => number {
  const engine: object | undefined = globalThis.process?.getBuiltinModule?.("bun:jsc");
  const estimate: unknown =
    engine !== undefined && "estimateShallowMemoryUsageOf" in engine && engine.estimateShallowMemoryUsageOf;
  if (typeof estimate !== "function") return () => 0;
  return (value) => Number(estimate(value));
}

function chunkOf(value: unknown): Uint8Array | string {
  if (value instanceof Uint8Array || typeof value === "string") return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError(
    `The stream of the response gave a chunk of type ${value === null ? "null" : typeof value}; ` +
      "chunks have to be Uint8Array, ArrayBuffer or string.",
  );
}
