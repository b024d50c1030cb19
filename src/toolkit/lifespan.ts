import { CompositionError, UnsupportedScopeError } from "../errors.ts";
import { ANYTHING, checkOptions, FUNCTION, type OptionRules } from "../spec/option-rules.ts";
import type { Application, Receive, Send } from "../spec/application.ts";
import type { Scope, State } from "../spec/scope.ts";
import type { ApplicationLike, Component } from "./shared/component.ts";
import { toApp } from "./shared/component.ts";
import type { LifespanHooks } from "./lifespan/sequence.ts";
import { runInSequence } from "./lifespan/sequence.ts";

export type { LifespanHooks } from "./lifespan/sequence.ts";

/** Where a middleware that sees a lifespan scope on its way in may leave hooks, in a list that it makes or finds. */
export const HANDLERS_KEY = "pagi.lifespan.handlers";

const HOOK_NAMES = [
  "startup",
  "shutdown",
  "beforeWorkers",
  "afterWorkers",
] as const satisfies readonly (keyof LifespanHooks)[];

/**
 * Puts hooks around an application: `startup` fills the state before the first request, `shutdown` clears up after the
 * last. The application's own lifespan runs inside: it starts after `startup` and has shut down before `shutdown`. So
 * wrapped applications may be wrapped again, or mounted in a router: startup goes from the outside to the inside, and
 * shutdown the other way.
 *
 * `startup` and `shutdown` run in every process that serves. `beforeWorkers` and `afterWorkers` run once: in the
 * supervisor, or in the single process. See {@link LifespanHooks}.
 *
 * A hook that throws in startup keeps the server from starting; what had started is shut down again. In shutdown every
 * hook runs, whatever the others do, and the server is told of all that failed.
 *
 * @throws CompositionError when `app` is no application and no component.
 */
export function wrap(app: ApplicationLike, hooks: LifespanHooks = {}): Application {
  return new Lifespan({ app, ...hooks }).toApp();
}

/** What a {@link Lifespan} is told. */
export interface LifespanOptions extends LifespanHooks {
  /** The application around whose requests the hooks run. */
  readonly app: ApplicationLike;
}

const LIFESPAN_RULES: OptionRules<LifespanOptions> = {
  app: ANYTHING,
  startup: FUNCTION,
  shutdown: FUNCTION,
  beforeWorkers: FUNCTION,
  afterWorkers: FUNCTION,
};

/** What {@link wrap} does, for programs that add hooks one by one. */
export class Lifespan implements Component {
  readonly #app: Application;
  readonly #hooks: LifespanHooks[] = [];
  #state: State | undefined;

  /** @throws CompositionError when `app` is no application and no component. */
  constructor(options: LifespanOptions) {
    checkOptions("new Lifespan", LIFESPAN_RULES, options);
    const { app, ...hooks } = options;
    this.#app = toApp(app);
    // Together, since a pair that did not start is not shut down.
    this.#hooks.push(hooks);
  }

  /** The object that the hooks have filled; undefined before startup. Requests see a shallow copy of it. */
  get state(): State | undefined {
    return this.#state;
  }

  /** Adds hooks behind those that there are. Too late once the server has started. */
  register(hooks: LifespanHooks): this {
    this.#hooks.push(hooks);
    return this;
  }

  onStartup(startup: NonNullable<LifespanHooks["startup"]>): this {
    return this.register({ startup });
  }

  onShutdown(shutdown: NonNullable<LifespanHooks["shutdown"]>): this {
    return this.register({ shutdown });
  }

  /** See {@link LifespanHooks}. */
  beforeWorkers(beforeWorkers: NonNullable<LifespanHooks["beforeWorkers"]>): this {
    return this.register({ beforeWorkers });
  }

  afterWorkers(afterWorkers: NonNullable<LifespanHooks["afterWorkers"]>): this {
    return this.register({ afterWorkers });
  }

  toApp(): Application {
    return async (scope, receive, send) => {
      if (scope.type === "lifespan") {
        this.#state = scope.state ??= {};
        const members = [...takeHandlers(scope), ...this.#hooks, this.#app];
        await runInSequence(members, scope, receive, send);
        return;
      }
      // Servers give every request a state; the rest is for those that know none.
      const state: unknown = scope.state;
      await this.#app(state === undefined ? { ...scope, state: { ...this.#state } } : scope, receive, send);
    };
  }
}

/**
 * Runs a whole lifespan for an application that looks at the scope type itself: the hooks that middleware has left in
 * `scope["pagi.lifespan.handlers"]`, then its own. Resolves after shutdown, or after a startup that has failed.
 *
 *     if (scope.type === "lifespan") return handleLifespan(scope, receive, send, { startup, shutdown });
 *
 * @throws UnsupportedScopeError (as a rejection) for any other scope.
 * @throws CompositionError (as a rejection) when what middleware has left is no list of hooks.
 */
export async function handleLifespan(
  scope: Scope,
  receive: Receive,
  send: Send,
  hooks: LifespanHooks = {},
): Promise<void> {
  if (scope.type !== "lifespan") throw new UnsupportedScopeError(scope.type);
  scope.state ??= {};
  await runInSequence([...takeHandlers(scope), hooks], scope, receive, send);
}

/** Whoever takes them runs them: applications further inside do not find them again. */
function takeHandlers(scope: Scope): LifespanHooks[] {
  const left = scope[HANDLERS_KEY];
  if (left === undefined || left === null) return [];
  if (Array.isArray(left) && left.every(isHooks)) return left.splice(0);
  throw new CompositionError(`scope["${HANDLERS_KEY}"] must be a list of { ${HOOK_NAMES.join(", ")} }.`);
}

function isHooks(value: unknown): value is LifespanHooks {
  if (typeof value !== "object" || value === null) return false;
  return HOOK_NAMES.every((name) => {
    const hook: unknown = Reflect.get(value, name);
    return hook === undefined || typeof hook === "function";
  });
}
