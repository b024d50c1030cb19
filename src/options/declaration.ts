/** Declared for every option, of any type. */
interface Declared {
  /** The heading it stands under in `--help` and in the documentation. */
  readonly group: OptionGroup;
  /** The command-line flag, without its dashes. */
  readonly flag: string;
  /** A one-letter flag. */
  readonly short?: string;
  /** Further flags that mean the same, without their dashes. */
  readonly aliases?: readonly string[];
  /** The environment variable. */
  readonly variable: `PAGI_${string}`;
  /** A variable that other programs share, read when `variable` is not set. */
  readonly weakVariable?: string;
  /** One line for people. */
  readonly doc: string;
  /** Why there is a limit, and why it is where it is. */
  readonly reason?: string;
  /** True when it may be given several times; its value is then a list. */
  readonly repeatable?: true;
  /** Options that say the same in another way; only one of them may be given. */
  readonly excludes?: readonly string[];
  /** True when it does something only where a supervisor replaces workers; given without one, it is refused. */
  readonly needsWorkers?: true;
}

/** Text as it is given. */
interface TextOption extends Declared {
  readonly type: "string";
  readonly default: string | readonly [];
  /** The name of its value in `--help`. */
  readonly placeholder: string;
  readonly pattern?: RegExp;
  /** What the pattern asks for, after "must". */
  readonly patternText?: string;
  /** True where empty text means something, so that a flag may have it. */
  readonly takesEmpty?: true;
  /** A word that may be given for empty text, and what the flag means with `--no-` before it. */
  readonly offWord?: string;
}

/** A whole number, a port, a size in bytes, or a duration in seconds. */
export interface NumberOption extends Declared {
  readonly type: "integer" | "port" | "size" | "duration";
  readonly default: number;
  readonly minimum: number;
  readonly maximum?: number;
  /** What 0 does; a limit or a timer that says nothing here has no such value. */
  readonly zero?: string;
  /** A word that stands for 0, which the option does not take as a number. */
  readonly zeroWord?: string;
  /** The option that this one must not exceed. */
  readonly atMost?: string;
}

interface BooleanOption extends Declared {
  readonly type: "boolean";
  readonly default: boolean;
  /** The default in development, where it differs. */
  readonly inDevelopment?: boolean;
}

interface ChoiceOption extends Declared {
  readonly type: "choice";
  readonly choices: readonly string[];
  readonly default: string;
  /** The default when somebody sits at a terminal (see `isAtTerminal`), where it differs. */
  readonly onTerminal?: string;
  /** What the flag means when none of the choices follows it. */
  readonly bare?: string;
}

/** Where a log goes: the path of a file, true for standard error, false for nowhere. */
interface LogTargetOption extends Declared {
  readonly type: "log-target";
  readonly default: string | boolean;
  readonly inDevelopment?: string | boolean;
}

/** The declaration of an option: everything that the schema, the flags, the help and the documentation are made of. */
export type OptionDeclaration = TextOption | NumberOption | BooleanOption | ChoiceOption | LogTargetOption;

/** The groups, in the order in which people meet them. */
export const OPTION_GROUPS = [
  "Configuration",
  "Server",
  "TLS",
  "Proxy and monitoring",
  "Application",
  "Development",
  "Workers",
  "Process",
  "Logging",
  "Limits",
  "Timeouts",
  "WebSocket",
  "Flow control",
] as const;
export type OptionGroup = (typeof OPTION_GROUPS)[number];
