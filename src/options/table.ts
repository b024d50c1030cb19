import { COMMAND_LINE_OPTIONS } from "./groups/command-line.ts";
import { LIMIT_OPTIONS } from "./groups/limits.ts";
import { LISTENING_OPTIONS } from "./groups/listening.ts";
import type { OptionDeclaration } from "./declaration.ts";
import type { PartialOptions } from "./partial-options.ts";
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
  factory: {
    group: "Application",
    type: "boolean",
    default: false,
    flag: "factory",
    variable: "PAGI_FACTORY",
    doc: "The export is a function that returns the application",
  },
  lifespan: {
    group: "Application",
    type: "choice",
    choices: ["auto", "on", "off"],
    default: "auto",
    flag: "lifespan",
    variable: "PAGI_LIFESPAN",
    doc: "Startup and shutdown events: auto lets the application decline them, on makes that an error, off sends none",
  },
  lifespanStartupTimeout: {
    group: "Application",
    type: "duration",
    default: 30,
    minimum: 0,
    zero: "waits for as long as it takes",
    flag: "lifespan-startup-timeout",
    variable: "PAGI_LIFESPAN_STARTUP_TIMEOUT",
    doc: "Maximum time for the application's import and startup together, in each process that starts",
    reason:
      "A start that hangs must end in an error, not in a server that never listens, nor in a reload that never ends.",
  },
  validateEvents: {
    group: "Application",
    type: "boolean",
    default: false,
    inDevelopment: true,
    flag: "validate-events",
    variable: "PAGI_VALIDATE_EVENTS",
    doc: "Check every event that the application sends against the full specification",
  },
  ...PROCESS_OPTIONS,
  quiet: {
    group: "Logging",
    type: "boolean",
    default: false,
    flag: "quiet",
    short: "q",
    variable: "PAGI_QUIET",
    doc: "Suppress the banner and log only errors",
  },
  logLevel: {
    group: "Logging",
    type: "choice",
    choices: ["debug", "info", "warn", "error"],
    default: "info",
    flag: "log-level",
    variable: "PAGI_LOG_LEVEL",
    doc: "Lowest level to log; debug also shows the stack trace if the server fails to start",
  },
  logFormat: {
    group: "Logging",
    type: "choice",
    choices: ["text", "json"],
    default: "text",
    flag: "log-format",
    variable: "PAGI_LOG_FORMAT",
    doc: "Format of the server's log: text, or one JSON object per line with the keys time, level, pid, message, and worker, error and stack where they apply",
  },
  accessLog: {
    group: "Logging",
    type: "log-target",
    default: false,
    inDevelopment: true,
    flag: "access-log",
    variable: "PAGI_ACCESS_LOG",
    doc: "File to which requests are logged; - is standard error, off is no log",
  },
  accessLogFormat: {
    group: "Logging",
    type: "string",
    default: "clf",
    placeholder: "FORMAT",
    flag: "access-log-format",
    variable: "PAGI_ACCESS_LOG_FORMAT",
    doc: "A preset (clf, combined, common, tiny, json) or a format string",
  },
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
