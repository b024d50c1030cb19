import type { Application } from "../spec/application.ts";
import { dispatch } from "../spec/application.ts";
import type { State } from "../spec/scope.ts";
import type { Answer, HttpCall, SseCall, WebSocketCall } from "./call.ts";
import { assertAnswer, giveAnswer, paramsOf } from "./call.ts";
import type { ApplicationLike, Component } from "./component.ts";
import type { MiddlewareLike, Step } from "./middleware.ts";
import { chain } from "./middleware.ts";
import type { PathParams } from "./path-params.ts";
import type { PathValue } from "./route-pattern.ts";
import type { QueryValues, RouteName } from "./route-table.ts";
import type { RouterOptions } from "./router.ts";
import { Router } from "./router.ts";

/** A handler of an http route: a method of the endpoint, or any function. It is called with the endpoint as `this`. */
export type RouteHandler<Endpoint, Parameters> = (
  this: Endpoint,
  call: HttpCall<Parameters>,
) => Answer | Promise<Answer>;

/** A handler of a websocket or sse route; it sends by itself. */
export type StreamHandler<Endpoint, CallOfRoute> = (
  this: Endpoint,
  call: CallOfRoute,
) => void | Promise<void>;

/** A step before a handler: `next()` resolves with what the handler returns, and the step returns that or another. */
export type RouteStep<Endpoint> = (
  this: Endpoint,
  call: HttpCall,
  next: () => Promise<Answer>,
) => Answer | Promise<Answer>;

/** What {@link EndpointRouter.routes} registers with. All methods return the builder, for chaining. */
export class RouteBuilder<Endpoint> {
  readonly #endpoint: Endpoint;
  readonly #router: Router;

  /** Made by the endpoint itself. */
  constructor(endpoint: Endpoint, router: Router) {
    this.#endpoint = endpoint;
    this.#router = router;
  }

  get<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, PathParams<P>>): this {
    return this.#add("GET", path, rest);
  }

  post<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, PathParams<P>>): this {
    return this.#add("POST", path, rest);
  }

  put<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, PathParams<P>>): this {
    return this.#add("PUT", path, rest);
  }

  patch<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, PathParams<P>>): this {
    return this.#add("PATCH", path, rest);
  }

  delete<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, PathParams<P>>): this {
    return this.#add("DELETE", path, rest);
  }

  head<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, PathParams<P>>): this {
    return this.#add("HEAD", path, rest);
  }

  options<P extends string>(path: P, ...rest: HandlerArguments<Endpoint, PathParams<P>>): this {
    return this.#add("OPTIONS", path, rest);
  }

  websocket<P extends string>(path: P, handler: StreamHandler<Endpoint, WebSocketCall<PathParams<P>>>): this {
    this.#router.websocket<string>(path, (outer, receive, send) =>
      dispatch({
        websocket: async (scope, events) => {
          const call = { scope, receive: events, send, params: routeParams<P>(paramsOf(scope)) };
          await handler.call(this.#endpoint, call);
        },
      })(outer, receive, send),
    );
    return this;
  }

  sse<P extends string>(path: P, handler: StreamHandler<Endpoint, SseCall<PathParams<P>>>): this {
    this.#router.sse<string>(path, (outer, receive, send) =>
      dispatch({
        sse: async (scope, events) => {
          const call = { scope, receive: events, send, params: routeParams<P>(paramsOf(scope)) };
          await handler.call(this.#endpoint, call);
        },
      })(outer, receive, send),
    );
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

  #add<P extends string>(method: string, path: P, rest: HandlerArguments<Endpoint, PathParams<P>>): this {
    const [steps, handler] = rest.length === 1 ? [[], rest[0]] : rest;
    const endpoint = this.#endpoint;
    const bound = steps.map((step): Step<HttpCall, Answer> => async (call, next) => {
      const answer = await step.call(endpoint, call, next);
      assertAnswer(answer, `The step ${nameOfFunction(step)} of ${method} ${path}`);
      return answer;
    });
    const last = async (call: HttpCall): Promise<Answer> => {
      const answer = await handler.call(endpoint, { ...call, params: routeParams<P>(call.params) });
      assertAnswer(answer, `The handler ${nameOfFunction(handler)} of ${method} ${path}`);
      return answer;
    };
    const run = chain(bound, last);
    this.#router.any<string>(
      path,
      (outer, receive, send) =>
        dispatch({
          http: async (scope, events) => {
            const call: HttpCall = { scope, receive: events, send, params: paramsOf(scope) };
            await giveAnswer(await run(call), call, `${method} ${path}`);
          },
        })(outer, receive, send),
      { methods: [method] },
    );
    return this;
  }
}

type HandlerArguments<Endpoint, Parameters> =
  | [handler: RouteHandler<Endpoint, Parameters>]
  | [steps: readonly RouteStep<Endpoint>[], handler: RouteHandler<Endpoint, Parameters>];

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
export abstract class EndpointRouter implements Component {
  /** Of this worker alone. Requests whose server gives no state see this object. */
  readonly state: State = {};
  #router: Router | undefined;

  /** Registers the routes; called once. */
  abstract routes(builder: RouteBuilder<this>): void;

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
    if (this.#router === undefined) {
      this.#router = new Router(this.options());
      this.routes(new RouteBuilder<this>(this, this.#router));
    }
    return this.#router;
  }
}

// The router has matched the pattern whose parameters these are; TypeScript cannot tie the two together.
function routeParams<P extends string>(params: Readonly<Record<string, string>>): PathParams<P> {
  return params as PathParams<P>;
}

function nameOfFunction(value: { readonly name: string }): string {
  return value.name === "" ? "without a name" : `'${value.name}'`;
}
