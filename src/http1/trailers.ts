import { checkOutgoingValue, outgoingName } from "./outgoing-field.ts";
import { EventError } from "../errors.ts";
import type { Headers } from "../spec/values.ts";

/**
 * Fields that a recipient needs before the body, or that frame, route or authenticate the message: they may not come
 * behind it. Source: RFC 9110 section 6.5.1, RFC 9112 section 7.1.2.
 */
const NOT_IN_TRAILERS = new Set([
  ...["transfer-encoding", "content-length", "trailer", "te", "connection", "keep-alive", "proxy-connection"],
  ...["upgrade", "host", "max-forwards", "expect", "range", "cache-control", "pragma"],
  ...["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"],
  ...["authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate"],
  ...["cookie", "set-cookie"],
  ...["content-encoding", "content-type", "content-range"],
  ...["age", "date", "expires", "location", "retry-after", "vary", "warning"],
]);

/**
 * The last chunk and the trailer section, which end a chunked body. One char for each byte: write it as latin-1.
 *
 *     last-chunk      = 1*"0" [ chunk-ext ] CRLF
 *     trailer-section = *( field-line CRLF )
 *
 * @param eventType for errors: the event that brought the trailers.
 * @throws EventError for a field that is unsafe, malformed, or of no use or of harm behind the body.
 */
export function trailerSection(eventType: string, headers: Headers): string {
  let section = "0\r\n";
  for (const [spelling, value] of headers) {
    const name = outgoingName(eventType, spelling);
    checkOutgoingValue(eventType, name, value);
    if (NOT_IN_TRAILERS.has(name)) {
      throw new EventError(
        eventType,
        "headers",
        `has '${name}', which may not be a trailer field: send it with the head (RFC 9110 section 6.5.1)`,
      );
    }
    section += `${name}: ${value}\r\n`;
  }
  return `${section}\r\n`;
}
