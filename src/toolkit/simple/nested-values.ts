import { MalformedBodyError } from "../request/error.ts";

/** A value, an object or a list of them. */
export type NestedValue<T> = T | readonly NestedValue<T>[] | { readonly [name: string]: NestedValue<T> };

/** Names within names. A client chooses them, and what they make is walked through by calls within calls. */
const MAX_DEPTH = 16;

/** Chars of a name, which is looked at char by char, and told to the client when it is wrong. */
const MAX_NAME = 1000;

/** What comes below one name: values, or further names. */
interface Place<T> {
  readonly values: T[];
  readonly below: Map<string, Place<T>>;
}

/**
 * What a form with structured names stands for: `user[address][city]` and `user.address.city` are objects in objects,
 * `items[0].name` and `items[1].name` a list of objects, `tags[]` a list. Lists are without gaps, in the order of their
 * numbers, whatever the numbers. A name that is there several times is a list too, and one that is not written like that
 * is a name like any other.
 *
 * @throws MalformedBodyError for a name that is a value and has others below it, for more than 16 levels, and for a name of
 *   more than 1000 chars.
 */
export function nestedValues<T>(
  entries: Iterable<readonly [name: string, value: T]>,
): Record<string, NestedValue<T>> {
  const root: Place<T> = { values: [], below: new Map() };
  for (const [name, value] of entries) {
    let place = root;
    for (const step of stepsOf(name)) place = placeBelow(place, step);
    place.values.push(value);
  }
  return objectOf(root, "");
}

/** The empty step is `[]`: one more in a list. */
function stepsOf(name: string): string[] {
  if (name.length > MAX_NAME) throw new MalformedBodyError(`A name has more than ${MAX_NAME} chars.`);
  if (!/^[^[\].]+(?:\[[^[\]]*\]|\.[^[\].]+)*$/.test(name)) return [name];
  const steps = [...name.matchAll(/\[([^[\]]*)\]|([^[\].]+)/g)].map(([, index, key]) => index ?? key ?? "");
  if (steps.length > MAX_DEPTH) throw new MalformedBodyError(`A name has more than ${MAX_DEPTH} levels.`);
  return steps;
}

function placeBelow<T>({ below }: Place<T>, step: string): Place<T> {
  const key = step === "" ? freeKey(below) : step;
  const present = below.get(key);
  if (present !== undefined) return present;
  const made: Place<T> = { values: [], below: new Map() };
  below.set(key, made);
  return made;
}

/** The next number of a list. Those that came with numbers of their own may have used it. */
function freeKey(below: ReadonlyMap<string, unknown>): string {
  let number = below.size;
  while (below.has(String(number))) number++;
  return String(number);
}

function valueOf<T>({ values, below }: Place<T>, name: string): NestedValue<T> {
  if (below.size === 0) {
    const [only] = values;
    return values.length === 1 && only !== undefined ? only : values;
  }
  if (values.length > 0)
    throw new MalformedBodyError(`The name ${JSON.stringify(name)} is a value, and has names below it.`);
  if (![...below.keys()].every((key) => /^\d{1,9}$/.test(key))) return objectOf({ values, below }, name);
  return [...below]
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([key, place]) => valueOf(place, `${name}[${key}]`));
}

function objectOf<T>({ below }: Place<T>, name: string): Record<string, NestedValue<T>> {
  // Made from entries, so that a name `__proto__` is a key like any other.
  return Object.fromEntries(
    [...below].map(([key, place]) => [key, valueOf(place, name === "" ? key : `${name}[${key}]`)]),
  );
}
