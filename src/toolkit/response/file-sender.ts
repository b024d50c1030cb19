import { ByteRangesBody } from "./byte-ranges-body.ts";
import type { ResponseEvents } from "./events.ts";
import { planLength, type FilePlan } from "./file-plan.ts";

/** What the request has to say about how a planned file is sent. */
export interface Recipient {
  /** False for HEAD, and for a status without content. */
  readonly wanted: boolean;
  /** False once the client has gone; the rest of the file is then not read. */
  isConnected(): boolean;
}

/**
 * Sends a planned response with its length: by a file event, where there is one for it, else chunk by chunk.
 */
export async function sendFilePlan(
  plan: FilePlan,
  path: string,
  events: ResponseEvents,
  { wanted, isConnected }: Recipient,
): Promise<void> {
  const { status, headers, body } = plan;
  const length = planLength(plan);
  if (status !== 204 && status !== 304) headers.set("content-length", length);
  await events.start(status, headers.toPairs());
  if (!wanted || length === 0) return await events.body("", false);
  const isRanges = body instanceof ByteRangesBody;
  if (!isRanges && events.file !== undefined) return await events.file(path, body.start, length);
  const file = Bun.file(path);
  const chunks = isRanges ? body.chunks(file) : file.slice(body.start, body.end).stream();
  for await (const chunk of chunks) {
    await events.body(chunk, true);
    if (!isConnected()) return;
  }
  await events.body("", false);
}
