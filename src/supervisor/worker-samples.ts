import { addSamples, lastingSamples } from "../metrics/families.ts";
import type { Samples } from "../metrics/families.ts";

/** Milliseconds that workers are given to tell; one whose event loop is blocked counts with what it told last. */
const PATIENCE = 1000;

interface Round {
  readonly id: number;
  readonly missing: Set<number>;
  readonly complete: () => void;
}

/**
 * What the workers of a supervisor have counted, added up. What a worker has counted stays when it has ended, so that
 * counters never go back.
 */
export class WorkerSamples {
  readonly #told = new Map<number, Samples>();
  readonly #slots = new Set<number>();
  readonly #rounds = new Set<Round>();
  #lasting: Record<string, number> = {};
  #restarts = 0;
  #nextRound = 1;

  /** A worker was started, which may take the place of one that the slot had before. */
  spawned(worker: number, slot: number): void {
    if (this.#slots.has(slot)) this.#restarts++;
    this.#slots.add(slot);
    this.#told.set(worker, {});
  }

  /** A slot is there no more; the next worker in it takes nobody's place. */
  slotClosed(slot: number): void {
    this.#slots.delete(slot);
  }

  /** `round` is what it was asked in, or 0. */
  told(worker: number, round: number, samples: Samples): void {
    this.#told.set(worker, samples);
    for (const each of this.#rounds) if (each.id === round) strike(each, worker);
  }

  exited(worker: number): void {
    const lasting = lastingSamples(this.#told.get(worker) ?? {});
    this.#lasting = addSamples([this.#lasting, lasting]);
    this.#told.delete(worker);
    for (const each of this.#rounds) strike(each, worker);
  }

  /** Asks every worker, and adds up what they tell. `ask` sends the question. */
  async collect(ask: (worker: number, round: number) => void): Promise<Samples> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const round: Round = { id: this.#nextRound++, missing: new Set(this.#told.keys()), complete: resolve };
    this.#rounds.add(round);
    for (const worker of this.#told.keys()) ask(worker, round.id);
    if (round.missing.size === 0) resolve();
    const timer = setTimeout(resolve, PATIENCE);
    await promise;
    clearTimeout(timer);
    this.#rounds.delete(round);
    const own = { pagi_workers: this.#told.size, pagi_worker_restarts_total: this.#restarts };
    return addSamples([this.#lasting, ...this.#told.values(), own]);
  }
}

function strike({ missing, complete }: Round, worker: number): void {
  missing.delete(worker);
  if (missing.size === 0) complete();
}
