import { LifespanError, messageOf, StateError } from "../../src/errors.ts";
import type { Application } from "../../src/spec/application.ts";
import type { LifespanReceiveEvent, SendEvent } from "../../src/spec/events.ts";
import { PAGI_VERSION, type LifespanScope, type State } from "../../src/spec/scope.ts";
import { validateSendEvent } from "../../src/spec/validate.ts";

/** `starting` until the application has said how startup went, `started`, `stopping`, `over`. */
type Phase = "starting" | "started" | "stopping" | "over";

/**
 * The lifespan of an application on a host that has none of its own. Source: PAGI Lifespan. There are no timeouts:
 * the host knows how long it may take to start and to stop.
 */
export class HostedLifespan {
  readonly #app: Application;
  readonly #startup = Promise.withResolvers<void>();
  readonly #shutdown = Promise.withResolvers<void>();
  readonly #events: LifespanReceiveEvent[] = [{ type: "lifespan.startup" }];
  #receiver: ((event: LifespanReceiveEvent) => void) | undefined;
  readonly #scope: LifespanScope = {
    type: "lifespan",
    pagi: { version: PAGI_VERSION, spec_version: PAGI_VERSION, is_worker: 0, role: "single" },
    state: {},
  };
  #phase: Phase | undefined;

  constructor(app: Application) {
    this.#app = app;
  }

  /** What the requests get a copy of. */
  get state(): State {
    return this.#scope.state;
  }

  /**
   * Calls the application and waits until it has started, or has declined by returning or throwing. A second call
   * waits for the first.
   *
   * @throws LifespanError when it says that it cannot start.
   */
  start(): Promise<void> {
    if (this.#phase === undefined) {
      this.#phase = "starting";
      void this.#run();
    }
    return this.#startup.promise;
  }

  /**
   * Tells an application that has started to shut down, and waits until it has. Does nothing else.
   *
   * @throws LifespanError when it says that it could not, or throws meanwhile.
   */
  async stop(): Promise<void> {
    if (this.#phase === "starting") await this.#startup.promise.catch(() => {});
    if (this.#phase === "started") {
      this.#phase = "stopping";
      this.#deliver({ type: "lifespan.shutdown" });
    }
    if (this.#phase === "stopping") await this.#shutdown.promise;
    this.#phase = "over";
  }

  async #run(): Promise<void> {
    let thrown: unknown;
    try {
      await this.#app(
        this.#scope,
        () => this.#receive(),
        (event) => this.#send(event),
      );
    } catch (error) {
      thrown = error ?? new Error("the application threw nothing");
    }
    const phase = this.#phase;
    this.#phase = "over";
    this.#startup.resolve();
    if (phase === "stopping" && thrown !== undefined) {
      this.#fail(this.#shutdown, `The application threw while it shut down: ${messageOf(thrown)}`, thrown);
    }
    this.#shutdown.resolve();
  }

  #receive(): Promise<LifespanReceiveEvent> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    return new Promise((resolve) => (this.#receiver = resolve));
  }

  #deliver(event: LifespanReceiveEvent): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver === undefined) this.#events.push(event);
    else receiver(event);
  }

  async #send(event: SendEvent): Promise<void> {
    validateSendEvent("lifespan", event);
    switch (event.type) {
      case "lifespan.startup.complete":
        this.#leave("starting", "started", event.type);
        this.#startup.resolve();
        return;
      case "lifespan.startup.failed":
        this.#leave("starting", "over", event.type);
        this.#fail(
          this.#startup,
          `The application refuses to start: ${event.message ?? "it does not say why"}`,
        );
        return;
      case "lifespan.shutdown.complete":
        this.#leave("stopping", "over", event.type);
        this.#shutdown.resolve();
        return;
      case "lifespan.shutdown.failed":
        this.#leave("stopping", "over", event.type);
        this.#fail(
          this.#shutdown,
          `The application failed to shut down: ${event.message ?? "it does not say why"}`,
        );
    }
  }

  #leave(from: Phase, to: Phase, eventType: string): void {
    if (this.#phase !== from)
      throw new StateError(eventType, this.#phase ?? "over", `it is allowed only while ${from}`);
    this.#phase = to;
  }

  #fail(outcome: PromiseWithResolvers<void>, message: string, cause?: unknown): void {
    outcome.promise.catch(() => {}); // whoever waits is told; nobody need wait
    outcome.reject(new LifespanError(message, cause === undefined ? {} : { cause }));
  }
}
