import { WorkerError } from "../errors.ts";
import { Lifespan } from "../exchange/lifespan.ts";
import { bracketedHost, formatListenAddress } from "../options/listen-address.ts";
import type { TcpAddress, UnixAddress } from "../options/listen-address.ts";
import type { AskedSocket } from "../listening/listening-socket.ts";
import type { Logger } from "../logging/logger.ts";
import { declarationOf, isOptionName } from "../options/table.ts";
import { writtenValue } from "../options/value-text.ts";
import { defaultOptions } from "../options/resolve.ts";
import type { ServerOptions } from "../options/resolve.ts";
import type { SocketDescription } from "../server/listeners.ts";
import type { Application } from "../spec/application.ts";
import { endIfBlocked, inTime, KILL_MARGIN } from "../process/start-deadline.ts";
import { addSamples } from "../metrics/families.ts";
import type { MetricsEndpoint } from "../metrics/endpoint.ts";
import { beatInterval } from "./heartbeat.ts";
import { advance, createPlan, wakeAt } from "./plan.ts";
import type { Plan, PlanCommand, PlanEvent, OperatorCommand } from "./plan.ts";
import { spawnProblem } from "../process/program.ts";
import { FIRST_DESCRIPTOR } from "../process/inherited-socket.ts";
import { workerCount } from "../process/sockets.ts";
import type { Sockets } from "../process/sockets.ts";
import { followVacancies, vacancyWakeAt } from "./vacancies.ts";
import type { Vacancies } from "./vacancies.ts";
import { WorkerProcess } from "./worker-process.ts";
import type { WorkerEnd } from "./worker-process.ts";
import { WorkerSamples } from "./worker-samples.ts";

export interface SupervisorParts {
  readonly options: ServerOptions;
  /** What the command line serves; the workers load it. */
  readonly application: string | undefined;
  /** Loads the application for the supervisor's own lifespan; without, it runs none. */
  readonly load: (() => Promise<Application> | Application) | undefined;
  readonly sockets: Sockets;
  /** The open socket for the metrics; the supervisor takes ownership of it. */
  readonly metricsSocket?: AskedSocket | undefined;
  readonly logger: Logger;
  /** Where others give up, it waits to be told to reload. Default false. */
  readonly waitsForReload?: boolean;
  /** Another server serves until this one is ready. */
  readonly isFollowing?: boolean;
  /** A reload is over. */
  readonly onReloaded?: (isComplete: boolean) => void;
}

interface RunningWorker {
  readonly slot: number;
  readonly process: WorkerProcess;
  /** The requests that ran when it ended. */
  ran: string;
}

/** Seconds that a worker which was told to end has beyond the times for requests and for the application's shutdown. */
const FINISH_MARGIN = 5;

/** The options that are not what they are by default, which may contradict each other when they are all given. */
function changedOptions(options: ServerOptions): Record<string, unknown> {
  const defaults: Readonly<Record<string, unknown>> = defaultOptions(options.env);
  const changed = Object.entries(options)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name]))
    .map(([name, value]) => [name, isOptionName(name) ? writtenValue(declarationOf(name), value) : value]);
  return { ...Object.fromEntries(changed), env: options.env };
}

/**
 * Runs workers and does not serve itself. `plan.ts` decides; this carries its commands out, and passes events to it. It installs no signal handlers.
 */
export class Supervisor {
  readonly options: ServerOptions;
  readonly #parts: SupervisorParts;
  readonly #logger: Logger;
  #lifespan: Lifespan | undefined;
  /** By the plan's ids. */
  readonly #workers = new Map<number, RunningWorker>();
  readonly #samples = new WorkerSamples();
  #endpoint: MetricsEndpoint | undefined;
  readonly #serving = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<boolean>();
  #plan: Plan;
  #vacancies: Vacancies = [];
  #ticker: ReturnType<typeof setInterval> | undefined;
  #waker: ReturnType<typeof setTimeout> | undefined;
  /** A stop by force does not wait for the application's shutdown either. */
  readonly #forced = Promise.withResolvers<false>();
  /** What was last logged of a worker that has failed. */
  #lastFailure: string | undefined;
  #connectionLimitNote: string | undefined;
  #isStarted = false;
  #isEnding = false;

  constructor(parts: SupervisorParts) {
    const { options, logger } = parts;
    this.options = options;
    this.#parts = parts;
    this.#logger = logger;
    this.#plan = createPlan(workerCount(options), {
      heartbeatTimeout: options.heartbeatTimeout * 1000,
      startLimit:
        options.lifespanStartupTimeout === 0 ? 0 : (options.lifespanStartupTimeout + KILL_MARGIN) * 1000,
      finishLimit: (2 * options.shutdownTimeout + FINISH_MARGIN) * 1000,
      waitsForReload: parts.waitsForReload ?? false,
    });
    // `start` reports a failure to its caller, and `whenStopped` to everybody else.
    this.#serving.promise.catch(() => {});
  }

  /**
   * Runs the application's startup in this process, then starts the workers. Resolves once all of them accept.
   *
   * @throws LoadError when the application cannot be loaded.
   * @throws LifespanError when the application refuses to start.
   * @throws WorkerError when no worker could start, or it was stopped before.
   */
  async start(): Promise<void> {
    if (this.#isStarted) throw new Error("This supervisor has been started already.");
    this.#isStarted = true;
    try {
      if (this.options.metrics !== "") await this.#openMetrics();
      await Promise.race([this.#startLifespan(), this.#stopped.promise]);
    } catch (error) {
      await this.#end(1);
      throw error;
    }
    if (this.#isEnding) {
      await this.#end(0);
      throw new WorkerError("The server was stopped before it had started its workers.");
    }
    this.#ticker = setInterval(() => this.#happen("tick"), beatInterval(this.options.heartbeatTimeout));
    this.#happen("start");
    await this.#serving.promise;
  }

  /**
   * Lets all workers finish what runs, and ends. With `force` they are cut, and a second time killed. Safe to call at any time.
   *
   * @returns true when everything came to its end, false when something was cut, killed or had failed.
   */
  stop({ force = false }: { force?: boolean } = {}): Promise<boolean> {
    if (force && this.#isEnding) this.#forced.resolve(false);
    this.#happen(force ? "cut" : "stop");
    return this.#stopped.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * `reload` replaces each worker, `more` and `fewer` change their number, and `hot-restart` ends the
   * supervisor as one that another follows.
   */
  handle(command: Extract<OperatorCommand, "reload" | "more" | "fewer" | "hot-restart">): void {
    // The next one takes the address over.
    if (command === "hot-restart") void this.#endpoint?.close({ isFollowed: true });
    if (command === "reload") this.remakeSocketFiles();
    this.#happen(command);
  }

  /** Creates the files of Unix sockets again if they were removed. Logs each one, and failures. */
  remakeSocketFiles(): void {
    this.sockets.remakeFiles((level, text) => this.#logger[level](text));
    void this.#endpoint?.remakeSocketFile();
  }

  /** Opens the log files of all workers again. */
  reopenLogs(): void {
    for (const worker of this.#workers.values()) worker.process.tell({ type: "reopen" });
  }

  get sockets(): Sockets {
    return this.#parts.sockets;
  }

  /** The socket for the metrics, if they are served. */
  get metricsSocket(): SocketDescription | undefined {
    return this.#endpoint?.socket;
  }

  /** Where the first socket is reached, with a slash at the end; a Unix socket is `unix:` and its path. */
  get url(): string {
    const [first] = this.urls;
    if (first === undefined) throw new Error("The server is not listening any more.");
    return first;
  }

  /** Where all of them are reached; see {@link url}. */
  get urls(): readonly string[] {
    const scheme = this.options.sslCert.length > 0 ? "https" : "http";
    return this.listeners.map((address) =>
      address.type === "tcp"
        ? `${scheme}://${bracketedHost(address.host)}:${address.port}/`
        : formatListenAddress(address),
    );
  }

  /** The addresses in use. */
  get listeners(): readonly (TcpAddress | UnixAddress)[] {
    return this.sockets.first.map(({ socket }) => socket.address);
  }

  /** How many connections each worker can have, as a sentence, if that is fewer than the options allow. */
  get connectionLimitNote(): string | undefined {
    return this.#connectionLimitNote === undefined
      ? undefined
      : `In each worker: ${this.#connectionLimitNote}`;
  }

  /** Connections that the workers had open when they were last heard of, about a second ago. */
  get connectionCount(): number {
    return [...this.#workers.values()].reduce((sum, worker) => sum + worker.process.connections, 0);
  }

  /** Resolves when the last worker has ended, with what `stop` resolves with. */
  get whenStopped(): Promise<boolean> {
    return this.#stopped.promise;
  }

  /** Import and startup have one time. */
  async #startLifespan(): Promise<void> {
    const { load } = this.#parts;
    if (load === undefined) return;
    const { lifespan: mode, lifespanStartupTimeout: limit, shutdownTimeout } = this.options;
    const startedAt = performance.now();
    const unguard = endIfBlocked(limit);
    try {
      const app = await inTime(load, { startedAt, limit });
      if (this.#isEnding) return;
      const times = { startupTimeout: limit, startedAt, shutdownTimeout };
      const checksRole = this.options.validateEvents;
      this.#lifespan = new Lifespan(app, { mode, ...times, role: "supervisor", checksRole }, this.#logger);
      await this.#lifespan.start();
    } finally {
      unguard();
    }
  }

  async #openMetrics(): Promise<void> {
    const { MetricsEndpoint: Endpoint } = await import("../metrics/endpoint.ts");
    const { processSamples, startSample } = await import("../metrics/process-samples.ts");
    const { Server } = await import("../server/server.ts");
    this.#endpoint = await Endpoint.open({
      options: this.options,
      source: {
        samples: async () => {
          const ask = (id: number, round: number): void =>
            this.#workers.get(id)?.process.tell({ type: "measure", round });
          const ofWorkers = await this.#samples.collect(ask);
          return addSamples([ofWorkers, processSamples(), startSample()]);
        },
        isReady: () =>
          this.#plan.phase === "running" && this.#plan.workers.some(({ state }) => state === "ready"),
      },
      logger: this.#logger,
      socket: this.#parts.metricsSocket,
      isFollowing: this.#parts.isFollowing === true,
      createServer: (app, options, sockets) => new Server(app, options, this.#logger, { sockets }),
    });
  }

  #happen(what: "tick" | OperatorCommand): void {
    this.#advance({ type: what, at: performance.now() });
  }

  #advance(event: PlanEvent): void {
    const { plan, commands } = advance(this.#plan, event);
    this.#plan = plan;
    for (const command of commands) this.#perform(command);
    // There are many heartbeats, and none of them changes who accepts.
    if (event.type !== "beat") this.#followVacancies();
    clearTimeout(this.#waker);
    const now = performance.now();
    const wake = Math.min(wakeAt(this.#plan) ?? Infinity, vacancyWakeAt(this.#vacancies, now) ?? Infinity);
    if (wake < Infinity) this.#waker = setTimeout(() => this.#happen("tick"), Math.max(0, wake - now) + 1);
  }

  /** Nobody waits for a slot that has no worker. */
  #followVacancies(): void {
    const { vacancies, commands } = followVacancies(this.#vacancies, this.#plan, performance.now());
    this.#vacancies = vacancies;
    for (const { type, worker, slot } of commands) {
      const adopter = this.#workers.get(worker);
      if (type === "release") {
        adopter?.process.tell({ type, slot });
        continue;
      }
      const sockets = this.sockets.exclusiveTo(slot, this.#plan.target);
      if (sockets.length > 0 && adopter?.process.adopt(slot, sockets) === true)
        this.#logger.debug(`worker ${adopter.slot} accepts for worker ${slot} meanwhile`);
    }
  }

  #perform(command: PlanCommand): void {
    switch (command.type) {
      case "spawn":
        this.#spawn(command.worker, command.slot);
        break;
      case "finish": {
        const { isFollowed, isLast } = command;
        this.#workers.get(command.worker)?.process.tell({ type: "finish", isFollowed, isLast });
        break;
      }
      case "cut":
        this.#workers.get(command.worker)?.process.tell({ type: "cut" });
        break;
      case "kill":
        this.#workers.get(command.worker)?.process.kill();
        break;
      case "close-slot":
        this.#samples.slotClosed(command.slot);
        this.sockets.closeSlot(command.slot);
        break;
      case "serving":
        this.#serving.resolve();
        break;
      case "reloaded":
        this.#parts.onReloaded?.(command.isComplete);
        break;
      case "log":
        this.#log(command);
        break;
      case "end":
        void this.#end(command.code);
    }
  }

  #spawn(id: number, slot: number): void {
    const exited = (end: WorkerEnd): void => {
      const ended = this.#workers.get(id);
      if (ended !== undefined) ended.ran = end.ran;
      this.#advance({ type: "exited", worker: id, ...end, at: performance.now() });
      this.#workers.delete(id);
      this.#samples.exited(id);
    };
    try {
      const sockets = this.#socketsFor(slot);
      const descriptors = sockets.map(({ socket }) => socket.fd);
      const worker = new WorkerProcess(descriptors, {
        onReport: (report) => {
          const at = performance.now();
          if (report.type === "ready") {
            this.#logger.info(`worker ${slot} (pid ${worker.pid}) is ready`);
            this.#connectionLimitNote = report.note;
          }
          this.#advance({ ...report, worker: id, at });
        },
        onSamples: (round, samples) => this.#samples.told(id, round, samples),
        onExit: exited,
      });
      this.#workers.set(id, { slot, process: worker, ran: "" });
      this.#samples.spawned(id, slot);
      worker.tell({
        type: "configure",
        options: changedOptions(this.options),
        application: this.#parts.application,
        workerNumber: slot,
        sockets: descriptors.map((_, index) => FIRST_DESCRIPTOR + index),
        ...worker.descriptors,
      });
    } catch (error) {
      // Not from within, for the plan is being carried out.
      const how = `could not be run: ${spawnProblem(error)}`;
      setImmediate(exited, { how, ran: "", isClean: false, isCrash: true } satisfies WorkerEnd);
    }
  }

  /** A slot whose sockets cannot be opened, as after privileges were dropped, shares those of another one. */
  #socketsFor(slot: number): readonly AskedSocket[] {
    const { sockets } = this.#parts;
    try {
      return sockets.forSlot(slot, this.#plan.target);
    } catch (error) {
      this.#logger.warn(`worker ${slot} shares the sockets of worker 1: ${String(error)}`);
      return sockets.forSlot(1, this.#plan.target);
    }
  }

  #log({ level, text, worker }: Extract<PlanCommand, { type: "log" }>): void {
    if (worker === undefined) {
      this.#logger[level](text);
      return;
    }
    const found = this.#workers.get(worker);
    const line =
      found === undefined ? `a worker ${text}` : `worker ${found.slot} (pid ${found.process.pid}) ${text}`;
    if (level === "error") this.#lastFailure = line;
    this.#logger[level](found === undefined || found.ran === "" ? line : `${line}. ${found.ran}`);
  }

  /** The last worker has ended. */
  async #end(code: 0 | 1): Promise<void> {
    this.#isEnding = true;
    clearInterval(this.#ticker);
    clearTimeout(this.#waker);
    const isShutDown = (await Promise.race([this.#lifespan?.stop(), this.#forced.promise])) ?? true;
    this.sockets.close();
    await this.#endpoint?.close();
    this.#serving.reject(
      new WorkerError(
        this.#lastFailure === undefined
          ? "The server was stopped before all its workers were ready."
          : `The workers did not become ready: ${this.#lastFailure}.`,
      ),
    );
    this.#stopped.resolve(code === 0 && isShutDown);
  }
}
