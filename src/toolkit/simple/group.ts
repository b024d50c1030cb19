import { CompositionError, RouteError } from "../../errors.ts";
import type { ApplicationLike } from "../shared/component.ts";
import { isComponent, nameOf } from "../shared/component.ts";
import type { MiddlewareLike } from "../middleware.ts";
import type { PathParams } from "../router/path-params.ts";
import type { RouteGroup } from "../router.ts";
import type { SimpleHandler, Surrounding } from "./pipeline.ts";
import { handled, httpOnly } from "./pipeline.ts";
import type { SseHandler } from "./sse.ts";
import { streamed } from "./sse.ts";
import type { StaticOptions } from "./static.ts";
import { staticFiles } from "./static.ts";
import type { Before, Step } from "./step.ts";
import { surroundingsOf } from "./step.ts";
import type { WebSocketHandler } from "./websocket.ts";
import { connected } from "./websocket.ts";

/** A handler, perhaps with a list of middleware and steps before it. */
export type Handled<Handler> =
  readonly [handler: Handler] | readonly [before: readonly Before[], handler: Handler];

/** What a group gets from the application it belongs to. */
export interface GroupParts {
  readonly around: Surrounding;
  readonly routes: RouteGroup<string>;
  readonly prefix: string;
  readonly steps: readonly Step[];
}

/**
 * Routes under a common prefix, with common middleware and steps: what `group()` hands out, and what an application is
 * itself. All methods return the group, for chaining. They throw RouteError for a pattern that is written wrongly, and
 * CompositionError for what is no handler or middleware.
 */
export class SimpleGroup<Prefix extends string = ""> {
  readonly #parts: GroupParts;

  /** Groups are made by `group()`. */
  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  /** A route for GET. HEAD takes it too, where there is no route for HEAD. */
  get<P extends string>(path: P, ...rest: Handled<SimpleHandler<PathParams<`${Prefix}${P}`>>>): this {
    return this.#add(["GET"], path, rest);
  }

  /** A route for POST. */
  post<P extends string>(path: P, ...rest: Handled<SimpleHandler<PathParams<`${Prefix}${P}`>>>): this {
    return this.#add(["POST"], path, rest);
  }

  /** A route for PUT. */
  put<P extends string>(path: P, ...rest: Handled<SimpleHandler<PathParams<`${Prefix}${P}`>>>): this {
    return this.#add(["PUT"], path, rest);
  }

  /** A route for PATCH. */
  patch<P extends string>(path: P, ...rest: Handled<SimpleHandler<PathParams<`${Prefix}${P}`>>>): this {
    return this.#add(["PATCH"], path, rest);
  }

  /** A route for DELETE. */
  delete<P extends string>(path: P, ...rest: Handled<SimpleHandler<PathParams<`${Prefix}${P}`>>>): this {
    return this.#add(["DELETE"], path, rest);
  }

  /** A route for HEAD. */
  head<P extends string>(path: P, ...rest: Handled<SimpleHandler<PathParams<`${Prefix}${P}`>>>): this {
    return this.#add(["HEAD"], path, rest);
  }

  /** A route for OPTIONS, instead of the automatic answer. */
  options<P extends string>(path: P, ...rest: Handled<SimpleHandler<PathParams<`${Prefix}${P}`>>>): this {
    return this.#add(["OPTIONS"], path, rest);
  }

  /** A route for all methods. A route for one method goes before it. */
  any<P extends string>(path: P, ...rest: Handled<SimpleHandler<PathParams<`${Prefix}${P}`>>>): this {
    return this.#add("*", path, rest);
  }

  /** A route for one method by its name, or for several: `route(["GET", "POST"], "/login", ...)`. */
  route<P extends string>(
    methods: string | readonly string[],
    path: P,
    ...rest: Handled<SimpleHandler<PathParams<`${Prefix}${P}`>>>
  ): this {
    return this.#add(typeof methods === "string" ? [methods] : methods, path, rest);
  }

  /** A route for WebSocket connections. The list before the handler takes middleware, and no steps. */
  websocket<P extends string>(
    path: P,
    ...rest: Handled<WebSocketHandler<PathParams<`${Prefix}${P}`>>>
  ): this {
    const { around, routes } = this.#parts;
    const [middleware, handler] = this.#forAllScopes(`websocket('${path}')`, rest);
    routes.websocket<string>(path, middleware, connected(around.app, handler));
    return this;
  }

  /** A route for event streams. The list before the handler takes middleware, and no steps. */
  sse<P extends string>(path: P, ...rest: Handled<SseHandler<PathParams<`${Prefix}${P}`>>>): this {
    const { around, routes } = this.#parts;
    const [middleware, handler] = this.#forAllScopes(`sse('${path}')`, rest);
    routes.sse<string>(path, middleware, streamed(around.app, handler));
    return this;
  }

  /**
   * Hands what lies under the prefix to another application: a Simple, a router, any PAGI application or component.
   * Routes go before mounts. A handler of another kind is made one before: `fromFetch` of `pagi-server/fetch` takes Hono,
   * Elysia and whatever else has `fetch(request)`.
   */
  mount(prefix: string, target: ApplicationLike): this;
  mount(prefix: string, middleware: readonly MiddlewareLike[], target: ApplicationLike): this;
  mount(prefix: string, ...rest: Handled<ApplicationLike>): this {
    const where = `mount('${prefix}')`;
    const [list, target] = rest.length === 1 ? [[], rest[0]] : rest;
    if (hasFetch(target)) {
      throw new CompositionError(
        `${where}: an object with fetch() is made an application by fromFetch() of pagi-server/fetch.`,
      );
    }
    const { middleware, steps } = surroundingsOf(list, where);
    if (steps.length + this.#parts.steps.length > 0) throw new RouteError(noSteps(where));
    this.#parts.routes.mount(prefix, middleware, target);
    return this;
  }

  /**
   * Serves the files of a folder under a prefix; relative to the current directory, so `import.meta.dir` helps.
   *
   * @throws Error when there is no such folder.
   */
  static(prefix: string, folder: string, options?: StaticOptions): this {
    const { around, routes, steps } = this.#parts;
    const who = `static('${prefix}')`;
    const files = handled(around, steps, staticFiles(folder, options), who);
    routes.mount(prefix, httpOnly(files));
    return this;
  }

  /**
   * Routes with a common prefix, and common middleware and steps, which are registered in a function. Routers and
   * applications of their own are mounted.
   */
  group<P extends string>(prefix: P, ...rest: Handled<(group: SimpleGroup<`${Prefix}${P}`>) => void>): this {
    const where = `group('${prefix}')`;
    const [list, register] = rest.length === 1 ? [[], rest[0]] : rest;
    if (typeof register !== "function")
      throw new CompositionError(
        `${where}: ${nameOf(register)} is no function; a router or application is mounted.`,
      );
    const { middleware, steps } = surroundingsOf(list, where);
    const parts = this.#parts;
    parts.routes.group<string>(prefix, middleware, (routes) => {
      const group = { ...parts, routes, prefix: parts.prefix + prefix, steps: [...parts.steps, ...steps] };
      // What it returns is looked at by the router, which refuses a promise.
      return register(new SimpleGroup<`${Prefix}${P}`>(group));
    });
    return this;
  }

  /** Names the route before it, for `uriFor`. @throws RouteError without a route, and for a name that is taken. */
  name(name: string): this {
    this.#parts.routes.name(name);
    return this;
  }

  /** Demands more of the parameters of the route before it, as `Router.constraints`. */
  constraints(constraints: Readonly<Record<string, RegExp>>): this {
    this.#parts.routes.constraints(constraints);
    return this;
  }

  /** Puts a namespace before the names of the group or the mounted Simple or router before it. */
  as(namespace: string): this {
    this.#parts.routes.as(namespace);
    return this;
  }

  #add<Params extends PathParams>(
    methods: readonly string[] | "*",
    path: string,
    rest: Handled<SimpleHandler<Params>>,
  ): this {
    const { around, routes, prefix, steps: outer } = this.#parts;
    const who = `${methods === "*" ? "any" : methods.join(", ")} ${prefix}${path}`;
    const [list, handler] = rest.length === 1 ? [[], rest[0]] : rest;
    assertHandler(handler, who);
    const { middleware, steps } = surroundingsOf(list, who);
    const target = handled(around, [...outer, ...steps], handler, who);
    routes.any<string>(path, middleware, target, methods === "*" ? {} : { methods });
    return this;
  }

  #forAllScopes<Handler>(where: string, rest: Handled<Handler>): [readonly MiddlewareLike[], Handler] {
    const [list, handler] = rest.length === 1 ? [[], rest[0]] : rest;
    assertHandler(handler, where);
    const { middleware, steps } = surroundingsOf(list, where);
    if (steps.length + this.#parts.steps.length > 0) throw new RouteError(noSteps(where));
    return [middleware, handler];
  }
}

/** A step that did nothing here would be a guard that lets everybody in. */
function noSteps(where: string): string {
  return (
    `${where} has steps before it, or is in a group that has; steps are for http only. Write it as a middleware ` +
    "(around() of pagi-server/router), which is for all scope types, or put the route outside the group."
  );
}

function assertHandler(handler: unknown, where: string): void {
  if (Array.isArray(handler)) {
    throw new CompositionError(`${where}: there is no handler behind the list of middleware and steps.`);
  }
  if (typeof handler === "function") return;
  const advice = isComponent(handler) ? " A component is mounted: app.mount(prefix, component)." : "";
  throw new CompositionError(`${where}: ${nameOf(handler)} is no handler, which is a function.${advice}`);
}

function hasFetch(target: unknown): boolean {
  return typeof target === "object" && target !== null && "fetch" in target && !isComponent(target);
}
