import type { Environment } from "../../exchange/environment.ts";
import type { HeadCache } from "../../http1/head-cache.ts";
import type { PlanCache } from "../../http1/plan-cache.ts";
import type { Http1Limits, RequestReader } from "../../http1/request-reader.ts";
import type { Application } from "../../spec/application.ts";
import type { UpgradeBridge } from "../websocket/upgrade-bridge.ts";
import type { Logger } from "../../logging/logger.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import type { ProxyReader } from "../proxy/proxied-request.ts";
import type { RequestLog } from "../request-log.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import type { Batch } from "./batch.ts";

/** The times of a server's options, in milliseconds; 0 is never. */
export interface Times {
  /** From the first byte of a request to the end of its head. */
  readonly header: number;
  /** Between requests. */
  readonly keepAlive: number;
  /** Between bytes of a request body that the application waits for. */
  readonly body: number;
  /** Between any bytes of a request and its response. */
  readonly request: number;
  /** Between bytes that the client takes. */
  readonly write: number;
  /** From a client's FIN to the application's answer. */
  readonly halfClose: number;
  /** From our FIN to the client's, while what it still sends is read away. */
  readonly linger: number;
}

/** What the connections of a server share. */
export interface ServerContext {
  readonly app: Application;
  readonly host: Environment;
  readonly limits: Http1Limits;
  readonly times: Times;
  readonly wheel: TimerWheel;
  /** Connections that hold something back until the turn of the event loop is over. */
  readonly turnEnd: Batch<{ onTurnEnd(): void }>;
  /** Sessions whose response is delivered, until the application has had its turn. */
  readonly afterExchange: Batch<{ afterExchange(): void }>;
  /** Readers without a request in them; a connection has one only while a request comes in. */
  readonly readers: RequestReader[];
  /** Request heads that were read before. */
  readonly heads: HeadCache;
  /** Response heads that were made before. */
  readonly plans: PlanCache;
  /** Bytes; a longer WebSocket message is refused. */
  readonly maxWsMessageSize: number;
  /** The way to Bun's WebSocket, built with the first one. */
  bridge(): UpgradeBridge;
  readonly logger: Logger;
  /** The records of requests, and how many run. */
  readonly requests: RequestLog;
  /** For what the listeners count. */
  readonly metrics: Metrics | undefined;
  /** Where proxies are believed. */
  readonly readProxied: ProxyReader | undefined;
  /** Descriptors from this one on are the last; infinity is no limit. */
  readonly descriptorCeiling: number;
  /** Whether descriptors are left for a further WebSocket. */
  hasRoomForWebSocket(): boolean;
  /** True once the server shuts down. */
  isShuttingDown: boolean;
  /** Milliseconds that an idle connection is kept for one more request while the server shuts down; 0 closes it at once. */
  idleGrace: number;
}
