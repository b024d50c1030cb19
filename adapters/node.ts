import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { dispatch, type Application } from "../src/spec/application.ts";
import type { HttpScope, SseScope } from "../src/spec/scope.ts";
import { RequestConnection } from "./node/connection.ts";

/** A handler in the way of `node:http`: an Express application is one, and `fastify.routing`, and `koa.callback()`. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Bytes of a request's head. The server in front has its own, smaller limit. */
const MAX_HEADER_SIZE = 2 ** 20;

/**
 * Makes an application of a handler for `node:http`.
 *
 * Each request goes through Bun's own `node:http`, over a connection in memory, so that the handler gets what it gets
 * elsewhere, and prototypes, events and streams are the real ones. `request.socket` tells the client's address. Bodies
 * stream both ways with backpressure: a request body is received when the handler reads it and not before. When the
 * client goes, the request emits `aborted` and `close`, and the response `close`.
 *
 * It answers `http` scopes, and `sse` scopes too, with the ordinary response that declines an event stream: a handler
 * makes its own `text/event-stream`. A `websocket` scope is answered with 501. Trailers of the response are sent in
 * `http` scopes; those of a request are not in PAGI, and interim responses (103 Early Hints) are not either.
 *
 * What the handler throws, or rejects with, goes to the server, which answers 500. So does the destruction of the
 * response or its socket before the response is complete, with an error that says so; what was begun is cut.
 *
 * @throws UnsupportedScopeError (as a rejection) for `lifespan` scopes.
 */
export function fromNode(listener: NodeListener): Application {
  const server = privateServer(listener);

  return dispatch({
    async http(scope, receive, send) {
      const connection = new RequestConnection(scope, receive, {
        start: (status, headers, trailers) =>
          send({ type: "http.response.start", status, headers, trailers }),
        body: (body, more) => send({ type: "http.response.body", body, more }),
        trailers: (headers) => send({ type: "http.response.trailers", headers }),
      });
      server.emit("connection", connection);
      await connection.run();
    },
    async sse(scope, receive, send) {
      const connection = new RequestConnection(scope, receive, {
        start: (status, headers) => send({ type: "sse.http.response.start", status, headers }),
        body: (body, more) => send({ type: "sse.http.response.body", body, more }),
      });
      server.emit("connection", connection);
      await connection.run();
    },
    async websocket(scope, receive, send) {
      await receive();
      if (scope.extensions["websocket.http.response"] === undefined)
        return await send({ type: "websocket.close" });
      const body = "A Node handler takes no WebSockets.\n";
      const headers: [string, string][] = [
        ["content-type", "text/plain;charset=utf-8"],
        ["content-length", String(body.length)],
      ];
      await send({ type: "websocket.http.response.start", status: 501, headers });
      await send({ type: "websocket.http.response.body", body });
    },
  });
}

/** The scope of a request that {@link fromNode} has made, with its `state`; undefined for any other request. */
export function scopeOf(request: IncomingMessage): HttpScope | SseScope | undefined {
  const { socket }: { socket: unknown } = request;
  return socket instanceof RequestConnection ? socket.scope : undefined;
}

/** It never listens. Its timers are off, for those of the server in front run. */
function privateServer(listener: NodeListener): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_SIZE,
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
  });
  server.timeout = 0;
  server.maxHeadersCount = 0;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket: connection }: { socket: unknown } = request;
    if (!(connection instanceof RequestConnection)) throw new Error("a request of another connection");
    connection.accept(request, response);
    try {
      const returned = listener(request, response);
      if (returned instanceof Promise) returned.catch((error: unknown) => connection.fail(error));
    } catch (error) {
      connection.fail(error);
    }
  };
  server.on("request", onRequest);
  // The server in front has said 100 Continue, or says it as soon as the body is received.
  server.on("checkContinue", onRequest);
  return server;
}
