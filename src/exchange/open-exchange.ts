import type { Application } from "../spec/application.ts";
import { isEventStreamRequest } from "../sse/detect.ts";
import { HttpExchange } from "./http-exchange.ts";
import type { ExchangeParts } from "./request-exchange.ts";
import { SseExchange } from "./sse-exchange.ts";
import type { Transport } from "./transport.ts";
import type { WebSocketExchange } from "./websocket-exchange.ts";
import type { WebSocketOffer } from "./websocket-transport.ts";

/** The exchange of one request, of whichever kind. */
export type AnyExchange = HttpExchange | SseExchange | WebSocketExchange;

/**
 * The way of every request on every transport: chooses its exchange, attaches that to the transport, and calls the
 * application. The transport learns when the application has settled. Nothing that the application throws gets past
 * here.
 *
 * @param offer what a handshake offers; without it the request asks for an ordinary response or for an event stream.
 */
export function openExchange(app: Application, parts: ExchangeParts, offer?: WebSocketOffer): void {
  const exchange = exchangeFor(parts, offer);
  parts.transport.attach(exchange);
  void run(app, exchange, parts.transport);
}

/** Source: PAGI Www, "SSE Connection Detection". */
function exchangeFor(parts: ExchangeParts, offer: WebSocketOffer | undefined): AnyExchange {
  if (offer !== undefined) return webSocketExchange(parts, offer);
  return isEventStreamRequest(parts.head.headers) ? new SseExchange(parts) : new HttpExchange(parts);
}

/** Loaded with the first handshake: many applications have no WebSocket. */
function webSocketExchange(parts: ExchangeParts, offer: WebSocketOffer): WebSocketExchange {
  const {
    WebSocketExchange: Exchange,
  }: typeof import("./websocket-exchange.ts") = require("./websocket-exchange.ts");
  return new Exchange(parts, offer);
}

async function run(app: Application, exchange: AnyExchange, transport: Transport): Promise<void> {
  let returned: unknown;
  try {
    // A JavaScript application may forget to be async; its return is then the end of it.
    returned = await app(exchange.scope, exchange.receive, exchange.send);
  } catch (error) {
    exchange.applicationThrew(error);
    transport.applicationSettled();
    return;
  }
  try {
    exchange.applicationReturned(returned);
  } finally {
    transport.applicationSettled();
  }
}
