import { messageOf, StateError, UnsupportedScopeError } from "../../errors.ts";
import type { Application, Receive, Send } from "../../spec/application.ts";
import type { ReceiveEvent, SendEvent } from "../../spec/events.ts";
import type { LifespanScope, State } from "../../spec/scope.ts";

/**
 * Hooks for the start and the end of the server. Where each one runs:
 *
 * | hook                             | one process                          | `--workers`                     |
 * | -------------------------------- | ------------------------------------ | ------------------------------- |
 * | `startup`, `shutdown`            | once                                 | in every worker                 |
 * | `beforeWorkers`, `afterWorkers`  | once, around `startup`, `shutdown`   | once, in the supervisor         |
 */
export interface LifespanHooks {
  /** Runs before the first request, in every process that serves. It may fill the state that requests see. Default: nothing. */
  readonly startup?: ((state: State) => void | Promise<void>) | undefined;
  /** Runs after the last request, in every process that serves. Default: nothing. */
  readonly shutdown?: ((state: State) => void | Promise<void>) | undefined;
  /**
   * Runs once, before any worker starts: for work such as migrations. It gets no state, because workers are separate
   * processes; they do inherit `process.env`. Default: nothing.
   */
  readonly beforeWorkers?: (() => void | Promise<void>) | undefined;
  /** Runs once, after the last worker has ended. Default: nothing. */
  readonly afterWorkers?: (() => void | Promise<void>) | undefined;
}

/** Part of a sequence. */
interface Member {
  /** Resolves with false when the member has nothing to do with lifespan. */
  start(scope: LifespanScope): Promise<boolean>;
  stop(scope: LifespanScope): Promise<void>;
}

/** One application that takes part in lifespan for several: see {@link runInSequence}. */
export function inSequence(apps: readonly Application[]): Application {
  return async (scope, receive, send) => {
    if (scope.type !== "lifespan") throw new UnsupportedScopeError(scope.type);
    await runInSequence(apps, scope, receive, send);
  };
}

/**
 * Takes hooks and applications through one lifespan: startup in order, each waiting for the one before it, shutdown in
 * reverse order. The first that fails to start ends the startup; those that had started are shut down again, and the
 * server is told `lifespan.startup.failed`. In shutdown all get their turn, whatever the others do; what they say is
 * told together. Source: PAGI Lifespan; an application declines by returning or throwing before it has answered.
 *
 * @throws UnsupportedScopeError (as a rejection) when no member takes part, which declines the lifespan.
 */
export async function runInSequence(
  members: readonly (Application | LifespanHooks)[],
  scope: LifespanScope,
  receive: Receive,
  send: Send,
): Promise<void> {
  if (members.length === 0) throw new UnsupportedScopeError(scope.type);
  const started: Member[] = [];
  for (;;) {
    const event = await receive();
    if (event.type === "lifespan.startup") {
      const here = membersIn(scope.pagi, members);
      for (const member of here) {
        try {
          if (await member.start(scope)) started.push(member);
        } catch (error) {
          const problems = [messageOf(error), ...(await stopAll(started, scope))];
          await send({ type: "lifespan.startup.failed", message: problems.join("\n") });
          return;
        }
      }
      if (started.length === 0) throw new UnsupportedScopeError(scope.type);
      await send({ type: "lifespan.startup.complete" });
    } else if (event.type === "lifespan.shutdown") {
      const problems = await stopAll(started, scope);
      if (problems.length === 0) await send({ type: "lifespan.shutdown.complete" });
      else await send({ type: "lifespan.shutdown.failed", message: problems.join("\n") });
      return;
    }
  }
}

/** Stops all, the last first. Returns what went wrong. */
async function stopAll(started: readonly Member[], scope: LifespanScope): Promise<string[]> {
  const problems: string[] = [];
  for (const member of started.toReversed()) {
    try {
      await member.stop(scope);
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  return problems;
}

/**
 * The members that take part in this process, in order. Each pair of hooks is a separate member, so that a pair that did
 * not start is not stopped. `beforeWorkers` always comes before `startup`, in whatever order the hooks were added.
 */
function membersIn(pagi: LifespanScope["pagi"], members: readonly (Application | LifespanHooks)[]): Member[] {
  const isSupervisor = pagi.role === "supervisor";
  // Other servers may say only that this is a worker.
  const isOnce = isSupervisor || pagi.is_worker !== 1;
  const around: Member[] = [];
  const serving: Member[] = [];
  for (const each of members) {
    if (typeof each === "function") {
      serving.push(new Life(each));
      continue;
    }
    const { startup, shutdown, beforeWorkers, afterWorkers } = each;
    if (isOnce)
      around.push(
        pair(
          () => beforeWorkers?.(),
          () => afterWorkers?.(),
        ),
      );
    if (!isSupervisor)
      serving.push(
        pair(
          (state) => startup?.(state),
          (state) => shutdown?.(state),
        ),
      );
  }
  return [...around, ...serving];
}

type Hook = (state: State) => void | Promise<void>;

function pair(start: Hook, stop: Hook): Member {
  return {
    async start(scope) {
      await start(scope.state);
      return true;
    },
    async stop(scope) {
      await stop(scope.state);
    },
  };
}

/** Where an application stands; `over` once it has returned, thrown or said how its shutdown went. */
type Phase = "starting" | "started" | "stopping" | "over";

/** The one phase in which each event is allowed. */
const ALLOWED_IN: ReadonlyMap<string, Phase> = new Map([
  ["lifespan.startup.complete", "starting"],
  ["lifespan.startup.failed", "starting"],
  ["lifespan.shutdown.complete", "stopping"],
  ["lifespan.shutdown.failed", "stopping"],
]);

/** The lifespan of one application within a sequence, which is the server to it. */
class Life implements Member {
  readonly #app: Application;
  #phase: Phase = "starting";
  readonly #startup = Promise.withResolvers<boolean>();
  readonly #shutdown = Promise.withResolvers<void>();
  readonly #stopOrder = Promise.withResolvers<ReceiveEvent>();
  #hasStartup = true;
  #hasShutdown = true;

  constructor(app: Application) {
    this.#app = app;
    // It may fail while nobody waits for it: between startup and shutdown.
    this.#shutdown.promise.catch(() => {});
  }

  start(scope: LifespanScope): Promise<boolean> {
    void this.#run(scope);
    return this.#startup.promise;
  }

  stop(): Promise<void> {
    if (this.#phase === "started") {
      this.#phase = "stopping";
      this.#stopOrder.resolve({ type: "lifespan.shutdown" });
    }
    return this.#shutdown.promise;
  }

  async #run(scope: LifespanScope): Promise<void> {
    try {
      await this.#app(
        scope,
        () => this.#receive(),
        (event) => this.#send(event),
      );
      this.#end();
    } catch (error) {
      this.#end(error);
    }
  }

  /** Before the startup is over, returning and throwing both decline. Source: PAGI Lifespan, "Scope". */
  #end(error?: unknown): void {
    const hasStarted = this.#phase === "started" || this.#phase === "stopping";
    this.#phase = "over";
    this.#startup.resolve(false);
    if (hasStarted && error !== undefined) this.#shutdown.reject(error);
    else this.#shutdown.resolve();
  }

  async #receive(): Promise<ReceiveEvent> {
    if (this.#hasStartup) {
      this.#hasStartup = false;
      return { type: "lifespan.startup" };
    }
    if (this.#hasShutdown) {
      this.#hasShutdown = false;
      return this.#stopOrder.promise;
    }
    return new Promise(() => {}); // There is no third event, as with a server.
  }

  async #send(event: SendEvent): Promise<void> {
    if (ALLOWED_IN.get(event.type) !== this.#phase) {
      throw new StateError(event.type, this.#phase, "the lifespan of this application does not expect it");
    }
    switch (event.type) {
      case "lifespan.startup.complete":
        this.#phase = "started";
        this.#startup.resolve(true);
        break;
      case "lifespan.startup.failed":
        this.#phase = "over";
        this.#startup.reject(new Error(event.message ?? "An application refuses to start."));
        break;
      case "lifespan.shutdown.complete":
        this.#phase = "over";
        this.#shutdown.resolve();
        break;
      case "lifespan.shutdown.failed":
        this.#phase = "over";
        this.#shutdown.reject(new Error(event.message ?? "An application failed to shut down."));
    }
  }
}
