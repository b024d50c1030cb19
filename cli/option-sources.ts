import { declarationOf, isOptionName, OPTION_NAMES, type OptionName } from "../src/options/table.ts";
import type { GivenFlag } from "./arguments.ts";
import type { ConfigFile } from "./config-file.ts";

/** The source of a value; an option without one has its default. */
export type Origin = "flag" | "environment" | "file" | "program";

/** The values that the user gave, not checked yet, and where each comes from. */
export interface OptionSources {
  readonly values: { readonly [K in OptionName]?: unknown };
  /** How each was written: `--port`, `PAGI_PORT`, `pagi.config.ts: port`. */
  readonly names: { readonly [K in OptionName]?: string };
  readonly origins: { readonly [K in OptionName]?: Origin };
}

/** Which source takes precedence, also between options that exclude each other. Of one rank, these contradict each other. */
const RANKS = { none: 0, file: 1, sharedVariable: 2, variable: 3, flag: 4 } as const;

/**
 * Flags before `PAGI_*` variables, these before variables that other programs share, and all of them before the
 * configuration file. An empty variable is not set. Where options exclude each other, the same order holds between them.
 */
export function gather(
  flags: ReadonlyMap<OptionName, GivenFlag>,
  environment: Readonly<Record<string, string | undefined>>,
  file?: ConfigFile,
): OptionSources {
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
    if (flag !== undefined) {
      ranks.set(option, RANKS.flag);
      values[option] = flag.value;
      names[option] = flag.written;
      origins[option] = "flag";
    } else if (name !== undefined) {
      const text = environment[name] ?? "";
      ranks.set(option, name === variable ? RANKS.variable : RANKS.sharedVariable);
      values[option] = repeatable ? text.split(",").map((each) => each.trim()) : text;
      names[option] = name;
      origins[option] = "environment";
    } else if (file?.values[option] !== undefined) {
      ranks.set(option, RANKS.file);
      values[option] = file.values[option];
      names[option] = `${file.path}: ${option}`;
      origins[option] = "file";
    }
  }
  const drop = (option: OptionName): void => {
    delete values[option];
    delete names[option];
    delete origins[option];
  };
  for (const [option, rank] of ranks) {
    const others = (declarationOf(option).excludes ?? []).filter(isOptionName);
    const rankOf = (other: OptionName): number => ranks.get(other) ?? RANKS.none;
    // Of one rank they contradict each other, which is refused when they are checked.
    if (others.some((other) => rankOf(other) > rank)) drop(option);
    else for (const other of others) if (rankOf(other) < rank) drop(other);
  }
  return { values, names, origins };
}
