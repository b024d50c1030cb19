import type { Logger } from "../logging/logger.ts";
import { onSignals } from "./signal-handlers.ts";
import type { SignalCommand, SignalTable } from "./signal-handlers.ts";
import { surviveErrors } from "./survive-errors.ts";

/** Another start of this program that can take over. */
export interface Follower {
  /** Stops what runs here. */
  stop(): void;
  /** Replaces the program of this process, once that has stopped. */
  readonly replace?: () => never;
}

/**
 * Prepares another start of this program.
 *
 * @param givenUp aborted when this process is to end for another reason; a process that was started ends too.
 * @returns undefined when there is none, which has been logged.
 */
export type Follow = (givenUp: AbortSignal) => Promise<Follower | undefined>;

/** What signals control: a server, or the supervisor of workers. */
export interface Controlled {
  readonly logger: Logger;
  /** Absent where nothing but the program itself ends it. */
  readonly signals: SignalTable | undefined;
  /** Logged when a signal stops it: what it does until it has ended. */
  readonly stopText: string;
  stop(how: { readonly force: boolean }): void;
  /** Resolves when it has ended: true when everything was finished, false when something was cut or has failed. */
  readonly whenStopped: Promise<boolean>;
  /** Commands that are carried out at once. */
  readonly commands: Readonly<Partial<Record<SignalCommand, () => void>>>;
  /** Commands that start the program once more; one at a time, and the last one given meanwhile comes next. */
  readonly follows: Readonly<Partial<Record<SignalCommand, Follow>>>;
}

/** How it ended. */
export interface End {
  /** By a signal, or because another start of the program follows. */
  readonly isSignaled: boolean;
  readonly isClean: boolean;
}

/**
 * Lets signals control something that runs, or is about to start, until it has ended. Until then, errors that an
 * application throws outside of a request are logged and do not end the process.
 *
 * A stop wins over everything else: it gives up a start that is being prepared. Where another start follows, it takes
 * over only when it is ready; otherwise what runs here keeps running.
 */
export async function runUntilSignal(controlled: Controlled): Promise<End> {
  const { logger, signals, follows, commands } = controlled;
  let isSignaled = false;
  let isPreparing = false;
  /** Given meanwhile, perhaps with newer code. */
  let next: SignalCommand | undefined;
  let replace: (() => never) | undefined;
  const givenUp = new AbortController();

  const stop = (force: boolean): void => {
    if (!isSignaled && !force) logger.info(`${controlled.stopText}. Press Ctrl-C again to stop at once.`);
    isSignaled = true;
    replace = undefined;
    givenUp.abort();
    controlled.stop({ force });
  };

  const follow = async (command: SignalCommand, prepare: Follow): Promise<void> => {
    if (isSignaled) return;
    if (isPreparing) {
      next = command;
      return;
    }
    isPreparing = true;
    const follower = await prepare(givenUp.signal).catch((error: unknown) => {
      logger.error(`The ${command} has failed. Keeping the current server`, error);
      return undefined;
    });
    isPreparing = false;
    if (isSignaled) return;
    if (follower !== undefined) {
      isSignaled = true;
      replace = follower.replace;
      follower.stop();
      return;
    }
    const again = next;
    next = undefined;
    if (again !== undefined) handle(again);
  };

  const handle = (command: SignalCommand): void => {
    if (command === "stop" || command === "cut") return stop(command === "cut");
    const prepare = follows[command];
    if (prepare !== undefined) void follow(command, prepare);
    else commands[command]?.();
  };

  const releases = signals === undefined ? [] : [onSignals(signals, handle), surviveErrors(logger)];
  const isClean = await controlled.whenStopped;
  givenUp.abort();
  for (const release of releases) release();
  replace?.();
  return { isSignaled, isClean };
}
