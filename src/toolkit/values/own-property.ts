/** Sets a property of the object itself, whatever its name: an assignment to `__proto__` would do something else. */
export function setOwn(data: object, key: string, value: unknown): void {
  Object.defineProperty(data, key, { value, writable: true, enumerable: true, configurable: true });
}
