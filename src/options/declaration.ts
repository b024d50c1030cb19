/** What every option declares, whatever its type. */
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
interface NumberOption extends Declared {
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

/** Milliseconds in a unit of time. */
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** Bytes in a unit of size. */
const SIZE_UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

/** Seconds. JavaScript's timers hold milliseconds in 31 bits, and fire at once beyond that. */
export const LONGEST_DURATION = 2_147_483;

/** `30s`, `2m`, `500ms`, `1.5h`, `1d`; a bare number is seconds. Gives seconds, or `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)?$/i.exec(text.trim()) ?? [];
  const milliseconds = DURATION_UNITS[unit.toLowerCase()];
  return digits === undefined || milliseconds === undefined
    ? undefined
    : (Number(digits) * milliseconds) / 1000;
}

/**
 * `64k`, `10m`, `1g`, with or without `b` or `ib` behind, all powers of 1024; a bare number is bytes. Gives bytes, or
 * `undefined` for anything else.
 */
export function parseSize(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?|\.\d+)(?:([kmg])(?:i?b)?)?$/i.exec(text.trim()) ?? [];
  const bytes = unit === undefined ? 1 : SIZE_UNITS[unit.toLowerCase()];
  return digits === undefined || bytes === undefined ? undefined : Number(digits) * bytes;
}

/** Seconds as a person writes them: `30s`, `2m`, `500ms`. */
export function formatDuration(seconds: number): string {
  if (seconds === 0) return "0";
  if (seconds < 1) return `${Number((seconds * 1000).toFixed(3))}ms`;
  if (seconds >= 60 && seconds % 60 === 0) return `${seconds / 60}m`;
  return `${seconds}s`;
}

/** Bytes as a person writes them: `64k`, `10m`, or a bare number where no unit divides them. */
export function formatSize(bytes: number): string {
  for (const [unit, size] of Object.entries(SIZE_UNITS).toReversed()) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

/** What `text` says as a value of the option, or `text` itself where it says nothing. Limits are not looked at. */
export function fromText(option: OptionDeclaration, text: string): unknown {
  switch (option.type) {
    case "string":
      return text === option.offWord ? "" : text;
    case "choice":
      return text;
    case "integer":
    case "port":
      if (option.zeroWord !== undefined && text === option.zeroWord) return 0;
      return /^[+-]?\d+$/.test(text.trim()) ? Number(text) : text;
    case "size":
      return parseSize(text) ?? text;
    case "duration":
      return parseDuration(text) ?? text;
    case "boolean":
      return WORDS[text.toLowerCase()] ?? text;
    case "log-target":
      return text === "-" ? true : (WORDS[text.toLowerCase()] ?? text);
  }
}

/** A value as it was given, read where it is text. A 0 that only a word may stand for becomes no number at all. */
export function readGiven(option: OptionDeclaration, value: unknown): unknown {
  const read = typeof value === "string" ? fromText(option, value) : value;
  const hasWord = "zeroWord" in option && option.zeroWord !== undefined;
  return hasWord && read === 0 && value !== option.zeroWord ? NaN : read;
}

/** A final value as it may be given once more; see {@link readGiven}. */
export function writtenValue(option: OptionDeclaration, value: unknown): unknown {
  const word = "zeroWord" in option ? option.zeroWord : undefined;
  return value === 0 && word !== undefined ? word : value;
}

/**
 * True for a value that is good as it stands. The schema decides what is refused; this only recognises what needs
 * no decision, so that an ordinary start does without the schema.
 */
export function isPlain(option: OptionDeclaration, value: unknown): boolean {
  if (option.repeatable) return Array.isArray(value) && value.every((each) => isPlainOne(option, each));
  return isPlainOne(option, value);
}

function isPlainOne(option: OptionDeclaration, value: unknown): boolean {
  switch (option.type) {
    case "string":
      if (typeof value !== "string") return false;
      // An empty entry of a list names nothing.
      return option.pattern === undefined ? value !== "" || !option.repeatable : option.pattern.test(value);
    case "integer":
    case "port":
    case "size":
      return isWithin(option, value) && Number.isSafeInteger(value);
    case "duration":
      return isWithin(option, value);
    case "boolean":
      return typeof value === "boolean";
    case "choice":
      return typeof value === "string" && option.choices.includes(value);
    case "log-target":
      return typeof value === "boolean" || (typeof value === "string" && value !== "");
  }
}

function isWithin(option: NumberOption, value: unknown): boolean {
  if (value === 0 && option.zeroWord !== undefined) return true;
  return typeof value === "number" && value >= option.minimum && value <= highestOf(option);
}

/** The highest number that the option takes. */
export function highestOf(option: NumberOption): number {
  return option.maximum ?? (option.type === "duration" ? LONGEST_DURATION : Number.MAX_SAFE_INTEGER);
}

/** What the option asks for, as the rest of a sentence that begins with "must". */
export function expectation(option: OptionDeclaration): string {
  switch (option.type) {
    case "string":
      return option.patternText ?? (option.repeatable ? "be text that is not empty" : "be text");
    case "integer":
      return `be a whole number${bounds(option, String)}${option.zeroWord === undefined ? "" : `, or ${option.zeroWord}`}`;
    case "port":
      return `be a port${bounds(option, String)}`;
    case "size":
      return `be a size in bytes${bounds(option, String)}, such as 8192, 64k or 10m`;
    case "duration":
      return `be a duration${bounds(option, (seconds) => `${seconds}s`)}, such as 30, 500ms or 2m`;
    case "boolean":
      return "be true or false";
    case "choice":
      return `be one of ${option.choices.join(", ")}`;
    case "log-target":
      return "be the path of a file, - for standard error, or off for no log; in a program also true or false";
  }
}

function bounds(option: NumberOption, show: (value: number) => string): string {
  const highest = highestOf(option);
  return highest === Number.MAX_SAFE_INTEGER
    ? ` of at least ${show(option.minimum)}`
    : ` from ${show(option.minimum)} to ${show(highest)}`;
}

/** A value of the option as its user would write it, for messages, help and documentation. */
export function formatValue(option: OptionDeclaration, value: unknown): string {
  if (Array.isArray(value))
    return value.length === 0 ? "none" : value.map((each) => formatValue(option, each)).join(", ");
  if (typeof value === "number" && option.type === "size") return formatSize(value);
  if (typeof value === "number" && option.type === "duration") return formatDuration(value);
  if ("zeroWord" in option && option.zeroWord !== undefined && value === 0) return option.zeroWord;
  if ("offWord" in option && option.offWord !== undefined && value === "") return option.offWord;
  if (option.type === "boolean" && typeof value === "boolean") return value ? "on" : "off";
  if (option.type === "log-target" && typeof value === "boolean") return value ? "standard error" : "off";
  return value === "" ? "empty" : String(value);
}

/** The default as a sentence's part, with the case in which it differs. */
export function defaultText(option: OptionDeclaration): string {
  const usual = formatValue(option, option.default);
  if ("onTerminal" in option && option.onTerminal !== undefined)
    return `${option.onTerminal} on a terminal, else ${usual}`;
  if (!("inDevelopment" in option) || option.inDevelopment === undefined) return usual;
  return `${formatValue(option, option.inDevelopment)} in development, else ${usual}`;
}
