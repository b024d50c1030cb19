/** A place for a worker: its number, and how the workers that it had have ended. */
export interface Slot {
  /** 1, 2, ...: the application's `worker_num`. */
  readonly slot: number;
  /** When workers could not start, since one of this slot was ready. */
  readonly failedStarts: readonly number[];
  /** Workers that have ended unasked, since one of this slot has held out. */
  readonly endsInRow: number;
  /** True from a failed start until any worker is ready. */
  readonly hasFailedToStart: boolean;
  /** No new worker before; 0 is at once, infinity not before a reload. */
  readonly spawnAt: number;
}

/** Failed starts of one slot within {@link FAILURE_WINDOW} that end everything. */
export const MAX_FAILED_STARTS = 5;
export const FAILURE_WINDOW = 10_000;
/** A worker that was ready for so long does not continue a row. */
const STEADY_TIME = 10_000;
/** The second end in a row waits for this time, each further one for twice as long. */
const FIRST_DELAY = 250;
const LONGEST_DELAY = 30_000;
/** The longest wait while no other worker serves: every client would wait with it. */
const LONGEST_OUTAGE = 1000;

export function emptySlot(slot: number): Slot {
  return { slot, failedStarts: [], endsInRow: 0, hasFailedToStart: false, spawnAt: 0 };
}

/** A worker that served has ended unasked, which says nothing of the next one's start. */
export function afterCrash(slot: Slot, readyAt: number, now: number, isOutage: boolean): Slot {
  return afterEnd(slot, now - readyAt >= STEADY_TIME ? 0 : slot.endsInRow, now, isOutage);
}

/** A worker has ended before it served. */
export function afterFailedStart(slot: Slot, now: number, isOutage: boolean): Slot {
  const failedStarts = [...slot.failedStarts.filter((time) => now - time < FAILURE_WINDOW), now];
  return { ...afterEnd(slot, slot.endsInRow, now, isOutage), failedStarts, hasFailedToStart: true };
}

function afterEnd(slot: Slot, endsBefore: number, now: number, isOutage: boolean): Slot {
  const delay = endsBefore === 0 ? 0 : Math.min(FIRST_DELAY * 2 ** (endsBefore - 1), LONGEST_DELAY);
  const spawnAt = now + Math.min(delay, isOutage ? LONGEST_OUTAGE : Infinity);
  return { ...slot, endsInRow: endsBefore + 1, spawnAt };
}

/** Nobody else serves any more: nothing that was to come is waited for longer than in an outage. */
export function inOutage(slot: Slot, now: number): Slot {
  const isWaiting = slot.spawnAt < Infinity;
  return isWaiting ? { ...slot, spawnAt: Math.min(slot.spawnAt, now + LONGEST_OUTAGE) } : slot;
}
