import { around } from "pagi-server/router";

/** Writes a line for each request, stream and WebSocket when it is over: what it was, its answer, how long it took. */
export const requestLog = around(async (scope, _receive, send, next) => {
  if (scope.type === "lifespan") return await next();
  const started = performance.now();
  let status: number | undefined;
  try {
    await next({
      send: (event) => {
        if ("status" in event) status = event.status ?? 200;
        else if (event.type === "websocket.accept") status = 101;
        return send(event);
      },
    });
  } finally {
    const what = scope.type === "http" ? scope.method : scope.type;
    // The path as the client sent it has no line breaks, which would be lines of the log.
    console.log(`${what} ${scope.raw_path} ${status ?? "-"} ${Math.round(performance.now() - started)} ms`);
  }
});
