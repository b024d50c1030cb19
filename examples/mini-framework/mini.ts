import { isRequestError, PagiRequest } from "pagi-server/request";
import { PagiResponse } from "pagi-server/response";
import {
  chain,
  Router,
  type Component,
  type HttpTarget,
  type PathParams,
  type Step,
} from "pagi-server/router";

/** What a handler gets: the request, and the parameters of its path by the names of its own pattern. */
export interface Context<Params = Readonly<Record<string, string>>> {
  readonly request: PagiRequest;
  readonly params: Params;
}

/** A text, a response of any kind, nothing (204), or a value for JSON; or a promise of it. */
export type Handler<Params> = (context: Context<Params>) => unknown;

/** The handler of a route. The pattern is spelled as `Router` does it, or TypeScript does not see that they are the same. */
export type HandlerAt<P extends string> = Handler<PathParams<`${P}`>>;

/** Goes around all handlers: sees the response that `next()` brings, or answers itself. */
export type MiniStep = Step<Context, PagiResponse>;

/** A web framework. */
export class Mini implements Component {
  readonly #router = new Router({ notFound: PagiResponse.text("Not Found\n", { status: 404 }) });
  readonly #steps: MiniStep[] = [];

  /** Adds a step; it goes around all handlers, those that were registered before it too. */
  use(step: MiniStep): this {
    this.#steps.push(step);
    return this;
  }

  get<P extends string>(path: P, handler: HandlerAt<P>): this {
    this.#router.get(path, this.#target(handler));
    return this;
  }
  post<P extends string>(path: P, handler: HandlerAt<P>): this {
    this.#router.post(path, this.#target(handler));
    return this;
  }
  put<P extends string>(path: P, handler: HandlerAt<P>): this {
    this.#router.put(path, this.#target(handler));
    return this;
  }
  patch<P extends string>(path: P, handler: HandlerAt<P>): this {
    this.#router.patch(path, this.#target(handler));
    return this;
  }
  delete<P extends string>(path: P, handler: HandlerAt<P>): this {
    this.#router.delete(path, this.#target(handler));
    return this;
  }

  toApp() {
    return this.#router.toApp();
  }

  /** From here on handlers are PAGI applications. */
  #target<Params extends Readonly<Record<string, string>>>(handler: Handler<Params>): HttpTarget<Params> {
    return async (scope, receive, send) => {
      const context = { request: new PagiRequest(scope, receive), params: scope.path_params };
      const run = chain(this.#steps, async () => answer(await handler(context)));
      await (await run(context).catch(problem)).respond(send, scope);
    };
  }
}

function answer(value: unknown): PagiResponse {
  if (value === undefined) return PagiResponse.empty();
  if (typeof value === "string") return PagiResponse.text(value);
  if (value instanceof PagiResponse) return value;
  if (value instanceof Response) return PagiResponse.from(value);
  return PagiResponse.json(value);
}

/** What the client did wrong it is told; the rest is for the server, which logs it and answers with 500. */
function problem(error: unknown): PagiResponse {
  if (isRequestError(error)) return PagiResponse.problem(error);
  throw error;
}
