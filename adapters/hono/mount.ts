import type { Context, Handler } from "hono";
import { routePath } from "hono/route";
import { environmentOf } from "./environment.ts";
import { HANDSHAKE } from "./handshake.ts";
import { HostedApplication } from "../fetch/to-fetch.ts";
import type { Application } from "../../src/spec/application.ts";
import { decodePath } from "../../src/exchange/scope.ts";

/**
 * Mounts a PAGI application in a route of a Hono application: `app.all("/legacy/*", pagi(legacy))`. In its scopes
 * `root_path` is what the route has matched before the `*`, and `path` stays whole, as PAGI's are. What Hono's
 * middleware adds to the response is added to this one's.
 *
 * HTTP and event streams work on every server that runs the Hono application, WebSockets on a PAGI server. There the
 * scope has the server's `client`, `server`, `state` and TLS extension too. The application's own lifespan runs its
 * startup with the first request, whatever it leaves being laid over the server's `state`; there is no shutdown, since
 * Hono has none.
 */
export function pagi(app: Application): Handler {
  const hosted = new HostedApplication(app, {});
  return async (c) => {
    const env = environmentOf(c);
    const rootPath = rootPathOf(c, env?.scope.root_path ?? "");
    const handshake = env?.[HANDSHAKE];
    if (handshake !== undefined) {
      await hosted.lifespan.start();
      const { scope } = handshake;
      const state = { ...scope.state, ...hosted.lifespan.state };
      handshake.taker = (receive, send) => app({ ...scope, root_path: rootPath, state }, receive, send);
      return c.newResponse(null, 101);
    }
    const scope = env?.scope.type === "websocket" ? undefined : env?.scope;
    return hosted.answer(await requestOf(c), c.env, { rootPath, scope });
  };
}

/** The request, with its body put back where a middleware has read it. */
async function requestOf(c: Context): Promise<Request> {
  const { raw } = c.req;
  if (!raw.bodyUsed) return raw;
  const { url, method, headers, signal } = raw;
  return new Request(url, { method, headers, signal, body: await c.req.arrayBuffer() });
}

/** As many segments of the path as the route has before its `*`, behind what the server has taken off already. */
function rootPathOf(c: Context, outer: string): string {
  const route = routePath(c);
  if (!route.endsWith("*")) return outer;
  const depth = route.split("/").length - 1;
  const prefix = decodePath(c.req.path.split("/").slice(0, depth).join("/"));
  return prefix.startsWith(outer) ? prefix : outer + prefix;
}
