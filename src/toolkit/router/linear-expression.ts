import { LazyAutomaton } from "./lazy-automaton.ts";
import { compileProgram, type Program } from "./linear-program.ts";

const UNKNOWN = 0;
const NO = 1;
const YES = 2;

/**
 * A regular expression that takes time linear in the length of the text, whatever text and expression: all ways through
 * it are followed at once, char by char, instead of one after another (Thompson, "Regular Expression Search Algorithm",
 * 1968). A lookaround is answered for all positions in one run before that.
 */
export class LinearExpression {
  readonly #program: Program;
  readonly #isUnicode: boolean;
  /** Only where nothing is asked of a position but its char. */
  readonly #automaton: LazyAutomaton | undefined;

  /**
   * @param flags `g`, `y` and `d` mean nothing here.
   * @throws RangeError for back-references, and for what is too large, with the reason.
   */
  constructor(source: string, flags: string) {
    this.#program = compileProgram(source, flags);
    this.#isUnicode = /[uv]/.test(flags);
    if (this.#program.assertions.length === 0) this.#automaton = new LazyAutomaton(this.#program);
  }

  /** Whether the expression matches the text as a whole. */
  test(text: string): boolean {
    // A string's own iterator goes by code points, as an expression with `u` or `v` does.
    const chars = this.#isUnicode ? text : text.split("");
    return this.#automaton?.test(chars) ?? new Run(this.#program, [...chars]).matches();
  }
}

class Run {
  readonly #program: Program;
  readonly #chars: readonly string[];
  /** Whether a set takes the char at a position, once somebody has asked: set by set. */
  readonly #members: Uint8Array;
  /** By assertion and position. */
  readonly #holds: Uint8Array[] = [];
  /** In which round of which run each step was reached last. */
  readonly #reached: Uint32Array;
  #round = 0;

  constructor(program: Program, chars: readonly string[]) {
    this.#program = program;
    this.#chars = chars;
    this.#members = new Uint8Array(program.sets.length * chars.length);
    this.#reached = new Uint32Array(program.steps.length);
  }

  matches(): boolean {
    for (let index = 0; index < this.#program.assertions.length; index++) {
      this.#holds.push(this.#positionsOf(index));
    }
    return (
      this.#follow(this.#program.entry, { backwards: false, everywhere: false })[this.#chars.length] === 1
    );
  }

  /** Where an assertion holds; those within it are known already. */
  #positionsOf(index: number): Uint8Array {
    const length = this.#chars.length;
    const assertion = this.#program.assertions[index];
    switch (assertion?.kind) {
      case "lookahead":
      case "lookbehind": {
        const backwards = assertion.kind === "lookahead";
        const found = this.#follow(assertion.entry, { backwards, everywhere: true });
        return assertion.negate ? found.map((each) => 1 - each) : found;
      }
      case "start":
      case "end": {
        const { kind, multiline } = assertion;
        return Uint8Array.from({ length: length + 1 }, (_, at) =>
          Number(
            at === (kind === "start" ? 0 : length) ||
              (multiline && /[\n\r\u2028\u2029]/.test(this.#chars[kind === "start" ? at - 1 : at] ?? "")),
          ),
        );
      }
      case "word": {
        const { set, negate } = assertion;
        const isWord = (at: number): boolean => at >= 0 && at < length && this.#takes(set, at);
        return Uint8Array.from({ length: length + 1 }, (_, at) =>
          Number((isWord(at - 1) !== isWord(at)) !== negate),
        );
      }
      case undefined:
        return new Uint8Array(length + 1);
    }
  }

  /**
   * Where a way that begins at `entry` ends.
   *
   * @param how.backwards from the end of the text to its start.
   * @param how.everywhere the way may begin at any position, and not only at the first.
   */
  #follow(entry: number, { backwards, everywhere }: { backwards: boolean; everywhere: boolean }): Uint8Array {
    const length = this.#chars.length;
    const { steps } = this.#program;
    const ends = new Uint8Array(length + 1);
    let current: number[] = [];
    for (let index = 0; index <= length; index++) {
      if (everywhere || index === 0) current.push(entry);
      if (current.length === 0) break;
      const at = backwards ? length - index : index;
      const following: number[] = [];
      this.#round += 1;
      for (let number = current.pop(); number !== undefined; number = current.pop()) {
        if (this.#reached[number] === this.#round) continue;
        this.#reached[number] = this.#round;
        const step = steps[number];
        switch (step?.kind) {
          case "accept":
            ends[at] = 1;
            break;
          case "fork":
            for (const each of step.next) current.push(each);
            break;
          case "assert":
            if (this.#holds[step.assertion]?.[at] === 1) current.push(step.next);
            break;
          case "char": {
            const char = backwards ? at - 1 : at;
            if (char >= 0 && char < length && this.#takes(step.set, char)) following.push(step.next);
          }
        }
      }
      current = following;
    }
    return ends;
  }

  #takes(set: number, at: number): boolean {
    const place = set * this.#chars.length + at;
    if (this.#members[place] === UNKNOWN) {
      const isMember = this.#program.sets[set]?.test(this.#chars[at] ?? "") === true;
      this.#members[place] = isMember ? YES : NO;
    }
    return this.#members[place] === YES;
  }
}
