import { advance, NEW } from "./shutdown.ts";
import type { Phase, ShutdownAction, ShutdownEvent, ShutdownWait } from "./shutdown.ts";

export interface LifeOptions {
  /** Milliseconds. */
  readonly shutdownTimeout: number;
  /** An action that throws does not keep the others from being carried out. */
  readonly onError: (error: unknown) => void;
}

/** Carries out the life of a server as `shutdown.ts` decides it: one event after the other, and the waits of the phases. */
export class Life {
  readonly #options: LifeOptions;
  readonly #actions: Readonly<Record<Exclude<ShutdownAction, "resolve">, () => void>>;
  readonly #stopped = Promise.withResolvers<boolean>();
  #state = NEW;
  /** Events that came while the actions of another one were carried out. */
  readonly #events: ShutdownEvent[] = [];
  #isAdvancing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    actions: Readonly<Record<Exclude<ShutdownAction, "resolve">, () => void>>,
    options: LifeOptions,
  ) {
    this.#actions = actions;
    this.#options = options;
  }

  get phase(): Phase {
    return this.#state.phase;
  }

  /** Resolves when it has ended: true when everything was finished, false when something was cut or has failed. */
  get whenStopped(): Promise<boolean> {
    return this.#stopped.promise;
  }

  happen(event: ShutdownEvent): void {
    this.#events.push(event);
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const step = advance(this.#state, next);
      if (step === undefined) continue;
      this.#state = step.state;
      for (const action of step.actions) this.#perform(action);
      this.#wait(step.wait);
    }
    this.#isAdvancing = false;
  }

  #perform(action: ShutdownAction): void {
    if (action === "resolve") {
      this.#stopped.resolve(this.#state.isClean);
      return;
    }
    try {
      this.#actions[action]();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #wait(wait: ShutdownWait): void {
    clearTimeout(this.#timer);
    if (wait === "shutdownTimeout")
      this.#timer = setTimeout(() => this.happen("late"), this.#options.shutdownTimeout);
    else if (wait !== undefined) void this.#turn(wait.turns, this.phase);
  }

  async #turn(turns: number, phase: Phase): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    if (this.phase === phase) this.happen("turned");
  }
}
