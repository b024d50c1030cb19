import { CONNECTION_FIELDS, connectionOptions } from "../../spec/connection-fields.ts";
import type { Headers as HeaderList } from "../../spec/values.ts";

const CONTENT_LENGTH = "content-length";

/**
 * The fields of a Fetch `Response` in the order of its `Headers`, which keep each Set-Cookie apart, without
 *
 * - `Content-Length`, which the sender of the body knows better: `fetch` leaves that of a body which it has decoded, and a
 *   Response made from another has that of the other;
 * - `Trailer`, for a Response has no trailers;
 * - the fields about the connection that it came on, and those that `Connection` names (RFC 9110 section 7.6.1). A
 *   Response that did not come from `fetch` itself may close the connection to the client, and offer an upgrade.
 */
export function fetchFields(response: Response): HeaderList {
  const fields: HeaderList = [];
  const cameByFetch = response.url !== "";
  let options: string[] | undefined;
  response.headers.forEach((value, name) => {
    if (name === CONTENT_LENGTH || name === "trailer") return;
    if (!CONNECTION_FIELDS.has(name)) fields.push([name, value]);
    else if (name === "connection") options = connectionOptions(value);
    else if (name === "upgrade" && !cameByFetch) fields.push([name, value]);
  });
  return options === undefined ? fields : withoutNamed(fields, options, cameByFetch);
}

function withoutNamed(fields: HeaderList, options: readonly string[], cameByFetch: boolean): HeaderList {
  // An Upgrade that Connection does not name is left over from another connection; by itself it is the application's.
  const kept = fields.filter(([name]) => (name === "upgrade") === options.includes(name));
  if (options.includes("close") && !cameByFetch) kept.push(["connection", "close"]);
  return kept;
}

/** The length that a Response without a body announces, as one to HEAD does; `undefined` where it is not a number. */
export function announcedLength(response: Response): string | undefined {
  const value = response.headers.get(CONTENT_LENGTH);
  return value !== null && /^\d{1,15}$/.test(value) ? value : undefined;
}
