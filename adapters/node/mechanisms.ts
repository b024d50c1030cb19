import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { RequestConnection } from "./connection.ts";
import { Exchange } from "./exchange.ts";
import type { Internals } from "./internals.ts";
import type { Mechanism } from "./node-application.ts";

/** Bytes of a request's head. The server in front has its own, smaller limit. */
const MAX_HEADER_SIZE = 2 ** 20;

/** Constructs the objects of Bun's own server around an object of ours. */
export function byInternals(internals: Internals): Mechanism {
  return (listener) => (scope, receive, events) => {
    try {
      return new Exchange(scope, receive, events, internals).run(listener);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** Writes the request to a server that never listens, over a connection in memory. */
export const byConnection: Mechanism = (listener) => {
  // Its timers are off, for those of the server in front run.
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
  return async (scope, receive, events) => {
    const connection = new RequestConnection(scope, receive, events);
    server.emit("connection", connection);
    await connection.run();
  };
};
