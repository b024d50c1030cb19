import { CompositionError } from "../../errors.ts";
import type { Application } from "../../spec/application.ts";
import type { State } from "../../spec/scope.ts";
import type { Answer } from "../shared/call.ts";
import { answerWith, assertAnswer } from "../shared/call.ts";
import type { ApplicationLike, Component } from "../shared/component.ts";
import { beginningNameOf, nameOfFunction } from "../shared/component.ts";
import type { ContextFactory } from "../context.ts";
import { contextOf } from "../context.ts";
import type { HttpContext } from "../context/http-context.ts";
import type { MiddlewareLike, Step } from "../middleware.ts";
import { chain } from "../middleware.ts";
import type { PathParams } from "../router/path-params.ts";
import { orRefuse } from "../context/refusal.ts";
import type { PathValue } from "../router/route-pattern.ts";
import type { QueryValues, RouteName } from "../router/route-table.ts";
import type { RouterOptions } from "../router.ts";
import { Router } from "../router.ts";
import type { SseContext } from "../context/sse-context.ts";
import type { WebSocketContext } from "../context/websocket-context.ts";

/**
 * The context that a handler of a route gets, with the parameters of the route's pattern. Of a class of one's own all
 * that is said of them is added to what the class says itself.
 */
export type RouteContext<
  Context extends HttpContext | WebSocketContext | SseContext,
  Params extends PathParams,
> = HttpContext extends Context
  ? HttpContext<Params>
  : WebSocketContext extends Context
    ? WebSocketContext<Params>
    : SseContext extends Context
      ? SseContext<Params>
      : Context & { readonly params: Params };

/** A handler of an http route: a method of the endpoint, or any function. It is called with the endpoint as `this`. */
export type RouteHandler<Endpoint, Context> = (this: Endpoint, context: Context) => Answer | Promise<Answer>;

/** A handler of a websocket or sse route; it sends by itself. */
export type StreamHandler<Endpoint, Context> = (this: Endpoint, context: Context) => void | Promise<void>;

/** A step before a handler: `next()` resolves with what the handler returns, and the step returns that or another. */
export type RouteStep<Endpoint, Context = HttpContext> = (
  this: Endpoint,
  context: Context,
  next: () => Promise<Answer>,
) => Answer | Promise<Answer>;

/** {@link RouteBuilder} for contexts of one's own. */
export class RouteBuilderOf<
  Endpoint,
  Http extends HttpContext,
  WebSocket extends WebSocketContext,
  Sse extends SseContext,
> {
  readonly #endpoint: Endpoint;
  readonly #router: Router;
  readonly #contextOf: ContextFactory<Http, WebSocket, Sse>;

  /** Made by the endpoint itself. */
  constructor(endpoint: Endpoint, router: Router, contextOf: ContextFactory<Http, WebSocket, Sse>) {
    this.#endpoint = endpoint;
    this.#router = router;
    this.#contextOf = contextOf;
  }

  get<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, Http, PathParams<P>>): this {
    return this.#add("GET", path, rest);
  }

  post<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, Http, PathParams<P>>): this {
    return this.#add("POST", path, rest);
  }

  put<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, Http, PathParams<P>>): this {
    return this.#add("PUT", path, rest);
  }

  patch<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, Http, PathParams<P>>): this {
    return this.#add("PATCH", path, rest);
  }

  delete<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, Http, PathParams<P>>): this {
    return this.#add("DELETE", path, rest);
  }

  head<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, Http, PathParams<P>>): this {
    return this.#add("HEAD", path, rest);
  }

  options<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, Http, PathParams<P>>): this {
    return this.#add("OPTIONS", path, rest);
  }

  websocket<P extends string>(
    path: P,
    handler: StreamHandler<Endpoint, RouteContext<WebSocket, PathParams<P>>>,
  ): this {
    assertHandler(handler, `websocket('${path}')`);
    this.#router.websocket<string>(path, async (scope, receive, send) => {
      const context = this.#contextOf(scope, receive, send);
      await orRefuse(context, () =>
        handler.call(this.#endpoint, routed<RouteContext<WebSocket, PathParams<P>>>(context)),
      );
    });
    return this;
  }

  sse<P extends string>(path: P, handler: StreamHandler<Endpoint, RouteContext<Sse, PathParams<P>>>): this {
    assertHandler(handler, `sse('${path}')`);
    this.#router.sse<string>(path, async (scope, receive, send) => {
      const context = this.#contextOf(scope, receive, send);
      await orRefuse(context, () =>
        handler.call(this.#endpoint, routed<RouteContext<Sse, PathParams<P>>>(context)),
      );
    });
    return this;
  }

  /** As `Router.mount`; middleware of the PAGI kind belongs here. */
  mount(prefix: string, target: ApplicationLike): this;
  mount(prefix: string, middleware: readonly MiddlewareLike[], target: ApplicationLike): this;
  mount(prefix: string, ...rest: [ApplicationLike] | [readonly MiddlewareLike[], ApplicationLike]): this {
    if (rest.length === 1) this.#router.mount(prefix, rest[0]);
    else this.#router.mount(prefix, ...rest);
    return this;
  }

  /** As `Router.name`. */
  name(name: string): this {
    this.#router.name(name);
    return this;
  }

  /** As `Router.constraints`. */
  constraints(constraints: Readonly<Record<string, RegExp>>): this {
    this.#router.constraints(constraints);
    return this;
  }

  /** As `Router.as`. */
  as(namespace: string): this {
    this.#router.as(namespace);
    return this;
  }

  #add<P extends string>(
    method: string,
    path: P,
    rest: HandlerArguments<Endpoint, Http, PathParams<P>>,
  ): this {
    const [steps, handler] = rest.length === 1 ? [[], rest[0]] : rest;
    const endpoint = this.#endpoint;
    for (const each of [...steps, handler]) assertHandler(each, `${method.toLowerCase()}('${path}')`);
    const bound = steps.map((step): Step<Http, Answer> => async (context, next) => {
      const answer = await step.call(endpoint, context, next);
      assertAnswer(answer, `The step ${nameOfFunction(step)} of ${method} ${path}`);
      return answer;
    });
    const last = async (context: Http): Promise<Answer> => {
      const answer = await handler.call(endpoint, routed<RouteContext<Http, PathParams<P>>>(context));
      assertAnswer(answer, `The handler ${nameOfFunction(handler)} of ${method} ${path}`);
      return answer;
    };
    const run = chain(bound, last);
    this.#router.any<string>(
      path,
      async (scope, receive, send) => {
        const context = this.#contextOf(scope, receive, send);
        await answerWith(context, `${method} ${path}`, () => run(context));
      },
      { methods: [method] },
    );
    return this;
  }
}

/** What {@link EndpointRouter.routes} registers with. All methods return the builder, for chaining. */
export type RouteBuilder<Endpoint> = RouteBuilderOf<Endpoint, HttpContext, WebSocketContext, SseContext>;

type HandlerArguments<Endpoint, Http extends HttpContext, Params extends PathParams> =
  | [handler: RouteHandler<Endpoint, RouteContext<Http, Params>>]
  | [
      steps: readonly RouteStep<Endpoint, Http>[],
      handler: RouteHandler<Endpoint, RouteContext<Http, Params>>,
    ];

/** The base of {@link EndpointRouter}, for contexts of one's own. */
export abstract class EndpointRouterOf<
  Http extends HttpContext,
  WebSocket extends WebSocketContext,
  Sse extends SseContext,
> implements Component {
  /** Of this worker alone. Requests whose server gives no state see this object. */
  readonly state: State = {};
  #router: Router | undefined;

  /** Makes what the handlers get, see `contextFactory`. */
  abstract readonly contextOf: ContextFactory<Http, WebSocket, Sse>;

  /** Registers the routes; called once. */
  abstract routes(builder: RouteBuilderOf<this, Http, WebSocket, Sse>): void;

  /** How paths are matched. Default: as a Router without options. */
  options(): RouterOptions {
    return {};
  }

  /** The application of one instance, made without arguments. */
  static toApp(this: new () => Component): Application {
    return new this().toApp();
  }

  toApp(): Application {
    const app = this.#built().toApp();
    return async (scope, receive, send) => {
      const state: unknown = scope.state;
      await app(state === undefined ? { ...scope, state: this.state } : scope, receive, send);
    };
  }

  /** As `Router.uriFor`. */
  uriFor(
    name: string,
    parameters: Readonly<Record<string, PathValue | undefined>> = {},
    query: QueryValues = {},
  ): string {
    return this.#built().uriFor(name, parameters, query);
  }

  /** As `Router.namedRoutes`. */
  namedRoutes(): Record<string, RouteName> {
    return this.#built().namedRoutes();
  }

  #built(): Router {
    if (this.#router !== undefined) return this.#router;
    const router = new Router(this.options());
    this.routes(new RouteBuilderOf<this, Http, WebSocket, Sse>(this, router, this.contextOf));
    // Only one with all its routes is kept.
    return (this.#router = router);
  }
}

/**
 * A router as a class: its methods are the handlers and the steps before them. A handler of an http route returns its
 * response; a step gets the call and `next`, and returns what `next()` gives or a response of its own. One instance
 * serves all requests.
 *
 *     class Users extends EndpointRouter {
 *       routes(r: RouteBuilder<this>): void {
 *         r.get("/users/:id", [this.requireLogin], this.show).name("user");
 *       }
 *     }
 */
export abstract class EndpointRouter extends EndpointRouterOf<HttpContext, WebSocketContext, SseContext> {
  readonly contextOf: ContextFactory = contextOf;
}

/** Throws CompositionError for what is no function, when the route is registered and not with its first request. */
function assertHandler(handler: unknown, route: string): void {
  if (typeof handler === "function") return;
  throw new CompositionError(
    `${beginningNameOf(handler)} is no handler and no step of ${route}: these are methods of the endpoint, or functions. ` +
      "Middleware that wraps applications goes around a mount, or around the endpoint.",
  );
}

// The router has matched the pattern whose parameters these are; TypeScript cannot tie the two together.
function routed<Context>(context: unknown): Context {
  return context as Context;
}
