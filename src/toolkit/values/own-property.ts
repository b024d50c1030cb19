/** Sets a property of the object itself, whatever its name: an assignment to `__proto__` would do something else. */
export function setOwn(data: object, key: string, value: unknown): void {
  Object.defineProperty(data, key, { value, writable: true, enumerable: true, configurable: true });
}

/** @throws TypeError for anything but an object of keys and values. */
export function assertKeys(value: unknown, who: string): asserts value is object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  const found = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  throw new TypeError(`${who} takes an object of keys and values, not ${found}.`);
}
