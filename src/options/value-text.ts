import type { OptionDeclaration } from "./declaration.ts";

// Between values and the text that people write: `30s`, `64k`, `off`.

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

/** Reads text as a value of the option; text that cannot be read stays as it is. Limits are not checked. */
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

/** Reads a value as a user may give it. A 0 that only a word may stand for becomes NaN. */
export function readValue(option: OptionDeclaration, value: unknown): unknown {
  const read = typeof value === "string" ? fromText(option, value) : value;
  const hasWord = "zeroWord" in option && option.zeroWord !== undefined;
  return hasWord && read === 0 && value !== option.zeroWord ? NaN : read;
}

/** A final value in a form that {@link readValue} reads. */
export function writtenValue(option: OptionDeclaration, value: unknown): unknown {
  const word = "zeroWord" in option ? option.zeroWord : undefined;
  return value === 0 && word !== undefined ? word : value;
}

/** A value as its user would write it, for messages, help and documentation. */
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

/** The default as a part of a sentence, with the case in which it differs. */
export function defaultText(option: OptionDeclaration): string {
  const usual = formatValue(option, option.default);
  if ("onTerminal" in option && option.onTerminal !== undefined)
    return `${option.onTerminal} on a terminal, else ${usual}`;
  if (!("inDevelopment" in option) || option.inDevelopment === undefined) return usual;
  return `${formatValue(option, option.inDevelopment)} in development, else ${usual}`;
}
