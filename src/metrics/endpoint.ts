import type { ListenError } from "../errors.ts";
import { dispatch } from "../spec/application.ts";
import type { Application, HttpHandler } from "../spec/application.ts";
import { formatListenAddress } from "../options/listen-address.ts";
import type { TcpAddress, UnixAddress } from "../options/listen-address.ts";
import { listenError } from "../listening/listen-error.ts";
import { planListening } from "../listening/listen-plan.ts";
import { openListeningSocket } from "../listening/listening-socket.ts";
import type { AskedSocket } from "../listening/listening-socket.ts";
import type { Logger } from "../logging/logger.ts";
import { METRICS_CONTENT_TYPE, renderMetrics } from "./families.ts";
import type { Samples } from "./families.ts";
import { parseMetricsAddress } from "../options/metrics-address.ts";
import { defaultOptions } from "../options/resolve.ts";
import type { ServerOptions } from "../options/resolve.ts";

/** Where the endpoint gets its answers from. */
export interface MetricsSource {
  samples(): Samples | Promise<Samples>;
  /** The startup is done, and no shutdown has begun. */
  isReady(): boolean;
}

/** The part of a server that an endpoint has use for. */
interface EndpointServer {
  start(): Promise<void>;
  remakeSocketFiles(): Promise<void>;
  stop(how: { force: boolean; isFollowed: boolean }): Promise<boolean>;
  readonly listeners: readonly (TcpAddress | UnixAddress)[];
  readonly sockets: readonly { readonly fd: number; readonly asked: string; readonly fileId: string }[];
}

export interface EndpointParts {
  readonly options: ServerOptions;
  readonly source: MetricsSource;
  readonly logger: Logger;
  /** An open socket at the address; the endpoint takes ownership of it. */
  readonly socket: AskedSocket | undefined;
  /** Another process answers at the address until this one is ready. */
  readonly isFollowing: boolean;
  /** Makes a server of this package; the endpoint is one more application. */
  readonly createServer: (
    app: Application,
    options: ServerOptions,
    sockets: readonly AskedSocket[],
  ) => EndpointServer;
}

/** Milliseconds between checks whether this process may take over the address. */
const RETRY_INTERVAL = 100;
/** Connections of monitoring; a load balancer has a few for each of its own processes. */
const MAX_CONNECTIONS = 100;
const FLAGS = { host: "--metrics", port: "--metrics" } as const;

/** A listener for monitoring: `/metrics`, `/healthz` and `/readyz`, apart from what is served to clients. */
export class MetricsEndpoint {
  readonly #parts: EndpointParts;
  readonly #address: TcpAddress | UnixAddress;
  #socket: AskedSocket | undefined;
  #server: EndpointServer | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #isFollowed = false;

  private constructor(parts: EndpointParts, address: TcpAddress | UnixAddress) {
    this.#parts = parts;
    this.#address = address;
    this.#socket = parts.socket;
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

  /** Where it listens; undefined as long as another process answers there. */
  get address(): TcpAddress | UnixAddress | undefined {
    return this.#server?.listeners[0];
  }

  /** Its socket, for a program that follows this one. */
  get socket(): EndpointServer["sockets"][number] | undefined {
    return this.#server?.sockets[0];
  }

  /** Creates the file of a Unix socket again if it was removed. */
  async remakeSocketFile(): Promise<void> {
    await this.#server?.remakeSocketFiles();
  }

  /**
   * Stops accepting, and cuts open connections.
   *
   * @param isFollowed another process takes over the socket: its file stays, and open connections are finished. Default
   *   false.
   */
  async close({ isFollowed = false }: { isFollowed?: boolean } = {}): Promise<void> {
    this.#isClosed = true;
    this.#isFollowed ||= isFollowed;
    clearTimeout(this.#retry);
    // An inherited socket still belongs to the other process until this one serves it.
    if (this.#server === undefined) closeMetricsSocket(this.#socket, isFollowed || this.#parts.isFollowing);
    this.#socket = undefined;
    await this.#server?.stop({ force: !isFollowed, isFollowed });
  }

  async #open(): Promise<void> {
    const { options, source, logger, isFollowing, createServer } = this.#parts;
    this.#socket ??= openMetricsSocket(options, isFollowing);
    // Until then, /readyz must be answered by the process that is ready.
    if (this.#socket === undefined || (isFollowing && !source.isReady())) {
      this.#retry = setTimeout(() => void this.#openLate(), RETRY_INTERVAL);
      return;
    }
    const app = endpointApplication({
      samples: () => source.samples(),
      // A process whose successor is ready answers for it.
      isReady: () => this.#isFollowed || source.isReady(),
    });
    this.#server = createServer(app, endpointOptions(options), [this.#socket]);
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

/**
 * Opens the socket of the endpoint. Connections wait in it until it is served.
 *
 * @param isFollowing the predecessor may still hold the address.
 * @returns undefined if the options ask for no endpoint, or the predecessor holds the address.
 * @throws ListenError if the address cannot be used.
 */
export function openMetricsSocket(options: ServerOptions, isFollowing: boolean): AskedSocket | undefined {
  const address = parseMetricsAddress(options.metrics);
  if (address === undefined) return undefined;
  try {
    const { settings } = planListening({ ...options, listen: [], socket: "" }, []);
    return { asked: formatListenAddress(address), socket: openListeningSocket(address, settings) };
  } catch (error) {
    const failure = listenError(address, error, FLAGS);
    if (!isFollowing || !isTaken(failure)) throw failure;
    return undefined;
  }
}

/** Closes a socket for the endpoint that was never served. */
export function closeMetricsSocket(asked: AskedSocket | undefined, keepFile: boolean): void {
  if (!keepFile) asked?.socket.file?.remove();
  asked?.socket.close();
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
