import { declarationOf, isOptionName, OPTION_NAMES, type OptionName } from "../src/server/option-table.ts";
import type { GivenFlag } from "./arguments.ts";

/** Where a value comes from; an option without one has its default. */
export type Origin = "flag" | "environment" | "program";

/** What the user gave, not checked yet. */
export interface Given {
  readonly values: { readonly [K in OptionName]?: unknown };
  /** How each was written: `--port`, `PAGI_PORT`. */
  readonly names: { readonly [K in OptionName]?: string };
  readonly origins: { readonly [K in OptionName]?: Origin };
}

/**
 * Flags before `PAGI_*` variables, and these before variables that other programs share. An empty one is not set. Where
 * options exclude each other, the same order holds between them.
 */
export function gather(
  flags: ReadonlyMap<OptionName, GivenFlag>,
  environment: Readonly<Record<string, string | undefined>>,
): Given {
  const values: { [K in OptionName]?: unknown } = {};
  const names: { [K in OptionName]?: string } = {};
  const origins: { [K in OptionName]?: Origin } = {};
  const ranks = new Map<OptionName, number>();
  for (const option of OPTION_NAMES) {
    const { variable, weakVariable, repeatable } = declarationOf(option);
    const flag = flags.get(option);
    const name = [variable, weakVariable].find(
      (each) => each !== undefined && (environment[each] ?? "") !== "",
    );
    ranks.set(option, flag !== undefined ? 3 : name === undefined ? 0 : name === weakVariable ? 1 : 2);
    if (flag !== undefined) {
      values[option] = flag.value;
      names[option] = flag.written;
      origins[option] = "flag";
    } else if (name !== undefined) {
      const text = environment[name] ?? "";
      values[option] = repeatable ? text.split(",").map((each) => each.trim()) : text;
      names[option] = name;
      origins[option] = "environment";
    }
  }
  const drop = (option: OptionName): void => {
    delete values[option];
    delete names[option];
    delete origins[option];
  };
  for (const [option, rank] of ranks) {
    const others = (declarationOf(option).excludes ?? []).filter(isOptionName);
    const rankOf = (other: OptionName): number => ranks.get(other) ?? 0;
    if (rank === 0 || others.length === 0) continue;
    // Of one rank they contradict each other, which is refused when they are checked.
    if (others.some((other) => rankOf(other) > rank)) drop(option);
    else for (const other of others) if (rankOf(other) < rank) drop(other);
  }
  return { values, names, origins };
}
