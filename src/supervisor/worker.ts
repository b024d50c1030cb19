import fs from "node:fs";

import { messageOf } from "../errors.ts";
import { inheritedSocket } from "../listening/listening-socket.ts";
import { serverLogger } from "../logging/logger.ts";
import type { Logger } from "../logging/logger.ts";
import { resolveOptions } from "../options/resolve.ts";
import type { ServerOptions } from "../options/resolve.ts";
import { RequestJournal } from "../server/request-journal.ts";
import { Server } from "../server/server.ts";
import { onSignals } from "../process/signal-handlers.ts";
import { surviveErrors } from "../process/survive-errors.ts";
import { inTime } from "../process/start-deadline.ts";
import type { Application } from "../spec/application.ts";
import { receiveDescriptors } from "../system/descriptor-channel.ts";
import { beatInterval } from "./heartbeat.ts";
import { envelope, readCommand } from "../process/messages.ts";
import type { Configuration, WorkerCommand, Report } from "../process/messages.ts";
import { applySettings } from "../process/process-settings.ts";
import { WORKER_SIGNALS } from "./signal-tables.ts";
import { dieWithParent } from "../system/process-calls.ts";

/** Gives the application that a worker serves. */
export type LoadApplication = (
  options: ServerOptions,
  application: string | undefined,
  worker: { readonly workerNumber: number; readonly logger: Logger },
) => Promise<Application> | Application;

/** Milliseconds between two looks at how many requests were served. */
const REQUESTS_INTERVAL = 100;
/** Heartbeats in a row at which the memory must be too large: a peak is not a leak. */
const RSS_SAMPLES = 3;
/** Milliseconds for what runs in a worker that `--reload` replaces; longer than idle connections are kept. */
const RELOAD_LIMIT = 2500;
/** Milliseconds in which the connections that have begun on its sockets are still accepted. */
const LAST_CONNECTIONS = 500;

/**
 * Serves in this process as a worker: adopts the sockets of the supervisor, reports when it is ready and
 * sends heartbeats from its event loop, and ends at a command, or when the supervisor has ended. A worker that cannot start
 * says why to the supervisor, and ends.
 *
 * @returns the server once it serves.
 */
export async function runWorker(load: LoadApplication, ownLogger?: Logger): Promise<Server> {
  // First of all, for the supervisor may die at any time. If it has already, the channel is closed, which ends us too.
  dieWithParent();
  const configured = Promise.withResolvers<Configuration>();
  const worker: Worker = { adopted: new Map() };
  process.on("disconnect", () => process.exit(1));
  process.on("message", (message: unknown) => {
    const command = readCommand(message);
    if (command?.type === "configure") configured.resolve(command);
    else if (command !== undefined) {
      worker.isEnding ||= command.type === "finish" || command.type === "cut";
      handle(command, worker);
    }
  });
  onSignals(WORKER_SIGNALS, (command) => {
    if (command === "reopen") worker.server?.reopenLogs();
    else if (command === "retire") report({ type: "expiring", why: "was told to end by a signal" });
  });
  const { options: given, application, workerNumber, sockets, journal, channel } = await configured.promise;
  worker.channel = channel;
  let logger = ownLogger;
  try {
    const options = await resolveOptions(given);
    applySettings(options);
    beat(options, worker);
    // What was counted is not to be lost with it.
    if (options.metrics !== "") process.on("exit", () => measured(worker.server));
    // With --reload one worker stands for the process that would serve alone without.
    const isAlone = options.reload && options.workers === 1;
    logger = ownLogger ?? serverLogger(options, isAlone ? undefined : workerNumber);
    surviveErrors(logger);
    const startedAt = performance.now();
    const log = logger;
    const app = await inTime(() => load(options, application, { workerNumber, logger: log }), {
      startedAt,
      limit: options.lifespanStartupTimeout,
    });
    worker.server = new Server(app, options, logger, {
      ...(isAlone ? {} : { role: "worker", workerNumber }),
      startedAt,
      sockets: sockets.map((fd) => ({ asked: "", socket: inheritedSocket(fd) })),
      journal: journal === undefined ? undefined : openedJournal(journal, logger),
    });
    await worker.server.start();
    const note = worker.server.connectionLimitNote;
    report(note === undefined ? { type: "ready" } : { type: "ready", note });
    // The program may stop it too; a worker that serves no more is none.
    void worker.server.whenStopped.then((isClean) => process.exit(isClean ? 0 : 1));
    if (options.maxRequests > 0) watchRequests(options, worker.server);
    return worker.server;
  } catch (error) {
    // Stopped while it was starting; `end` ends the process.
    if (worker.isEnding) return await new Promise<never>(() => {});
    // The supervisor puts it into its log, with what it does about it.
    report({ type: "failed", text: messageOf(error) });
    logger?.debug("This worker cannot start", error);
    process.exit(1);
  }
}

/** What runs in this process. */
interface Worker {
  server?: Server;
  isEnding?: boolean;
  /** By which sockets of other slots come. */
  channel?: number | undefined;
  /** What ends the accepting from these, by slot. */
  readonly adopted: Map<number, () => void>;
}

/** Without it nothing is missing but the names of the requests that a crash ends. */
function openedJournal(fd: number, logger: Logger): RequestJournal | undefined {
  try {
    return new RequestJournal(fd);
  } catch (error) {
    logger.debug(`The requests that run cannot be written down: ${messageOf(error)}`);
    return undefined;
  } finally {
    fs.closeSync(fd);
  }
}

function handle(command: Exclude<WorkerCommand, Configuration>, worker: Worker): void {
  const { server } = worker;
  switch (command.type) {
    case "finish":
      if (server === undefined) process.exit(0);
      void end(server, command);
      break;
    case "cut":
      if (server === undefined) process.exit(1);
      void end(server, { isFollowed: false, isLast: false });
      void server.stop({ force: true });
      break;
    case "reopen":
      server?.reopenLogs();
      break;
    case "adopt":
      adopt(worker, command.slot);
      break;
    case "release": {
      const release = worker.adopted.get(command.slot);
      worker.adopted.delete(command.slot);
      // Where the sockets are about to be closed, the last connections to them have only been begun.
      if (release !== undefined) setTimeout(release, LAST_CONNECTIONS);
      break;
    }
    case "measure":
      report({ type: "measured", round: command.round, samples: server?.samples ?? {} });
  }
}

/** The sockets have been sent before the command, and must be taken in any case. */
function adopt({ server, channel, adopted }: Worker, slot: number): void {
  if (channel === undefined) return;
  try {
    const sockets = receiveDescriptors(channel).map((fd) => inheritedSocket(fd));
    const release = server?.adopt(sockets);
    if (release === undefined) for (const socket of sockets) socket.close();
    else adopted.set(slot, release);
  } catch (error) {
    report({ type: "expiring", why: `could not take the sockets of worker ${slot}: ${messageOf(error)}` });
  }
}

async function end(
  server: Server,
  { isFollowed, isLast }: { isFollowed: boolean; isLast: boolean },
): Promise<void> {
  // Nobody else has these sockets, and no connection comes to them any more but those that have been begun.
  if (isLast) await Bun.sleep(LAST_CONNECTIONS);
  // Nobody waits for old code to finish, and it may never.
  if (isFollowed && server.options.reload) setTimeout(() => void server.stop({ force: true }), RELOAD_LIMIT);
  const isClean = await server.stop({ isFollowed });
  process.exit(isClean ? 0 : 1);
}

/** Tells the supervisor that the event loop turns, and now and then that the process has grown too large. */
function beat(
  { heartbeatTimeout, maxRss, metrics }: ServerOptions,
  worker: { readonly server?: Server },
): void {
  let samples = 0;
  const tell = (): void => {
    report({ type: "beat", connections: worker.server?.connectionCount ?? 0 });
    if (metrics !== "") measured(worker.server);
    if (maxRss === 0) return;
    const rss = process.memoryUsage.rss();
    samples = rss > maxRss ? samples + 1 : 0;
    if (samples === RSS_SAMPLES)
      report({ type: "expiring", why: `has grown to ${Math.round(rss / 2 ** 20)} MiB` });
  };
  setInterval(tell, beatInterval(heartbeatTimeout));
  tell();
}

/** Tells what was counted, without being asked: of a worker that is killed this is what is known. */
function measured(server: Server | undefined): void {
  if (server !== undefined) report({ type: "measured", round: 0, samples: server.samples });
}

function watchRequests({ maxRequests, maxRequestsJitter }: ServerOptions, server: Server): void {
  const limit = maxRequests + Math.floor(Math.random() * (maxRequestsJitter + 1));
  const timer = setInterval(() => {
    if (server.requestCount < limit) return;
    clearInterval(timer);
    report({ type: "expiring", why: `has served ${server.requestCount} requests` });
  }, REQUESTS_INTERVAL);
}

function report(message: Report): void {
  try {
    process.send?.(envelope(message));
  } catch {
    // The channel is closed, which ends this process.
  }
}
