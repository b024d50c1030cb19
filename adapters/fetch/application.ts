import { answerOf, denyWith, type FetchHandler } from "./answer.ts";
import { HandshakeInbox, HttpInbox, SseInbox } from "./inbox.ts";
import { pipeResponse } from "./response.ts";
import { dispatch, type Application, type Receive, type Send } from "../../src/spec/application.ts";
import type { SseReceiveEvent } from "../../src/spec/events.ts";
import type { HttpScope, RequestScope } from "../../src/spec/scope.ts";
import { BodyReader } from "../../src/toolkit/request/body-reader.ts";
import { responseEvents } from "../../src/toolkit/response/events.ts";

/**
 * The application that a fetch handler is.
 *
 * @param environmentOf makes what the handler gets beside each request.
 */
export function fetchApplication<Environment>(
  handler: FetchHandler<Environment>,
  environmentOf: (scope: RequestScope) => Environment,
): Application {
  /** Not an async function: an answer that is at hand when the handler returns leaves in the same turn. */
  const http = (scope: HttpScope, receive: Receive, send: Send): Promise<void> => {
    const inbox = new HttpInbox(scope, receive);
    const answer = answerOf(handler, scope, inbox, environmentOf(scope));
    const events = responseEvents(send, scope);
    return answer instanceof Response
      ? pipeResponse(answer, scope, inbox, events)
      : answer.then((response) => pipeResponse(response, scope, inbox, events));
  };
  const others = dispatch({
    async sse(scope, receive, send) {
      const inbox = new SseInbox(new BodyReader<SseReceiveEvent>(scope, receive));
      const response = await answerOf(handler, scope, inbox, environmentOf(scope));
      await pipeResponse(response, scope, inbox, responseEvents(send, scope));
    },
    async websocket(scope, receive, send) {
      const inbox = new HandshakeInbox(receive);
      await denyWith(await answerOf(handler, scope, inbox, environmentOf(scope)), scope, inbox, send);
    },
  });
  return (scope, receive, send) =>
    scope.type === "http" ? http(scope, receive, send) : others(scope, receive, send);
}
