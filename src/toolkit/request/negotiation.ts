import { parseMediaRanges, type MediaRange } from "../../spec/accept.ts";
import {
  parameterOf,
  parseParameterized,
  splitList,
  writeValue,
  type Parameterized,
} from "../../spec/parameters.ts";

/** Names for the media types that are asked for most. */
const SHORT = new Map(
  Object.entries({
    html: "text/html",
    text: "text/plain",
    txt: "text/plain",
    css: "text/css",
    csv: "text/csv",
    js: "application/javascript",
    json: "application/json",
    xml: "application/xml",
    atom: "application/atom+xml",
    rss: "application/rss+xml",
    form: "application/x-www-form-urlencoded",
    multipart: "multipart/form-data",
    sse: "text/event-stream",
    event: "text/event-stream",
    png: "image/png",
    jpg: "image/jpeg",
    jpeg: "image/jpeg",
    gif: "image/gif",
    svg: "image/svg+xml",
    pdf: "application/pdf",
    zip: "application/zip",
  }),
);

/** A media type by its short name, such as `json`; what has a slash is returned as it is. */
export function mediaType(name: string): string {
  if (name.includes("/")) return name.toLowerCase();
  return SHORT.get(name.toLowerCase()) ?? `application/${name.toLowerCase()}`;
}

/**
 * The one of `offers` that the client likes best, as it was given; `undefined` when it takes none of them. Among those
 * that it likes equally the one that it names most specifically wins, then the one that it names first, then the first
 * offer; without an `Accept` field the first offer does. RFC 9110 section 12.5.1.
 */
export function preferredType<Offer extends string>(
  accept: string | undefined,
  offers: readonly Offer[],
): Offer | undefined {
  const ranges = rangesOf(accept);
  let best: { offer: Offer; range: MediaRange; specificity: number; order: number } | undefined;
  for (const offer of offers) {
    const range = rangeFor(ranges, mediaType(offer));
    if (range === undefined || range.weight === 0) continue;
    const candidate = { offer, range, specificity: specificityOf(range), order: ranges.indexOf(range) };
    const isBetter =
      best === undefined ||
      (range.weight - best.range.weight ||
        candidate.specificity - best.specificity ||
        best.order - candidate.order) > 0;
    if (isBetter) best = candidate;
  }
  return best?.offer;
}

/** Whether the client takes a media type; `text/*` asks whether it takes any text. */
export function acceptsType(accept: string | undefined, type: string): boolean {
  const wanted = mediaType(type);
  if (!wanted.endsWith("/*")) return qualityForType(accept, wanted) > 0;
  const ranges = rangesOf(accept);
  if (wanted === "*/*") return ranges.some(({ weight }) => weight > 0);
  const family = wanted.slice(0, -1);
  if (ranges.some((range) => range.type !== wanted && range.type.startsWith(family) && range.weight > 0))
    return true;
  return qualityForType(accept, wanted) > 0;
}

/** A media range that a client takes, and how much it likes it: from 0, not at all, to 1. */
export interface AcceptedType {
  /** In lower case, perhaps with wildcards; parameters other than `q` are a part of it. */
  readonly type: string;
  readonly quality: number;
}

/**
 * The ranges of an `Accept` field, the best first, and among equals the most specific; what is no range is left out.
 * Without a field the client takes everything.
 */
export function parseAccept(accept: string | undefined): AcceptedType[] {
  return rangesOf(accept)
    .toSorted((one, other) => other.weight - one.weight || specificityOf(other) - specificityOf(one))
    .map(({ type, parameters, weight }) => {
      const own = parameters.map(([name, value]) => `;${name}=${writeValue(value.toLowerCase())}`);
      return { type: type + own.join(""), quality: weight };
    });
}

/** Whether a media type is within a range, such as `text/*` or `text/html;level=1`. */
export function typeMatches(type: string, range: string): boolean {
  const [wanted, pattern] = [parseParameterized(type), parseParameterized(range)];
  return isWithin(wanted, { type: pattern.type, parameters: pattern.parameters.list, weight: 1 });
}

/** How much the client likes a media type, by the most specific of its ranges; 0 where it does not take it. */
export function qualityForType(accept: string | undefined, type: string): number {
  return rangeFor(rangesOf(accept), mediaType(type))?.weight ?? 0;
}

const EVERYTHING: MediaRange = { type: "*/*", parameters: [], weight: 1 };

/** Without a field, or with a list of nothing, the client takes everything (RFC 9110 sections 5.6.1.2 and 12.5.1). */
function rangesOf(accept: string | undefined): MediaRange[] {
  return accept === undefined || splitList(accept).length === 0 ? [EVERYTHING] : parseMediaRanges(accept);
}

/** The most specific range that a type is within; of two that are equally specific the one that is liked more. */
function rangeFor(ranges: readonly MediaRange[], type: string): MediaRange | undefined {
  const wanted = parseParameterized(type);
  let best: MediaRange | undefined;
  for (const range of ranges) {
    if (!isWithin(wanted, range)) continue;
    const isBetter =
      best === undefined || (specificityOf(range) - specificityOf(best) || range.weight - best.weight) > 0;
    if (isBetter) best = range;
  }
  return best;
}

/** A range with parameters is for types that have them all. */
function isWithin({ type, parameters }: Parameterized, range: MediaRange): boolean {
  const isInFamily =
    range.type === "*/*" ||
    range.type === type ||
    (range.type.endsWith("/*") && type.startsWith(range.type.slice(0, -1)));
  return (
    isInFamily &&
    range.parameters.every(
      ([name, value]) => parameterOf(parameters, name)?.toLowerCase() === value.toLowerCase(),
    )
  );
}

function specificityOf({ type, parameters }: MediaRange): number {
  if (type === "*/*") return 0;
  return type.endsWith("/*") ? 1 : 2 + parameters.length;
}
