import { ApplicationError, TestTimeoutError } from "./test-error.ts";
import type { ExchangeHost, Timer } from "../exchange/host.ts";
import type { HttpExchange } from "../exchange/http-exchange.ts";
import type { ExchangeParts } from "../exchange/request-exchange.ts";
import { runApplication } from "../exchange/run.ts";
import type { SseExchange } from "../exchange/sse-exchange.ts";
import type { WebSocketExchange } from "../exchange/websocket-exchange.ts";
import type { Application } from "../spec/application.ts";
import type { ScopeOptions } from "./client-options.ts";
import type { TestTransport } from "./test-transport.ts";

/** One call of an application: how it ends, and what it does wrong. */
export class ApplicationRun {
  /** `GET /path`, for messages. */
  readonly name: string;
  readonly transport: TestTransport;
  readonly #returned = Promise.withResolvers<void>();
  #exchange: HttpExchange | SseExchange | WebSocketExchange | undefined;
  #errors: unknown[] = [];

  constructor(name: string, transport: TestTransport) {
    this.name = name;
    this.transport = transport;
  }

  /** Resolves once the application has returned or thrown. */
  get returned(): Promise<void> {
    return this.#returned.promise;
  }

  /** The first thing that went wrong, as an error; `undefined` where nothing did. */
  get exception(): unknown {
    return this.#errors[0];
  }

  get hasFailed(): boolean {
    return this.#errors.length > 0;
  }

  /** For the host of its exchange. */
  readonly report = (message: string, error?: unknown): void => {
    this.#errors.push(error === undefined ? new ApplicationError(`${message}.`) : error);
  };

  /** Calls the application. */
  start<E extends HttpExchange | SseExchange | WebSocketExchange>(
    app: Application,
    exchange: E,
    options: ScopeOptions,
  ): E {
    this.#exchange = exchange;
    this.transport.attach(exchange);
    const { extensions, scope } = options;
    if (extensions !== undefined) exchange.scope.extensions = { ...exchange.scope.extensions, ...extensions };
    if (scope !== undefined) Object.assign(exchange.scope, scope);
    runApplication(app, exchange, this.#returned.resolve);
    return exchange;
  }

  /** The server begins to shut down. */
  shutDown(): void {
    this.#exchange?.deliverShutdown();
  }
}

/** What a run needs of its host, besides what all have in common. */
export function partsOf(
  host: Omit<ExchangeHost, "timer" | "reportError">,
  run: ApplicationRun,
  parts: Omit<ExchangeParts, "host" | "transport">,
): ExchangeParts {
  return {
    host: { ...host, timer: clock, reportError: run.report },
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

function clock(onExpire: () => void): Timer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const clear = (): void => clearTimeout(timer);
  return {
    set(milliseconds) {
      clear();
      if (milliseconds > 0) timer = setTimeout(onExpire, milliseconds);
    },
    clear,
  };
}
