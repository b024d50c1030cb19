import { OptionError } from "../errors.ts";
import { similarName } from "./nearest-name.ts";

/** What an option may be. */
export interface OptionRule {
  /** Completes "must be ...". */
  readonly text: string;
  accepts(value: unknown): boolean;
}

/** A rule for each key of an options object, in a table, so that a key without one does not compile. */
export type OptionRules<Options> = { readonly [Name in keyof Options]-?: OptionRule };

/** Options with a value wherever there is a default. */
export type Complete<Options, Defaults> = Omit<Options, keyof Defaults & keyof Options> & {
  [Name in keyof Options & keyof Defaults]-?: Exclude<Options[Name], undefined>;
};

/** Longest part of a refused value that a message repeats. */
const SHOWN_CHARS = 60;

/**
 * Options as they are used: checked, and completed with the defaults. `undefined` stands for the default, as if the key
 * were not there, so that no option can be switched off by a variable that happens to be empty.
 *
 * @param where names what takes them: `new Router`. Messages begin with `new Router({ trailingSlash })`.
 * @throws OptionError for a key without a rule, and for a value that its rule does not accept, NaN and null among them.
 */
export function completeOptions<Options extends object, Defaults extends Partial<Options>>(
  where: string,
  rules: OptionRules<Options>,
  defaults: Defaults,
  given: Options,
): Complete<Options, Defaults> {
  checkOptions(where, rules, given);
  // The types are those of the arguments; TypeScript does not follow the loop.
  return overlay<object>(defaults, given) as Complete<Options, Defaults>;
}

/** {@link completeOptions}, for options whose defaults are made where they are used. */
export function checkOptions<Options extends object>(
  where: string,
  rules: OptionRules<Options>,
  given: Options,
): void {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new OptionError(`${where}: the options`, `must be an object, but are ${shown(given)}.`);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const rule = ruleFor(rules, name);
    if (rule === undefined) throw unknownOption(where, name, Object.keys(rules));
    if (!rule.accepts(value)) throw unusable(`${where}({ ${name} })`, rule, value);
  }
}

/** Checks one value that is an argument of its own. @throws OptionError as {@link completeOptions}. */
export function checkValue(where: string, rule: OptionRule, value: unknown): void {
  if (!rule.accepts(value)) throw unusable(where, rule, value);
}

/** The options of `over` upon those of `base`; what is `undefined` there leaves `base` as it is. */
export function overlay<Options extends object>(
  base: Options,
  over: { readonly [Name in keyof Options]?: Options[Name] | undefined },
): Options {
  const result = { ...base };
  for (const [name, value] of Object.entries(over))
    if (value !== undefined) Object.assign(result, { [name]: value });
  return result;
}

function ruleFor<Options>(rules: OptionRules<Options>, name: string): OptionRule | undefined {
  const own = Object.getOwnPropertyDescriptor(rules, name);
  return own === undefined ? undefined : (own.value as OptionRule);
}

function unknownOption(where: string, name: string, known: readonly string[]): OptionError {
  const nearest = similarName(name, known);
  const hint = nearest === undefined ? `There are ${known.join(", ")}.` : `Did you mean ${nearest}?`;
  return new OptionError(`${where}({ ${name} })`, `there is no such option. ${hint}`);
}

function unusable(where: string, rule: OptionRule, value: unknown): OptionError {
  return new OptionError(where, `must be ${rule.text}, but is ${shown(value)}.`);
}

function shown(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > SHOWN_CHARS ? `${value.slice(0, SHOWN_CHARS)}...` : value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return "a function";
  if (value instanceof Promise) return "a promise (is there an await missing?)";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

// ── the rules ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** A limit: a whole number, or Infinity for none. */
export function limit(minimum: number): OptionRule {
  return {
    text: `a whole number, ${minimum} or more, or Infinity`,
    accepts: (value) => (Number.isSafeInteger(value) && Number(value) >= minimum) || value === Infinity,
  };
}

/** A whole number within bounds. */
export function whole(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): OptionRule {
  const bounds = maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum} to ${maximum}`;
  return {
    text: `a whole number, ${bounds}`,
    accepts: (value) => Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum,
  };
}

/** A finite number within bounds, of a unit such as `seconds`. */
export function amount(unit: string, minimum: number, maximum: number = Number.MAX_VALUE): OptionRule {
  const bounds = maximum === Number.MAX_VALUE ? `${minimum} or more` : `${minimum} to ${maximum}`;
  return {
    text: `a number of ${unit}, ${bounds}`,
    accepts: (value) => typeof value === "number" && value >= minimum && value <= maximum,
  };
}

export const FLAG: OptionRule = {
  text: "true or false",
  accepts: (value) => typeof value === "boolean",
};

export const TEXT: OptionRule = { text: "a string", accepts: (value) => typeof value === "string" };

export const TEXTS: OptionRule = {
  text: "a list of strings",
  accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === "string"),
};

export const FUNCTION: OptionRule = {
  text: "a function",
  accepts: (value) => typeof value === "function",
};

export const OBJECT: OptionRule = {
  text: "an object",
  accepts: (value) => typeof value === "object" && value !== null && !(value instanceof Promise),
};

/** Whatever is checked where it is used. */
export const ANYTHING: OptionRule = { text: "anything but null", accepts: (value) => value !== null };

/** One of a few words, or of other values. */
export function oneOf(...values: readonly (string | boolean | null)[]): OptionRule {
  const words = values.map((each) => (typeof each === "string" ? `'${each}'` : String(each)));
  const last = words.pop();
  return {
    text: words.length === 0 ? String(last) : `${words.join(", ")} or ${last}`,
    accepts: (value) => values.some((each) => each === value),
  };
}

/** What either of several rules accepts. */
export function either(...rules: readonly OptionRule[]): OptionRule {
  return {
    text: rules.map(({ text }) => text).join(", or "),
    accepts: (value) => rules.some((rule) => rule.accepts(value)),
  };
}

/** An object of a class. */
export function instanceOf(type: abstract new (...given: never[]) => object, text: string): OptionRule {
  return { text, accepts: (value) => value instanceof type };
}
