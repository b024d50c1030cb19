import type { FetchHandler } from "./fetch/answer.ts";
import { fetchApplication } from "./fetch/application.ts";
import type { Application } from "../src/spec/application.ts";

export type { FetchEnvironment, FetchHandler } from "./fetch/answer.ts";
export { toFetch } from "./fetch/to-fetch.ts";
export type { FetchApplication, ToFetchOptions } from "./fetch/to-fetch.ts";

/** An object with a fetch handler: a Hono or Elysia application, or the default export of a `Bun.serve` module. */
export interface FetchObject {
  fetch: FetchHandler;
}

/**
 * Makes an application of a fetch handler, or of an object that has one: `fromFetch(hono)`.
 *
 * It answers `http` scopes, and `sse` scopes too, with the ordinary response that declines an event stream: a handler
 * makes its own `text/event-stream`. A `websocket` scope is answered the same way: what the handler returns refuses the
 * handshake. Bodies stream both ways with backpressure: a request body is received when the
 * handler reads it and not before, also where middleware has read it whole, and the next chunk of a response body is
 * read once the server has taken the last.
 * A response goes out with the length that its body has, a `Bun.file()` by the range that the request asks for. Of a
 * response that the handler has fetched, neither the fields about its connection go out, nor a Content-Encoding that
 * `fetch` has undone.
 * When the client goes, `request.signal` is aborted, a pending read of the request body fails with an `AbortError`,
 * and the response stream is cancelled. For an `sse` scope that is noticed once the request body has been read, or
 * the response has begun.
 *
 * What the handler throws goes to the server, which answers 500.
 *
 * @throws TypeError at once for any other value.
 * @throws UnsupportedScopeError (as a rejection) for `lifespan` scopes.
 * @throws TypeError (as a rejection) when the handler returns no `Response`.
 */
export function fromFetch(given: FetchHandler | FetchObject): Application {
  return fetchApplication(handlerOf(given), (scope) => ({ scope, state: scope.state }));
}

function handlerOf(given: FetchHandler | FetchObject): FetchHandler {
  if (typeof given === "function") return given;
  if (typeof given === "object" && given !== null && typeof given.fetch === "function")
    // A method call, since handlers such as a class's own need their `this`.
    return (request, env) => given.fetch(request, env);
  throw new TypeError(
    "fromFetch() takes a function (request) that returns a Response, or an object with such a fetch().",
  );
}
