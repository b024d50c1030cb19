import { APPLICATION_OPTIONS } from "./groups/application.ts";
import { COMMAND_LINE_OPTIONS } from "./groups/command-line.ts";
import { LIMIT_OPTIONS } from "./groups/limits.ts";
import { LISTENING_OPTIONS } from "./groups/listening.ts";
import type { OptionDeclaration } from "./declaration.ts";
import type { PartialOptions } from "./partial-options.ts";
import { LOGGING_OPTIONS } from "./groups/logging.ts";
import { PROCESS_OPTIONS } from "./groups/process.ts";
import { PROXY_OPTIONS } from "./groups/proxy.ts";

/**
 * Every option of the server, declared once. The schema, the flags, `--help` and `docs/options.md` are made of this
 * table. Sizes are bytes, durations are seconds.
 */
export const OPTIONS = {
  ...COMMAND_LINE_OPTIONS,
  ...LISTENING_OPTIONS,
  ...PROXY_OPTIONS,
  ...APPLICATION_OPTIONS,
  ...PROCESS_OPTIONS,
  ...LOGGING_OPTIONS,
  ...LIMIT_OPTIONS,
} as const satisfies Record<string, OptionDeclaration>;

/** The name of an option, as in `serve(app, { name: value })`. */
export type OptionName = keyof typeof OPTIONS;

interface ValuesByType {
  string: string;
  integer: number;
  port: number;
  size: number;
  duration: number;
  boolean: boolean;
  "log-target": string | boolean;
}

type ValueOf<D extends OptionDeclaration> = D extends { type: "choice" }
  ? D["choices"][number]
  : D["type"] extends keyof ValuesByType
    ? ValuesByType[D["type"]]
    : never;

type Repeated<D extends OptionDeclaration, V> = D extends { repeatable: true } ? readonly V[] : V;

/** All options with their final values: sizes in bytes, durations in seconds. Frozen. */
export type ServerOptions = {
  readonly [K in keyof PartialOptions]-?: Repeated<(typeof OPTIONS)[K], ValueOf<(typeof OPTIONS)[K]>>;
};

/** The mode that the server runs in. */
export type Mode = ServerOptions["env"];

/** How the user wrote the name of an option, where that is not its name in {@link OPTIONS}. */
export type WrittenNames = { readonly [K in OptionName]?: string };

/** Values that nobody has checked yet. */
export type GivenOptions = { readonly [K in OptionName]?: unknown };

/** Option values that have been checked, and nothing else. */
export type CheckedOptions = { readonly [K in OptionName]?: ServerOptions[K] };

/** All names, in the table's order. */
export const OPTION_NAMES: readonly OptionName[] = Object.keys(OPTIONS).filter(isOptionName);

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

/** The declaration of an option, in the shape that all of them share. */
export function declarationOf(name: OptionName): OptionDeclaration {
  return OPTIONS[name];
}
