import { planResponse } from "./response-head.ts";
import type { OutgoingResponse, RequestTraits, ResponsePlan } from "./response-head.ts";
import { SlotTable } from "./slot-table.ts";
import type { HeaderPair, Headers } from "../spec/values.ts";

/** Response heads that are remembered: an application has a handful of kinds, times the lengths of their bodies. */
const SLOTS = 256;

/** Fields of the longest head that is remembered, since all of them are compared. */
const MOST_FIELDS = 32;

/** Chars of the longest head that is remembered: 256 of them are 512 KiB at most. */
const LONGEST_HEAD = 2048;

/** Fields with credentials, which are different in each response anyway. */
const PERSONAL: ReadonlySet<string> = new Set([
  ...["set-cookie", "www-authenticate", "proxy-authenticate", "authentication-info"],
]);

interface Planned {
  readonly httpVersion: string;
  readonly method: string;
  readonly keepAlive: boolean;
  readonly status: number;
  readonly connection: OutgoingResponse["connection"];
  /** A copy of the application's list, which it may change at any time. */
  readonly headers: Headers;
  readonly date: string;
  readonly plan: ResponsePlan;
}

/**
 * {@link planResponse} for an application that says much the same with each response: the same fields for the same kind
 * of request within the same second make the same head, and are not checked a second time.
 *
 * Everything that a plan depends on is compared, and fields by their strings, never by their list. A list that is
 * changed, or the next second, is just another head.
 */
export class PlanCache {
  readonly #plans = new SlotTable<Planned>(SLOTS);

  /** As {@link planResponse}. @throws EventError for a header that is unsafe or malformed. */
  plan(request: RequestTraits, eventType: string, response: OutgoingResponse, date: string): ResponsePlan {
    const hash = hashOf(response);
    if (hash === undefined) return planResponse(request, eventType, response, date);
    const plans = this.#plans;
    const planned = plans.get(plans.slotOf(hash));
    const isSame = planned !== undefined && isPlanned(planned, request, response);
    if (isSame && planned.date === date) return planned.plan;
    // What comes only once is not worth a copy; what was here a second ago has come more often.
    if (!isSame && !plans.see(hash)) return planResponse(request, eventType, response, date);
    const { status, connection } = response;
    const headers = response.headers.map(([name, value]): HeaderPair => [name, value]);
    const copy = connection === undefined ? { status, headers } : { status, headers, connection };
    const plan = planResponse(request, eventType, copy, date);
    if (plan.head.length <= LONGEST_HEAD && !headers.some(([name]) => PERSONAL.has(name.toLowerCase()))) {
      const { httpVersion, method, keepAlive } = request;
      plans.put(hash, { httpVersion, method, keepAlive, status, connection, headers, date, plan });
    }
    return plan;
  }
}

/** Whether a plan but for its date is the one that a response needs. */
function isPlanned(planned: Planned, request: RequestTraits, response: OutgoingResponse): boolean {
  const { headers } = response;
  const known = planned.headers;
  if (
    planned.status !== response.status ||
    known.length !== headers.length ||
    planned.keepAlive !== request.keepAlive ||
    planned.connection !== response.connection ||
    planned.method !== request.method ||
    planned.httpVersion !== request.httpVersion
  )
    return false;
  for (let i = 0; i < known.length; i++) {
    const pair = headers[i];
    const same = known[i];
    if (pair?.[0] !== same?.[0] || pair?.[1] !== same?.[1]) return false;
  }
  return true;
}

/** From a few chars of each value; undefined for a head that is not remembered, or that `planResponse` refuses. */
function hashOf({ status, headers }: OutgoingResponse): number | undefined {
  if (headers.length > MOST_FIELDS) return undefined;
  let hash = status;
  for (let i = 0; i < headers.length; i++) {
    const value: unknown = headers[i]?.[1];
    if (typeof value !== "string") return undefined;
    const { length } = value;
    hash = (Math.imul(hash, 31) + length) | 0;
    if (length === 0) continue;
    hash = (Math.imul(hash, 31) + value.charCodeAt(0)) | 0;
    hash = (Math.imul(hash, 31) + value.charCodeAt(length >> 1)) | 0;
    hash = (Math.imul(hash, 31) + value.charCodeAt(length - 1)) | 0;
  }
  return hash ^ (hash >>> 16) || 1;
}
