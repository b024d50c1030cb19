import type { Application } from "../spec/application.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { SseExchange } from "./sse-exchange.ts";
import type { WebSocketExchange } from "./websocket-exchange.ts";

/**
 * Calls the application with an exchange and tells the exchange how it ended. `settled` runs after that, whatever
 * happened. Nothing that the application throws gets past here.
 */
export function runApplication(
  app: Application,
  exchange: HttpExchange | SseExchange | WebSocketExchange,
  settled: () => void,
): void {
  const threw = (error: unknown): void => {
    exchange.applicationThrew(error);
    settled();
  };
  try {
    const promise = app(exchange.scope, exchange.receive, exchange.send);
    // A JavaScript application may forget to be async; its return is then the end of it.
    Promise.resolve(promise).then((returned: unknown) => {
      try {
        exchange.applicationReturned(returned);
      } finally {
        settled();
      }
    }, threw);
  } catch (error) {
    threw(error);
  }
}
