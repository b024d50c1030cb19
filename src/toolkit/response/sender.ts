import { stat } from "node:fs/promises";
import type { ConnectionState } from "../../spec/connection-state.ts";
import type { RequestScope } from "../../spec/scope.ts";
import type { HeaderPair } from "../../spec/values.ts";
import { PagiHeaders } from "../values/headers.ts";
import { precondition } from "./preconditions.ts";
import {
  discardSource,
  pipeSource,
  type BodySource,
  type FetchedContent,
  type ResponseBody,
} from "./body.ts";
import { lateTypeOf, type BytesOrigin } from "./fetch-body.ts";
import { isWholeFile, planSlice, type FetchFile } from "./fetch-file.ts";
import { FileError } from "./file-error.ts";
import { planFile, validatorsOf, type FilePlan } from "./file-plan.ts";
import { sendFilePlan, type Recipient } from "./file-sender.ts";
import { responseEvents, type AnySend, type ResponseEvents } from "./events.ts";
import { ResponseWriter } from "./writer.ts";

interface HeadParts {
  readonly status: number;
  readonly headers: PagiHeaders;
}

/** What a response consists of. It is only read here. */
export interface ResponseParts extends HeadParts {
  readonly body: ResponseBody;
}

type FileBody = Extract<ResponseBody, { kind: "file" }>;

/**
 * Sends a response as the request asks for it; see `PagiResponse.respond`.
 *
 * @param isConnected whether the client is there; by default what the connection of the scope says, if it has one.
 */
export async function sendResponse(
  parts: ResponseParts,
  send: AnySend,
  scope: RequestScope | undefined,
  isConnected: () => boolean = () => connectionOf(scope)?.isConnected() ?? true,
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
      return await sendFile(parts, body, events, scope, isConnected);
    case "fetched":
      return await sendFetched(
        parts,
        await body.content(hasContent(parts.status, scope), connectionOf(scope)),
        events,
        scope,
        isConnected,
      );
  }
}

async function sendFetched(
  { status, headers: given }: HeadParts,
  content: FetchedContent,
  events: ResponseEvents,
  scope: RequestScope | undefined,
  isConnected: () => boolean,
): Promise<void> {
  const headers = given.clone();
  if ("isDecoded" in content && content.isDecoded) headers.remove("content-encoding");
  const parts = { status, headers };
  switch (content.kind) {
    case "none":
      // A framework may have taken the body away from its answer to HEAD: then only it can know the length.
      if (methodOf(scope) !== "HEAD") return await sendWhole(parts, "", events, scope);
      if (content.announcedLength !== undefined) headers.set("content-length", content.announcedLength);
      return await sendStream(parts, [], events, scope);
    case "bytes":
      setLateType(headers, content.bytes, content.origin);
      return await sendWhole(parts, content.bytes, events, scope);
    case "file":
      return await sendFetchedFile(parts, content.file, events, scope, isConnected);
    case "stream":
      return await sendStream(parts, content.reader, events, scope);
  }
}

/** The connection of a scope that has one. */
export function connectionOf(scope: RequestScope | undefined): ConnectionState | undefined {
  return scope?.type === "http" ? scope["pagi.connection"] : undefined;
}

/** Whether the response has content, and is not only about it. RFC 9110 section 6.4.1. */
export function hasContent(status: number, scope: RequestScope | undefined): boolean {
  return hasLength(status) && methodOf(scope) !== "HEAD";
}

async function sendWhole(
  { status, headers: given }: HeadParts,
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
  { status, headers }: HeadParts,
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
  { status, headers: given }: HeadParts,
  file: FileBody,
  events: ResponseEvents,
  scope: RequestScope | undefined,
  isConnected: () => boolean,
): Promise<void> {
  const headers = framed(given);
  const size = await describeFile(file, headers);
  const condition = failedCondition(status, headers, scope);
  if (condition !== undefined) return await answerCondition(condition, headers, events);
  if (file.offset === 0 && file.length === undefined) {
    const plan = planFile(status, headers, size, scope, { several: true, announces: true });
    return await sendFilePlan(plan, file.path, events, recipientOf(plan, scope, isConnected));
  }
  const start = Math.min(file.offset, size);
  const end = Math.min(size, start + (file.length ?? size));
  const plan = { status, headers, body: { start, end } };
  await sendFilePlan(plan, file.path, events, recipientOf(plan, scope, isConnected));
}

async function sendFetchedFile(
  { status, headers }: HeadParts,
  file: FetchFile,
  events: ResponseEvents,
  scope: RequestScope | undefined,
  isConnected: () => boolean,
): Promise<void> {
  const { path } = file;
  if (isWholeFile(file)) {
    const body: FileBody = { kind: "file", path, offset: 0, length: undefined, validators: true };
    return await sendFile({ status, headers }, body, events, scope, isConnected);
  }
  const condition = failedCondition(status, headers, scope);
  if (condition !== undefined) return await answerCondition(condition, headers, events);
  const plan = planSlice(status, headers, file, methodOf(scope) === "HEAD");
  await sendFilePlan(plan, path, events, recipientOf(plan, scope, isConnected));
}

function setLateType(headers: PagiHeaders, bytes: Uint8Array, origin: BytesOrigin): void {
  const type = headers.has("content-type") ? undefined : lateTypeOf(bytes, origin);
  if (type !== undefined) headers.set("content-type", type);
}

function recipientOf(
  { status }: FilePlan,
  scope: RequestScope | undefined,
  isConnected: () => boolean,
): Recipient {
  return { wanted: hasContent(status, scope), isConnected };
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
  if (!scope.headers.some(isMatchCondition) && !hasValidators(headers)) return undefined;
  const answer = precondition(new PagiHeaders(scope.headers), validatorsOf(headers));
  return answer === "go on" ? undefined : answer;
}

/** If-Match and If-None-Match say something of a representation without validators too: `*` (RFC 9110 section 13.1). */
function isMatchCondition([name]: HeaderPair): boolean {
  return name === "if-none-match" || name === "if-match";
}

function hasValidators(headers: PagiHeaders): boolean {
  return headers.has("etag") || headers.has("last-modified");
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
