import type { NumberOption, OptionDeclaration } from "./declaration.ts";

/** Seconds. JavaScript's timers hold milliseconds in 31 bits, and fire at once beyond that. */
export const LONGEST_DURATION = 2_147_483;

/**
 * Whether the option accepts a value that has been read (see `readValue`); of a repeatable one, an entry of its list. This
 * is the only place that knows.
 */
export function accepts(option: OptionDeclaration, value: unknown): boolean {
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
