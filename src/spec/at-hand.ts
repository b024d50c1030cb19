/** Whether a promise is fulfilled already. False also on other runtimes than Bun, which do not tell. */
export function isFulfilled(promise: Promise<unknown>): boolean {
  return peek !== undefined && peek.status(promise) === "fulfilled";
}

/** The value of a promise that is fulfilled already, or else the promise itself. */
export function valueAtHand<T>(promise: Promise<T>): T | Promise<T> {
  if (peek === undefined) return promise;
  const value = peek(promise);
  // A rejected promise gives its reason.
  return value === promise || peek.status(promise) === "fulfilled" ? value : promise;
}

/**
 * `promise.then(change)` for a `change` that leaves most values as they are: where the value is at hand and stays the same,
 * the promise itself, without another one and a turn of the microtasks. `change` must not throw.
 */
export function mapped<T>(promise: Promise<T>, change: (value: T) => T): Promise<T> {
  const value = valueAtHand(promise);
  if (value instanceof Promise) return promise.then(change);
  const changed = change(value);
  return changed === value ? promise : Promise.resolve(changed);
}

const peek = typeof Bun === "undefined" ? undefined : Bun.peek;
