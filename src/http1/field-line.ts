import { maybeFieldNameOf } from "./field-names.ts";
import { isWhitespace, trimWhitespace } from "./grammar.ts";
import { ProtocolError } from "../errors.ts";
import type { HeaderPair } from "../spec/values.ts";

/**
 * Reads a field line into a name in lower case and a value without the whitespace around it.
 *
 *     field-line = field-name ":" OWS field-value OWS
 *
 * @param line without its line end and without control characters other than HTAB.
 * @throws ProtocolError (400) for anything but a field line; a folded one too (RFC 9112 section 5).
 */
export function parseFieldLine(line: string): HeaderPair {
  const colon = line.indexOf(":");
  if (colon === -1) throw new ProtocolError(400, problemOf(line, line));
  const name = maybeFieldNameOf(line, colon);
  if (name === undefined) throw new ProtocolError(400, problemOf(line, line.slice(0, colon)));
  return [name, valueAfter(line, colon)];
}

/** Nearly every client writes one space after the colon and none at the end. */
function valueAfter(line: string, colon: number): string {
  const start = colon + 2;
  const plain =
    start < line.length &&
    line.charCodeAt(start - 1) === 0x20 &&
    !isWhitespace(line.charCodeAt(start)) &&
    !isWhitespace(line.charCodeAt(line.length - 1));
  return plain ? line.slice(start) : trimWhitespace(line, colon + 1);
}

function problemOf(line: string, name: string): string {
  if (isWhitespace(line.charCodeAt(0)))
    return "A line begins with whitespace (RFC 9112 sections 2.2 and 5.2)";
  if (name === line) return "A field line has no colon (RFC 9112 section 5)";
  if (isWhitespace(name.charCodeAt(name.length - 1))) {
    return "Whitespace stands before the colon of a field line (RFC 9112 section 5.1)";
  }
  return "A field name is no token (RFC 9110 section 5.1)";
}
