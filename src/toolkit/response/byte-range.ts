/** Bytes from `start` to before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges than this are no wish of a person. RFC 9110 section 17.15. */
const MAX_RANGES = 16;

/**
 * The ranges that a client asks for (RFC 9110 section 14.1.2), in its order, those that touch joined at the place of the
 * first; `undefined` where all is sent instead, since the field is none that has to be followed; `"unsatisfiable"` for
 * a 416.
 */
export function byteRanges(
  field: string | undefined,
  size: number,
): readonly [ByteRange, ...ByteRange[]] | "unsatisfiable" | undefined {
  const list = /^bytes=(.*)$/i.exec(field ?? "")?.[1]?.split(",", MAX_RANGES + 1);
  if (list === undefined || list.length > MAX_RANGES) return undefined;
  const asked: ByteRange[] = [];
  for (const text of list) {
    const range = rangeOf(text.trim(), size);
    // A suffix of nothing is satisfiable (section 14.1.2), but there is no Content-Range for it.
    if (range === undefined || (size === 0 && /^-0*[1-9]/.test(text.trim()))) return undefined;
    if (range.start < range.end) asked.push(range);
  }
  const [first, ...rest] = joined(asked);
  return first === undefined ? "unsatisfiable" : [first, ...rest];
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

/** No byte is sent twice, whatever a client asks for: RFC 9110 section 17.15. */
function joined(ranges: readonly ByteRange[]): ByteRange[] {
  const places = ranges.map((range, place) => ({ ...range, place })).sort((a, b) => a.start - b.start);
  const groups: (typeof places)[number][] = [];
  for (const range of places) {
    const last = groups.at(-1);
    if (last === undefined || range.start > last.end) groups.push(range);
    else {
      last.end = Math.max(last.end, range.end);
      last.place = Math.min(last.place, range.place);
    }
  }
  return groups.sort((a, b) => a.place - b.place).map(({ start, end }) => ({ start, end }));
}
