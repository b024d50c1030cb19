import Negotiator from "negotiator";

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
 * The one of `offers` that the client likes best, as it was given; `undefined` when it takes none of them. Among equals
 * the first wins, and so it does without an `Accept` field. RFC 9110 section 12.5.1.
 */
export function preferredType<Offer extends string>(
  accept: string | undefined,
  offers: readonly Offer[],
): Offer | undefined {
  if (accept === undefined || accept.trim() === "") return offers[0];
  const [best] = new Negotiator({ headers: { accept } }).mediaTypes(offers.map(mediaType));
  return offers.find((offer) => mediaType(offer) === best);
}

/** Whether the client takes a media type; `text/*` asks whether it takes any text. */
export function acceptsType(accept: string | undefined, type: string): boolean {
  const wanted = mediaType(type);
  if (!wanted.endsWith("/*")) return preferredType(accept, [wanted]) !== undefined;
  if (accept === undefined || accept.trim() === "" || wanted === "*/*") return true;
  const family = wanted.slice(0, -1);
  return new Negotiator({ headers: { accept } })
    .mediaTypes()
    .some((each) => each === "*/*" || each.toLowerCase().startsWith(family));
}

/** A media range that a client takes, and how much it likes it: from 0, not at all, to 1. */
export interface AcceptedType {
  /** In lower case, perhaps with wildcards; parameters other than `q` are a part of it. */
  readonly type: string;
  readonly quality: number;
}

const MEDIA_RANGE = /^[!#$%&'*+\-.^_`|~0-9a-z]+\/[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/**
 * The ranges of an `Accept` field, the best first, and among equals the most specific; what is no range is left out.
 * Without a field the client takes everything.
 */
export function parseAccept(accept: string | undefined): AcceptedType[] {
  if (accept === undefined || accept.trim() === "") return [{ type: "*/*", quality: 1 }];
  const accepted: AcceptedType[] = [];
  for (const range of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (!MEDIA_RANGE.test(type)) continue;
    const at = parameters.findIndex((each) => /^q\s*=/.test(each));
    const own = (at < 0 ? parameters : parameters.slice(0, at)).map((each) => `;${each}`);
    const quality = at < 0 ? 1 : Number.parseFloat(parameters[at]?.split("=")[1] ?? "");
    accepted.push({
      type: type + own.join(""),
      quality: Number.isNaN(quality) ? 1 : Math.min(1, Math.max(0, quality)),
    });
  }
  return accepted.sort(
    (one, other) => other.quality - one.quality || specificity(other.type) - specificity(one.type),
  );
}

/** Whether a media type is within a range, such as `text/*`. */
export function typeMatches(type: string, range: string): boolean {
  const [wanted, pattern] = [type.toLowerCase(), range.toLowerCase()];
  if (pattern === "*/*" || wanted === pattern) return true;
  return pattern.endsWith("/*") && wanted.startsWith(pattern.slice(0, -1));
}

/** How much the client likes a media type, by the most specific of its ranges; 0 where it does not take it. */
export function qualityForType(accept: string | undefined, type: string): number {
  const wanted = mediaType(type);
  const matching = parseAccept(accept).filter((each) => typeMatches(wanted, each.type));
  // The sort is stable: of two that are equally specific the one that is liked more comes first.
  const [best] = matching.sort((one, other) => specificity(other.type) - specificity(one.type));
  return best?.quality ?? 0;
}

function specificity(range: string): number {
  if (range === "*/*") return 0;
  return range.endsWith("/*") ? 1 : 2;
}
