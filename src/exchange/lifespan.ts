import type { EventError, UnsupportedScopeError } from "../errors.ts";
import { LifespanError, messageOf, StateError } from "../errors.ts";
import type { Application } from "../spec/application.ts";
import type { LifespanReceiveEvent, LifespanSendEvent, ReceiveEvent, SendEvent } from "../spec/events.ts";
import { PAGI_VERSION, type LifespanScope, type State } from "../spec/scope.ts";
import { validateSendEvent } from "../spec/validate.ts";

export interface LifespanOptions {
  /** `auto`: an application may decline. `on`: declining is an error. `off`: the application is not asked. */
  readonly mode: "auto" | "on" | "off";
  /** Seconds that startup may take; 0 is no limit. */
  readonly startupTimeout: number;
  /** When that time began (`performance.now()`), which includes the import of the application. Default: with startup. */
  readonly startedAt?: number | undefined;
  /** Seconds that shutdown may take; 0 does not wait at all. */
  readonly shutdownTimeout: number;
  /** Default `single`. */
  readonly role?: LifespanScope["pagi"]["role"] | undefined;
  /** 1, 2, ... in a worker. */
  readonly workerNumber?: number | undefined;
  /** False where another process of the same server logs that the application declines. Default true. */
  readonly isDeclineLogged?: boolean | undefined;
  /** Log a hint if an application completes its startup in a supervisor without reading its role. Default false. */
  readonly checksRole?: boolean | undefined;
}

/** What lifespan needs of a logger. */
export interface LifespanLogger {
  error(message: string, error?: unknown): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

/**
 * Where the protocol stands:
 * - `new`: the application has not been called;
 * - `starting`: it has, and has not said how startup went;
 * - `started`: it has said `lifespan.startup.complete`;
 * - `stopping`: `lifespan.shutdown` is on its way, and it has not said how shutdown went;
 * - `over`: nothing is said any more; it declined, failed, took too long, or has shut down.
 */
type Phase = "new" | "starting" | "started" | "stopping" | "over";

/** The one phase in which each event is allowed. */
const ALLOWED_IN: Readonly<Record<LifespanSendEvent["type"], Phase>> = {
  "lifespan.startup.complete": "starting",
  "lifespan.startup.failed": "starting",
  "lifespan.shutdown.complete": "stopping",
  "lifespan.shutdown.failed": "stopping",
};

const WHY_NOT: Readonly<Record<Phase, string>> = {
  new: "the server has not started",
  starting: "startup is not complete, and shutdown has not begun",
  started: "startup is complete already, and shutdown has not begun",
  stopping: "shutdown has begun; only its outcome can be told",
  over: "the server expects nothing more of this lifespan",
};

const ROLE_HINT =
  "The application completed its startup in the supervisor, which serves no requests, without reading " +
  "scope.pagi.role. Pools and timers from there stay unused: skip them if the role is 'supervisor', or use " +
  "--no-supervisor-lifespan (docs/lifespan.md).";

/**
 * The lifespan protocol of one application on one event loop: startup before the first connection, shutdown after the
 * last one. Source: PAGI Lifespan.
 */
export class Lifespan {
  readonly #app: Application;
  readonly #options: LifespanOptions;
  readonly #logger: LifespanLogger;
  readonly #scope: LifespanScope;
  #state: State;
  #phase: Phase = "new";
  /** Whether the application has read its role; true where that is not checked. */
  #knowsRole = true;
  /** Events that the application has not asked for yet, and its calls of `receive` that wait for one. */
  readonly #events: LifespanReceiveEvent[] = [];
  readonly #receivers: ((event: LifespanReceiveEvent) => void)[] = [];
  /** True once the application has called `receive`. */
  #hasAsked = false;
  /** True once the promise of the application has settled. */
  #returned = false;
  readonly #startup = Promise.withResolvers<void>();
  readonly #shutdown = Promise.withResolvers<void>();
  /** False once shutdown has failed or was not waited for. */
  #isClean = true;
  #starting: Promise<void> | undefined;
  #stopping: Promise<boolean> | undefined;

  constructor(app: Application, options: LifespanOptions, logger: LifespanLogger) {
    this.#app = app;
    this.#options = options;
    this.#logger = logger;
    this.#state = {};
    const role = options.role ?? (options.workerNumber === undefined ? "single" : "worker");
    this.#scope = {
      type: "lifespan",
      pagi: {
        version: PAGI_VERSION,
        spec_version: PAGI_VERSION,
        is_worker: role === "worker" ? 1 : 0,
        ...(options.workerNumber === undefined ? {} : { worker_num: options.workerNumber }),
        role,
      },
      state: this.#state,
    };
    if (role === "supervisor" && options.checksRole === true) this.#watchRole(this.#scope.pagi);
  }

  /**
   * What requests get a shallow copy of: the object that the application saw, or the one that it had put in its place
   * by the time startup was over.
   */
  get state(): State {
    return this.#state;
  }

  /**
   * Calls the application and waits until it has started or has declined. A second call waits for the first.
   *
   * @throws LifespanError when it says that it cannot start, takes too long, or declines although lifespan is `on`.
   */
  start(): Promise<void> {
    return (this.#starting ??= this.#start());
  }

  /**
   * Tells an application that has started to shut down, and waits until it has. Never rejects: what goes wrong is
   * logged, for the server ends in any case. A second call waits for the first.
   *
   * @returns false when the application failed in its shutdown or did not come to the end of it in time.
   */
  stop(): Promise<boolean> {
    return (this.#stopping ??= this.#stop());
  }

  async #start(): Promise<void> {
    if (this.#options.mode === "off" || this.#phase !== "new") return this.#end();
    this.#phase = "starting";
    this.#deliver({ type: "lifespan.startup" });
    void this.#run();
    const { startupTimeout, startedAt = performance.now() } = this.#options;
    const left = startupTimeout - (performance.now() - startedAt) / 1000;
    await settledWithin(this.#startup.promise, startupTimeout === 0 ? Infinity : Math.max(0, left));
    if (this.#is("starting")) {
      this.#failStartup(
        `The application has not started within ${startupTimeout} s. It has to send lifespan.startup.complete; ` +
          "give it more time with --lifespan-startup-timeout.",
      );
    }
    return this.#startup.promise;
  }

  async #stop(): Promise<boolean> {
    const { shutdownTimeout } = this.#options;
    if (this.#phase === "starting") {
      // What has begun to open its pools is given the time to say so, or they would never be closed.
      await settledWithin(this.#startup.promise, Math.min(shutdownTimeout, STARTUP_GRACE));
      if (this.#is("starting")) {
        this.#isClean = false;
        this.#logger.warn(
          `The application has not started ${STARTUP_GRACE} s after the order to end; the server ends without it.`,
        );
        this.#failStartup("The server was stopped before the application had started.");
      }
    }
    if (this.#phase === "started" && !this.#returned) await this.#shutDown(shutdownTimeout);
    else this.#end();
    return this.#isClean;
  }

  async #shutDown(timeout: number): Promise<void> {
    this.#phase = "stopping";
    this.#deliver({ type: "lifespan.shutdown" });
    await settledWithin(this.#shutdown.promise, timeout);
    if (!this.#is("stopping")) return;
    this.#isClean = false;
    this.#logger.error(`The application has not shut down within ${timeout} s; the server ends without it.`);
    this.#end();
  }

  /** Nothing is said any more, not even what the application has not yet asked for. */
  #end(): void {
    this.#phase = "over";
    this.#events.length = 0;
  }

  #endShutdown(): void {
    this.#end();
    this.#shutdown.resolve();
  }

  #watchRole(pagi: LifespanScope["pagi"]): void {
    const { role } = pagi;
    const get = (): typeof role => {
      this.#knowsRole = true;
      return role;
    };
    this.#knowsRole = false;
    Object.defineProperty(pagi, "role", { get, enumerable: true });
  }

  /** Calls the application and sees how it ends. Never rejects. */
  async #run(): Promise<void> {
    try {
      await this.#app(
        this.#scope,
        () => this.#receive(),
        (event) => this.#send(event),
      );
      this.#returned = true;
      this.#onReturn();
    } catch (thrown) {
      this.#returned = true;
      this.#onThrow(thrown);
    }
  }

  #onReturn(): void {
    if (this.#phase === "starting") this.#onDecline("it returned without lifespan.startup.complete");
    else if (this.#phase === "stopping") this.#endShutdown();
  }

  #onThrow(thrown: unknown): void {
    switch (this.#phase) {
      case "starting":
        this.#onDecline(isUnsupported(thrown) ? thrown.message : `it threw: ${messageOf(thrown)}`, thrown);
        break;
      case "started":
        this.#logger.error(
          "The application threw in its lifespan after startup; the server goes on.",
          thrown,
        );
        break;
      case "stopping":
        this.#isClean = false;
        this.#logger.error("The application threw while it shut down.", thrown);
        this.#endShutdown();
        break;
      case "new":
      case "over":
        this.#logger.debug(`The application threw after its lifespan was over: ${messageOf(thrown)}`);
    }
  }

  /** Throwing and returning mean the same here. Source: PAGI Lifespan, "Scope". */
  #onDecline(why: string, cause?: unknown): void {
    if (this.#options.mode === "on") {
      this.#failStartup(
        `The application does not take part in lifespan, which --lifespan on requires: ${why}`,
        cause,
      );
      return;
    }
    if (this.#options.isDeclineLogged !== false) this.#logDecline(why, cause);
    this.#adoptState();
    this.#end();
    this.#startup.resolve();
  }

  /** An ordinary application handles no lifespan events. One that failed with the event in its hands is another matter. */
  #logDecline(why: string, cause: unknown): void {
    if (cause === undefined || !this.#hasAsked || isRefusal(cause)) {
      this.#logger.debug(`The application does not handle lifespan events; they are left out (${why})`);
      return;
    }
    this.#logger.warn(
      `The application threw while it handled lifespan.startup, and is served without it: ${messageOf(cause)}. ` +
        "--lifespan on makes that an error; lifespan.startup.failed refuses to start.",
    );
  }

  #failStartup(message: string, cause?: unknown): void {
    this.#end();
    this.#startup.reject(new LifespanError(message, cause === undefined ? {} : { cause }));
  }

  #receive(): Promise<ReceiveEvent> {
    this.#hasAsked = true;
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    return new Promise((resolve) => this.#receivers.push(resolve));
  }

  #deliver(event: LifespanReceiveEvent): void {
    const receiver = this.#receivers.shift();
    if (receiver === undefined) this.#events.push(event);
    else receiver(event);
  }

  async #send(event: SendEvent): Promise<void> {
    validateSendEvent("lifespan", event);
    if (!isLifespanEvent(event)) return; // Never: the check has just refused it. This tells the compiler.
    if (ALLOWED_IN[event.type] !== this.#phase) {
      throw new StateError(event.type, this.#phase, WHY_NOT[this.#phase]);
    }
    switch (event.type) {
      case "lifespan.startup.complete":
        this.#adoptState();
        this.#phase = "started";
        this.#startup.resolve();
        if (!this.#knowsRole) this.#logger.info(ROLE_HINT);
        break;
      case "lifespan.startup.failed":
        this.#failStartup(`The application refuses to start${because(event.message)}`);
        break;
      case "lifespan.shutdown.failed":
        this.#isClean = false;
        this.#logger.error(`The application failed to shut down${because(event.message)}`);
        this.#endShutdown();
        break;
      case "lifespan.shutdown.complete":
        this.#endShutdown();
    }
  }

  /** The application was asked to put keys into the object; one that put another object in its place is understood. */
  #adoptState(): void {
    const { state } = this.#scope;
    if (typeof state === "object" && state !== null) {
      this.#state = state;
      return;
    }
    this.#logger.warn("The application has replaced scope.state by what is no object; that is ignored.");
  }

  /** The phase may have changed during an `await`, which the compiler does not see. */
  #is(phase: Phase): boolean {
    return this.#phase === phase;
  }
}

/** By its code: the application may have its classes from another copy of this package than the command line. */
function isUnsupported(thrown: unknown): thrown is UnsupportedScopeError {
  const code: UnsupportedScopeError["code"] = "ERR_PAGI_UNSUPPORTED_SCOPE";
  return thrown instanceof Error && "code" in thrown && thrown.code === code;
}

/** What applications throw that do not know lifespan: they refuse the scope, or send a response. By their codes, as above. */
function isRefusal(thrown: unknown): boolean {
  const code: EventError["code"] = "ERR_PAGI_EVENT";
  return isUnsupported(thrown) || (thrown instanceof Error && "code" in thrown && thrown.code === code);
}

function isLifespanEvent(event: SendEvent): event is LifespanSendEvent {
  return Object.hasOwn(ALLOWED_IN, event.type);
}

function because(message: string | null | undefined): string {
  return message === undefined || message === null || message === ""
    ? ", and does not say why."
    : `: ${message}`;
}

/** Seconds in which an application that is stopped during its startup may complete it, so that its shutdown can run. */
const STARTUP_GRACE = 2;

/** The longest time that a timer of the runtime can take; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Resolves once `promise` has settled, whichever way, or `seconds` have passed. */
async function settledWithin(promise: Promise<unknown>, seconds: number): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer =
    seconds === Infinity
      ? undefined
      : setTimeout(timeout.resolve, Math.min(seconds * 1000, LONGEST_TIMER_MS));
  await Promise.race([promise.catch(() => {}), timeout.promise]);
  clearTimeout(timer);
}
