import { CompositionError, RouteError } from "../errors.ts";
import { checkOptions, TEXTS, type OptionRules } from "../spec/option-rules.ts";
import type { Application, Send } from "../spec/application.ts";
import type { HttpReceiveEvent, SseReceiveEvent, WebSocketReceiveEvent } from "../spec/events.ts";
import type { HttpScope, Scope, SseScope, WebSocketScope } from "../spec/scope.ts";
import type { ApplicationLike, Component } from "./shared/component.ts";
import { assertApplicationLike, isComponent, nameOf } from "./shared/component.ts";
import type { MiddlewareLike } from "./middleware.ts";
import { assertMiddleware } from "./middleware.ts";
import type { PathParams } from "./router/path-params.ts";
import type { PathValue } from "./router/route-pattern.ts";
import { parsePattern } from "./router/route-pattern.ts";
import type { Methods, QueryValues, RouteName } from "./router/route-table.ts";
import { RouteTable } from "./router/route-table.ts";
import type { TrailingSlash } from "./router/routed-application.ts";
import { routedApplication } from "./router/routed-application.ts";

export type { ApplicationLike, Component } from "./shared/component.ts";
export type { Middleware, MiddlewareLike, Next, Onward, Step, Wrapper } from "./middleware.ts";
export { around, chain, compose } from "./middleware.ts";
export type { PathParams } from "./router/path-params.ts";
export type { PathValue } from "./router/route-pattern.ts";
export type { QueryValues, RouteName } from "./router/route-table.ts";
export type { TrailingSlash } from "./router/routed-application.ts";

/** What a {@link Router} is told. */
export interface RouterOptions {
  /** Answers what has no route, whatever its scope type, in the events of that type. Default: 404 as plain text. */
  readonly notFound?: ApplicationLike | undefined;
  /**
   * Makes the answer to a method that a path has no route for, of the methods that it has, as `Allow` lists them. Default:
   * 405 as plain text. OPTIONS is answered by itself.
   */
  readonly methodNotAllowed?: ((allow: string) => ApplicationLike) | undefined;
  /**
   * `strict`: `/users` and `/users/` are two paths. `ignore`: a route is found for either. `redirect`: the client is sent
   * to the one that has a route, with 308. Default `strict`.
   */
  readonly trailingSlash?: TrailingSlash | undefined;
  /**
   * UTF-16 units. A longer value meets no constraint. Constraints take time linear in the length of the value, and this
   * bounds it. Default 1000.
   */
  readonly maxConstrainedLength?: number | undefined;
}

/** What a matched route adds to a scope. */
export interface RoutedKeys<Parameters> {
  /** The parameters by name, percent-decoded; those of mounts and groups among them. */
  readonly path_params: Parameters;
  readonly "pagi.router": {
    /** The pattern, as it was written, with the prefixes of its groups. */
    readonly route: string;
  };
}

/** An application for the scopes of one route, or a component. An application for all scopes fits too. */
type Target<S extends Scope, Event, Parameters> =
  | ((scope: S & RoutedKeys<Parameters>, receive: () => Promise<Event>, send: Send) => Promise<void>)
  | Component;

/** What an http route leads to: a component, or an application that knows the parameters of its pattern. */
export type HttpTarget<Parameters> = Target<HttpScope, HttpReceiveEvent, Parameters>;
/** As {@link HttpTarget}, for `websocket` scopes. */
export type WebSocketTarget<Parameters> = Target<WebSocketScope, WebSocketReceiveEvent, Parameters>;
/** As {@link HttpTarget}, for `sse` scopes. */
export type SseTarget<Parameters> = Target<SseScope, SseReceiveEvent, Parameters>;

/** Which requests a route for all methods takes. */
export interface AnyOptions {
  /** Default: every method there is. */
  readonly methods?: readonly string[] | undefined;
}

const ANY_RULES: OptionRules<AnyOptions> = { methods: TEXTS };

/** A target, perhaps with middleware before it, the outermost first. */
type MaybeMiddleware<T> = readonly [target: T] | readonly [middleware: readonly MiddlewareLike[], target: T];

/**
 * Routes under a common prefix, with common middleware: what `group()` hands out, and what a router is itself. All
 * methods return the group, for chaining, and throw RouteError for a pattern that is written wrongly and
 * CompositionError for what is no application or middleware.
 *
 * A route's target is a PAGI application for the scopes of the route (or for any), or a component; its middleware stands
 * in a list before it, the outermost first.
 */
export class RouteGroup<Prefix extends string = ""> {
  readonly #table: RouteTable;
  readonly #prefix: string;
  readonly #middleware: readonly MiddlewareLike[];

  /** Groups are made by `group()`, which gives them their table. */
  constructor(table: RouteTable, prefix: string, middleware: readonly MiddlewareLike[]) {
    this.#table = table;
    this.#prefix = prefix;
    this.#middleware = middleware;
  }

  /** A route for GET. A HEAD request takes it too, where there is no route for HEAD. */
  get<P extends string>(path: P, target: HttpTarget<PathParams<`${Prefix}${P}`>>): this;
  get<P extends string>(
    path: P,
    middleware: readonly MiddlewareLike[],
    target: HttpTarget<PathParams<`${Prefix}${P}`>>,
  ): this;
  get(path: string, ...rest: MaybeMiddleware<HttpTarget<never>>): this {
    return this.#add("http", ["GET"], path, rest);
  }

  /** A route for POST. */
  post<P extends string>(path: P, target: HttpTarget<PathParams<`${Prefix}${P}`>>): this;
  post<P extends string>(
    path: P,
    middleware: readonly MiddlewareLike[],
    target: HttpTarget<PathParams<`${Prefix}${P}`>>,
  ): this;
  post(path: string, ...rest: MaybeMiddleware<HttpTarget<never>>): this {
    return this.#add("http", ["POST"], path, rest);
  }

  /** A route for PUT. */
  put<P extends string>(path: P, target: HttpTarget<PathParams<`${Prefix}${P}`>>): this;
  put<P extends string>(
    path: P,
    middleware: readonly MiddlewareLike[],
    target: HttpTarget<PathParams<`${Prefix}${P}`>>,
  ): this;
  put(path: string, ...rest: MaybeMiddleware<HttpTarget<never>>): this {
    return this.#add("http", ["PUT"], path, rest);
  }

  /** A route for PATCH. */
  patch<P extends string>(path: P, target: HttpTarget<PathParams<`${Prefix}${P}`>>): this;
  patch<P extends string>(
    path: P,
    middleware: readonly MiddlewareLike[],
    target: HttpTarget<PathParams<`${Prefix}${P}`>>,
  ): this;
  patch(path: string, ...rest: MaybeMiddleware<HttpTarget<never>>): this {
    return this.#add("http", ["PATCH"], path, rest);
  }

  /** A route for DELETE. */
  delete<P extends string>(path: P, target: HttpTarget<PathParams<`${Prefix}${P}`>>): this;
  delete<P extends string>(
    path: P,
    middleware: readonly MiddlewareLike[],
    target: HttpTarget<PathParams<`${Prefix}${P}`>>,
  ): this;
  delete(path: string, ...rest: MaybeMiddleware<HttpTarget<never>>): this {
    return this.#add("http", ["DELETE"], path, rest);
  }

  /** A route for HEAD. */
  head<P extends string>(path: P, target: HttpTarget<PathParams<`${Prefix}${P}`>>): this;
  head<P extends string>(
    path: P,
    middleware: readonly MiddlewareLike[],
    target: HttpTarget<PathParams<`${Prefix}${P}`>>,
  ): this;
  head(path: string, ...rest: MaybeMiddleware<HttpTarget<never>>): this {
    return this.#add("http", ["HEAD"], path, rest);
  }

  /** A route for OPTIONS, instead of the automatic answer. */
  options<P extends string>(path: P, target: HttpTarget<PathParams<`${Prefix}${P}`>>): this;
  options<P extends string>(
    path: P,
    middleware: readonly MiddlewareLike[],
    target: HttpTarget<PathParams<`${Prefix}${P}`>>,
  ): this;
  options(path: string, ...rest: MaybeMiddleware<HttpTarget<never>>): this {
    return this.#add("http", ["OPTIONS"], path, rest);
  }

  /** A route for all methods, or for those that are named. A route for one method goes before it. */
  any<P extends string>(path: P, target: HttpTarget<PathParams<`${Prefix}${P}`>>, options?: AnyOptions): this;
  any<P extends string>(
    path: P,
    middleware: readonly MiddlewareLike[],
    target: HttpTarget<PathParams<`${Prefix}${P}`>>,
    options?: AnyOptions,
  ): this;
  any(
    path: string,
    first: HttpTarget<never> | readonly MiddlewareLike[],
    second?: HttpTarget<never> | AnyOptions,
    third?: AnyOptions,
  ): this {
    if (isList(first)) {
      if (!isTarget(second)) throw new RouteError(`any('${path}') has middleware, but no target behind it.`);
      return this.#add("http", methodsOf(path, third), path, [first, second]);
    }
    if (isTarget(second))
      throw new RouteError(`any('${path}') has two targets; middleware goes into a list.`);
    return this.#add("http", methodsOf(path, second), path, [first]);
  }

  /** A route for WebSocket connections. */
  websocket<P extends string>(path: P, target: WebSocketTarget<PathParams<`${Prefix}${P}`>>): this;
  websocket<P extends string>(
    path: P,
    middleware: readonly MiddlewareLike[],
    target: WebSocketTarget<PathParams<`${Prefix}${P}`>>,
  ): this;
  websocket(path: string, ...rest: MaybeMiddleware<WebSocketTarget<never>>): this {
    return this.#add("websocket", "*", path, rest);
  }

  /** A route for event streams, whatever the method of the request. */
  sse<P extends string>(path: P, target: SseTarget<PathParams<`${Prefix}${P}`>>): this;
  sse<P extends string>(
    path: P,
    middleware: readonly MiddlewareLike[],
    target: SseTarget<PathParams<`${Prefix}${P}`>>,
  ): this;
  sse(path: string, ...rest: MaybeMiddleware<SseTarget<never>>): this {
    return this.#add("sse", "*", path, rest);
  }

  /**
   * Hands what lies under the prefix and has no route to another application, which sees the rest of the path as its
   * `path` and the prefix at the end of `root_path`. The longest prefix wins. The application takes part in lifespan.
   */
  mount(prefix: string, target: ApplicationLike): this;
  mount(prefix: string, middleware: readonly MiddlewareLike[], target: ApplicationLike): this;
  mount(prefix: string, ...rest: MaybeMiddleware<ApplicationLike>): this {
    const [middleware, target] = this.#parts(prefix, rest);
    const pattern = parsePattern(this.#prefix + withoutSlash(prefix));
    if (pattern.segments.some(({ kind }) => kind === "wildcard")) {
      throw new RouteError(
        `The prefix '${prefix}' has a wildcard; a mount takes the rest of the path anyway.`,
      );
    }
    assertApplicationLike(target, `mount('${prefix}')`);
    if (RouteGroup.#leadsTo(target, this.#table)) {
      throw new CompositionError(
        `mount('${prefix}'): ${nameOf(target)} would be mounted in itself, directly or through another.`,
      );
    }
    const named = routesOf(target);
    const registration = new Error(`The application was mounted here, at '${pattern.text}'.`);
    this.#table.addMount(
      { prefix: pattern, middleware, target, registration },
      named === undefined ? named : named.#table,
    );
    return this;
  }

  /**
   * Routes with a common prefix and common middleware, that are part of this router: its 405 and its names know them.
   * They are registered in a function, or copied from another router as it is now, mounts included.
   */
  group<P extends string>(prefix: P, routes: GroupRoutes<`${Prefix}${P}`>): this;
  group<P extends string>(
    prefix: P,
    middleware: readonly MiddlewareLike[],
    routes: GroupRoutes<`${Prefix}${P}`>,
  ): this;
  group<P extends string>(prefix: P, ...rest: MaybeMiddleware<GroupRoutes<`${Prefix}${P}`>>): this {
    const [middleware, routes] = this.#parts(prefix, rest);
    const whole = this.#prefix + withoutSlash(prefix);
    parsePattern(whole);
    this.#table.addGroup(() => {
      if (routes instanceof RouteGroup) {
        this.#table.include(routes.#table, whole, middleware);
        return;
      }
      if (typeof routes !== "function")
        throw new RouteError(`The group '${prefix}' needs a function that registers routes, or a Router.`);
      const result: unknown = routes(new RouteGroup<`${Prefix}${P}`>(this.#table, whole, middleware));
      if (result instanceof Promise) {
        throw new RouteError(
          `The function of the group '${prefix}' returned a promise; it has to be synchronous.`,
        );
      }
    });
    return this;
  }

  /** Names the route before it, for `uriFor`. @throws RouteError without a route, and for a name that is taken. */
  name(name: string): this {
    this.#table.nameLast(name);
    return this;
  }

  /**
   * Demands more of the parameters of the route before it; a value has to match as a whole. A route whose constraints are
   * not met is passed over. Checking takes time linear in the length of the value.
   *
   * @throws RouteError without a route, for a parameter that it does not have, and for an expression that cannot be
   *   checked in linear time: one with back-references, or of more than 1000 steps.
   */
  constraints(constraints: Readonly<Record<string, RegExp>>): this {
    this.#table.constrainLast(constraints);
    return this;
  }

  /**
   * Puts a namespace before the names of the group before it, or takes over the names that the router mounted before it
   * has by now: `users.get` becomes `api.users.get`.
   *
   * @throws RouteError without a group or a mounted router, and for names that are taken.
   */
  as(namespace: string): this {
    this.#table.namespaceLast(namespace);
    return this;
  }

  #add<T>(
    type: "http" | "websocket" | "sse",
    methods: Methods,
    path: string,
    rest: MaybeMiddleware<T>,
  ): this {
    const [middleware, target] = this.#parts(path, rest);
    this.#table.addRoute({
      type,
      methods,
      pattern: parsePattern(this.#prefix + path),
      constraints: {},
      middleware,
      target: asApplicationLike(target, path),
      registration: new Error(`The route was registered here, with '${path}'.`),
    });
    return this;
  }

  #parts<T>(path: string, rest: MaybeMiddleware<T>): [middleware: readonly MiddlewareLike[], target: T] {
    if (rest.length === 1) return [this.#middleware, rest[0]];
    const [middleware, target] = rest;
    if (!Array.isArray(middleware)) {
      throw new RouteError(`'${path}': middleware goes into a list before the target.`);
    }
    for (const each of middleware) assertMiddleware(each);
    return [[...this.#middleware, ...middleware], target];
  }

  /** Whether a table is that of the target, or of what is mounted in it. */
  static #leadsTo(target: unknown, table: RouteTable, seen = new Set<RouteTable>()): boolean {
    const routes = routesOf(target);
    if (routes === undefined || seen.has(routes.#table)) return false;
    seen.add(routes.#table);
    return (
      routes.#table === table ||
      routes.#table.mounts.some((mount) => RouteGroup.#leadsTo(mount.target, table, seen))
    );
  }

  /** What a router makes its application from. */
  protected static tableOf(group: RouteGroup): RouteTable {
    return group.#table;
  }
}

/** What `group()` takes: a function that registers routes, or a router whose routes are copied. */
export type GroupRoutes<Prefix extends string> = ((group: RouteGroup<Prefix>) => void) | Router;

/**
 * One router for http, websocket and sse. A request goes to the route with the most specific pattern: literal text
 * before parameters before wildcards, segment by segment, and not in the order of registration. A path whose routes have
 * other methods is answered with 405 and `Allow`, OPTIONS automatically, anything else that has no route and no mount
 * with 404, in the events of its scope type.
 *
 * The routes are put in order when the router is made an application; from then on it takes no more.
 */
export class Router extends RouteGroup implements Component {
  readonly #options: RouterOptions;
  #app: Application | undefined;

  constructor(options: RouterOptions = {}) {
    super(new RouteTable(), "", []);
    this.#options = options;
  }

  /**
   * The application. Middleware is applied and mounted components are made applications now, once.
   *
   * @throws RouteError for two routes that match the same.
   */
  toApp(): Application {
    if (this.#app !== undefined) return this.#app;
    const table = Router.tableOf(this);
    const app = routedApplication(table, this.#options);
    table.freeze();
    this.#app = app;
    return app;
  }

  /**
   * The path of a named route, percent-encoded, perhaps with a query. It never begins with two slashes, so it cannot lead
   * to another host. It does not know where the router itself is mounted: put `request.mountPath` before it, or ask the
   * router that mounts it, after `as()`.
   *
   * @throws RouteError for an unknown name, and a value that is missing or that the route would not match.
   */
  uriFor(
    name: string,
    parameters: Readonly<Record<string, PathValue | undefined>> = {},
    query: QueryValues = {},
  ): string {
    return Router.tableOf(this).uriFor(name, parameters, query);
  }

  /** All names, with the patterns that they stand for. */
  namedRoutes(): Record<string, RouteName> {
    return Router.tableOf(this).names();
  }
}

// A route sees only scopes of its own type, with the parameters of its own pattern: the router calls it for no others.
// TypeScript cannot tie the two together, so this is the one place where that promise is written down.
function asApplicationLike(target: unknown, path: string): ApplicationLike {
  assertApplicationLike(target, `'${path}'`);
  return target;
}

/** The router that a target is, or that it says it has: its routes can be addressed by name. */
function routesOf(target: unknown): RouteGroup | undefined {
  if (target instanceof RouteGroup) return target;
  const router: unknown = isComponent(target) && "router" in target ? target.router : undefined;
  return router instanceof RouteGroup ? router : undefined;
}

function isList(value: unknown): value is readonly MiddlewareLike[] {
  return Array.isArray(value);
}

function isTarget(value: unknown): value is HttpTarget<never> {
  return typeof value === "function" || isComponent(value);
}

function methodsOf(path: string, options: AnyOptions | undefined): Methods {
  checkOptions("any", ANY_RULES, options ?? {});
  const methods = options?.methods;
  if (methods === undefined) return "*";
  if (methods.length === 0) throw new RouteError(`any('${path}') has an empty list of methods.`);
  return methods.map((method) => method.toUpperCase());
}

function withoutSlash(prefix: string): string {
  return prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
}
