import { createServer, METHODS, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { dispatch, type Application } from "../src/spec/application.ts";
import type { HttpReceiveEvent, SseReceiveEvent } from "../src/spec/events.ts";
import type { HttpScope, SseScope } from "../src/spec/scope.ts";
import { isToken } from "../src/spec/token.ts";
import type { Headers } from "../src/spec/values.ts";
import { RequestConnection, type ResponseEvents } from "./node/connection.ts";

/** A handler in the way of `node:http`: an Express application is one, and `fastify.routing`, and `koa.callback()`. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * The parser of `node:http` accepts only these. It hands CONNECT to listeners of a separate event, not to request handlers.
 */
const SERVED_METHODS = new Set(METHODS.filter((method) => method !== "CONNECT"));

/** Bytes of a request's head. The server in front has its own, smaller limit. */
const MAX_HEADER_SIZE = 2 ** 20;

/**
 * Makes an application of a handler for `node:http`.
 *
 * Each request goes through Bun's own `node:http`, over a connection in memory, so the handler gets the real classes,
 * prototypes, events and streams. `request.socket` is a `net.Socket` with the client's address, working timeouts, and
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
  const server = privateServer(listener);
  const serve = async (
    scope: HttpScope | SseScope,
    receive: () => Promise<HttpReceiveEvent | SseReceiveEvent>,
    events: ResponseEvents,
  ): Promise<void> => {
    if (isToken(scope.method) && !SERVED_METHODS.has(scope.method)) {
      const body = `A Node handler does not implement the method ${scope.method}.\n`;
      await events.start(501, plainText(body), false);
      return await events.body(body, false);
    }
    const connection = new RequestConnection(scope, receive, events);
    server.emit("connection", connection);
    await connection.run();
  };

  return dispatch({
    async http(scope, receive, send) {
      const events: ResponseEvents = {
        ...(scope.extensions?.["http.response.interim"] !== undefined && {
          interim: (status, headers) => send({ type: "http.response.interim", status, headers }),
        }),
        start: (status, headers, trailers) =>
          send({ type: "http.response.start", status, headers, trailers }),
        body: (body, more) => send({ type: "http.response.body", body, more }),
        trailers: (headers) => send({ type: "http.response.trailers", headers }),
      };
      await serve(scope, receive, events);
    },
    async sse(scope, receive, send) {
      await serve(scope, receive, {
        start: (status, headers) => send({ type: "sse.http.response.start", status, headers }),
        body: (body, more) => send({ type: "sse.http.response.body", body, more }),
      });
    },
    async websocket(scope, receive, send) {
      await receive();
      if (scope.extensions?.["websocket.http.response"] === undefined)
        return await send({ type: "websocket.close" });
      const body = "A Node handler takes no WebSockets.\n";
      await send({ type: "websocket.http.response.start", status: 501, headers: plainText(body) });
      await send({ type: "websocket.http.response.body", body });
    },
  });
}

/** The scope of a request that {@link fromNode} has made, with its `state`; undefined for any other request. */
export function scopeOf(request: IncomingMessage): HttpScope | SseScope | undefined {
  const { socket }: { socket: unknown } = request;
  return socket instanceof RequestConnection ? socket.scope : undefined;
}

/** @param body only ASCII. */
function plainText(body: string): Headers {
  return [
    ["content-type", "text/plain;charset=utf-8"],
    ["content-length", String(body.length)],
  ];
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
