import { declarationOf, OPTION_NAMES } from "../src/options/table.ts";
import { flagForVariable } from "./synonyms.ts";

/** A name of this many chars may differ in two places and still be a slip; a shorter one in one. */
const LONG_NAME = 8;

/** Single words of other servers that applications do not use for their own variables, unlike `DEBUG`. */
const CLEAR_WORDS = ["BIND", "UDS", "DAEMON", "PIDFILE", "CERTFILE", "KEYFILE", "CIPHERS"];

/**
 * Warnings about variables that look like one of ours, misspelt or named as another server's flag: they set nothing.
 * Others that begin with `PAGI_` may be the application's own.
 */
export function misspeltVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = OPTION_NAMES.map((name) => declarationOf(name).variable);
  return Object.keys(environment).flatMap((name) => {
    if (!/^pagi[_-]?/i.test(name) || known.some((each) => each === name)) return [];
    const meant =
      known.find((each) => bare(each) === bare(name)) ??
      known.find((each) => isSlip(name, each)) ??
      meantByOthers(name, known);
    return meant === undefined
      ? []
      : [`${name} sets nothing; there is no such variable. Did you mean ${meant}?`];
  });
}

/** Our variable for `PAGI_` and the flag of another server, such as `PAGI_BIND`. */
function meantByOthers(name: string, known: readonly string[]): string | undefined {
  const words = name.replace(/^pagi[_-]?/i, "").toUpperCase();
  if (!/[_-]/.test(words) && !CLEAR_WORDS.includes(words)) return undefined;
  const flag = flagForVariable(words);
  if (flag === undefined) return undefined;
  const variable = `PAGI_${flag.toUpperCase().replaceAll("-", "_")}`;
  return known.find((each) => each === variable);
}

/** The part behind `PAGI_`, without what people leave out. */
function bare(name: string): string {
  return name.replace(/^pagi/i, "").replaceAll(/[_-]/g, "").toUpperCase();
}

function isSlip(name: string, known: string): boolean {
  const [given, meant] = [bare(name), bare(known)];
  return slips(given, meant) <= (Math.min(given.length, meant.length) < LONG_NAME ? 1 : 2);
}

/** Chars that are missing, added, wrong, or swapped with their neighbour (optimal string alignment), row by row. */
function slips(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const least = Math.min(
        (above[column - 1] ?? 0) + (isSame ? 0 : 1),
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
      );
      const isSwapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(isSwapped ? Math.min(least, (before[column - 2] ?? 0) + 1) : least);
    }
    [before, above] = [above, current];
  }
  return above[to.length] ?? 0;
}
