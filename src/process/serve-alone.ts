import type { Logger } from "../logging/logger.ts";
import type { ServerOptions } from "../options/resolve.ts";
import type { Server } from "../server/server.ts";
import type { Application } from "../spec/application.ts";
import { controlServer } from "./control-server.ts";
import type { Role } from "./role.ts";
import { runUntilSignal } from "./run-until-signal.ts";

export interface ServeAlone {
  readonly options: ServerOptions;
  readonly role: Role;
  readonly logger: Logger;
  /** What the command line serves, whose file the user must be able to read. */
  readonly file?: string | undefined;
  /**
   * The application, or how to import it. An import shares the deadline of the startup, and signals end it; an application
   * that is given belongs to a program that is running already.
   */
  readonly app: Application | { readonly load: () => Promise<Application> };
  /** Whether signals control the server. */
  readonly signals: boolean;
  /** Whether SIGHUP first starts the program in a separate process, to see whether it would serve. */
  readonly trialStart: boolean;
}

/** What serves in this process, and how it ends. */
export interface Serving<Running = Server> {
  readonly running: Running;
  /**
   * Resolves once it accepts connections.
   *
   * @throws LoadError, LifespanError, ListenError, WorkerError, OptionError
   */
  readonly started: Promise<void>;
  /** The exit code once a signal has ended it; undefined when the program itself has, or it never served. */
  readonly ended: Promise<0 | 1 | undefined>;
}

/**
 * Serves in this process, without a supervisor: claims what options and role ask for, imports the application, starts
 * the server, and lets signals end it. Modules that not every start needs are loaded where they are needed.
 *
 * @returns undefined when a signal ended it before the application was imported, which is logged.
 * @throws OptionError, ListenError, LoadError
 */
export async function serveAlone(parts: ServeAlone): Promise<Serving | undefined> {
  const { options, role, logger, file, app: given, signals, trialStart } = parts;
  const { lifespanStartupTimeout: startLimit } = options;
  const claim = needsClaim(options, role)
    ? await (
        await import("./claim-process.ts")
      ).claimProcess({ options: { ...options, workers: 1 }, role, logger, application: file, startLimit })
    : undefined;
  const guard =
    "load" in given
      ? (await import("./start-deadline.ts")).guardStart(startLimit, claim === undefined)
      : undefined;
  try {
    const app = "load" in given ? await guard?.importing(given.load) : given;
    const { Server } = await import("../server/server.ts");
    if (app === undefined || guard?.isStopped() === true) {
      logger.info("Stopped before the application was imported");
      guard?.end();
      claim?.abandon();
      return undefined;
    }
    const { startedAt } = guard ?? {};
    const running = new Server(app, options, logger, {
      ...(claim === undefined
        ? {}
        : {
            sockets: claim.sockets.release(),
            metricsSocket: claim.metricsSocket,
            isFollowing: claim.isFollowing,
          }),
      ...(startedAt === undefined ? {} : { startedAt }),
    });
    // Before the start, so that a signal during a long startup is not lost.
    const ended = runUntilSignal(controlServer(running, logger, { signals, trialStart })).then(
      ({ isSignaled, isClean }) => {
        claim?.end();
        return isSignaled ? (isClean ? 0 : 1) : undefined;
      },
    );
    guard?.signalsAreHandled();
    const start = async (): Promise<void> => {
      try {
        await running.start();
        claim?.ready();
      } catch (error) {
        // The pid file cannot be written, for example because the disk is full.
        await running.stop({ force: true });
        throw error;
      } finally {
        guard?.end();
      }
    };
    return { running, started: start(), ended };
  } catch (error) {
    guard?.end();
    claim?.abandon();
    throw error;
  }
}

/** An ordinary start has no pid file, no other user, and no process that waits for it; its server opens the sockets. */
function needsClaim({ pid, user, group }: ServerOptions, role: Role): boolean {
  return role.type !== "main" || pid !== "" || user !== "" || group !== "";
}
