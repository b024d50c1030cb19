/**
 * Where a stream has the path of the file that it reads. A registered symbol, since the server that sends the stream may
 * run from another copy of this package than the one that the application imports.
 */
const FILE: unique symbol = Symbol.for("pagi-server.file-of-stream");

/**
 * A `Response` that sends a file, and whose `body` is known to be that file. A framework that changes the headers of a
 * response often makes another one of its `body`; the standard shows only a stream there, which has neither ranges nor a
 * length.
 */
export function fileResponse(path: string, init: ResponseInit): Response {
  const response = new Response(Bun.file(path), init);
  Object.defineProperty(response, "body", {
    configurable: true,
    get: () => {
      const body: unknown = Reflect.get(Response.prototype, "body", response);
      if (typeof body === "object" && body !== null) Object.defineProperty(body, FILE, { value: path });
      return body;
    },
  });
  return response;
}

/** The path of the file that a stream reads from its beginning to its end, where {@link fileResponse} has made it. */
export function fileOfStream(stream: ReadableStream<unknown>): string | undefined {
  const path: unknown = Reflect.get(stream, FILE);
  return typeof path === "string" ? path : undefined;
}
