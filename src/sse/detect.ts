import { parseMediaRanges } from "../spec/accept.ts";
import type { HeaderPair } from "../spec/values.ts";

/**
 * Whether a request asks for an event stream: its `Accept` lists the media type `text/event-stream`, with a weight
 * above zero. A wildcard does not count, for then every browser request would. Source: PAGI Www, "SSE Connection
 * Detection"; RFC 9110 section 12.5.1.
 */
export function acceptsEventStream(accept: string): boolean {
  // Most requests do not mention it at all; only the others are taken apart.
  if (!/text\/event-stream/i.test(accept)) return false;
  return parseMediaRanges(accept).some(({ type, weight }) => type === "text/event-stream" && weight > 0);
}

/** Whether a header section, in which fields may be repeated, asks for an event stream. */
export function isEventStreamRequest(headers: readonly HeaderPair[]): boolean {
  for (const [name, value] of headers) {
    if (name === "accept" && acceptsEventStream(value)) return true;
  }
  return false;
}
