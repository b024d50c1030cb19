import { isRequestError } from "../request/error.ts";
import { PagiResponse } from "../response.ts";
import type { SseContext } from "./sse-context.ts";
import type { WebSocketContext } from "./websocket-context.ts";

/**
 * Calls a handler of a connection. A `RequestError` that it throws refuses the connection with a problem document, where
 * it has not been answered yet.
 */
export async function orRefuse(
  context: WebSocketContext | SseContext,
  handle: () => void | Promise<void>,
): Promise<void> {
  try {
    await handle();
  } catch (error) {
    if (!isRequestError(error) || !(await refuse(context, PagiResponse.problem(error)))) throw error;
  }
}

/** Returns false where it is too late for that. */
async function refuse(context: WebSocketContext | SseContext, response: PagiResponse): Promise<boolean> {
  if (context.type === "websocket") {
    if (context.websocket.connectionState !== "connecting") return false;
    await context.websocket.deny(response);
    return true;
  }
  if (context.sse.connectionState !== "pending") return false;
  await context.sse.decline(response);
  return true;
}
