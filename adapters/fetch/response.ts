import type { Inbox } from "./inbox.ts";
import type { RequestScope } from "../../src/spec/scope.ts";
import type { Headers as HeaderList } from "../../src/spec/values.ts";
import { bodyKind, lateTypeOf, OCTET_STREAM, wholeFile } from "../../src/toolkit/response/fetch-body.ts";
import type { BodyKind } from "../../src/toolkit/response/fetch-body.ts";

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
    if (scope.method === "HEAD") await describe(headers, kind, response);
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
      setDefault(headers, "content-type", lateTypeOf(bytes));
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
 * To HEAD: the Content-Type and Content-Length that GET would get, where it is known without reading a stream. An empty body tells
 * nothing of it, for a framework may have taken the body away already (RFC 9110 section 8.6).
 */
async function describe(headers: HeaderList, kind: BodyKind, response: Response): Promise<void> {
  if (kind === "bytes") {
    const bytes = await response.bytes();
    setDefault(headers, "content-type", lateTypeOf(bytes));
    setDefault(headers, "content-length", String(bytes.byteLength));
  } else if (kind === "file") {
    const file = await response.blob();
    if (wholeFile(file) !== undefined && file.size > 0)
      setDefault(headers, "content-length", String(file.size));
  }
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
