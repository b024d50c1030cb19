import type { ListenError } from "../errors.ts";
import { dispatch } from "../spec/application.ts";
import type { Application, HttpHandler } from "../spec/application.ts";
import { formatListenAddress } from "./listen-address.ts";
import type { TcpAddress, UnixAddress } from "./listen-address.ts";
import { listenError } from "./listen-error.ts";
import { planListening } from "./listening.ts";
import { openListeningSocket } from "./listening-socket.ts";
import type { AskedSocket } from "./listening-socket.ts";
import type { Logger } from "./logger.ts";
import { METRICS_CONTENT_TYPE, renderMetrics } from "./metric-families.ts";
import type { Samples } from "./metric-families.ts";
import { parseMetricsAddress } from "./metrics-address.ts";
import { defaultOptions } from "./options.ts";
import type { ServerOptions } from "./options.ts";

/** What the endpoint tells of. */
export interface MetricsSource {
  samples(): Samples | Promise<Samples>;
  /** The startup is done, and no shutdown has begun. */
  isReady(): boolean;
}

/** The part of a server that an endpoint has use for. */
interface EndpointServer {
  start(): Promise<void>;
  stop(how: { force: boolean }): Promise<boolean>;
  readonly listeners: readonly (TcpAddress | UnixAddress)[];
}

export interface EndpointParts {
  readonly options: ServerOptions;
  readonly source: MetricsSource;
  readonly logger: Logger;
  /** Another process has the address until this one is ready, so it is waited for. */
  readonly isFollowing: boolean;
  /** Makes a server of this package; the endpoint is one more application. */
  readonly createServer: (
    app: Application,
    options: ServerOptions,
    sockets: readonly AskedSocket[],
  ) => EndpointServer;
}

/** Milliseconds between two tries at an address that another process has. */
const RETRY_INTERVAL = 100;
/** Connections of monitoring; a load balancer has a few for each of its own processes. */
const MAX_CONNECTIONS = 100;
const FLAGS = { host: "--metrics", port: "--metrics" } as const;

/** A listener for monitoring: `/metrics`, `/healthz` and `/readyz`, apart from what is served to clients. */
export class MetricsEndpoint {
  readonly #parts: EndpointParts;
  readonly #address: TcpAddress | UnixAddress;
  #server: EndpointServer | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  private constructor(parts: EndpointParts, address: TcpAddress | UnixAddress) {
    this.#parts = parts;
    this.#address = address;
  }

  /**
   * Opens the endpoint that the options ask for, if they do.
   *
   * @throws ListenError when the address cannot be had.
   */
  static async open(parts: EndpointParts): Promise<MetricsEndpoint | undefined> {
    const address = parseMetricsAddress(parts.options.metrics);
    if (address === undefined) return undefined;
    const endpoint = new MetricsEndpoint(parts, address);
    await endpoint.#open();
    return endpoint;
  }

  /** Where it listens; undefined as long as it waits for its address. */
  get address(): TcpAddress | UnixAddress | undefined {
    return this.#server?.listeners[0];
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    await this.#server?.stop({ force: true });
  }

  async #open(): Promise<void> {
    const { options, source, logger, isFollowing, createServer } = this.#parts;
    let socket: AskedSocket["socket"];
    try {
      const { settings } = planListening({ ...options, listen: [], socket: "" }, []);
      socket = openListeningSocket(this.#address, settings);
    } catch (error) {
      const failure = listenError(this.#address, error, FLAGS);
      if (!isFollowing || !isTaken(failure)) throw failure;
      this.#retry = setTimeout(() => void this.#openLate(), RETRY_INTERVAL);
      return;
    }
    const asked = formatListenAddress(this.#address);
    this.#server = createServer(endpointApplication(source), endpointOptions(options), [{ asked, socket }]);
    await this.#server.start();
    logger.info(`Metrics at ${formatListenAddress(this.address ?? this.#address)}`);
  }

  async #openLate(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#open();
      if (this.#isClosed) await this.close();
    } catch (error) {
      this.#parts.logger.error("There are no metrics", error);
    }
  }
}

/** Whether somebody else has the address, who may let go of it. */
function isTaken({ message, cause }: ListenError): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "EADDRINUSE" || message.startsWith("Another process listens at");
}

function endpointOptions({ socketMode, socketUser, socketGroup }: ServerOptions): ServerOptions {
  return Object.freeze({
    ...defaultOptions("production"),
    ...{ socketMode, socketUser, socketGroup },
    lifespan: "off" as const,
    maxConnections: MAX_CONNECTIONS,
  });
}

/** The application behind an endpoint. */
export function endpointApplication(source: MetricsSource): Application {
  const http: HttpHandler = async (scope, _receive, send) => {
    const isRead = scope.method === "GET" || scope.method === "HEAD";
    const { status, type, body } = isRead ? await answer(scope.path, source) : NOT_ALLOWED;
    const headers: [string, string][] = [
      ["content-type", type],
      ["content-length", String(Buffer.byteLength(body))],
      ["cache-control", "no-store"],
    ];
    if (!isRead) headers.push(["allow", "GET, HEAD"]);
    await send({ type: "http.response.start", status, headers });
    await send({ type: "http.response.body", body });
  };
  return dispatch({
    http,
    sse: async (_scope, _receive, send) => {
      await send({ type: "sse.http.response.start", status: 406 });
      await send({ type: "sse.http.response.body", body: "There are no event streams here.\n" });
    },
    websocket: async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.close" });
    },
  });
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const NOT_ALLOWED = plain(405, "Only GET and HEAD");

async function answer(path: string, source: MetricsSource): Promise<Answer> {
  switch (path) {
    case "/metrics":
      return { status: 200, type: METRICS_CONTENT_TYPE, body: renderMetrics(await source.samples()) };
    case "/healthz":
      return plain(200, "ok");
    case "/readyz":
      return source.isReady() ? plain(200, "ready") : plain(503, "not ready");
    default:
      return plain(404, "There are /metrics, /healthz and /readyz");
  }
}

function plain(status: number, text: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${text}\n` };
}
