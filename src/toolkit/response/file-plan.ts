import type { RequestScope } from "../../spec/scope.ts";
import { PagiHeaders } from "../values/headers.ts";
import { byteRanges } from "./byte-range.ts";
import { ByteRangesBody } from "./byte-ranges-body.ts";
import { ifRangeHolds, type Validators } from "./preconditions.ts";

/** How a response answers requests for ranges. */
export interface RangeSupport {
  /** Several ranges are sent, as `multipart/byteranges`; else such a request gets the whole file. */
  readonly several: boolean;
  /** The whole file goes out with `Accept-Ranges`. */
  readonly announces: boolean;
}

/** What of a file goes out, and with which head. */
export interface FilePlan {
  readonly status: number;
  readonly headers: PagiHeaders;
  /** Bytes from `start` to before `end`; or several ranges as one body. */
  readonly body: { readonly start: number; readonly end: number } | ByteRangesBody;
}

/**
 * Plans the response that sends a whole file: 206 with the ranges that the request asks for, 416 where the file has none
 * of them, else all of it. RFC 9110 section 14.2: only for GET, only instead of a 200, and only where If-Range holds.
 *
 * @param headers of the response: complete but for what the length and the range decide. They are changed.
 * @param size of the file in bytes.
 */
export function planFile(
  status: number,
  headers: PagiHeaders,
  size: number,
  scope: RequestScope | undefined,
  { several, announces }: RangeSupport,
): FilePlan {
  const whole = { start: 0, end: size };
  // Where the application says Content-Range, it has chosen the range itself.
  if (status !== 200 || headers.has("content-range")) return { status, headers, body: whole };
  const ranges = requestedRanges(scope, headers, size, several);
  if (ranges === "unsatisfiable") {
    headers.removeContentHeaders();
    headers.setDefault("accept-ranges", "bytes").set("content-range", `bytes */${size}`);
    return { status: 416, headers, body: { start: 0, end: 0 } };
  }
  const [range, ...others] = ranges ?? [];
  if (announces) headers.setDefault("accept-ranges", "bytes");
  if (range === undefined) return { status, headers, body: whole };
  headers.setDefault("accept-ranges", "bytes");
  if (others.length === 0) {
    headers.set("content-range", `bytes ${range.start}-${range.end - 1}/${size}`);
    return { status: 206, headers, body: range };
  }
  const body = new ByteRangesBody([range, ...others], headers.get("content-type"), size);
  // Parts that are longer than the file, for their headers, are of no use to anybody.
  if (body.contentLength >= size) return { status, headers, body: whole };
  // Each part says itself which range it is (RFC 9110 section 15.3.7.2).
  headers.set("content-type", body.contentType);
  return { status: 206, headers, body };
}

/** Bytes of a planned body. */
export function planLength({ body }: FilePlan): number {
  return body instanceof ByteRangesBody ? body.contentLength : body.end - body.start;
}

function requestedRanges(
  scope: RequestScope | undefined,
  headers: PagiHeaders,
  size: number,
  several: boolean,
): ReturnType<typeof byteRanges> {
  if (scope === undefined || scope.type === "websocket" || scope.method !== "GET") return undefined;
  const request = new PagiHeaders(scope.headers);
  if (!ifRangeHolds(request, validatorsOf(headers), Date.now())) return undefined;
  const asked = request.combined("range");
  return several || asked?.includes(",") !== true ? byteRanges(asked, size) : undefined;
}

/** What identifies the state of what a response sends. */
export function validatorsOf(headers: PagiHeaders): Validators {
  return { etag: headers.get("etag"), lastModified: headers.get("last-modified") };
}
