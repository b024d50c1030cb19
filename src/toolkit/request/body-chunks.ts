import type { Receive } from "../../spec/application.ts";
import { BodyTooLargeError, IncompleteBodyError } from "./error.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * The chunks of a request body, each asked for when the last has been used.
 *
 * @throws BodyTooLargeError once there are more than `maxBytes`; the chunk that is too much is not delivered.
 * @throws IncompleteBodyError when the client goes before the end, so that half an upload is never taken for all of it.
 */
export async function* bodyChunks(
  receive: Receive,
  maxBytes = Infinity,
): AsyncGenerator<Uint8Array, void, void> {
  let size = 0;
  for (let more = true; more;) {
    const event = await receive();
    if (event.type !== "http.request" && event.type !== "sse.request") throw new IncompleteBodyError();
    // Another server may leave both out: an empty chunk, and the last one. PAGI Www, "Request - receive event".
    const { body = NO_BYTES } = event;
    size += body.byteLength;
    if (size > maxBytes) throw new BodyTooLargeError(maxBytes);
    more = event.more ?? false;
    if (body.byteLength > 0) yield body;
  }
}
