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

const peek = typeof Bun === "undefined" ? undefined : Bun.peek;
