import { messageOf, RouteError } from "../../errors.ts";
import { LinearExpression } from "./linear-expression.ts";

/** A condition that the whole value of a parameter must meet. */
export interface Constraint {
  /** Two constraints with the same key take the same values. */
  readonly key: string;
  /** Takes time linear in the length of the value. */
  test(value: string): boolean;
}

/**
 * A constraint made of an expression. Flags that make it begin elsewhere or match single lines are dropped. The runtime
 * matches by trying one way after another, for which `(a+)+` takes a time that doubles with each char: so it gets only
 * expressions that leave it hardly a choice, and {@link LinearExpression} all others. See docs/decisions/0026.
 *
 * @throws RouteError for an expression that cannot be matched in linear time, which is one with back-references, and for
 *   one that is too large.
 */
export function constraintOf(name: string, { source, flags: given }: RegExp): Constraint {
  const flags = given.replace(/[dgmy]/g, "");
  const key = `/${source}/${flags}`;
  if (hasFewWays(source, flags)) {
    const expression = new RegExp(`^(?:${source})$`, flags);
    return { key, test: (value) => expression.test(value) };
  }
  try {
    const expression = new LinearExpression(source, flags);
    return { key, test: (value) => expression.test(value) };
  } catch (error) {
    throw new RouteError(
      `The constraint /${source}/ on '${name}' cannot be checked in linear time: ${messageOf(error)}. ` +
        "Check such a value in the handler.",
      { cause: error },
    );
  }
}

// A char, an escape or a class, and how often it may be there.
const ATOM =
  /(?:\\(?:[dDwWsStnrvf]|[^A-Za-z0-9])|\[(?:[^\]\\]|\\[^])*\]|[^\\[\](){}*+?|^$])(?:([*+])|(\?)|\{(\d+)(?:(,)(\d*))?\})?\??/y;
/** How many lengths of bounded repetitions may be combined. */
const MAX_WAYS = 100;

/**
 * True for alternatives of plain atoms of which one at most may be there without limit, or some up to a limit: then there
 * are no more ways through an alternative than chars.
 */
function hasFewWays(source: string, flags: string): boolean {
  // Classes in classes are not looked through.
  if (flags.includes("v")) return false;
  let at = source.startsWith("^") ? 1 : 0;
  const end = source.length;
  let unlimited = 0;
  let ways = 1;
  while (at < end) {
    if (source[at] === "|") {
      // `^` and `$` bind to one alternative only.
      if (source.startsWith("^")) return false;
      [unlimited, ways] = [0, 1];
      at += 1;
      continue;
    }
    if (source[at] === "$" && at === end - 1 && !source.includes("|")) return true;
    ATOM.lastIndex = at;
    const match = ATOM.exec(source);
    if (match === null) return false;
    const [, many, optional, least, range, most] = match;
    if (many !== undefined || (range !== undefined && most === "")) unlimited += 1;
    else if (optional !== undefined) ways *= 2;
    else if (range !== undefined) ways *= Number(most) - Number(least) + 1;
    if (unlimited > 1 || ways > MAX_WAYS || (unlimited === 1 && ways > 1)) return false;
    at = ATOM.lastIndex;
  }
  return true;
}
