import type { IncomingMessage, ServerResponse } from "node:http";

import type { Application } from "../src/spec/application.ts";
import type { HttpScope, SseScope } from "../src/spec/scope.ts";
import { chooseMechanism, chosenLater } from "./node/choice.ts";
import { nodeApplication } from "./node/node-application.ts";
import { RequestSocket } from "./node/socket.ts";

/** A handler in the way of `node:http`: an Express application is one, and `fastify.routing`, and `koa.callback()`. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** The probe of Bun's internals runs when this module is loaded. */
const mechanism = chosenLater(chooseMechanism());

/**
 * Makes an application of a handler for `node:http`.
 *
 * The handler gets Bun's own `IncomingMessage` and `ServerResponse`, with the real prototypes, events and streams: the
 * same objects that a server of `node:http` makes, around the PAGI request. `request.socket` is a `net.Socket` with the client's address, working timeouts, and
 * behind TLS the client's certificate. Bodies stream both ways with backpressure: a request body is received when the
 * handler reads it and not before. Below a mount `request.url` is the rest of the path, and `baseUrl` and `originalUrl` are
 * what Express' own mounts leave there. When the client disconnects, the request emits `aborted` and `close`, and the
 * response `close`.
 *
 * It answers `http` scopes, and `sse` scopes too, with an ordinary response: a handler makes its own
 * `text/event-stream`. A `websocket` scope is answered with 501, and so are CONNECT and methods that `node:http` does
 * not know. In `http` scopes, trailers of the response are sent, and so are interim responses (`writeEarlyHints`,
 * `writeProcessing`, `writeContinue`, a status of 1xx) where the scope has the extension `http.response.interim`;
 * elsewhere interim responses are dropped. PAGI has no trailers of a request, and no reason phrases.
 *
 * If the handler throws or rejects, or destroys the response or its socket before the response is complete, the server
 * logs the error and answers 500, or cuts a response that has begun. The same happens if the response ends short of its
 * content-length, or ends with an interim status other than 101: the client would wait for the rest indefinitely.
 *
 * @throws UnsupportedScopeError (as a rejection) for `lifespan` scopes.
 */
export function fromNode(listener: NodeListener): Application {
  return nodeApplication(listener, mechanism);
}

/** The scope of a request that {@link fromNode} has made, with its `state`; undefined for any other request. */
export function scopeOf(request: IncomingMessage): HttpScope | SseScope | undefined {
  const { socket }: { socket: unknown } = request;
  return socket instanceof RequestSocket ? socket.scope : undefined;
}
