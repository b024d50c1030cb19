// The life of a server as a table: what each event leads to in each phase. Pure; life.ts carries it out.

/**
 * - `new`: not started;
 * - `starting`: the application's startup runs, nothing is accepted yet;
 * - `running`: connections are accepted;
 * - `reading`: nothing more is accepted, and requests that have arrived are read;
 * - `finishing`: idle connections are closed, and running requests may finish;
 * - `cutting`: connections were cut, and applications get a turn to return;
 * - `closing`: the application's shutdown runs;
 * - `releasing`: logs, timers and sockets of the server itself are closed;
 * - `stopped`.
 */
export type Phase =
  "new" | "starting" | "running" | "reading" | "finishing" | "cutting" | "closing" | "releasing" | "stopped";

/**
 * - `start`, `started`, `failed`: of the start;
 * - `stop`, `force`: somebody stops the server, or ends what it waits for;
 * - `turned`: the turns of the event loop that the phase waits for are over;
 * - `idle`: no connection is open, and no application runs;
 * - `late`: the time of the phase is over;
 * - `closed`, `unclosed`: the application's shutdown has succeeded or failed;
 * - `released`: the server holds nothing any more.
 */
export type ShutdownEvent =
  | "start"
  | "started"
  | "failed"
  | "stop"
  | "force"
  | "turned"
  | "idle"
  | "late"
  | "closed"
  | "unclosed"
  | "released";

export type ShutdownAction =
  /** Close the listeners. */
  | "stopAccepting"
  /** Let each connection finish its request; close idle ones. */
  | "finishConnections"
  /** Cut the connections that are left. */
  | "cutConnections"
  /** Log how many applications have not returned. */
  | "reportUnreturned"
  /** Run the application's shutdown. */
  | "closeApplication"
  /** Close everything that the server itself holds. */
  | "release"
  /** Resolve `whenStopped`. */
  | "resolve";

/** What a phase waits for at most: turns of the event loop, then `turned`; or the shutdown timeout, then `late`. */
export type ShutdownWait = { readonly turns: number } | "shutdownTimeout" | undefined;

export interface ShutdownState {
  readonly phase: Phase;
  /** Everything so far has come to its end by itself. */
  readonly isClean: boolean;
}

interface Step {
  readonly to: Phase;
  readonly actions: readonly ShutdownAction[];
  /** Something was cut, or has failed. */
  readonly isUnclean?: true;
}

/** Turns in which requests that have arrived are read: an idle connection that is closed with a request in it is reset. */
const LAST_TURNS = 3;

/** What each phase waits for, beside its events. */
const WAITS: Readonly<Record<Phase, ShutdownWait>> = {
  new: undefined,
  starting: undefined,
  running: undefined,
  reading: { turns: LAST_TURNS },
  finishing: "shutdownTimeout",
  // Applications that listen have been notified just now, and return in this very turn.
  cutting: { turns: 1 },
  closing: undefined, // the application's shutdown has its own time limit
  releasing: undefined,
  stopped: undefined,
};

/**
 * What each event leads to. An event that a phase does not list changes nothing there: it belongs to a phase that is over,
 * or repeats what has been done.
 */
const STEPS: Readonly<Record<Phase, Readonly<Partial<Record<ShutdownEvent, Step>>>>> = {
  new: {
    start: { to: "starting", actions: [] },
    stop: { to: "stopped", actions: ["resolve"] },
  },
  starting: {
    started: { to: "running", actions: [] },
    failed: { to: "closing", actions: ["closeApplication"] },
    stop: { to: "closing", actions: ["stopAccepting", "closeApplication"] },
  },
  running: {
    stop: { to: "reading", actions: ["stopAccepting"] },
  },
  reading: {
    turned: { to: "finishing", actions: ["finishConnections"] },
    force: { to: "cutting", actions: ["finishConnections", "cutConnections"], isUnclean: true },
  },
  finishing: {
    idle: { to: "closing", actions: ["closeApplication"] },
    late: { to: "cutting", actions: ["cutConnections"], isUnclean: true },
    force: { to: "cutting", actions: ["cutConnections"], isUnclean: true },
  },
  cutting: {
    idle: { to: "closing", actions: ["closeApplication"] },
    turned: { to: "closing", actions: ["reportUnreturned", "closeApplication"] },
  },
  closing: {
    closed: { to: "releasing", actions: ["release"] },
    unclosed: { to: "releasing", actions: ["release"], isUnclean: true },
    force: { to: "releasing", actions: ["release"], isUnclean: true },
  },
  releasing: {
    released: { to: "stopped", actions: ["resolve"] },
  },
  stopped: {},
};

/** A server that has not been started. */
export const NEW: ShutdownState = { phase: "new", isClean: true };

/** An event that has led to another phase. */
export interface Advance {
  readonly state: ShutdownState;
  /** To be carried out, in this order. */
  readonly actions: readonly ShutdownAction[];
  readonly wait: ShutdownWait;
}

/** The phase that an event leads to, and what is to be done; `undefined` where it changes nothing. */
export function advance({ phase, isClean }: ShutdownState, event: ShutdownEvent): Advance | undefined {
  const step = STEPS[phase][event];
  if (step === undefined) return undefined;
  const { to, actions, isUnclean = false } = step;
  return { state: { phase: to, isClean: isClean && !isUnclean }, actions, wait: WAITS[to] };
}
