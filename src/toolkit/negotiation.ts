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
