import { UnsupportedScopeError } from "../../src/errors.ts";
import type { Application, Scope, WebSocketScope } from "../../src/spec/index.ts";
import type { Router } from "../../src/toolkit/router.ts";
import { httpScope, REQUEST, response, server, type Wanted } from "./fake-scope.ts";

// A router's side of a test: targets that say which one they are, and requests for them.

/** Answers with a name and what the route has put into the scope. */
export function says(name: string): Application {
  return async (scope, _receive, send) => {
    if (scope.type === "lifespan") throw new UnsupportedScopeError(scope.type);
    const { path, root_path, path_params, "pagi.router": routed } = scope;
    const body = JSON.stringify({ name, path, root_path, path_params, routed });
    if (scope.type === "websocket") {
      await send({ type: "websocket.close", reason: body });
      return;
    }
    const prefix = scope.type === "http" ? "http.response" : "sse.http.response";
    await send({ type: `${prefix}.start`, status: 200 });
    await send({ type: `${prefix}.body`, body });
  };
}

/** A `websocket` scope, as `httpScope` makes one of http. */
export function webSocketScope(wanted: Wanted = {}): WebSocketScope {
  const { scheme: _scheme, ...rest } = wanted;
  return { ...REQUEST, type: "websocket", scheme: "ws", subprotocols: [], ...rest };
}

/** What a router sends for a scope. */
export async function sentFor(router: Router, scope: Scope) {
  const side = server();
  await router.toApp()(scope, side.receive, side.send);
  return side.sent;
}

/** What a request for `path`, as it is sent, is answered with. */
export async function ask(router: Router, method: string, target: string, wanted: Wanted = {}) {
  const [raw_path = "", query_string = ""] = target.split("?", 2);
  const path = decodeURIComponent(raw_path);
  const sent = await sentFor(router, httpScope({ method, raw_path, path, query_string, ...wanted }));
  const { status, headers, body } = response(sent);
  const json = status === 200 ? JSON.parse(body) : {};
  return { status, headers: new Map(headers), body, ...json };
}
