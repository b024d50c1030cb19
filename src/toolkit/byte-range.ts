/** Bytes from `start` to before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges than this are no wish of a person. RFC 9110 section 17.15. */
const MAX_RANGES = 16;

/**
 * The one range that a client asks for (RFC 9110 section 14.1.2); `undefined` where all is sent instead, since the field
 * is none that has to be followed; `"unsatisfiable"` for a 416. Several ranges are sent as one where they touch; where
 * they do not, all is sent, as section 14.2 allows: the parts would have to be read and framed one by one, and clients
 * that want that are few.
 */
export function byteRange(field: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const list = /^bytes=(.*)$/i.exec(field ?? "")?.[1]?.split(",", MAX_RANGES + 1);
  if (list === undefined || list.length > MAX_RANGES) return undefined;
  const ranges: ByteRange[] = [];
  for (const text of list) {
    const range = rangeOf(text.trim(), size);
    if (range === undefined) return undefined;
    if (range.start < range.end) ranges.push(range);
  }
  const [first, ...rest] = ranges.sort((a, b) => a.start - b.start);
  if (first === undefined) return "unsatisfiable";
  let { end } = first;
  for (const range of rest) {
    if (range.start > end) return undefined;
    end = Math.max(end, range.end);
  }
  return { start: first.start, end };
}

/** One range, cut to the size; empty where nothing of it is there, `undefined` where the text is none. */
function rangeOf(text: string, size: number): ByteRange | undefined {
  const match = /^(\d*)-(\d*)$/.exec(text);
  const [, from = "", to = ""] = match ?? [];
  if (match === null || (from === "" && to === "")) return undefined;
  if (from === "") return { start: Math.max(0, size - Number(to)), end: size };
  if (to !== "" && Number(to) < Number(from)) return undefined;
  return { start: Number(from), end: to === "" ? size : Math.min(size, Number(to) + 1) };
}
