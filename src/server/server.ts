import type { EventValidator } from "../exchange/environment.ts";
import type { Application } from "../spec/application.ts";
import type { LifespanScope } from "../spec/scope.ts";
import { messageOf } from "../errors.ts";
import { HeadCache } from "../http1/head-cache.ts";
import { PlanCache } from "../http1/plan-cache.ts";
import type { UpgradeBridge } from "./websocket/upgrade-bridge.ts";
import type { Connection } from "./connection/connection.ts";
import { describeCut } from "./cut-connections.ts";
import { Admission } from "./admission.ts";
import { DescriptorGuard, openFilesLimit } from "./descriptor-limit.ts";
import type { ServerContext } from "./connection/shared.ts";
import { Http1Session } from "./http1/session.ts";
import { Batch } from "./connection/batch.ts";
import { Life } from "./life.ts";
import { Lifespan } from "../exchange/lifespan.ts";
import { speaksForAll } from "./spokesman.ts";
import type { TcpAddress, UnixAddress } from "../options/listen-address.ts";
import { Listener } from "./listener.ts";
import { Listeners } from "./listeners.ts";
import type { SocketDescription } from "./listeners.ts";
import type { AskedSocket, ListeningSocket } from "../listening/listening-socket.ts";
import { serverLogger } from "../logging/logger.ts";
import type { Logger } from "../logging/logger.ts";
import type { Samples } from "../metrics/families.ts";
import type { Notifier } from "../system/service-manager.ts";
import type { ServerOptions } from "../options/resolve.ts";
import type { ProxyReader } from "./proxy/proxied-request.ts";
import { Reporting } from "./reporting.ts";
import { Refusals } from "./refusals.ts";
import type { RequestJournal } from "./request-journal.ts";
import { RequestLog } from "./request-log.ts";
import { TimerWheel } from "./connection/timer-wheel.ts";
import type { TlsGate } from "./tls/tls-context.ts";

/** Milliseconds after the start until what is not to make it longer is done: the backlog, modules that may be needed. */
const LATE_DELAY = 50;

/** Milliseconds that an idle connection is kept for one request more, when another server follows. */
const IDLE_GRACE = 2000;

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
  readonly #listeners: Listeners;
  #admission: Admission<Connection> | undefined;
  readonly #reporting: Reporting;
  #readProxied: ProxyReader | undefined;
  #bridge: UpgradeBridge | undefined;
  #context: ServerContext | undefined;
  #guard: DescriptorGuard | undefined;
  #requestCount = 0;
  /** Another server takes the next connections. */
  #isFollowed = false;
  readonly #life: Life;

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
    this.#listeners = new Listeners(options, logger);
    this.#reporting = new Reporting({
      options,
      logger,
      source:
        place.role === "worker"
          ? undefined
          : { samples: () => this.#ownSamples(), isReady: () => this.#isRunning },
      metricsSocket: place.metricsSocket,
      isFollowing: place.isFollowing === true,
      createServer: (app, endpointOptions, sockets) => new Server(app, endpointOptions, logger, { sockets }),
    });
    this.#life = new Life(
      {
        stopAccepting: () => this.#stopAccepting(),
        finishConnections: () => this.#finishConnections(),
        cutConnections: () => this.#cutConnections(),
        reportUnreturned: () => this.#reportUnreturned(),
        closeApplication: () => void this.#closeApplication(),
        release: () => void this.#release(),
      },
      {
        shutdownTimeout: options.shutdownTimeout * 1000,
        onError: (error) => logger.error("internal error at shutdown", error),
      },
    );
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
    const { phase } = this.#life;
    if (phase !== "new") throw new Error(`This server cannot be started: it is ${phase}.`);
    this.#life.happen("start");
    const { options } = this;
    try {
      // Modules that not every server needs are loaded where they are needed (decision 0004).
      await this.#reporting.openAccessLog();
      if (options.proxyHeaders !== "off")
        this.#readProxied = (await import("./proxy/proxied-request.ts")).createProxyReader(options);
      const openListeners = await this.#listeners.plan(this.#place.sockets);
      const tls = await this.#loadTls();
      await this.#reporting.open();
      // A stop that is forced does not wait for a startup that hangs, so neither does this.
      await Promise.race([this.#lifespan.start(), this.#life.whenStopped]);
      const validator = options.validateEvents ? await import("../spec/validate.ts") : undefined;
      if (this.#life.phase !== "starting") throw new Error("The server was stopped before it listened.");
      const openFiles = await openFilesLimit();
      const admission = new Admission<Connection>({
        maxConnections: options.maxConnections,
        openFiles,
        metrics: this.#reporting.metrics,
        webSockets: () => this.#context?.requests.webSockets ?? 0,
      });
      this.#admission = admission;
      const guard = new DescriptorGuard(openFiles, this.#listeners.all, this.#logger, () => {
        void this.#listeners.setBacklog();
      });
      this.#guard = guard;
      const context = this.#createContext(validator, admission, guard);
      this.#context = context;
      const events = {
        onOpen: (connection: Connection) => admission.open(connection),
        onReady: (connection: Connection) => {
          const session = new Http1Session(connection);
          connection.start(session);
          if (!admission.admit(connection)) session.turnAway();
        },
        onClose: (connection: Connection) => {
          admission.close(connection);
          this.#checkIdle();
        },
        onLastDescriptors: (fd: number) => guard.onAccepted(fd),
      };
      openListeners((where) => new Listener(where, context, events, tls));
      setTimeout(() => void this.#finishStart(), LATE_DELAY).unref();
      this.#life.happen("started");
      this.#reporting.notifier?.ready();
    } catch (error) {
      this.#listeners.discard();
      this.#life.happen("failed");
      await this.#life.whenStopped;
      throw error;
    }
  }

  /**
   * Stops gracefully: accepts no connections, closes idle ones at once, notifies SSE streams, and lets running requests
   * finish for at most `shutdownTimeout` seconds. Then it cuts those that are left, and runs the application's shutdown.
   * A call with `force` ends the current wait at once: the first one that for requests, another one that for the
   * application's shutdown. Safe to call at any time.
   *
   * @param isFollowed another server takes the next connections from the same sockets. Then idle connections are kept
   *   for a moment and served once more, since a client may send its next request while its connection is closed; and
   *   the files of Unix sockets stay. Default false.
   * @returns true when every request was finished, false when one was cut or the application's shutdown failed.
   */
  stop({
    force = false,
    isFollowed = false,
  }: { force?: boolean; isFollowed?: boolean } = {}): Promise<boolean> {
    if (["new", "starting", "running"].includes(this.#life.phase)) this.#isFollowed = isFollowed;
    this.#life.happen("stop");
    if (force) this.#life.happen("force");
    return this.#life.whenStopped;
  }

  /**
   * Reads certificates and keys again. New connections get the new ones, open ones stay as they are. If they cannot
   * be used, that is logged, and nothing changes. Does nothing without TLS, or while it does not run.
   *
   * @returns whether new connections get what the files hold now.
   */
  async reloadCertificates(): Promise<boolean> {
    if (!this.#isRunning) return false;
    this.#reporting.notifier?.reloading();
    try {
      const tls = await this.#loadTls();
      if (tls === undefined || !this.#isRunning) return false;
      await this.#listeners.renew(tls);
      return true;
    } catch (error) {
      this.#logger.error(`The certificates stay as they were: ${messageOf(error)}`);
      return false;
    } finally {
      if (this.#isRunning) this.#reporting.notifier?.ready();
    }
  }

  /** Creates the files of Unix sockets again if they were removed. Logs each one, and failures. */
  async remakeSocketFiles(): Promise<void> {
    await this.#reporting.endpoint?.remakeSocketFile();
    await this.#listeners.remakeFiles();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Where the first listener is reached, with a slash at the end; a Unix socket is `unix:` and its path. */
  get url(): string {
    return this.#listeners.url;
  }

  /** Why fewer connections are accepted than the options allow, as a sentence without its full stop; else undefined. */
  get connectionLimitNote(): string | undefined {
    return this.#admission?.note;
  }

  /** Where all listeners are reached; see {@link url}. */
  get urls(): readonly string[] {
    return this.#listeners.all.map((each) => each.url);
  }

  /** The addresses in use. */
  get listeners(): readonly (TcpAddress | UnixAddress)[] {
    return this.#listeners.all.map((each) => each.address);
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.#admission?.connections.size ?? 0;
  }

  /** The sockets that it listens at, for a program that follows this one. */
  get sockets(): readonly SocketDescription[] {
    return this.#listeners.sockets;
  }

  /** The socket for the metrics, if this process serves them. */
  get metricsSocket(): SocketDescription | undefined {
    return this.#reporting.endpoint?.socket;
  }

  /** Speaks to the service manager, if there is one that wants to be told. */
  get notifier(): Notifier | undefined {
    return this.#reporting.notifier;
  }

  /** Requests that the application has been called for and has returned from. */
  get requestCount(): number {
    return this.#requestCount;
  }

  /** What it has counted and what its process takes, where `metrics` is set. */
  get samples(): Samples {
    let sentBytes = 0;
    for (const { output } of this.#admission?.connections ?? []) sentBytes += output.taken;
    return this.#reporting.metrics?.samples({ open: this.connectionCount, sentBytes }) ?? {};
  }

  /** Where `/metrics` is, if it is served by this process. */
  get metricsAddress(): TcpAddress | UnixAddress | undefined {
    return this.#reporting.endpoint?.address;
  }

  /**
   * Accepts from further sockets, which are the server's from now on.
   *
   * @returns what ends that; undefined when the server does not run, and the sockets stay the caller's.
   */
  adopt(sockets: readonly ListeningSocket[]): (() => void) | undefined {
    return this.#isRunning ? this.#listeners.adopt(sockets) : undefined;
  }

  /** Opens the file of the access log again, after log rotation has moved it. */
  reopenLogs(): void {
    this.#reporting.accessLog?.reopen();
  }

  /** Resolves when the server has stopped for any reason, with what `stop` resolves with. */
  get whenStopped(): Promise<boolean> {
    return this.#life.whenStopped;
  }

  /** Of the metrics of a process that has no workers. */
  async #ownSamples(): Promise<Samples> {
    const { startSample } = await import("../metrics/process-samples.ts");
    return { ...this.samples, ...startSample() };
  }

  /** Certificates and keys; most servers have none, and do without what it takes to read them. */
  async #loadTls(): Promise<TlsGate | undefined> {
    const { sslCert, sslKey, sslVerifyClient } = this.options;
    if (sslCert.length === 0 && sslKey.length === 0 && sslVerifyClient === "off") return undefined;
    const { createTlsGate } = await import("./tls/tls-context.ts");
    return createTlsGate(this.options);
  }

  /** Does the rest of the start, which callers do not wait for. */
  async #finishStart(): Promise<void> {
    await this.#listeners.setBacklog();
    const { loadLateModules } = await import("./late-modules.ts");
    await loadLateModules();
    if (this.#isRunning) this.#guard?.watch();
  }

  // ── how it ends, as shutdown.ts decides ───────────────────────────────────────────────────────────────────────────

  #stopAccepting(): void {
    this.#reporting.stopping(this.#isFollowed);
    this.#guard?.close();
    this.#listeners.stop({ keepFile: this.#isFollowed });
    if (this.#context === undefined) return;
    if (this.#isFollowed) this.#context.idleGrace = IDLE_GRACE;
    this.#context.isShuttingDown = true;
  }

  #finishConnections(): void {
    for (const connection of [...(this.#admission?.connections ?? [])]) connection.shutDown();
    this.#checkIdle();
  }

  #cutConnections(): void {
    const connections = [...(this.#admission?.connections ?? [])];
    if (connections.length > 0) this.#logger.warn(describeCut(connections));
    for (const connection of connections) connection.resetByServer();
  }

  #reportUnreturned(): void {
    const running = this.#context?.requests.running ?? 0;
    if (running > 0)
      this.#logger.warn(`${running} ${running === 1 ? "request has" : "requests have"} not returned`);
  }

  async #closeApplication(): Promise<void> {
    const isClean = await this.#lifespan.stop().catch((error: unknown) => {
      this.#logger.error("internal error at shutdown", error);
      return false;
    });
    this.#life.happen(isClean ? "closed" : "unclosed");
  }

  async #release(): Promise<void> {
    try {
      this.#bridge?.close();
      this.#wheel.close();
      await this.#reporting.close();
    } catch (error) {
      this.#logger.error("internal error at shutdown", error);
    }
    this.#life.happen("released");
  }

  get #isRunning(): boolean {
    return this.#life.phase === "running";
  }

  /** Every end of a connection or a request calls it. */
  #checkIdle(): void {
    if (this.#isRunning || this.connectionCount > 0) return;
    if (this.#context?.requests.running === 0) this.#life.happen("idle");
  }

  /** Many applications have no WebSocket; those get neither the modules nor the listening socket. */
  #openBridge(): UpgradeBridge {
    const {
      UpgradeBridge: Bridge,
    }: typeof import("./websocket/upgrade-bridge.ts") = require("./websocket/upgrade-bridge.ts");
    const { maxWsMessageSize, wsCompression } = this.options;
    return new Bridge({ maxMessageSize: maxWsMessageSize, compression: wsCompression });
  }

  #createContext(
    validator: EventValidator | undefined,
    admission: Admission<Connection>,
    guard: DescriptorGuard,
  ): ServerContext {
    const { options } = this;
    const internalError = (error: unknown): void =>
      this.#logger.error("internal error on a connection", error);
    const milliseconds = (seconds: number): number => seconds * 1000;
    return {
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
      requests: new RequestLog({
        accessLog: this.#reporting.accessLog,
        metrics: this.#reporting.metrics,
        refusals: new Refusals(this.#logger),
        journal: this.#place.journal,
        onSettled: () => {
          this.#requestCount++;
          this.#checkIdle();
        },
      }),
      metrics: this.#reporting.metrics,
      readProxied: this.#readProxied,
      descriptorCeiling: guard.ceiling,
      hasRoomForWebSocket: () => !guard.isPaused && admission.hasRoomForWebSocket,
      isShuttingDown: false,
      idleGrace: 0,
    };
  }
}
