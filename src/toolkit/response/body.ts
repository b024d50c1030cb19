import type { ConnectionState } from "../../spec/connection-state.ts";
import { fetchContent, openStream, type FetchContent, type OpenedContent } from "./fetch-content.ts";
import { beginningNameOf } from "../shared/component.ts";
import type { ResponseWriter } from "./writer.ts";

/** Chunks of a body: bytes, or strings that are sent as UTF-8. */
export type BodySource =
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>
  | ReadableStream<Uint8Array | string>
  | ((writer: ResponseWriter) => void | Promise<void>);

/** Checks it before the head has left, where an error still has an answer. @throws TypeError for what gives no chunks. */
export function assertSource(source: unknown, who: string): void {
  const isObject = typeof source === "object" && source !== null;
  if (
    typeof source === "function" ||
    (isObject && (Symbol.asyncIterator in source || Symbol.iterator in source))
  )
    return;
  throw new TypeError(
    `${who}() takes something to iterate over, and not ${source === null ? "null" : typeof source}.`,
  );
}

/** What a response sends, by how it is sent. */
export type ResponseBody =
  | { readonly kind: "none" }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Text that is sent as UTF-8, and so is encoded by the server where it writes it. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "stream"; readonly source: BodySource }
  | {
      readonly kind: "file";
      readonly path: string;
      /** Bytes. */
      readonly offset: number;
      readonly length: number | undefined;
      /** Whether `ETag` and `Last-Modified` are made from the file. */
      readonly validators: boolean;
    }
  | {
      readonly kind: "fetched";
      /** Found out once, and then the same; `wanted` is false where the content is not sent. */
      readonly content: (wanted: boolean, connection: ConnectionState | undefined) => Promise<FetchedContent>;
    };

export type FetchedContent = Exclude<FetchContent, { kind: "stream" }> | OpenedContent;

/** The body of a Fetch `Response`, sent as what it is: bytes and files can be sent again, a stream cannot. */
export function fetchedBody(response: Response): ResponseBody {
  let content: Promise<FetchedContent> | undefined;
  return { kind: "fetched", content: (...request) => (content ??= contentOf(response, ...request)) };
}

async function contentOf(
  response: Response,
  wanted: boolean,
  connection: ConnectionState | undefined,
): Promise<FetchedContent> {
  const content = await fetchContent(response, wanted);
  if (content.kind !== "stream") return content;
  // The first bytes may be waited for, and the client may leave meanwhile.
  if (content.coding !== undefined) connection?.onDisconnect(() => content.reader.cancel());
  return await openStream(content);
}

/** Writes a source to its end, or until the client goes; the source is then told, and not waited for. */
export async function pipeSource(source: BodySource, writer: ResponseWriter): Promise<void> {
  if (typeof source === "function") {
    await source(writer);
    return;
  }
  const iterator = iteratorOf(source);
  let leave = (): void => {};
  writer.onClose(() => leave());
  let isOver = false;
  try {
    while (writer.isConnected()) {
      // One promise a chunk: a race against one that lives as long as the response would keep all that lost.
      const { promise, resolve, reject } = Promise.withResolvers<
        IteratorResult<Uint8Array | string> | undefined
      >();
      leave = () => resolve(undefined);
      Promise.resolve(iterator.next()).then(resolve, reject);
      const next = await promise;
      if (next === undefined) return;
      isOver = next.done === true;
      if (next.done === true) return;
      await writer.write(next.value);
    }
  } finally {
    if (!isOver) stop(iterator);
  }
}

/** Tells a source that nobody reads it any more. What it says to that, nobody hears. */
export function discardSource(source: BodySource): void {
  if (typeof source !== "function") stop(iteratorOf(source));
}

type ChunkIterator = AsyncIterator<Uint8Array | string> | Iterator<Uint8Array | string>;

function iteratorOf(source: Exclude<BodySource, (writer: ResponseWriter) => unknown>): ChunkIterator {
  if (source instanceof ReadableStream) {
    // Its own iterator cancels only after a read that is under way, which may be never.
    const reader = source.getReader();
    const stopped = { done: true as const, value: undefined };
    return {
      next: async () => {
        const { done, value } = await reader.read();
        return done ? stopped : { done: false, value };
      },
      return: async () => (await reader.cancel(), stopped),
    };
  }
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

function stop(iterator: ChunkIterator): void {
  try {
    Promise.resolve(iterator.return?.()).catch(() => {});
  } catch {
    // A source that fails on being stopped has stopped.
  }
}

/** Values as the text of one JSON array, or as one line of JSON each. */
export async function* jsonChunks(
  values: AsyncIterable<unknown> | Iterable<unknown>,
  format: "array" | "lines",
): AsyncGenerator<string, void, void> {
  let before = format === "array" ? "[" : "";
  for await (const value of values) {
    yield `${before}${jsonText(value)}${format === "lines" ? "\n" : ""}`;
    before = format === "array" ? "," : "";
  }
  if (format === "array") yield before === "[" ? "[]" : "]";
}

/** JSON of a value. @throws TypeError for what has none: `undefined`, a function, a promise, a BigInt, a circle. */
export function jsonText(value: unknown): string {
  if (value instanceof Promise) throw new TypeError("A promise has no JSON; await it before.");
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined)
    throw new TypeError(`${beginningNameOf(value)} has no JSON; send null for nothing.`);
  return text;
}
