import { REASON_PHRASES } from "../spec/reason-phrase.ts";

const STATUS_LINES = new Map<number, string>();
for (const [status, phrase] of Object.entries(REASON_PHRASES)) {
  STATUS_LINES.set(Number(status), `HTTP/1.1 ${status} ${phrase}\r\n`);
}

/**
 * The status line with its CRLF.
 *
 *     status-line = HTTP-version SP status-code SP [ reason-phrase ]
 *
 * The version is always ours (RFC 9110 section 6.2); a code without a registered phrase has an empty one, behind the
 * space that must be there (RFC 9112 section 4).
 */
export function statusLine(status: number): string {
  return STATUS_LINES.get(status) ?? `HTTP/1.1 ${status} \r\n`;
}
