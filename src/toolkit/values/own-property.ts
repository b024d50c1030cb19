/** Sets a property of the object itself, whatever its name: an assignment to `__proto__` would do something else. */
export function setOwn(data: object, key: string, value: unknown): void {
  Object.defineProperty(data, key, { value, writable: true, enumerable: true, configurable: true });
}

/** @throws TypeError for anything but a plain object: of a Map or a promise no key would be found. */
export function assertKeys(value: unknown, who: string): asserts value is object {
  if (isPlainObject(value)) return;
  throw new TypeError(`${who} takes an object of keys and values, not ${found(value)}.`);
}

/** An object literal, or one without a prototype. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function found(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object"
    ? `an object of the class ${value.constructor?.name ?? "null"}`
    : `a ${typeof value}`;
}
