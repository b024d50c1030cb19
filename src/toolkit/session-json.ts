import { SessionError } from "../errors.ts";

/**
 * Throws for a value that would not come back from JSON as it was, such as a Date or a Map; an object's property that
 * is `undefined` may be there, since it comes back absent.
 *
 * @throws SessionError that names the place.
 */
export function assertJson(value: unknown, place: string, ancestors: readonly object[] = []): void {
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (typeof value === "object" && ancestors.includes(value))
    throw new SessionError(`${place} contains itself, so that it is no JSON.`);
  if (Array.isArray(value)) {
    const inside = [...ancestors, value];
    for (const [index, each] of value.entries()) assertJson(each, `${place}[${index}]`, inside);
    return;
  }
  if (isPlainObject(value)) {
    const inside = [...ancestors, value];
    for (const [key, each] of Object.entries(value))
      if (each !== undefined) assertJson(each, `${place}.${key}`, inside);
    return;
  }
  throw new SessionError(
    `${place} is ${described(value)}, which a session cannot keep: its data has to be JSON. Store a string or a ` +
      "number that it can be made from again, and use delete() to remove a key.",
  );
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null || "toJSON" in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function described(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null)
    return value === undefined ? "undefined" : `a ${typeof value}`;
  return `an object of the class ${value.constructor?.name ?? "null"}`;
}
