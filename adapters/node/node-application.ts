import { METHODS, type IncomingMessage, type ServerResponse } from "node:http";

import { dispatch, type Application, type Receive } from "../../src/spec/application.ts";
import type { HttpScope, SseScope } from "../../src/spec/scope.ts";
import { isToken } from "../../src/spec/token.ts";
import type { Headers } from "../../src/spec/values.ts";
import { HttpEvents, SseEvents, type ResponseEvents } from "./response-events.ts";

/** A handler in the way of `node:http`. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** How a request gets from a scope to a listener, and its response back. Resolves once the response is complete. */
export type Mechanism = (
  listener: Listener,
) => (scope: HttpScope | SseScope, receive: Receive, events: ResponseEvents) => Promise<void>;

/**
 * The parser of `node:http` accepts only these. It hands CONNECT to listeners of a separate event, not to request handlers.
 */
const SERVED_METHODS = new Set(METHODS.filter((method) => method !== "CONNECT"));

/** What `fromNode` makes, by one mechanism. */
export function nodeApplication(listener: Listener, mechanism: Mechanism): Application {
  const answer = mechanism(listener);
  const serve = (scope: HttpScope | SseScope, receive: Receive, events: ResponseEvents): Promise<void> =>
    isToken(scope.method) && !SERVED_METHODS.has(scope.method)
      ? refuseMethod(scope.method, events)
      : answer(scope, receive, events);

  const others = dispatch({
    async websocket(scope, receive, send) {
      await receive();
      if (scope.extensions?.["websocket.http.response"] === undefined)
        return await send({ type: "websocket.close" });
      const body = "A Node handler takes no WebSockets.\n";
      await send({ type: "websocket.http.response.start", status: 501, headers: plainText(body) });
      await send({ type: "websocket.http.response.body", body });
    },
  });
  return (scope, receive, send) => {
    if (scope.type === "http") return serve(scope, receive, new HttpEvents(scope, send));
    if (scope.type === "sse") return serve(scope, receive, new SseEvents(send));
    return others(scope, receive, send);
  };
}

async function refuseMethod(method: string, events: ResponseEvents): Promise<void> {
  const body = `A Node handler does not implement the method ${method}.\n`;
  await events.start(501, plainText(body), false);
  await events.body(body, false);
}

/** @param body only ASCII. */
function plainText(body: string): Headers {
  return [
    ["content-type", "text/plain;charset=utf-8"],
    ["content-length", String(body.length)],
  ];
}
