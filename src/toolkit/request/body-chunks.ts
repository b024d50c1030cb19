import type { ReceiveEvent } from "../../spec/events.ts";
import { BodyTooLargeError, BodyUsedError, IncompleteBodyError } from "./error.ts";

const NO_BYTES = new Uint8Array(0);

/** How a stream is said to have ended that the application has closed. */
const CLOSED_BY_APPLICATION = "x-closed";

/** The bytes of an event of a body. Another server may leave them out: PAGI Www, "Request - receive event". */
export function bytesOf(event: ReceiveEvent): Uint8Array {
  return event.type === "http.request" || event.type === "sse.request" ? (event.body ?? NO_BYTES) : NO_BYTES;
}

/**
 * The chunks of a request body, each asked for when the last has been used.
 *
 * @throws BodyTooLargeError once there are more than `maxBytes`; the chunk that is too much is not delivered.
 * @throws IncompleteBodyError when the client disconnects before the end, so that half an upload is never taken for all
 *   of it.
 * @throws BodyUsedError when the application itself has ended an event stream.
 */
export async function* bodyChunks(
  receive: () => Promise<ReceiveEvent>,
  maxBytes = Infinity,
): AsyncGenerator<Uint8Array, void, void> {
  let size = 0;
  for (let more = true; more;) {
    const event = await receive();
    if (event.type === "sse.disconnect" && event.reason === CLOSED_BY_APPLICATION)
      throw new BodyUsedError("answered");
    if (event.type !== "http.request" && event.type !== "sse.request") throw new IncompleteBodyError();
    const body = bytesOf(event);
    size += body.byteLength;
    if (size > maxBytes) throw new BodyTooLargeError(maxBytes);
    // Another server may leave it out for the last one: PAGI Www, "Request - receive event".
    more = event.more ?? false;
    if (body.byteLength > 0) yield body;
  }
}
