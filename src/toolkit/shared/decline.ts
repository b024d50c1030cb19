import type { Send } from "../../spec/application.ts";
import type { RequestScope } from "../../spec/scope.ts";
import type { Headers } from "../../spec/values.ts";

/**
 * Answers with a short plain text in the events of the scope: an SSE stream is declined, a WebSocket handshake denied.
 * A handshake is refused with `websocket.close` (which is 403) where the server cannot send another answer.
 *
 * @param headers besides `content-type`.
 */
export async function decline(
  scope: RequestScope,
  send: Send,
  status: number,
  text: string,
  headers: Headers = [],
): Promise<void> {
  const fields: Headers = text === "" ? headers : [["content-type", "text/plain; charset=utf-8"], ...headers];
  switch (scope.type) {
    case "http":
      await send({ type: "http.response.start", status, headers: fields });
      await send({ type: "http.response.body", body: text });
      return;
    case "sse":
      await send({ type: "sse.http.response.start", status, headers: fields });
      await send({ type: "sse.http.response.body", body: text });
      return;
    case "websocket":
      if (scope.extensions?.["websocket.http.response"] === undefined) {
        await send({ type: "websocket.close" });
        return;
      }
      await send({ type: "websocket.http.response.start", status, headers: fields });
      await send({ type: "websocket.http.response.body", body: text });
  }
}
