import type { EventValidator } from "../exchange/environment.ts";
import type { Application } from "../spec/application.ts";
import type { LifespanScope } from "../spec/scope.ts";
import { messageOf } from "../errors.ts";
import { HeadCache } from "../http1/head-cache.ts";
import { PlanCache } from "../http1/plan-cache.ts";
import { errorResponse } from "../http1/error-response.ts";
import type { UpgradeBridge } from "./websocket/upgrade-bridge.ts";
import type { AccessLog } from "../logging/access-log.ts";
import type { Connection } from "./connection/connection.ts";
import { describeCut } from "./cut-connections.ts";
import {
  connectionBudget,
  DescriptorGuard,
  loweredText,
  OF_WEB_SOCKET,
  openFilesLimit,
} from "./descriptor-limit.ts";
import type { ServerContext } from "./connection/shared.ts";
import { Http1Session } from "./http1/session.ts";
import { httpDate } from "./http-date.ts";
import { Batch } from "./connection/batch.ts";
import { Lifespan } from "../exchange/lifespan.ts";
import { speaksForAll } from "./spokesman.ts";
import { formatListenAddress } from "../options/listen-address.ts";
import type { TcpAddress, UnixAddress } from "../options/listen-address.ts";
import { Listener } from "./listener.ts";
import type { AskedSocket, ListeningSocket } from "../listening/listening-socket.ts";
import { serverLogger } from "../logging/logger.ts";
import type { Logger } from "../logging/logger.ts";
import type { Samples } from "../metrics/families.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { MetricsEndpoint } from "../metrics/endpoint.ts";
import type { Notifier } from "../system/service-manager.ts";
import type { ServerOptions } from "../options/resolve.ts";
import { isActivated } from "../system/socket-activation.ts";
import type { ProxyReader } from "./proxy/proxied-request.ts";
import { Refusals } from "./refusals.ts";
import type { RequestJournal } from "./request-journal.ts";
import { TimerWheel } from "./connection/timer-wheel.ts";
import type { TlsGate } from "./tls/tls-context.ts";

/** `new`, `starting`, `running`, `stopping`, `stopped`; each is entered once. */
type State = "new" | "starting" | "running" | "stopping" | "stopped";

/** Milliseconds after the start until what is not to make it longer is done: the backlog, modules that may be needed. */
const LATE_DELAY = 50;

/** Milliseconds that an idle connection is kept for one request more, when another server follows. */
const IDLE_GRACE = 2000;
/** Turns of the event loop in which requests that have arrived are read before idle connections are closed. */
const LAST_TURNS = 3;
/** Seconds after which a client that was turned away may try again. */
const RETRY_AFTER = "1";

/** A listening socket as another program needs to know it. */
export interface SocketDescription {
  readonly fd: number;
  /** The address that was asked for, as `--listen` has it. */
  readonly asked: string;
  /** The `id` of the file of a Unix socket that goes with it, and may have been removed; empty for none. */
  readonly fileId: string;
}

/** What a supervisor decides for a server; one that stands alone has none of it. */
export interface ServerPlace {
  /** Default `single`. */
  readonly role?: LifespanScope["pagi"]["role"];
  /** 1, 2, ... in a worker. */
  readonly workerNumber?: number;
  /** Listens here, and not where the options say; they are the server's from now on. */
  readonly sockets?: readonly AskedSocket[];
  /** The open socket for the metrics; the server takes ownership of it. */
  readonly metricsSocket?: AskedSocket | undefined;
  /** When the import of the application began (`performance.now()`): its startup has what is left of the time for both. */
  readonly startedAt?: number;
  /** Where it writes down which requests run. */
  readonly journal?: RequestJournal | undefined;
  /** Another process serves until this one is ready, and answers where only one can: at the address of the metrics. */
  readonly isFollowing?: boolean;
}

/**
 * A PAGI server in this process: it listens, runs the application's lifespan and serves. It installs no signal
 * handlers; `serve()` and the command line do.
 */
export class Server {
  readonly options: ServerOptions;
  readonly #app: Application;
  readonly #place: ServerPlace;
  readonly #logger: Logger;
  readonly #lifespan: Lifespan;
  readonly #wheel: TimerWheel;
  readonly #connections = new Set<Connection>();
  readonly #turnedAway = new Set<Connection>();
  readonly #listeners: Listener[] = [];
  #accessLog: AccessLog | undefined;
  #readProxied: ProxyReader | undefined;
  #metrics: Metrics | undefined;
  #endpoint: MetricsEndpoint | undefined;
  #bridge: UpgradeBridge | undefined;
  #notifier: Notifier | undefined;
  #context: ServerContext | undefined;
  #listen: ((where: TcpAddress | ListeningSocket) => Listener) | undefined;
  #guard: DescriptorGuard | undefined;
  #openFiles = Infinity;
  /** Descriptors that connections may take. */
  #budget = Infinity;
  #state: State = "new";
  #requestCount = 0;
  /** What each listener was asked for. */
  #asked: readonly string[] = [];
  #stopping: Promise<boolean> | undefined;
  #force: (() => void) | undefined;
  #whenIdle: (() => void) | undefined;
  readonly #stopped = Promise.withResolvers<boolean>();

  /** `options` are resolved ones; see `resolveOptions`. */
  constructor(
    app: Application,
    options: ServerOptions,
    logger: Logger = serverLogger(options),
    place: ServerPlace = {},
  ) {
    this.#app = app;
    this.#place = place;
    this.options = options;
    this.#logger = logger;
    this.#wheel = new TimerWheel({ onError: (error) => logger.error("internal error in a timer", error) });
    this.#lifespan = new Lifespan(
      app,
      {
        mode: options.lifespan,
        startupTimeout: options.lifespanStartupTimeout,
        startedAt: place.startedAt,
        shutdownTimeout: options.shutdownTimeout,
        role: place.role,
        workerNumber: place.workerNumber,
        isDeclineLogged: speaksForAll(options, place.workerNumber),
      },
      logger,
    );
  }

  /**
   * Runs the application's startup, then listens. Resolves once connections are accepted.
   *
   * @throws LifespanError when the application refuses to start or does not say in time that it has.
   * @throws ListenError when the address cannot be had.
   * @throws OptionError when the access log cannot be opened, a socket is asked for that nobody has passed, or
   *   a certificate or key cannot be used.
   */
  async start(): Promise<void> {
    if (this.#state !== "new") throw new Error(`This server cannot be started: it is ${this.#state}.`);
    this.#state = "starting";
    const { options } = this;
    try {
      // What not every server needs is loaded where it is needed, for a start is short and modules are most of it.
      if (options.accessLog !== false) this.#accessLog = await this.#openAccessLog(options.accessLog);
      if (options.proxyHeaders !== "off")
        this.#readProxied = (await import("./proxy/proxied-request.ts")).createProxyReader(options);
      const openSockets = await this.#planListening();
      const tls = await this.#loadTls();
      if (process.env["NOTIFY_SOCKET"])
        this.#notifier = (await import("../system/service-manager.ts")).takeNotifier();
      if (options.metrics !== "") await this.#openMetrics();
      // A stop that is forced does not wait for a startup that hangs, so neither does this.
      await Promise.race([this.#lifespan.start(), this.#stopped.promise]);
      const validator = options.validateEvents ? await import("../spec/validate.ts") : undefined;
      if (this.#stopping !== undefined) throw new Error("The server was stopped before it listened.");
      this.#openFiles = await openFilesLimit();
      this.#budget = connectionBudget(this.#openFiles);
      this.#guard = new DescriptorGuard(this.#openFiles, this.#listeners, this.#logger, () => {
        void this.#setBacklog();
      });
      this.#context = this.#createContext(validator);
      const events = {
        onOpen: (connection: Connection) => this.#onOpen(connection),
        onReady: (connection: Connection) => this.#onReady(connection),
        onClose: (connection: Connection) => this.#onClose(connection),
        onLastDescriptors: (fd: number) => this.#guard?.onAccepted(fd),
      };
      const context = this.#context;
      this.#listen = (where) => new Listener(where, context, events, tls);
      for (const where of openSockets()) this.#listeners.push(this.#listen(where));
      setTimeout(() => void this.#finishStart(), LATE_DELAY).unref();
      this.#state = "running";
      this.#notifier?.ready();
    } catch (error) {
      for (const listener of this.#listeners.splice(0)) listener.stop();
      await (this.#stopping ?? this.#release(true));
      throw error;
    }
  }

  /**
   * Drains and stops: no new connections, idle ones closed at once, live event streams told, requests finished, at
   * most for `shutdownTimeout` seconds; then what is left is cut, and the application's shutdown runs. A call with
   * `force` ends what is being waited for at once: the first one the requests, another one the application's shutdown.
   * Safe to call at any time.
   *
   * @param isFollowed another server takes the next connections from the same sockets. Then idle connections are kept
   *   for a moment and served once more, since a client may send its next request while its connection is closed; and
   *   the files of Unix sockets stay. Default false.
   * @returns true when everything came to its end, false when something was cut or the application's shutdown failed.
   */
  stop({
    force = false,
    isFollowed = false,
  }: { force?: boolean; isFollowed?: boolean } = {}): Promise<boolean> {
    if (this.#state === "new") {
      this.#state = "stopped";
      this.#stopped.resolve(true);
    }
    if (this.#state === "stopped") return this.#stopped.promise;
    this.#stopping ??= this.#drainAndStop(isFollowed);
    if (force) this.#force?.();
    return this.#stopping;
  }

  /**
   * Reads certificates and keys again. New connections get the new ones, open ones go on as they are. If they cannot
   * be used, that is logged, and everything stays as it was. Does nothing without TLS, or while it does not run.
   *
   * @returns whether new connections get what the files hold now.
   */
  async reloadCertificates(): Promise<boolean> {
    if (this.#state !== "running") return false;
    this.#notifier?.reloading();
    try {
      const tls = await this.#loadTls();
      const { duplicate } = await import("../listening/listening-socket.ts");
      if (tls === undefined || this.#state !== "running") return false;
      for (const listener of this.#listeners) listener.renew(duplicate(listener.fd), tls);
      await this.#setBacklog();
      return true;
    } catch (error) {
      this.#logger.error(`The certificates stay as they were: ${messageOf(error)}`);
      return false;
    } finally {
      if (this.#state === "running") this.#notifier?.ready();
    }
  }

  /** Creates the files of Unix sockets again if they were removed. Logs each one, and failures. */
  async remakeSocketFiles(): Promise<void> {
    await this.#endpoint?.remakeSocketFile();
    const missing = this.#listeners.filter(({ file }) => file?.isMissing === true);
    if (missing.length === 0 || this.#state !== "running") return;
    const { planListening, remadeSocket } = await import("../listening/listen-plan.ts");
    const { settings } = planListening({ ...this.options, listen: [] }, []);
    for (const listener of missing) {
      try {
        const socket = remadeSocket(listener.file, settings);
        if (socket !== undefined) listener.moveTo(socket);
        this.#logger.warn(`${listener.url} had been removed; it was created again`);
      } catch (error) {
        this.#logger.error(
          `${listener.url} has been removed and cannot be created again: ${messageOf(error)}`,
        );
      }
    }
    await this.#setBacklog();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Where the first listener is reached, with a slash at the end; a Unix socket is `unix:` and its path. */
  get url(): string {
    const [first] = this.#listeners;
    if (first === undefined) throw new Error("The server is not listening; call start() first.");
    return first.url;
  }

  /** Why fewer connections are accepted than the options allow, as a sentence without its full stop; else undefined. */
  get connectionLimitNote(): string | undefined {
    const { maxConnections } = this.options;
    return this.#budget < maxConnections
      ? loweredText(this.#budget, maxConnections, this.#openFiles)
      : undefined;
  }

  /** Where all listeners are reached; see {@link url}. */
  get urls(): readonly string[] {
    return this.#listeners.map((each) => each.url);
  }

  /** The addresses in use. */
  get listeners(): readonly (TcpAddress | UnixAddress)[] {
    return this.#listeners.map((each) => each.address);
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** The sockets that it listens at, for a program that follows this one. */
  get sockets(): readonly SocketDescription[] {
    return this.#listeners.map(({ fd, file }, i) => ({
      fd,
      asked: this.#asked[i] ?? "",
      fileId: file?.id ?? "",
    }));
  }

  /** The socket for the metrics, if this process serves them. */
  get metricsSocket(): SocketDescription | undefined {
    return this.#endpoint?.socket;
  }

  /** Speaks to the service manager, if there is one that wants to be told. */
  get notifier(): Notifier | undefined {
    return this.#notifier;
  }

  /** Requests that the application has been called for and has returned from. */
  get requestCount(): number {
    return this.#requestCount;
  }

  /** What it has counted and what its process takes, where `metrics` is set. */
  get samples(): Samples {
    let sentBytes = 0;
    for (const { output } of this.#connections) sentBytes += output.taken;
    return this.#metrics?.samples({ open: this.#connections.size, sentBytes }) ?? {};
  }

  /** Where `/metrics` is, if it is served by this process. */
  get metricsAddress(): TcpAddress | UnixAddress | undefined {
    return this.#endpoint?.address;
  }

  /**
   * Accepts from further sockets, which are the server's from now on.
   *
   * @returns what ends that; undefined when the server does not run, and the sockets stay the caller's.
   */
  adopt(sockets: readonly ListeningSocket[]): (() => void) | undefined {
    const listen = this.#listen;
    if (this.#state !== "running" || listen === undefined) return undefined;
    const adopted = sockets.map((socket) => listen(socket));
    this.#listeners.push(...adopted);
    void this.#setBacklog();
    return () => {
      for (const listener of adopted) {
        const at = this.#listeners.indexOf(listener);
        if (at === -1) continue;
        this.#listeners.splice(at, 1);
        listener.stop();
      }
    };
  }

  /** Opens the file of the access log anew, after log rotation has moved it. */
  reopenLogs(): void {
    this.#accessLog?.reopen();
  }

  /** Resolves when the server has stopped, whoever stopped it, with what `stop` resolves with. */
  get whenStopped(): Promise<boolean> {
    return this.#stopped.promise;
  }

  async #openAccessLog(target: true | string): Promise<AccessLog> {
    const { AccessLog: Log } = await import("../logging/access-log.ts");
    const destination = target === true ? "stderr" : { path: target };
    return new Log(destination, this.options.accessLogFormat, (message) => this.#logger.error(message));
  }

  /** Counts, and tells of it before the application has started; a worker leaves that to its supervisor. */
  async #openMetrics(): Promise<void> {
    const { Metrics: Counts } = await import("../metrics/metrics.ts");
    this.#metrics = new Counts();
    if (this.#place.role === "worker") return;
    const { MetricsEndpoint: Endpoint } = await import("../metrics/endpoint.ts");
    const { startSample } = await import("../metrics/process-samples.ts");
    this.#endpoint = await Endpoint.open({
      options: this.options,
      source: {
        samples: () => ({ ...this.samples, ...startSample() }),
        isReady: () => this.#state === "running",
      },
      logger: this.#logger,
      socket: this.#place.metricsSocket,
      isFollowing: this.#place.isFollowing === true,
      createServer: (app, options, sockets) => new Server(app, options, this.#logger, { sockets }),
    });
  }

  /** Certificates and keys; most servers have none, and do without what it takes to read them. */
  async #loadTls(): Promise<TlsGate | undefined> {
    const { sslCert, sslKey, sslVerifyClient } = this.options;
    if (sslCert.length === 0 && sslKey.length === 0 && sslVerifyClient === "off") return undefined;
    const { createTlsGate } = await import("./tls/tls-context.ts");
    return createTlsGate(this.options);
  }

  /**
   * Decides where to listen, before the application starts; what is returned opens it. A host and a port need nothing
   * that Bun has not.
   */
  async #planListening(): Promise<() => (TcpAddress | ListeningSocket)[]> {
    const { options } = this;
    const { host, port, listen } = options;
    const { sockets } = this.#place;
    if (sockets !== undefined) {
      this.#asked = sockets.map(({ asked }) => asked);
      return () => sockets.map(({ socket }) => socket);
    }
    this.#asked = [formatListenAddress({ type: "tcp", host, port })];
    if (listen.length === 0 && options.socket === "" && !isActivated())
      return () => [{ type: "tcp", host, port }];
    const { openAll, planListening } = await import("../listening/listen-plan.ts");
    const plan = planListening(options);
    this.#asked = plan.addresses.map(formatListenAddress);
    for (const { fd, name } of plan.unused)
      this.#logger.warn(
        `The socket that was passed as fd:${fd} (${name}) is not served; no --listen names it.`,
      );
    return () => openAll(plan, listen.length > 0);
  }

  /** Does the rest of the start, which callers do not wait for. */
  async #finishStart(): Promise<void> {
    await this.#setBacklog();
    const { loadLateModules } = await import("./late-modules.ts");
    await loadLateModules();
    if (this.#state !== "running") return;
    this.#guard?.watch();
  }

  /** Bun makes every backlog 512, those of adopted sockets too. */
  async #setBacklog(): Promise<void> {
    if (this.#state !== "running") return;
    try {
      const { setBacklog } = await import("../listening/listening-socket.ts");
      for (const { fd } of this.#listeners) if (fd >= 0) setBacklog(fd, this.options.backlog);
    } catch (error) {
      this.#logger.warn("The backlog could not be set; 512 connections may wait.", error);
    }
  }

  async #drainAndStop(isFollowed: boolean): Promise<boolean> {
    this.#state = "stopping";
    // The next one takes the address over.
    if (isFollowed) void this.#endpoint?.close({ isFollowed });
    if (!isFollowed) this.#notifier?.stopping();
    else if (this.#context !== undefined) this.#context.idleGrace = IDLE_GRACE;
    this.#guard?.close();
    for (const listener of this.#listeners) listener.stop({ keepFile: isFollowed });
    const isDrained = this.#context === undefined || (await this.#drain(this.#context));
    return this.#release(isDrained);
  }

  /** Resolves with whether all requests were finished. */
  async #drain(context: ServerContext): Promise<boolean> {
    context.isDraining = true;
    const forced = this.#forced();
    // What has arrived already is read first: an idle connection that is closed with a request in it is a reset.
    for (let turn = 0; turn < LAST_TURNS; turn++) await Promise.race([forced, new Promise(setImmediate)]);
    for (const connection of [...this.#connections]) connection.drain();
    const idle = new Promise<void>((resolve) => (this.#whenIdle = resolve));
    this.#checkIdle();
    const { promise: late, timer } = after(this.options.shutdownTimeout);
    const isIdle = await Promise.race([idle.then(() => true), late, forced]);
    clearTimeout(timer);
    if (isIdle) return true;
    if (this.#connections.size > 0) this.#logger.warn(describeCut([...this.#connections]));
    for (const connection of [...this.#connections]) connection.cutByServer();
    // Applications have just been told; those that listen return in this very turn.
    await Promise.race([idle, new Promise(setImmediate)]);
    const { running } = context;
    if (running > 0)
      this.#logger.warn(`${running} ${running === 1 ? "request has" : "requests have"} not returned`);
    return false;
  }

  /** The end of every way out: shutdown of the application, and what the server itself holds. */
  async #release(isDrained: boolean): Promise<boolean> {
    const isShutDown = await Promise.race([this.#lifespan.stop(), this.#forced()]);
    this.#bridge?.close();
    this.#wheel.close();
    this.#notifier?.close();
    await this.#accessLog?.close();
    await this.#endpoint?.close();
    this.#metrics?.close();
    const isClean = isDrained && isShutDown;
    this.#state = "stopped";
    this.#stopped.resolve(isClean);
    return isClean;
  }

  /** Resolves with false once `stop` is called with `force` while this is what it waits for. */
  #forced(): Promise<false> {
    return new Promise((resolve) => (this.#force = () => resolve(false)));
  }

  #onOpen(connection: Connection): void {
    this.#connections.add(connection);
    this.#metrics?.connectionOpened();
    // One that was turned away and is still there takes nobody's place.
    const count = this.#connections.size - this.#turnedAway.size;
    if (count > this.options.maxConnections || this.#descriptorsOf(count) > this.#budget)
      this.#turnedAway.add(connection);
  }

  /** How many descriptors so many connections use, with those of the WebSockets among them. */
  #descriptorsOf(connections: number): number {
    return connections + OF_WEB_SOCKET * (this.#context?.webSockets ?? 0);
  }

  #onReady(connection: Connection): void {
    if (this.#turnedAway.has(connection)) {
      this.#metrics?.connectionRejected();
      turnAway(connection);
    } else connection.start(new Http1Session(connection));
  }

  #onClose(connection: Connection): void {
    this.#connections.delete(connection);
    this.#metrics?.connectionClosed(connection.output.taken);
    this.#turnedAway.delete(connection);
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#connections.size === 0 && this.#context?.running === 0) this.#whenIdle?.();
  }

  /** Many applications have no WebSocket; those get neither the modules nor the listening socket. */
  #openBridge(): UpgradeBridge {
    const {
      UpgradeBridge: Bridge,
    }: typeof import("./websocket/upgrade-bridge.ts") = require("./websocket/upgrade-bridge.ts");
    const { maxWsMessageSize, wsCompression } = this.options;
    return new Bridge({ maxMessageSize: maxWsMessageSize, compression: wsCompression });
  }

  #createContext(validator: EventValidator | undefined): ServerContext {
    const { options } = this;
    const internalError = (error: unknown): void =>
      this.#logger.error("internal error on a connection", error);
    const milliseconds = (seconds: number): number => seconds * 1000;
    const context: ServerContext = {
      app: this.#app,
      host: {
        validator,
        highWaterMark: options.writeHighWatermark,
        lowWaterMark: options.writeLowWatermark,
        rootPath: options.rootPath,
        sseIdleTimeout: milliseconds(options.sseIdleTimeout),
        wsIdleTimeout: milliseconds(options.wsIdleTimeout),
        wsHandshakeTimeout: milliseconds(options.wsHandshakeTimeout),
        maxReceiveQueue: options.maxReceiveQueue,
        state: this.#lifespan.state,
        timer: (onExpire) => this.#wheel.deadline(onExpire),
        reportError: (message, error) => this.#logger.error(message, error),
      },
      limits: options,
      times: {
        header: milliseconds(options.headerTimeout),
        keepAlive: milliseconds(options.timeout),
        body: milliseconds(options.bodyTimeout),
        request: milliseconds(options.requestTimeout),
        write: milliseconds(options.writeTimeout),
        halfClose: milliseconds(options.halfCloseGrace),
        linger: milliseconds(options.lingerTimeout),
      },
      wheel: this.#wheel,
      turnEnd: new Batch(setImmediate, (connection) => connection.onTurnEnd(), internalError),
      afterExchange: new Batch(queueMicrotask, (session) => session.afterExchange(), internalError),
      readers: [],
      heads: new HeadCache(options),
      plans: new PlanCache(),
      maxWsMessageSize: options.maxWsMessageSize,
      bridge: () => (this.#bridge ??= this.#openBridge()),
      logger: this.#logger,
      accessLog: this.#accessLog,
      refusals: new Refusals(this.#logger),
      metrics: this.#metrics,
      readProxied: this.#readProxied,
      journal: this.#place.journal,
      descriptorCeiling: this.#guard?.ceiling ?? Infinity,
      webSockets: 0,
      hasRoomForWebSocket: () =>
        this.#guard?.isPaused !== true &&
        this.#descriptorsOf(this.#connections.size) + OF_WEB_SOCKET <= this.#budget,
      isDraining: false,
      idleGrace: 0,
      running: 0,
      onSettled: () => {
        context.running--;
        this.#requestCount++;
        this.#checkIdle();
      },
    };
    return context;
  }
}

/** Answers a connection that is one too many, without reading from it. */
function turnAway(connection: Connection): void {
  const text = "Too many connections. Try again in a moment.";
  connection.output.write(errorResponse(503, text, httpDate(), [["retry-after", RETRY_AFTER]]), "", 0, "");
  connection.linger();
}

function after(seconds: number): { promise: Promise<false>; timer: ReturnType<typeof setTimeout> } {
  const { promise, resolve } = Promise.withResolvers<false>();
  return { promise, timer: setTimeout(() => resolve(false), seconds * 1000) };
}
