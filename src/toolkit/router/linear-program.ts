import type { AST } from "@eslint-community/regexpp";

/** A step of a {@link Program}; `next` are the numbers of other steps. */
export type Step =
  | { readonly kind: "char"; readonly set: number; readonly next: number }
  | { readonly kind: "fork"; next: readonly number[] }
  | { readonly kind: "assert"; readonly assertion: number; readonly next: number }
  | { readonly kind: "accept" };

/** Something that holds at a position and takes no chars. */
export type Assertion =
  | { readonly kind: "start" | "end"; readonly multiline: boolean }
  | { readonly kind: "word"; readonly negate: boolean; readonly set: number }
  | {
      readonly kind: "lookahead" | "lookbehind";
      readonly negate: boolean;
      readonly entry: number;
    };

/** A regular expression as a nondeterministic automaton. */
export interface Program {
  readonly entry: number;
  readonly steps: readonly Step[];
  /** Those within a lookaround come before it. */
  readonly assertions: readonly Assertion[];
  /** Each takes a single char. */
  readonly sets: readonly RegExp[];
}

/** Flags that change what an expression means; modifiers such as `(?i:...)` change them within a group. */
interface Modes {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

/** So that a thousand chars, the most that a router lets through, take some milliseconds. See docs/decisions/0026. */
const MAX_STEPS = 1000;

/**
 * Makes the automaton of an expression (Thompson's construction; counted repetitions are written out).
 *
 * @throws RangeError with the reason, for an expression that no automaton can match, or only a very large one.
 */
export function compileProgram(source: string, flags: string): Program {
  // Loaded only where an expression needs it: see docs/decisions/0026.
  const { RegExpParser }: typeof import("@eslint-community/regexpp") = require("@eslint-community/regexpp");
  const unicodeSets = flags.includes("v");
  const pattern = new RegExpParser().parsePattern(source, 0, source.length, {
    unicode: flags.includes("u"),
    unicodeSets,
  });
  return new Compiler(flags.includes("u") || unicodeSets ? flags.replace(/[^uv]/g, "") : "").compile(
    pattern,
    {
      ignoreCase: flags.includes("i"),
      multiline: flags.includes("m"),
      dotAll: flags.includes("s"),
    },
  );
}

class Compiler {
  readonly #steps: Step[] = [];
  readonly #assertions: Assertion[] = [];
  readonly #sets = new Map<string, { number: number; expression: RegExp }>();
  readonly #unicode: string;

  /** @param unicode `u`, `v` or nothing. */
  constructor(unicode: string) {
    this.#unicode = unicode;
  }

  compile({ alternatives }: AST.Pattern, modes: Modes): Program {
    const entry = this.#anyOf(alternatives, this.#add({ kind: "accept" }), modes, false);
    const sets = [...this.#sets.values()].map(({ expression }) => expression);
    return { entry, steps: this.#steps, assertions: this.#assertions, sets };
  }

  #add(step: Step): number {
    if (this.#steps.length === MAX_STEPS)
      throw new RangeError(`it has more than ${MAX_STEPS} steps when its repetitions are written out`);
    return this.#steps.push(step) - 1;
  }

  #anyOf(alternatives: readonly AST.Alternative[], next: number, modes: Modes, backwards: boolean): number {
    const entries = alternatives.map(({ elements }) => {
      const ordered = backwards ? elements : elements.toReversed();
      return ordered.reduce((after, element) => this.#element(element, after, modes, backwards), next);
    });
    const [only = next] = entries;
    return entries.length === 1 ? only : this.#add({ kind: "fork", next: entries });
  }

  #element(node: AST.Element, next: number, modes: Modes, backwards: boolean): number {
    switch (node.type) {
      case "CapturingGroup":
        return this.#anyOf(node.alternatives, next, modes, backwards);
      case "Group":
        return this.#anyOf(node.alternatives, next, modified(modes, node.modifiers), backwards);
      case "Quantifier":
        return this.#repeat(node, next, modes, backwards);
      case "Assertion":
        return this.#add({ kind: "assert", assertion: this.#assertion(node, modes), next });
      case "Backreference":
        throw new RangeError(`the back-reference ${node.raw} takes exponential time in the worst case`);
      case "Character":
        return this.#char(`\\u${hexOf(node.value, this.#unicode !== "")}`, next, modes);
      case "CharacterSet":
      case "CharacterClass":
      case "ExpressionCharacterClass":
        // Chars that are several, as \p{RGI_Emoji} has them, are for `v` only.
        if (this.#unicode === "v" && hasStrings(node.raw))
          throw new RangeError(`${node.raw} may match several chars at once`);
        return this.#char(node.raw, next, modes);
    }
  }

  #repeat({ min, max, element }: AST.Quantifier, next: number, modes: Modes, backwards: boolean): number {
    let entry = next;
    if (max === Infinity) {
      const fork: Step = { kind: "fork", next: [] };
      entry = this.#add(fork);
      fork.next = [this.#element(element, entry, modes, backwards), next];
    } else {
      for (let count = min; count < max; count++) {
        entry = this.#add({ kind: "fork", next: [this.#element(element, entry, modes, backwards), next] });
      }
    }
    for (let count = 0; count < min; count++) {
      const before = this.#element(element, entry, modes, backwards);
      // Nothing, however often.
      if (before === entry) break;
      entry = before;
    }
    return entry;
  }

  #assertion(node: AST.Assertion, modes: Modes): number {
    switch (node.kind) {
      case "start":
      case "end":
        return this.#assertions.push({ kind: node.kind, multiline: modes.multiline }) - 1;
      case "word":
        return this.#assertions.push({ kind: "word", negate: node.negate, set: this.#set("\\w", modes) }) - 1;
      case "lookahead":
      case "lookbehind": {
        const { kind, negate, alternatives } = node;
        // What follows a position is read from the end of the text back to it, so that one run answers for all positions.
        const entry = this.#anyOf(alternatives, this.#add({ kind: "accept" }), modes, kind === "lookahead");
        return this.#assertions.push({ kind, negate, entry }) - 1;
      }
    }
  }

  #char(source: string, next: number, modes: Modes): number {
    return this.#add({ kind: "char", set: this.#set(source, modes), next });
  }

  /** The runtime's own expression for one char knows all about cases and properties. */
  #set(source: string, { ignoreCase, dotAll }: Modes): number {
    const flags = `${ignoreCase ? "i" : ""}${dotAll ? "s" : ""}${this.#unicode}`;
    const key = `${flags}/${source}`;
    const known = this.#sets.get(key);
    if (known !== undefined) return known.number;
    const number = this.#sets.size;
    this.#sets.set(key, { number, expression: new RegExp(`^(?:${source})$`, flags) });
    return number;
  }
}

function modified(modes: Modes, modifiers: AST.Modifiers | null): Modes {
  if (modifiers === null) return modes;
  const { add, remove } = modifiers;
  const mode = (name: keyof Modes): boolean =>
    (add?.[name] === true || modes[name]) && remove?.[name] !== true;
  return { ignoreCase: mode("ignoreCase"), multiline: mode("multiline"), dotAll: mode("dotAll") };
}

function hexOf(codePoint: number, braces: boolean): string {
  const hex = codePoint.toString(16);
  return braces ? `{${hex}}` : hex.padStart(4, "0");
}

/** Properties of strings, and `\q{...}`. Source: ECMA-262, "CharacterClassEscape", "ClassStringDisjunction". */
function hasStrings(raw: string): boolean {
  return /\\q\{|\\p\{(?:Basic_Emoji|Emoji_Keycap_Sequence|RGI_)/.test(raw);
}
