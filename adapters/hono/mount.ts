import type { Context, Handler } from "hono";
import { routePath } from "hono/route";
import { environmentOf } from "./environment.ts";
import { HANDSHAKE } from "./handshake.ts";
import { HostedApplication } from "../fetch/to-fetch.ts";
import type { Application } from "../../src/spec/application.ts";
import { belowMount, decodePath, pathSegments, type PathKeys } from "../../src/spec/request-path.ts";
import type { RequestScope } from "../../src/spec/scope.ts";

/**
 * Mounts a PAGI application in a route of a Hono application: `app.all("/legacy/*", pagi(legacy))`. As with every mount,
 * the part that the route matches before the `*` moves from `path` to the end of `root_path`; a route without `*` cuts
 * nothing. Headers that Hono's middleware adds to the response are added to this one's.
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
    const place = placeOf(c, env?.scope);
    const handshake = env?.[HANDSHAKE];
    if (handshake !== undefined) {
      await hosted.lifespan.start();
      const { scope } = handshake;
      const state = { ...scope.state, ...hosted.lifespan.state };
      handshake.taker = (receive, send) => app({ ...scope, ...place, state }, receive, send);
      return c.newResponse(null, 101);
    }
    const scope = env?.scope.type === "websocket" ? undefined : env?.scope;
    return hosted.answer(await requestOf(c), c.env, { ...place, scope });
  };
}

/** The request, with its body put back where a middleware has read it. */
async function requestOf(c: Context): Promise<Request> {
  const { raw } = c.req;
  if (!raw.bodyUsed) return raw;
  const { url, method, headers, signal } = raw;
  return new Request(url, { method, headers, signal, body: await c.req.arrayBuffer() });
}

/** The paths of the mounted application: the server, mounts around Hono, and the route each cut off a prefix. */
function placeOf(c: Context, outer: RequestScope | undefined): Required<PathKeys> {
  const { pathname } = new URL(c.req.url);
  const asked = { path: decodePath(pathname), raw_path: pathname, root_path: outer?.root_path ?? "" };
  const segments = pathSegments(asked.path, pathname) ?? [];
  const left = segmentsLeft(c);
  const known = outer === undefined ? undefined : pathSegments(outer.path, outer.raw_path);
  // Hono's own `mount()` cuts its prefix off the URL; the scope's path still has it in front.
  if (outer !== undefined && known !== undefined && endsWith(known, segments)) {
    return { raw_path: outer.raw_path, ...belowMount(outer, known, Math.max(0, known.length - left)) };
  }
  return { raw_path: pathname, ...belowMount(asked, segments, Math.max(0, segments.length - left)) };
}

/** How many segments of the path are left behind those that the route has before its `*`. */
function segmentsLeft(c: Context): number {
  const count = c.req.path.split("/").length - 1;
  const route = routePath(c);
  return route.endsWith("*") ? Math.max(0, count - Math.max(0, route.split("/").length - 2)) : count;
}

function endsWith(list: readonly string[], end: readonly string[]): boolean {
  const offset = list.length - end.length;
  return offset >= 0 && end.every((each, index) => each === list[offset + index]);
}
