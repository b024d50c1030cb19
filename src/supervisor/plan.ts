import {
  afterCrash,
  afterFailedStart,
  emptySlot,
  FAILURE_WINDOW,
  inOutage,
  MAX_FAILED_STARTS,
} from "./slot.ts";
import type { Slot } from "./slot.ts";

/**
 * The supervisor's policy: which worker processes there are to be, and what happens to each. It has no processes, timers
 * or clock; it gets events with their times, and returns commands.
 */

/**
 * - `starting`: the process runs and does not accept yet;
 * - `ready`: it accepts;
 * - `finishing`: it was told to finish what runs and to end;
 * - `hung`: it was killed, for it gave no heartbeat, and its place is to be filled;
 * - `cut`: it was killed while it was to end anyway.
 */
export type WorkerState = "starting" | "ready" | "finishing" | "hung" | "cut";

/** A process of a worker. Its slot decides its number and its listening sockets; a slot can have two for a while. */
export interface PlannedWorker {
  /** 1, 2, ...; never used again. */
  readonly id: number;
  /** 1, 2, ...: the application's `worker_num`. */
  readonly slot: number;
  readonly state: WorkerState;
  /** The worker that this one is to take over from. */
  readonly predecessor: number | undefined;
  /** When it was started. */
  readonly startedAt: number;
  /** When it became ready; 0 before that. */
  readonly readyAt: number;
  /** When it was last heard of. */
  readonly beatAt: number;
  /** When it was told to end; 0 before that. */
  readonly finishAt: number;
}

/** Why a worker is to be replaced, as the log says it. */
interface Replacement {
  readonly worker: number;
  readonly why: string;
  /** A reload is canceled when one replacement fails; everything else is tried again. */
  readonly isReload: boolean;
  readonly commandedAt: number;
  readonly notBefore: number;
}

/** Times in milliseconds. */
export interface Policy {
  /** A worker that is not heard of for so long is killed; 0 never kills. */
  readonly heartbeatTimeout: number;
  /** A worker that is not ready so long after it was started is killed; 0, the default, waits indefinitely. */
  readonly startLimit?: number;
  /** A worker that has not ended so long after it was told to is killed. */
  readonly finishLimit: number;
  /** Wait for a reload instead of giving up: somebody is about to fix the code. */
  readonly waitsForReload?: boolean;
}

/** `starting` until every worker was ready once; `stopping` from the decision to end; `over` when no worker is left. */
export type Phase = "starting" | "running" | "stopping" | "over";

export interface Plan {
  readonly policy: Policy;
  readonly phase: Phase;
  /** How many workers there are to be. */
  readonly target: number;
  readonly workers: readonly PlannedWorker[];
  readonly slots: readonly Slot[];
  readonly replacements: readonly Replacement[];
  readonly nextId: number;
  /** When `tick` came last. */
  readonly tickedAt: number;
  /** The exit code, once it is over. */
  readonly code: 0 | 1;
  readonly isCut: boolean;
  /** True when another supervisor serves from now on. */
  readonly isSucceeded: boolean;
}

/** A command from outside. */
export type OperatorCommand = "start" | "reload" | "more" | "fewer" | "hot-restart" | "stop" | "cut";

/** What happens. `at` is in milliseconds of a clock that never goes back. */
export type PlanEvent = { readonly at: number } & (
  | { readonly type: "tick" | OperatorCommand }
  | { readonly type: "ready" | "beat"; readonly worker: number }
  /** It has served as many requests, or grown as large, as it may. */
  | { readonly type: "expiring"; readonly worker: number; readonly why: string }
  /** `how` is a part of a sentence: "exited with code 1". `isCrash`: not as one that was asked to end. */
  | {
      readonly type: "exited";
      readonly worker: number;
      readonly how: string;
      readonly isClean: boolean;
      readonly isCrash?: boolean;
    }
);

/** What is to be done, in this order. */
export type PlanCommand =
  | { readonly type: "spawn"; readonly worker: number; readonly slot: number }
  /**
   * Finish what runs, and end. `isFollowed`: others serve its clients from now on. `isLast`: nobody else takes what
   * waits in its sockets.
   */
  | {
      readonly type: "finish";
      readonly worker: number;
      readonly isFollowed: boolean;
      readonly isLast: boolean;
    }
  /** Cut what runs, and end. */
  | { readonly type: "cut" | "kill"; readonly worker: number }
  /** No further worker will use the sockets of this slot. */
  | { readonly type: "close-slot"; readonly slot: number }
  /** Every worker was ready for the first time. */
  | { readonly type: "serving" }
  /** A reload is over. */
  | { readonly type: "reloaded"; readonly isComplete: boolean }
  | {
      readonly type: "log";
      readonly level: "info" | "warn" | "error";
      readonly text: string;
      readonly worker?: number;
    }
  | { readonly type: "end"; readonly code: 0 | 1 };

/** A worker that is stopped before it was ready, and sends no heartbeat for so long, is killed. */
const EARLY_END = 3000;
/** Before a replacement that has failed is tried again. */
const REPLACEMENT_DELAY = 1000;
export const MAX_WORKERS = 1024;

type Draft = { -readonly [K in keyof Plan]: Plan[K] } & { commands: PlanCommand[]; now: number };
type WorkerEvent = "ready" | "beat" | "expiring" | "exited" | "crashed" | "finish" | "silent" | "overdue";
type Transition = (draft: Draft, worker: PlannedWorker, text: string) => void;

/** A plan for `target` workers, of which none runs yet. */
export function createPlan(target: number, policy: Policy): Plan {
  return {
    policy,
    phase: "starting",
    target,
    workers: [],
    slots: [],
    replacements: [],
    nextId: 1,
    tickedAt: 0,
    code: 0,
    isCut: false,
    isSucceeded: false,
  };
}

const ignore: Transition = () => {};

/** What each event does to a worker in each state. */
const TRANSITIONS: Readonly<Record<WorkerState, Readonly<Record<WorkerEvent, Transition>>>> = {
  starting: {
    ready: becomeReady,
    beat: heard,
    expiring: ignore,
    exited: failToStart,
    crashed: failToStart,
    finish: finish,
    silent: killHung,
    overdue: killLateStart,
  },
  ready: {
    ready: ignore,
    beat: heard,
    expiring: queueReplacement,
    exited: die,
    crashed: die,
    finish: finish,
    silent: killHung,
    overdue: ignore,
  },
  finishing: {
    ready: heard,
    beat: heard,
    expiring: ignore,
    exited: leave,
    crashed: leaveEarly,
    finish: ignore,
    silent: killSilentFinish,
    overdue: killOverdue,
  },
  hung: {
    ready: ignore,
    beat: ignore,
    expiring: ignore,
    exited: endHung,
    crashed: endHung,
    finish: (draft, worker) => change(draft, worker, { state: "cut" }),
    silent: ignore,
    overdue: ignore,
  },
  cut: {
    ready: ignore,
    beat: ignore,
    expiring: ignore,
    exited: leave,
    crashed: leave,
    finish: ignore,
    silent: ignore,
    overdue: ignore,
  },
};

/** Commands from outside, and the phases in which they have an effect. */
const OPERATOR_COMMANDS: Readonly<
  Record<OperatorCommand, { readonly phases: readonly Phase[]; readonly handle: (draft: Draft) => void }>
> = {
  start: { phases: ["starting"], handle: () => {} },
  reload: { phases: ["starting", "running"], handle: reload },
  more: { phases: ["starting", "running"], handle: more },
  fewer: { phases: ["starting", "running"], handle: fewer },
  "hot-restart": { phases: ["starting", "running"], handle: hotRestart },
  stop: { phases: ["starting", "running"], handle: (draft) => (draft.phase = "stopping") },
  cut: { phases: ["starting", "running", "stopping"], handle: cut },
};

/** The plan after an event, and what is to be done. The plan that is given stays as it is. */
export function advance(plan: Plan, event: PlanEvent): { plan: Plan; commands: readonly PlanCommand[] } {
  const draft: Draft = { ...plan, commands: [], now: event.at };
  switch (event.type) {
    case "tick":
      tick(draft);
      break;
    case "ready":
    case "beat":
      happen(draft, event.worker, event.type, "");
      break;
    case "expiring":
      happen(draft, event.worker, "expiring", event.why);
      break;
    case "exited":
      if (!event.isClean && plan.phase === "stopping") draft.code = 1;
      happen(draft, event.worker, event.isCrash === true ? "crashed" : "exited", event.how);
      break;
    default: {
      const { phases, handle } = OPERATOR_COMMANDS[event.type];
      if (phases.includes(draft.phase)) handle(draft);
    }
  }
  settle(draft);
  const { commands, now: _now, ...next } = draft;
  return { plan: next, commands };
}

/** When a `tick` is needed at the latest, heartbeats apart. */
export function wakeAt({ phase, slots, replacements, tickedAt }: Plan): number | undefined {
  if (phase === "stopping" || phase === "over") return undefined;
  const times = [...slots.map((each) => each.spawnAt), ...replacements.map((each) => each.notBefore)];
  const due = times.filter((time) => time > tickedAt && time < Infinity);
  return due.length === 0 ? undefined : Math.min(...due);
}

// ── what happens to a worker ─────────────────────────────────────────────────────────────────────────────────────────

function happen(draft: Draft, id: number, event: WorkerEvent, text: string): void {
  const worker = draft.workers.find((each) => each.id === id);
  // The last words of a process may come after its end.
  if (worker !== undefined) TRANSITIONS[worker.state][event](draft, worker, text);
}

function heard(draft: Draft, worker: PlannedWorker): void {
  change(draft, worker, { beatAt: draft.now });
}

function becomeReady(draft: Draft, worker: PlannedWorker): void {
  change(draft, worker, { state: "ready", readyAt: draft.now, beatAt: draft.now });
  draft.slots = draft.slots.map((each) => ({ ...each, hasFailedToStart: false }));
  changeSlot(draft, worker.slot, { failedStarts: [] });
  if (worker.predecessor !== undefined) happen(draft, worker.predecessor, "finish", "");
}

function finish(draft: Draft, worker: PlannedWorker): void {
  change(draft, worker, { state: "finishing", finishAt: draft.now });
  const isFollowed = draft.phase !== "stopping" || draft.isSucceeded;
  const isLast = draft.phase !== "stopping" && worker.slot > draft.target;
  draft.commands.push({ type: "finish", worker: worker.id, isFollowed, isLast });
}

function leave(draft: Draft, worker: PlannedWorker): void {
  draft.workers = draft.workers.filter((each) => each.id !== worker.id);
}

/** It was to end, and has lost what it had not finished. */
function leaveEarly(draft: Draft, worker: PlannedWorker, how: string): void {
  leave(draft, worker);
  if (!draft.isCut) log(draft, "error", `${how} before it had finished what ran`, worker);
}

function queueReplacement(draft: Draft, worker: PlannedWorker, why: string): void {
  if (draft.replacements.some((each) => each.worker === worker.id)) return;
  log(draft, "info", `is replaced: it ${why}`, worker);
  const entry = { worker: worker.id, why, isReload: false, commandedAt: draft.now, notBefore: 0 };
  draft.replacements = [...draft.replacements, entry];
}

function killHung(draft: Draft, worker: PlannedWorker): void {
  change(draft, worker, { state: "hung" });
  kill(draft, worker, silence(draft));
}

function killLateStart(draft: Draft, worker: PlannedWorker): void {
  change(draft, worker, { state: "hung" });
  const limit = (draft.policy.startLimit ?? 0) / 1000;
  kill(draft, worker, `was not ready ${limit} s after its start, the import of the application included`);
}

function killSilentFinish(draft: Draft, worker: PlannedWorker): void {
  change(draft, worker, { state: "cut" });
  const isEarly = worker.readyAt === 0;
  kill(draft, worker, isEarly ? "does not end, its event loop is blocked" : silence(draft));
}

function killOverdue(draft: Draft, worker: PlannedWorker): void {
  change(draft, worker, { state: "cut" });
  kill(draft, worker, "did not end in its time");
}

function silence({ policy }: Draft): string {
  return `gave no heartbeat for ${policy.heartbeatTimeout / 1000} s, its event loop is blocked`;
}

function kill(draft: Draft, worker: PlannedWorker, why: string): void {
  log(draft, "error", `${why}; it is killed`, worker);
  draft.commands.push({ type: "kill", worker: worker.id });
}

/** It ended unasked. */
function die(draft: Draft, worker: PlannedWorker, how: string): void {
  leave(draft, worker);
  if (draft.phase === "stopping") return;
  const successor = draft.workers.find((each) => each.predecessor === worker.id && isServing(each));
  if (successor !== undefined) {
    log(draft, "error", `${how}; its successor has been started already`, worker);
    return;
  }
  if (worker.slot > draft.target) {
    log(draft, "warn", how, worker);
    return;
  }
  const slot = slotOf(draft, worker.slot);
  startAgain(draft, worker, afterCrash(slot, worker.readyAt, draft.now, isOutage(draft)), how);
}

function endHung(draft: Draft, worker: PlannedWorker, how: string): void {
  if (worker.readyAt === 0) failToStart(draft, worker, how);
  else die(draft, worker, how);
}

function failToStart(draft: Draft, worker: PlannedWorker, how: string): void {
  leave(draft, worker);
  if (draft.phase === "stopping") return;
  const predecessor = draft.workers.find((each) => each.id === worker.predecessor);
  if (predecessor?.state === "ready") {
    failToReplace(draft, worker, predecessor, how);
    return;
  }
  const problem = `could not start: it ${how}`;
  if (worker.slot > draft.target) {
    log(draft, "warn", problem, worker);
    return;
  }
  const slot = afterFailedStart(slotOf(draft, worker.slot), draft.now, isOutage(draft));
  changeSlot(draft, worker.slot, slot);
  const reason = whyLost(draft, slot);
  if (reason === undefined) {
    startAgain(draft, worker, slot, problem);
    return;
  }
  log(draft, "error", problem, worker);
  if (draft.policy.waitsForReload === true) waitForReload(draft, worker);
  else giveUp(draft, reason);
}

/** Why a further start would be in vain: only failed starts end a server, never what a request does to a worker. */
function whyLost(draft: Draft, { slot, failedStarts }: Slot): string | undefined {
  const wanted = draft.slots.filter((each) => each.slot <= draft.target);
  const isHopeless =
    wanted.length === draft.target &&
    wanted.every((each) => each.hasFailedToStart) &&
    !draft.workers.some((each) => each.state === "ready");
  if (isHopeless) return "No worker could start; the server ends";
  if (failedStarts.length < MAX_FAILED_STARTS) return undefined;
  return `Worker ${slot} has failed ${MAX_FAILED_STARTS} times within ${FAILURE_WINDOW / 1000} s; the server ends`;
}

/** Fills the place of a worker that has ended, later each time. */
function startAgain(draft: Draft, worker: PlannedWorker, slot: Slot, how: string): void {
  changeSlot(draft, worker.slot, slot);
  if (isOutage(draft)) draft.slots = draft.slots.map((each) => inOutage(each, draft.now));
  const delay = Math.round(slot.spawnAt - draft.now);
  log(draft, "error", `${how}; another is started ${delay <= 0 ? "at once" : `in ${delay} ms`}`, worker);
}

/** Nobody serves, or is about to. */
function isOutage({ workers }: Draft): boolean {
  return !workers.some(isServing);
}

/** The predecessor keeps serving. */
function failToReplace(draft: Draft, worker: PlannedWorker, predecessor: PlannedWorker, how: string): void {
  const entry = draft.replacements.find((each) => each.worker === predecessor.id);
  if (entry?.isReload === true && entry.commandedAt > worker.startedAt) {
    // With code that is perhaps newer.
    log(draft, "error", `could not start: it ${how}. The reload that was ordered since then begins`, worker);
    return;
  }
  if (entry?.isReload === true) {
    log(
      draft,
      "error",
      `could not start: it ${how}. The reload is canceled; the running workers stay`,
      worker,
    );
    draft.replacements = draft.replacements.filter((each) => !each.isReload);
    draft.commands.push({ type: "reloaded", isComplete: false });
    return;
  }
  log(draft, "error", `could not start: it ${how}. Its predecessor stays`, worker);
  const notBefore = draft.now + REPLACEMENT_DELAY;
  draft.replacements = draft.replacements.map((each) => (each === entry ? { ...each, notBefore } : each));
}

function waitForReload(draft: Draft, worker: PlannedWorker): void {
  // Commanded while it was starting, perhaps with older code.
  const isCommanded = draft.replacements.some((each) => each.worker === worker.id && each.isReload);
  changeSlot(draft, worker.slot, { failedStarts: [], endsInRow: 0, spawnAt: isCommanded ? 0 : Infinity });
  if (!isCommanded) log(draft, "info", "It is started again when a file has changed");
}

function giveUp(draft: Draft, text: string): void {
  log(draft, "error", text);
  draft.code = 1;
  draft.phase = "stopping";
}

// ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────

function reload(draft: Draft): void {
  log(draft, "info", "Reloading: each worker is replaced by a new one");
  const entries = draft.workers
    .filter(isServing)
    .map(({ id }) => ({ worker: id, why: "reload", isReload: true, commandedAt: draft.now, notBefore: 0 }));
  draft.replacements = [
    ...draft.replacements.filter((each) => !entries.some(({ worker }) => worker === each.worker)),
    ...entries,
  ];
  draft.slots = draft.slots.map((each) => (each.spawnAt === Infinity ? { ...each, spawnAt: 0 } : each));
  // The end of a reload is reported in any case.
  if (draft.replacements.length === 0) draft.commands.push({ type: "reloaded", isComplete: true });
}

function more(draft: Draft): void {
  if (draft.target >= MAX_WORKERS) {
    log(draft, "warn", `There are never more than ${MAX_WORKERS} workers`);
    return;
  }
  draft.target++;
  log(draft, "info", `One worker more: ${draft.target}`);
}

function fewer(draft: Draft): void {
  if (draft.target === 1) {
    log(draft, "warn", "There is only one worker, and never less");
    return;
  }
  draft.target--;
  log(draft, "info", `One worker less: ${draft.target}`);
}

/** Another supervisor's workers serve. */
function hotRestart(draft: Draft): void {
  draft.isSucceeded = true;
  draft.phase = "stopping";
}

function cut(draft: Draft): void {
  const type = draft.isCut ? "kill" : "cut";
  draft.phase = "stopping";
  draft.isCut = true;
  for (const worker of draft.workers) {
    change(draft, worker, { state: type === "kill" ? "cut" : "finishing", finishAt: draft.now });
    draft.commands.push({ type, worker: worker.id });
  }
}

function tick(draft: Draft): void {
  const { heartbeatTimeout, startLimit = 0, finishLimit } = draft.policy;
  // When the supervisor itself stood still, what it did not hear was said all the same.
  if (heartbeatTimeout > 0 && draft.tickedAt > 0 && draft.now - draft.tickedAt > heartbeatTimeout / 2)
    draft.workers = draft.workers.map((each) => ({ ...each, beatAt: draft.now, startedAt: draft.now }));
  draft.tickedAt = draft.now;
  const isOverdue = ({ state, startedAt, finishAt }: PlannedWorker): boolean =>
    state === "starting"
      ? startLimit > 0 && draft.now - startedAt >= startLimit
      : finishAt > 0 && draft.now - finishAt >= finishLimit;
  // One that has never served has nothing to finish.
  const patience = ({ state, readyAt, startedAt, beatAt }: PlannedWorker): number => {
    if (state === "finishing" && readyAt === 0) return Math.min(heartbeatTimeout || Infinity, EARLY_END);
    // A process needs time until it can send its first heartbeat, and more of it on a busy machine.
    const isUnheard = state === "starting" && beatAt === startedAt && startLimit > 0;
    return isUnheard ? 0 : heartbeatTimeout;
  };
  for (const worker of draft.workers) {
    const silenceLimit = patience(worker);
    if (silenceLimit > 0 && draft.now - worker.beatAt >= silenceLimit) happen(draft, worker.id, "silent", "");
    else if (isOverdue(worker)) happen(draft, worker.id, "overdue", "");
  }
}

// ── what follows from how things stand ───────────────────────────────────────────────────────────────────────────────

function settle(draft: Draft): void {
  if (draft.phase === "over") return;
  if (draft.phase === "stopping") {
    for (const { id } of draft.workers) happen(draft, id, "finish", "");
    if (draft.workers.length > 0) return;
    draft.phase = "over";
    draft.commands.push({ type: "end", code: draft.code });
    return;
  }
  shrink(draft);
  fill(draft);
  replace(draft);
  if (draft.phase === "starting" && isComplete(draft)) {
    draft.phase = "running";
    draft.commands.push({ type: "serving" });
  }
}

function shrink(draft: Draft): void {
  const surplus = draft.slots.filter(({ slot }) => slot > draft.target);
  // First of all, so that the worker holds the sockets alone: what comes to them until it closes them is its own.
  for (const { slot } of surplus) draft.commands.push({ type: "close-slot", slot });
  draft.slots = draft.slots.filter(({ slot }) => slot <= draft.target);
  for (const { id, slot } of draft.workers) if (slot > draft.target) happen(draft, id, "finish", "");
}

function fill(draft: Draft): void {
  for (let slot = 1; slot <= draft.target; slot++) {
    // A hung one is about to end, and its end fills the place.
    if (draft.workers.some((each) => each.slot === slot && (isServing(each) || each.state === "hung")))
      continue;
    if (slotOf(draft, slot).spawnAt <= draft.now) spawn(draft, slot, undefined);
  }
}

/** One replacement at a time, so that never more than one worker is missing or too many. */
function replace(draft: Draft): void {
  const wasReloading = draft.replacements.some((each) => each.isReload);
  // What has ended meanwhile was followed by a new one.
  draft.replacements = draft.replacements.filter(({ worker }) =>
    draft.workers.some((each) => each.id === worker && isServing(each)),
  );
  const isBusy = draft.workers.some((each) => each.state === "starting" || each.state === "hung");
  const next = draft.replacements.find(
    ({ worker, notBefore }) =>
      notBefore <= draft.now && draft.workers.some((each) => each.id === worker && each.state === "ready"),
  );
  if (!isBusy && next !== undefined) {
    const old = draft.workers.find((each) => each.id === next.worker);
    if (old !== undefined) spawn(draft, old.slot, old.id);
  }
  if (wasReloading && !draft.replacements.some((each) => each.isReload)) reloaded(draft);
}

function reloaded(draft: Draft): void {
  log(draft, "info", "Reloaded: every worker is a new one");
  draft.commands.push({ type: "reloaded", isComplete: true });
}

function spawn(draft: Draft, slot: number, predecessor: number | undefined): void {
  const id = draft.nextId++;
  const worker = {
    id,
    slot,
    state: "starting",
    predecessor,
    startedAt: draft.now,
    readyAt: 0,
    beatAt: draft.now,
    finishAt: 0,
  } as const;
  draft.workers = [...draft.workers, worker];
  changeSlot(draft, slot, { spawnAt: 0 });
  draft.commands.push({ type: "spawn", worker: id, slot });
}

function isComplete({ target, workers }: Draft): boolean {
  const ready = new Set(workers.filter((each) => each.state === "ready").map((each) => each.slot));
  return ready.size >= target;
}

/** True for a worker that fills its place, or is about to. */
function isServing({ state }: PlannedWorker): boolean {
  return state === "starting" || state === "ready";
}

function change(draft: Draft, worker: PlannedWorker, part: Partial<PlannedWorker>): void {
  draft.workers = draft.workers.map((each) => (each.id === worker.id ? { ...each, ...part } : each));
}

function slotOf(draft: Draft, slot: number): Slot {
  return draft.slots.find((each) => each.slot === slot) ?? emptySlot(slot);
}

function changeSlot(draft: Draft, slot: number, part: Partial<Slot>): void {
  const changed = { ...slotOf(draft, slot), ...part };
  draft.slots = [...draft.slots.filter((each) => each.slot !== slot), changed];
}

function log(draft: Draft, level: "info" | "warn" | "error", text: string, worker?: PlannedWorker): void {
  draft.commands.push(
    worker === undefined ? { type: "log", level, text } : { type: "log", level, text, worker: worker.id },
  );
}
