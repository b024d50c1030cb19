import { stat } from "node:fs/promises";
import type { ConnectionState } from "../../spec/connection-state.ts";
import type { RequestScope } from "../../spec/scope.ts";
import { byteRanges } from "./byte-range.ts";
import { ByteRangesBody } from "./byte-ranges-body.ts";
import { PagiHeaders } from "../values/headers.ts";
import { ifRangeHolds, precondition, type Validators } from "./preconditions.ts";
import { discardSource, FileError, pipeSource, type BodySource, type ResponseBody } from "./body.ts";
import { responseEvents, type AnySend, type ResponseEvents } from "./events.ts";
import { ResponseWriter } from "./writer.ts";

/** What a response consists of. It is only read here. */
export interface ResponseParts {
  readonly status: number;
  readonly headers: PagiHeaders;
  readonly body: ResponseBody;
}

type FileBody = Extract<ResponseBody, { kind: "file" }>;

/** Sends a response as the request asks for it; see `PagiResponse.respond`. */
export async function sendResponse(
  parts: ResponseParts,
  send: AnySend,
  scope: RequestScope | undefined,
): Promise<void> {
  const events = responseEvents(send, scope);
  const { body } = parts;
  switch (body.kind) {
    case "none":
      return await sendWhole(parts, "", events, scope);
    case "text":
      return await sendWhole(parts, body.text, events, scope);
    case "bytes":
      return await sendWhole(parts, body.bytes, events, scope);
    case "stream":
      return await sendStream(parts, body.source, events, scope);
    case "file":
      return await sendFile(parts, body, events, scope);
    case "fetched": {
      const { body: content, type } = await body.content();
      const headers = parts.headers.clone();
      if (type !== undefined) headers.setDefault("content-type", type);
      // A framework may have taken the body away from its answer to HEAD: then its length is not known (RFC 9110 section 8.6).
      const isUnknown = content.kind === "none" && methodOf(scope) === "HEAD";
      const known: ResponseBody = isUnknown ? { kind: "stream", source: [] } : content;
      return await sendResponse({ ...parts, headers, body: known }, send, scope);
    }
  }
}

/** The connection of a scope that has one. */
export function connectionOf(scope: RequestScope | undefined): ConnectionState | undefined {
  return scope?.type === "http" ? scope["pagi.connection"] : undefined;
}

/** Whether the response has content, and is not only told of. RFC 9110 section 6.4.1. */
export function hasContent(status: number, scope: RequestScope | undefined): boolean {
  return hasLength(status) && methodOf(scope) !== "HEAD";
}

async function sendWhole(
  { status, headers: given }: ResponseParts,
  content: Uint8Array | string,
  events: ResponseEvents,
  scope: RequestScope | undefined,
): Promise<void> {
  const condition = failedCondition(status, given, scope);
  if (condition !== undefined) return await answerCondition(condition, given, events);
  // Most responses come this way: their fields are copied once.
  const headers = given.toPairs(isFraming);
  if (hasLength(status)) {
    const length = typeof content === "string" ? Buffer.byteLength(content) : content.byteLength;
    headers.push(["content-length", String(length)]);
  }
  await events.start(status, headers);
  await events.body(hasContent(status, scope) ? content : "", false);
}

async function sendStream(
  { status, headers }: ResponseParts,
  source: BodySource,
  events: ResponseEvents,
  scope: RequestScope | undefined,
): Promise<void> {
  const condition = failedCondition(status, headers, scope);
  if (condition !== undefined) {
    discardSource(source);
    return await answerCondition(condition, headers, events);
  }
  if (!hasContent(status, scope)) {
    discardSource(source);
    await events.start(status, headers.toPairs());
    await events.body("", false);
    return;
  }
  const writer = new ResponseWriter(events, connectionOf(scope));
  await events.start(status, headers.toPairs());
  try {
    await pipeSource(source, writer);
    await writer.close();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

async function sendFile(
  { status, headers: given }: ResponseParts,
  file: FileBody,
  events: ResponseEvents,
  scope: RequestScope | undefined,
): Promise<void> {
  const headers = framed(given);
  const size = await describeFile(file, headers);
  const condition = failedCondition(status, headers, scope);
  if (condition !== undefined) return await answerCondition(condition, headers, events);
  const isWhole = file.offset === 0 && file.length === undefined && status === 200;
  if (isWhole) headers.setDefault("accept-ranges", "bytes");
  const ranges = isWhole ? requestedRanges(scope, headers, size) : undefined;
  if (ranges === "unsatisfiable") {
    headers.removeContentHeaders();
    headers.set("content-range", `bytes */${size}`).set("content-length", 0);
    await events.start(416, headers.toPairs());
    await events.body("", false);
    return;
  }
  const [range, ...others] = ranges ?? [];
  if (range !== undefined && others.length > 0) {
    const body = new ByteRangesBody([range, ...others], headers.get("content-type"), size);
    // Parts that are longer than the file, for their headers, are of no use to anybody.
    if (body.contentLength < size) return await sendRanges(body, file.path, headers, events, scope);
  }
  const isPart = range !== undefined && others.length === 0;
  const start = isPart ? range.start : Math.min(file.offset, size);
  const end = isPart ? range.end : Math.min(size, start + (file.length ?? size));
  if (isPart) headers.set("content-range", `bytes ${start}-${end - 1}/${size}`);
  if (hasLength(status)) headers.set("content-length", end - start);
  await events.start(isPart ? 206 : status, headers.toPairs());
  if (start === end || !hasContent(status, scope)) await events.body("", false);
  else if (events.file !== undefined) await events.file(file.path, start, end - start);
  else await sendChunks(Bun.file(file.path).slice(start, end).stream(), events, scope);
}

/** RFC 9110 section 15.3.7.2: each part says itself which range it is. */
async function sendRanges(
  body: ByteRangesBody,
  path: string,
  headers: PagiHeaders,
  events: ResponseEvents,
  scope: RequestScope | undefined,
): Promise<void> {
  headers.set("content-type", body.contentType).set("content-length", body.contentLength);
  await events.start(206, headers.toPairs());
  await sendChunks(body.chunks(path), events, scope);
}

/** Once the client has gone the rest is not read: all of a large file, for every client that asks and goes. */
async function sendChunks(
  chunks: AsyncIterable<Uint8Array>,
  events: ResponseEvents,
  scope: RequestScope | undefined,
): Promise<void> {
  const connection = connectionOf(scope);
  for await (const chunk of chunks) {
    await events.body(chunk, true);
    if (connection?.isConnected() === false) return;
  }
  await events.body("", false);
}

/** Adds what identifies the state of a file; returns its size in bytes. */
async function describeFile(file: FileBody, headers: PagiHeaders): Promise<number> {
  const found = await stat(file.path, { bigint: true }).catch((cause: unknown) => {
    throw new FileError(file.path, "has gone since the response was made", { cause });
  });
  // A file inside a compiled program has the time 0, which would stay the same in the next version of it.
  if (file.validators && found.mtimeNs > 0n) {
    headers.setDefault("etag", `"${found.mtimeNs.toString(36)}-${found.size.toString(36)}"`);
    headers.setDefault("last-modified", new Date(Number(found.mtimeMs)).toUTCString());
  }
  return Number(found.size);
}

/** The status with which a condition of the request asks to be answered; `undefined` where the response is to be sent. */
function failedCondition(
  status: number,
  headers: PagiHeaders,
  scope: RequestScope | undefined,
): 304 | 412 | undefined {
  const method = methodOf(scope);
  if (status !== 200 || scope === undefined || (method !== "GET" && method !== "HEAD")) return undefined;
  const validators = validatorsOf(headers);
  if (validators.etag === undefined && validators.lastModified === undefined) return undefined;
  const answer = precondition(new PagiHeaders(scope.headers), validators);
  return answer === "go on" ? undefined : answer;
}

async function answerCondition(
  answer: 304 | 412,
  headers: PagiHeaders,
  events: ResponseEvents,
): Promise<void> {
  const kept = framed(headers);
  kept.removeContentHeaders();
  const location = headers.get("content-location");
  if (location !== undefined) kept.set("content-location", location);
  if (hasLength(answer)) kept.set("content-length", 0);
  await events.start(answer, kept.toPairs());
  await events.body("", false);
}

/** RFC 9110 section 14.2: only for GET, and only where If-Range holds. */
function requestedRanges(
  scope: RequestScope | undefined,
  headers: PagiHeaders,
  size: number,
): ReturnType<typeof byteRanges> {
  if (scope === undefined || methodOf(scope) !== "GET") return undefined;
  const request = new PagiHeaders(scope.headers);
  if (!ifRangeHolds(request, validatorsOf(headers), Date.now())) return undefined;
  return byteRanges(request.get("range"), size);
}

function validatorsOf(headers: PagiHeaders): Validators {
  return { etag: headers.get("etag"), lastModified: headers.get("last-modified") };
}

/** A WebSocket handshake has no method that a response could go by. */
function methodOf(scope: RequestScope | undefined): string | undefined {
  return scope === undefined || scope.type === "websocket" ? undefined : scope.method;
}

/** RFC 9110 sections 8.6 and 15.3.5, 15.4.5. */
function hasLength(status: number): boolean {
  return status !== 204 && status !== 304;
}

/** The fields without those that only whoever sends the body can know. */
function framed(headers: PagiHeaders): PagiHeaders {
  const kept = headers.clone();
  kept.remove("content-length");
  kept.remove("transfer-encoding");
  return kept;
}

function isFraming(name: string): boolean {
  return name === "content-length" || name === "transfer-encoding";
}
