import { planResponse } from "./response-head.ts";
import type { OutgoingResponse, RequestTraits, ResponsePlan } from "./response-head.ts";
import type { Headers } from "../spec/values.ts";

/** What a plan was made from, copied: an application may change its list of headers afterwards. */
interface Origin {
  readonly httpVersion: RequestTraits["httpVersion"];
  readonly method: string;
  readonly keepAlive: boolean;
  readonly status: number;
  readonly connection: OutgoingResponse["connection"] | undefined;
  readonly date: string;
  /** Names and values in turn. */
  readonly strings: readonly string[];
}

// A response head is often the very one before it, and making it is the dearest part of a short response. One that is
// the same in everything that goes into it has passed every check already.
let latest: { readonly origin: Origin; readonly plan: ResponsePlan } | undefined;

/** {@link planResponse}, with a memory of the latest plan: one that would be the same is given again. */
export function planLikeLatest(
  request: RequestTraits,
  eventType: string,
  response: OutgoingResponse,
  date: string,
): ResponsePlan {
  if (latest !== undefined && isFrom(latest.origin, request, response, date)) return latest.plan;
  const plan = planResponse(request, eventType, response, date);
  const { httpVersion, method, keepAlive } = request;
  const { status, connection, headers } = response;
  latest = {
    origin: { httpVersion, method, keepAlive, status, connection, date, strings: stringsOf(headers) },
    plan,
  };
  return plan;
}

function isFrom(origin: Origin, request: RequestTraits, response: OutgoingResponse, date: string): boolean {
  return (
    origin.status === response.status &&
    origin.connection === response.connection &&
    origin.date === date &&
    origin.method === request.method &&
    origin.httpVersion === request.httpVersion &&
    origin.keepAlive === request.keepAlive &&
    areStringsOf(origin.strings, response.headers)
  );
}

function stringsOf(headers: Headers): string[] {
  const strings: string[] = [];
  for (const [name, value] of headers) strings.push(name, value);
  return strings;
}

function areStringsOf(strings: readonly string[], headers: Headers): boolean {
  if (strings.length !== 2 * headers.length) return false;
  let at = 0;
  for (const [name, value] of headers) {
    if (name !== strings[at] || value !== strings[at + 1]) return false;
    at += 2;
  }
  return true;
}
