import type { Program } from "./linear-program.ts";

/** All the steps that a text may have led to, and where each char leads from there. */
interface Place {
  /** Steps that take a char. */
  readonly steps: readonly number[];
  /** Whether a text may end here. */
  readonly isEnd: boolean;
  readonly next: Map<string, Place>;
}

/** Steps of places, and ways between places, that are kept: some 100 kB. Clients choose the texts, so there is a limit. */
const MAX_KEPT = 20_000;

/** A {@link Program} without assertions, made deterministic as texts come: what was seen once is found in one look. */
export class LazyAutomaton {
  readonly #program: Program;
  readonly #places = new Map<string, Place>();
  #kept = 0;
  #start: Place;

  constructor(program: Program) {
    this.#program = program;
    this.#start = this.#placeOf([program.entry]);
  }

  /** Steps and ways that are kept now; a test measures it. */
  get kept(): number {
    return this.#kept;
  }

  /** Whether the program takes all of these chars. */
  test(chars: Iterable<string>): boolean {
    let place = this.#start;
    for (const char of chars) {
      place = place.next.get(char) ?? this.#follow(place, char);
      if (place.steps.length === 0 && !place.isEnd) return false;
    }
    return place.isEnd;
  }

  #follow(place: Place, char: string): Place {
    if (this.#kept > MAX_KEPT) this.#forget();
    const { steps, sets } = this.#program;
    const following: number[] = [];
    for (const number of place.steps) {
      const step = steps[number];
      if (step?.kind === "char" && sets[step.set]?.test(char) === true) following.push(step.next);
    }
    const next = this.#placeOf(following);
    place.next.set(char, next);
    this.#kept += 1;
    return next;
  }

  #forget(): void {
    this.#places.clear();
    this.#kept = 0;
    this.#start = this.#placeOf([this.#program.entry]);
  }

  #placeOf(entries: readonly number[]): Place {
    const reached = new Set<number>();
    const waiting = [...entries];
    let isEnd = false;
    for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
      if (reached.has(number)) continue;
      reached.add(number);
      const step = this.#program.steps[number];
      if (step?.kind === "fork") for (const each of step.next) waiting.push(each);
      else if (step?.kind === "accept") isEnd = true;
    }
    const taking = [...reached].filter((number) => this.#program.steps[number]?.kind === "char");
    const key = taking.sort((a, b) => a - b).join() + (isEnd ? "!" : "");
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place: Place = { steps: taking, isEnd, next: new Map() };
    this.#places.set(key, place);
    this.#kept += taking.length;
    return place;
  }
}
