import { SessionError } from "../../errors.ts";
import { MAX_JSON_DEPTH } from "../request/json-depth.ts";
import { isPlainObject } from "../values/own-property.ts";

/** Twice what a client's JSON may have; the stack would end somewhere. */
const MAX_DEPTH = 2 * MAX_JSON_DEPTH;

/**
 * Throws for a value that would not come back from JSON as it was, such as a Date or a Map; an object's property that
 * is `undefined` may be there, since it comes back absent.
 *
 * @throws SessionError that names the place.
 */
export function assertJson(value: unknown, place: string, ancestors: Set<object> = new Set()): void {
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (typeof value === "object" && ancestors.has(value))
    throw new SessionError(`${place} contains itself, so that it is no JSON.`);
  if (ancestors.size >= MAX_DEPTH)
    throw new SessionError(`A value is nested deeper than ${MAX_DEPTH} levels, which a session cannot keep.`);
  if (Array.isArray(value)) {
    ancestors.add(value);
    for (const [index, each] of value.entries()) assertJson(each, `${place}[${index}]`, ancestors);
    ancestors.delete(value);
    return;
  }
  if (isPlainObject(value) && !("toJSON" in value)) {
    ancestors.add(value);
    for (const [key, each] of Object.entries(value))
      if (each !== undefined) assertJson(each, `${place}.${key}`, ancestors);
    ancestors.delete(value);
    return;
  }
  throw new SessionError(
    `${place} is ${described(value)}, which a session cannot keep: its data has to be JSON. Store a string or a ` +
      "number that it can be made from again, and use delete() to remove a key.",
  );
}

function described(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null)
    return value === undefined ? "undefined" : `a ${typeof value}`;
  return `an object of the class ${value.constructor?.name ?? "null"}`;
}
