import { ApplicationError, TestTimeoutError } from "./test-error.ts";
import type { Environment } from "../src/exchange/environment.ts";
import { openExchange } from "../src/exchange/open-exchange.ts";
import type { ExchangeParts } from "../src/exchange/request-exchange.ts";
import { runtimeTimer } from "../src/exchange/runtime-timer.ts";
import type { WebSocketOffer } from "../src/exchange/websocket-transport.ts";
import type { DisconnectReason } from "../src/spec/connection-state.ts";
import type { Application } from "../src/spec/application.ts";
import { DEFAULTS } from "./client-options.ts";
import type { CallOptions, ScopeOptions } from "./client-options.ts";
import type { ClientLine } from "./client-line.ts";
import type { TestTransport } from "./test-transport.ts";

/** One call of an application: how it ends, and what it does wrong. */
export class ApplicationRun {
  /** `GET /path`, for messages. */
  readonly name: string;
  readonly transport: TestTransport;
  readonly #timeout: number;
  readonly #throwsErrors: boolean;
  #webSocket: { lose(reason: DisconnectReason): void } | undefined;
  #errors: unknown[] = [];

  constructor(name: string, transport: TestTransport, options: CallOptions) {
    this.name = name;
    this.transport = transport;
    this.#timeout = options.timeout ?? DEFAULTS.timeout;
    this.#throwsErrors = options.throwErrors ?? true;
  }

  /** Resolves once the application has returned or thrown. */
  get returned(): Promise<void> {
    return this.transport.settled;
  }

  /** The first thing that went wrong, as an error; `undefined` where nothing did. */
  get exception(): unknown {
    return this.#errors[0];
  }

  /** What the request has become. */
  upgraded(webSocket: { lose(reason: DisconnectReason): void }): void {
    this.#webSocket = webSocket;
  }

  /** The client goes, with `error` for whoever waits on its side; or the server cuts it off. */
  lose(reason: DisconnectReason, error: unknown): void {
    this.transport.lose(reason, error);
    this.#webSocket?.lose(reason);
  }

  /**
   * Waits for something that the application does.
   *
   * @throws TestTimeoutError; the error of the application instead of any other, where it is to be thrown.
   */
  async wait<T>(what: string, promise: Promise<T>, timeout: number = this.#timeout): Promise<T> {
    try {
      return await within(what, promise, timeout);
    } catch (error) {
      throw this.preferred(error);
    }
  }

  /**
   * The next of what the client is sent, when it comes; `undefined` at the end. A wait in vain takes nothing.
   *
   * @throws as {@link wait}, and what the line has failed with.
   */
  async nextOf<T>(line: ClientLine<T>, what: string, timeout?: number): Promise<T | undefined> {
    for (;;) {
      await this.wait(`${what} on ${this.name}`, line.whenReadable(), timeout);
      try {
        const item = line.read();
        if (item !== undefined || line.isDone) return item;
      } catch (error) {
        throw this.preferred(error);
      }
    }
  }

  /** Waits as {@link wait} does; a client that has waited in vain goes away. */
  async waitOrLeave<T>(what: string, promise: Promise<T>): Promise<T> {
    try {
      return await this.wait(what, promise);
    } catch (error) {
      this.lose("client_closed", error);
      throw error;
    }
  }

  /** Waits until the application has returned. @throws what {@link check} throws, and TestTimeoutError. */
  async finish(): Promise<void> {
    await this.waitOrLeave(`the application to return after ${this.name}`, this.returned);
    this.check();
  }

  /** @throws the error of the application, where there is one and it is to be thrown. */
  check(): void {
    if (this.#throwsErrors && this.#errors.length > 0) throw this.exception;
  }

  /** What is to be thrown where `error` was met: it may have its cause in the application. */
  preferred(error: unknown): unknown {
    return this.#throwsErrors && this.#errors.length > 0 ? this.exception : error;
  }

  /** For the host of its exchange. */
  readonly report = (message: string, error?: unknown): void => {
    this.#errors.push(error === undefined ? new ApplicationError(`${message}.`) : error);
  };

  /** Calls the application. `offer` is what a WebSocket handshake offers. */
  start(app: Application, parts: ExchangeParts, options: ScopeOptions, offer?: WebSocketOffer): void {
    openExchange(withScope(app, options), parts, offer);
  }

  /** The server begins to shut down. */
  shutDown(): void {
    this.transport.shutDown();
  }
}

/** The application, called with what a test puts into its scope. */
function withScope(app: Application, { extensions, scope: given }: ScopeOptions): Application {
  if (extensions === undefined && given === undefined) return app;
  return (scope, receive, send) => {
    if (extensions !== undefined && scope.type !== "lifespan")
      scope.extensions = { ...scope.extensions, ...extensions };
    return app(Object.assign(scope, given), receive, send);
  };
}

/** What a run needs of its host, besides what all have in common. */
export function partsOf(
  host: Omit<Environment, "timer" | "reportError">,
  run: ApplicationRun,
  parts: Omit<ExchangeParts, "host" | "transport">,
): ExchangeParts {
  return {
    host: { ...host, timer: runtimeTimer, reportError: run.report },
    transport: run.transport,
    ...parts,
  };
}

/**
 * What `promise` resolves to, if it does so in time.
 *
 * @throws TestTimeoutError otherwise.
 */
export async function within<T>(what: string, promise: Promise<T>, milliseconds: number): Promise<T> {
  if (milliseconds === 0 || milliseconds === Infinity) return await promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TestTimeoutError(what, milliseconds)), milliseconds);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
