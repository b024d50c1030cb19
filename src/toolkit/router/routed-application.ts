import { RouteError } from "../../errors.ts";
import type { Application, Receive, Send } from "../../spec/application.ts";
import { ANYTHING, checkOptions, FUNCTION, limit, oneOf, type OptionRules } from "../../spec/option-rules.ts";
import { belowMount, hasEncodedSlash, otherSlash, pathSegments } from "../../spec/request-path.ts";
import type { RequestScope } from "../../spec/scope.ts";
import type { ApplicationLike } from "../shared/component.ts";
import { toApp } from "../shared/component.ts";
import { decline } from "../shared/decline.ts";
import { inSequence } from "../lifespan/sequence.ts";
import { compose, rereadable } from "../middleware.ts";
import type { Mount, Route, RouteTable } from "./route-table.ts";
import { RouteTree } from "./route-tree.ts";

/** What a path with a slash at the end is to one without, and the other way round. */
export type TrailingSlash = "strict" | "ignore" | "redirect";

export interface RoutingOptions {
  /** Answers a request without a route. Default: 404 as plain text. */
  readonly notFound?: ApplicationLike | undefined;
  /** Makes the answer to a method without a route, from the value of `Allow`. Default: 405 as plain text. */
  readonly methodNotAllowed?: ((allow: string) => ApplicationLike) | undefined;
  /** Whether `/users` and `/users/` are the same. Default `strict`: they are not. */
  readonly trailingSlash?: TrailingSlash | undefined;
  /** Longest value that a constraint is tested on, in UTF-16 units. Default 1000. */
  readonly maxConstrainedLength?: number | undefined;
}

const ROUTING_RULES: OptionRules<RoutingOptions> = {
  notFound: ANYTHING,
  methodNotAllowed: FUNCTION,
  trailingSlash: oneOf("strict", "ignore", "redirect"),
  maxConstrainedLength: limit(1),
};

const DEFAULT_MAX_CONSTRAINED_LENGTH = 1000;
const ANY_METHOD = "*";
const NO_VALUES: readonly string[] = [];

/** A route or mount, ready to be called. */
interface Ready {
  readonly app: Application;
  readonly pattern: string;
  readonly names: readonly string[];
}

/** The routes that the same paths lead to. */
interface Place {
  readonly http: Map<string, Ready>;
  websocket: Ready | undefined;
  sse: Ready | undefined;
}

/** What a request's path has led to. */
interface Outcome {
  found: Ready | undefined;
  values: readonly string[];
  /** The methods of the routes that the path leads to, if none has the method of the request. */
  allowed: Set<string> | undefined;
  /** Nothing was found, but the path leads to a route of this other type of scope. */
  instead: RequestScope["type"] | undefined;
}

/** Nothing was found, not even a route for another method. */
const isMiss = ({ found, allowed }: Outcome): boolean => found === undefined && allowed === undefined;

/**
 * The application of a table of routes: routes first, then mounts, then 404.
 *
 * @throws RouteError for two routes that match the same requests; OptionError for an unknown option, and for a value that is none.
 */
export function routedApplication(table: RouteTable, options: RoutingOptions): Application {
  checkOptions("new Router", ROUTING_RULES, options);
  const { trailingSlash = "strict", maxConstrainedLength = DEFAULT_MAX_CONSTRAINED_LENGTH } = options;
  const routes = new RouteTree<Place>(maxConstrainedLength);
  for (const route of table.routes) addRoute(routes, route);
  const mounts = new RouteTree<Ready>(maxConstrainedLength);
  const ready = table.mounts.map((mount) => addMount(mounts, mount));
  const lifespan = inSequence(distinctTargets(table.mounts, ready));
  const notFound = options.notFound === undefined ? answerNotFound : toApp(options.notFound);

  return async (scope, given, send) => {
    if (scope.type === "lifespan") return lifespan(scope, given, send);
    const receive = rereadable(scope, given);
    const segments = pathSegments(scope.path, scope.raw_path);
    if (segments === undefined) return notFound(scope, receive, send);
    let form = segments;
    let outcome = outcomeOf(routes, scope, form, true);
    if (isMiss(outcome) && trailingSlash !== "strict" && scope.path !== "/") {
      form = otherForm(segments);
      const other = outcomeOf(routes, scope, form, false);
      const target = otherSlash(scope);
      if (trailingSlash === "ignore" || scope.type === "websocket") outcome = other;
      else if (!isMiss(other) && target !== undefined) {
        return decline(scope, send, 308, "", [["location", target]]);
      }
    }
    if (outcome.found !== undefined) return callRoute(outcome.found, outcome.values, scope, receive, send);
    if (outcome.allowed !== undefined) {
      const allow = allowOf(outcome.allowed);
      const asked = preflightMethod(scope);
      const route =
        asked === undefined
          ? undefined
          : outcomeOf(routes, { ...scope, method: asked }, form, form === segments);
      if (route?.found !== undefined)
        return callRoute(route.found, route.values, scope, receive, send, allow);
      if (scope.method === "OPTIONS" || options.methodNotAllowed === undefined)
        return answerMethod(scope, send, allow);
      return toApp(options.methodNotAllowed(allow))(scope, receive, send);
    }
    const mounted = mounts.matchPrefix(segments);
    if (mounted === undefined) {
      const { instead } = outcome;
      return notFound(
        instead === undefined ? scope : { ...scope, "pagi.router": { instead } },
        receive,
        send,
      );
    }
    const { place, values, length } = mounted;
    await place.app(
      {
        ...scope,
        ...belowMount(scope, segments, length),
        ...(place.names.length === 0 ? {} : { path_params: parametersOf(place.names, values, scope) }),
      },
      receive,
      send,
    );
  };
}

function addRoute(tree: RouteTree<Place>, route: Route): void {
  const { pattern } = route;
  const place = tree.placeOf(pattern, () => ({ http: new Map(), websocket: undefined, sse: undefined }));
  const target = toApp(route.target);
  const app = compose(route.middleware)(route.type === "http" ? behindPreflight(target) : target);
  const ready: Ready = { app, pattern: pattern.text, names: pattern.names };
  if (route.type !== "http") {
    assertFree(place[route.type], route, route.type);
    place[route.type] = ready;
    return;
  }
  for (const method of route.methods === "*" ? [ANY_METHOD] : new Set(route.methods)) {
    assertFree(place.http.get(method), route, method === ANY_METHOD ? "any method" : method);
    place.http.set(method, ready);
  }
}

function assertFree(taken: Ready | undefined, { pattern, registration }: Route, what: string): void {
  if (taken === undefined) return;
  throw new RouteError(
    `There are two routes for ${what} that match the same paths: '${taken.pattern}' and '${pattern.text}'.`,
    { cause: registration },
  );
}

function addMount(tree: RouteTree<Ready>, { prefix, middleware, target, registration }: Mount): Ready {
  const ready = { app: compose(middleware)(toApp(target)), pattern: prefix.text, names: prefix.names };
  const place = tree.placeOf(prefix, () => ready);
  if (place === ready) return ready;
  const where = prefix.text === "" ? "/" : prefix.text;
  throw new RouteError(`Two applications are mounted at '${where}'.`, { cause: registration });
}

/** The applications that take part in lifespan: a component that is mounted twice has one life. */
function distinctTargets(mounts: readonly Mount[], ready: readonly Ready[]): Application[] {
  const byTarget = new Map<ApplicationLike, Application>();
  for (const [index, { target }] of mounts.entries()) {
    const app = ready[index]?.app;
    if (app !== undefined && !byTarget.has(target)) byTarget.set(target, app);
  }
  return [...byTarget.values()];
}

function outcomeOf(
  routes: RouteTree<Place>,
  scope: RequestScope,
  segments: readonly string[],
  isWhole: boolean,
): Outcome {
  const outcome: Outcome = { found: undefined, values: NO_VALUES, allowed: undefined, instead: undefined };
  const visit = (place: Place, values: readonly string[]): boolean => {
    outcome.found = routeFor(place, scope);
    outcome.values = values;
    if (outcome.found !== undefined) return true;
    if (scope.type === "http") {
      for (const method of place.http.keys()) (outcome.allowed ??= new Set()).add(method);
    }
    outcome.instead ??= typeOf(place);
    return false;
  };
  // A path without parameters is found in one look: no other place that it leads to is more specific.
  const exact = isWhole && !hasEncodedSlash(scope.raw_path) ? routes.exact(scope.path) : undefined;
  if (exact === undefined || !visit(exact, NO_VALUES)) routes.match(segments, visit);
  return outcome;
}

function typeOf({ http, sse, websocket }: Place): RequestScope["type"] | undefined {
  if (http.size > 0) return "http";
  if (sse !== undefined) return "sse";
  return websocket === undefined ? undefined : "websocket";
}

function routeFor(place: Place, scope: RequestScope): Ready | undefined {
  switch (scope.type) {
    case "websocket":
      return place.websocket;
    case "sse":
      return place.sse;
    case "http":
      return (
        place.http.get(scope.method) ??
        (scope.method === "HEAD" ? place.http.get("GET") : undefined) ??
        place.http.get(ANY_METHOD)
      );
  }
}

function callRoute(
  { app, pattern, names }: Ready,
  values: readonly string[],
  scope: RequestScope,
  receive: Receive,
  send: Send,
  preflight?: string,
): Promise<void> {
  // One literal: copying a second object into the first would cost as much as finding the route.
  const routed = {
    ...scope,
    path_params: parametersOf(names, values, scope),
    "pagi.router": preflight === undefined ? { route: pattern } : { route: pattern, preflight },
  };
  return app(routed, receive, send);
}

/** The values by name, together with those of the mounts on the way. */
function parametersOf(
  names: readonly string[],
  values: readonly string[],
  scope: RequestScope,
): Record<string, unknown> {
  const outer = scope["path_params"];
  const parameters: Record<string, unknown> = typeof outer === "object" ? { ...outer } : {};
  for (let index = 0; index < names.length; index++) parameters[names[index] ?? ""] = values[index] ?? "";
  return parameters;
}

const answerNotFound: Application = async (scope, _receive, send) => {
  if (scope.type !== "lifespan") await declineNotFound(scope, send);
};

/** Answers with 404, and with {@link adviceFor} the scope if there is any. */
export function declineNotFound(scope: RequestScope, send: Send): Promise<void> {
  const advice = adviceFor(scope);
  return decline(scope, send, 404, advice === undefined ? "Not Found" : `Not Found. ${advice}`);
}

const ADVICE = {
  http: "This path is no event stream and no WebSocket; ask for it with plain HTTP.",
  sse: "This is the path of an event stream; ask for it with 'Accept: text/event-stream'.",
  websocket: "This is the path of a WebSocket.",
};

/** What somebody is told who asks with plain HTTP for what is an event stream or a WebSocket, or the other way round. */
export function adviceFor(scope: RequestScope): string | undefined {
  const routed = scope["pagi.router"];
  if (typeof routed !== "object" || routed === null || !("instead" in routed)) return undefined;
  const { instead } = routed;
  return instead === "http" || instead === "sse" || instead === "websocket" ? ADVICE[instead] : undefined;
}

/** RFC 9110 section 15.5.6: 405 says which methods there are; section 9.3.7: OPTIONS asks for them. */
function answerMethod(scope: RequestScope, send: Send, allow: string): Promise<void> {
  if (scope.method === "OPTIONS") return decline(scope, send, 204, "", [["allow", allow]]);
  return decline(scope, send, 405, "Method Not Allowed", [["allow", allow]]);
}

function allowOf(methods: ReadonlySet<string>): string {
  const allowed = new Set(methods).add("OPTIONS");
  if (allowed.has("GET")) allowed.add("HEAD");
  return [...allowed].sort().join(", ");
}

/** The method that a CORS preflight asks for. Source: Fetch standard, "CORS-preflight request". */
function preflightMethod(scope: RequestScope): string | undefined {
  if (scope.type !== "http" || scope.method !== "OPTIONS") return undefined;
  return scope.headers.find(([name]) => name === "access-control-request-method")?.[1];
}

/**
 * The target of a route, which a preflight does not reach: the middleware of the route sees it, as that may be what knows
 * about CORS, and behind that it is answered like any OPTIONS request.
 */
function behindPreflight(target: Application): Application {
  return (scope, receive, send) => {
    const routed = scope["pagi.router"];
    const isPreflight = typeof routed === "object" && routed !== null && "preflight" in routed;
    if (!isPreflight || scope.type === "lifespan") return target(scope, receive, send);
    return answerMethod(scope, send, String(routed.preflight));
  };
}

/** The segments of the path with a slash at the end instead of without, or the other way round. */
function otherForm(segments: readonly string[]): string[] {
  return segments.at(-1) === "" ? segments.slice(0, -1) : [...segments, ""];
}
