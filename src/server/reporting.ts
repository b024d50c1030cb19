import type { AskedSocket } from "../listening/listening-socket.ts";
import type { AccessLog } from "../logging/access-log.ts";
import type { Logger } from "../logging/logger.ts";
import type { EndpointParts, MetricsEndpoint, MetricsSource } from "../metrics/endpoint.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { ServerOptions } from "../options/resolve.ts";
import type { Notifier } from "../system/service-manager.ts";

export interface ReportingParts {
  readonly options: ServerOptions;
  readonly logger: Logger;
  /** Absent in a worker, whose supervisor shows what all workers have counted. */
  readonly source: MetricsSource | undefined;
  /** An open socket for the metrics. */
  readonly metricsSocket: AskedSocket | undefined;
  /** Another process answers for the metrics until this one is ready. */
  readonly isFollowing: boolean;
  readonly createServer: EndpointParts["createServer"];
}

/**
 * Everything that a server reports to: its access log, its metrics, and the service manager. Few servers have all of
 * them, and only those that are needed are loaded.
 */
export class Reporting {
  readonly #parts: ReportingParts;
  #accessLog: AccessLog | undefined;
  #metrics: Metrics | undefined;
  #endpoint: MetricsEndpoint | undefined;
  #notifier: Notifier | undefined;

  constructor(parts: ReportingParts) {
    this.#parts = parts;
  }

  get accessLog(): AccessLog | undefined {
    return this.#accessLog;
  }

  get metrics(): Metrics | undefined {
    return this.#metrics;
  }

  /** Where the metrics are served, if this process does. */
  get endpoint(): MetricsEndpoint | undefined {
    return this.#endpoint;
  }

  get notifier(): Notifier | undefined {
    return this.#notifier;
  }

  /** Opens the access log. @throws OptionError */
  async openAccessLog(): Promise<void> {
    const { options, logger } = this.#parts;
    const { accessLog: target, accessLogFormat } = options;
    if (target === false) return;
    const { AccessLog: Log } = await import("../logging/access-log.ts");
    const destination = target === true ? "stderr" : { path: target };
    this.#accessLog = new Log(destination, accessLogFormat, (message) => logger.error(message));
  }

  /** Finds the service manager, and serves metrics before the application has started. @throws ListenError */
  async open(): Promise<void> {
    const { options, logger, source, metricsSocket: socket, isFollowing, createServer } = this.#parts;
    if (process.env["NOTIFY_SOCKET"])
      this.#notifier = (await import("../system/service-manager.ts")).takeNotifier();
    if (options.metrics === "") return;
    const { Metrics: Counts } = await import("../metrics/metrics.ts");
    this.#metrics = new Counts();
    if (source === undefined) return;
    const { MetricsEndpoint: Endpoint } = await import("../metrics/endpoint.ts");
    this.#endpoint = await Endpoint.open({ options, source, logger, socket, isFollowing, createServer });
  }

  /** The server stops. If another one follows, it takes the address of the metrics over. */
  stopping(isFollowed: boolean): void {
    if (isFollowed) void this.#endpoint?.close({ isFollowed });
    else this.#notifier?.stopping();
  }

  async close(): Promise<void> {
    this.#notifier?.close();
    await this.#accessLog?.close();
    await this.#endpoint?.close();
    this.#metrics?.close();
  }
}
