import { parseHttpDate } from "../../spec/http-date.ts";
import type { PagiHeaders } from "../values/headers.ts";

/** What tells one state of a resource from another. */
export interface Validators {
  /** With its quotes, and `W/` where it is weak. */
  readonly etag: string | undefined;
  /** As in `Last-Modified`. */
  readonly lastModified: string | undefined;
}

/** The order of RFC 9110 section 13.2.2, for GET and HEAD: the response itself, or one without content. */
export function precondition(request: PagiHeaders, { etag, lastModified }: Validators): "go on" | 304 | 412 {
  const modified = httpDate(lastModified);
  const ifMatch = request.combined("if-match");
  const ifUnmodifiedSince = httpDate(request.get("if-unmodified-since"));
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, etag, isSameStrongly)) return 412;
  } else if (ifUnmodifiedSince !== undefined && modified !== undefined && modified > ifUnmodifiedSince)
    return 412;

  const ifNoneMatch = request.combined("if-none-match");
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, etag, isSameWeakly) ? 304 : "go on";
  const ifModifiedSince = httpDate(request.get("if-modified-since"));
  return ifModifiedSince !== undefined && modified !== undefined && modified <= ifModifiedSince
    ? 304
    : "go on";
}

/**
 * Whether a range is of the state that the client has the rest of. RFC 9110 section 13.1.5: a tag is compared strongly,
 * and a date has to be the same, and older than a second, since two states could share it. `now` in milliseconds.
 */
export function ifRangeHolds(request: PagiHeaders, { etag, lastModified }: Validators, now: number): boolean {
  const condition = request.get("if-range")?.trim();
  if (condition === undefined) return true;
  if (/^(W\/)?"/.test(condition)) return etag !== undefined && isSameStrongly(condition, etag);
  const modified = httpDate(lastModified);
  return modified !== undefined && httpDate(condition) === modified && now - modified >= 1000;
}

function matches(list: string, etag: string | undefined, isSame: (a: string, b: string) => boolean): boolean {
  if (list.trim() === "*") return true;
  if (etag === undefined) return false;
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((each) => isSame(each, etag));
}

/** RFC 9110 section 8.8.3.2. */
function isSameStrongly(a: string, b: string): boolean {
  return a === b && !a.startsWith("W/");
}

function isSameWeakly(a: string, b: string): boolean {
  return a.replace(/^W\//, "") === b.replace(/^W\//, "");
}

/** Milliseconds; `undefined` where there is no date. */
function httpDate(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseHttpDate(text, Date.now());
}
