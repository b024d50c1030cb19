import type { Inbox } from "./inbox.ts";
import type { RequestScope } from "../../src/spec/scope.ts";
import type { Headers as HeaderList } from "../../src/spec/values.ts";
import { isFulfilled } from "../../src/spec/at-hand.ts";
import { ChunkReader } from "../../src/toolkit/response/chunk-reader.ts";
import type { ResponseEvents } from "../../src/toolkit/response/events.ts";
import { lateTypeOf } from "../../src/toolkit/response/fetch-body.ts";
import {
  fetchContent,
  openStream,
  type FetchContent,
  type FetchStream,
} from "../../src/toolkit/response/fetch-content.ts";
import { isWholeFile, planSlice, type FetchFile } from "../../src/toolkit/response/fetch-file.ts";
import { fetchFields } from "../../src/toolkit/response/fetch-head.ts";
import { planFile, type FilePlan } from "../../src/toolkit/response/file-plan.ts";
import { sendFilePlan } from "../../src/toolkit/response/file-sender.ts";
import { PagiHeaders } from "../../src/toolkit/values/headers.ts";

/**
 * Sends a `Response` as events, with the length that its body has, whatever its fields say. Bytes go out whole, a
 * `Bun.file()` as a file, or the range of it that the request asks for, and a stream chunk by chunk as the server takes
 * them.
 *
 * @throws FileError for a file that is missing; what the body's stream throws, for the server to cut the response.
 */
export function pipeResponse(
  response: Response,
  scope: RequestScope,
  inbox: Inbox,
  events: ResponseEvents,
): Promise<void> {
  if (inbox.isGone) {
    if (response.body?.locked === false) new ChunkReader(response.body).cancel(inbox.signal.reason);
    return Promise.resolve();
  }
  if (response.bodyUsed) {
    return Promise.reject(
      new TypeError("The handler returned a Response whose body has been read already; clone() it before."),
    );
  }
  try {
    const { status } = response;
    const isHead = scope.method === "HEAD";
    const wanted = !isHead && status !== 204 && status !== 304;
    const head: OutgoingHead = { status, fields: fetchFields(response), isHead, wanted };
    const content = fetchContent(response, wanted);
    // Bytes that are at hand, as those of nearly all responses are, go out in this turn.
    return content instanceof Promise
      ? content.then((found) => sendContent(found, head, scope, inbox, events))
      : sendContent(content, head, scope, inbox, events);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The head of a response as the handler has made it. */
interface OutgoingHead {
  readonly status: number;
  readonly fields: HeaderList;
  /** The answer is to HEAD. */
  readonly isHead: boolean;
  /** False to HEAD, and with a status that has no content. */
  readonly wanted: boolean;
}

function sendContent(
  content: FetchContent,
  head: OutgoingHead,
  scope: RequestScope,
  inbox: Inbox,
  events: ResponseEvents,
): Promise<void> {
  const { status, fields, isHead, wanted } = head;
  switch (content.kind) {
    case "file": {
      const plan = planOf(status, fields, content.file, scope);
      inbox.respond();
      return sendFilePlan(plan, content.file.path, events, { wanted, isConnected: () => !inbox.isGone });
    }
    case "stream":
      return sendStream(content, inbox, events, status, fields);
    case "none":
    case "bytes": {
      const described = wanted || isHead ? withDescription(fields, content, isHead) : fields;
      return sendWhole(events, status, described, wanted && content.kind === "bytes" ? content.bytes : "");
    }
  }
}

/** Sends a head and all of the body, which follows in the same turn where the server has taken the head. */
function sendWhole(
  events: ResponseEvents,
  status: number,
  headers: HeaderList,
  body: Uint8Array | string,
): Promise<void> {
  const started = events.start(status, headers);
  return isFulfilled(started) ? events.body(body, false) : started.then(() => events.body(body, false));
}

/** As `Bun.serve` has it: one range, and no word of ranges to a client that asks for none. */
function planOf(status: number, fields: HeaderList, file: FetchFile, scope: RequestScope): FilePlan {
  const headers = new PagiHeaders(fields);
  return isWholeFile(file)
    ? planFile(status, headers, file.size, scope, { several: false, announces: false })
    : planSlice(status, headers, file, scope.method === "HEAD");
}

/**
 * The fields with the length, and with the type where there is none. To HEAD: what GET would get, where it is known. There,
 * an empty body says nothing of it, for a framework may have taken the body away already (RFC 9110 section 8.6).
 */
function withDescription(
  fields: HeaderList,
  content: Extract<FetchContent, { kind: "none" | "bytes" }>,
  isHead: boolean,
): HeaderList {
  const headers = content.isDecoded ? withoutCoding(fields) : fields;
  if (content.kind === "bytes") {
    const { bytes, origin } = content;
    const hasType = headers.some(([name]) => name === "content-type");
    const type = hasType ? undefined : lateTypeOf(bytes, origin);
    if (type !== undefined) headers.push(["content-type", type]);
    headers.push(["content-length", String(bytes.byteLength)]);
  } else {
    const length = isHead ? content.announcedLength : "0";
    if (length !== undefined) headers.push(["content-length", length]);
  }
  return headers;
}

function withoutCoding(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => name !== "content-encoding");
}

/** Chunk by chunk: the next one is read once `send` has taken the last. Cancelled when the client goes. */
async function sendStream(
  stream: FetchStream,
  inbox: Inbox,
  events: ResponseEvents,
  status: number,
  headers: HeaderList,
): Promise<void> {
  const { signal } = inbox;
  const { reader } = stream;
  const cancel = (): void => reader.cancel(signal.reason);
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  inbox.respond();
  try {
    const opened = await openStream(stream);
    if (signal.aborted) return;
    if (opened.kind === "bytes") {
      return await sendWhole(events, status, withDescription(headers, opened, false), opened.bytes);
    }
    await events.start(status, opened.isDecoded ? withoutCoding(headers) : headers);
    while (!signal.aborted) {
      const chunk = await reader.take();
      if (signal.aborted) break;
      if (chunk === undefined) return await events.body("", false);
      await events.body(chunk, true);
    }
  } catch (thrown) {
    // `send` refused a chunk, or the stream failed; in the second case this does nothing.
    reader.cancel(thrown);
    throw thrown;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
