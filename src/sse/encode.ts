// The event stream format (WHATWG HTML, section 9.2 "Server-sent events"): text in, text out.

const LINE_END = /\r\n|\r|\n/;

/** One dispatch, its fields already checked. */
export interface EventFields {
  readonly data: string;
  readonly event?: string | null | undefined;
  readonly id?: string | null | undefined;
  /** Milliseconds. */
  readonly retry?: number | null | undefined;
}

/** Encodes a dispatch; each line of `data` becomes a line of its own, for a line end is the end of a field. */
export function encodeEvent(fields: EventFields): string {
  let text = "";
  if (fields.event != null) text += `event: ${fields.event}\n`;
  if (fields.id != null) text += `id: ${fields.id}\n`;
  if (fields.retry != null) text += `retry: ${fields.retry}\n`;
  if (fields.data.includes("\n") || fields.data.includes("\r")) {
    for (const line of fields.data.split(LINE_END)) text += `data: ${line}\n`;
  } else {
    text += `data: ${fields.data}\n`;
  }
  return text + "\n";
}

/** Encodes a comment; every line of it gets its colon, unless it has one, so that none can pass for a field. */
export function encodeComment(comment: string): string {
  let text = "";
  for (const line of comment.split(LINE_END)) text += line.startsWith(":") ? `${line}\n` : `:${line}\n`;
  return text + "\n";
}
