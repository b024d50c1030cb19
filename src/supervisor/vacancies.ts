import type { Plan, PlannedWorker } from "./plan.ts";

/** A slot in which no worker accepts. What comes to its sockets waits, unless another worker accepts from them. */
interface Vacancy {
  readonly slot: number;
  /** When it was first seen. */
  readonly since: number;
  /** The worker that accepts from its sockets meanwhile. */
  readonly adopter: number | undefined;
}

/** All that is known of slots without a worker, from one moment to the next. */
export type Vacancies = readonly Vacancy[];

/** What is to be done. */
export interface VacancyCommand {
  /** Accept from the sockets of this slot too, or no longer. */
  readonly type: "adopt" | "release";
  readonly worker: number;
  readonly slot: number;
}

/** Milliseconds that connections wait for the next worker of a slot before another one takes them: most starts are quicker. */
export const ADOPT_AFTER = 200;

/**
 * Looks at the slots of a plan after something has happened to it: a worker that is ready accepts for slots that have
 * none, until they have one again. Slots of which there is no worker because there are to be fewer are served once more,
 * for what waits in their sockets.
 */
export function followVacancies(
  before: Vacancies,
  { phase, target, workers }: Pick<Plan, "phase" | "target" | "workers">,
  now: number,
): { readonly vacancies: Vacancies; readonly commands: readonly VacancyCommand[] } {
  // All workers finish, or are about to.
  if (phase === "stopping" || phase === "over") return { vacancies: [], commands: [] };
  const ready = workers.filter(({ state }) => state === "ready");
  const isReady = (id: number | undefined): id is number => ready.some((each) => each.id === id);
  const commands: VacancyCommand[] = [];
  const vacancies: Vacancy[] = [];
  const chosen = (slot: number): number | undefined => {
    const adopter = leastBurdened(ready, [...before, ...vacancies]);
    if (adopter !== undefined) commands.push({ type: "adopt", worker: adopter, slot });
    return adopter;
  };
  for (let slot = 1; slot <= target; slot++) {
    const known = before.find((each) => each.slot === slot);
    if (ready.some((each) => each.slot === slot)) {
      if (isReady(known?.adopter)) commands.push({ type: "release", worker: known.adopter, slot });
      continue;
    }
    const since = known?.since ?? now;
    const adopter = isReady(known?.adopter)
      ? known.adopter
      : now - since >= ADOPT_AFTER
        ? chosen(slot)
        : undefined;
    vacancies.push({ slot, since, adopter });
  }
  for (const { slot, adopter } of before) {
    if (slot <= target) continue;
    const last = isReady(adopter) ? adopter : chosen(slot);
    if (last !== undefined) commands.push({ type: "release", worker: last, slot });
  }
  return { vacancies, commands };
}

/** When to look again, if nothing happens. */
export function vacancyWakeAt(vacancies: Vacancies, now: number): number | undefined {
  const due = vacancies.flatMap(({ since, adopter }) =>
    adopter === undefined && since + ADOPT_AFTER > now ? [since + ADOPT_AFTER] : [],
  );
  return due.length === 0 ? undefined : Math.min(...due);
}

function leastBurdened(ready: readonly PlannedWorker[], vacancies: Vacancies): number | undefined {
  const burden = (id: number): number => vacancies.filter(({ adopter }) => adopter === id).length;
  return ready.toSorted((a, b) => burden(a.id) - burden(b.id))[0]?.id;
}
