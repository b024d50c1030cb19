// Which request an error came from. An application that does not await its `send` leaves a rejected promise that
// nobody handles; the process can only log it, and by then nothing but the error itself is left to tell the request.
const origins = new WeakMap<object, string>();

/** Notes that an error was given to an application in answer to something that it did for a request. */
export function recordOrigin(error: unknown, request: string): void {
  if (typeof error === "object" && error !== null) origins.set(error, request);
}

/** The method and path of the request that an error came from, where it is known. */
export function requestOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null ? origins.get(error) : undefined;
}
