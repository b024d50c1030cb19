import type { ConsolaInstance, LogObject } from "consola/core";

import { stackFrames } from "../spec/stack-frames.ts";
import { asciiJson, printable } from "../system/escape-controls.ts";
import { reportLossOfStandardError, standardError } from "./standard-error.ts";
import { isTerminal } from "./terminal.ts";

/** From the least important messages to the most important ones. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** `text`: one line per message, an error's stack below it. `json`: one object per line, see {@link JsonLogLine}. */
export type LogFormat = "text" | "json";

/** Takes the messages of a server. A message is one line; `error` is whatever was thrown, and is shown below it. */
export interface Logger {
  readonly level: LogLevel;
  error(message: string, error?: unknown): void;
  warn(message: string, error?: unknown): void;
  info(message: string, error?: unknown): void;
  debug(message: string, error?: unknown): void;
}

/** Where log lines go. */
export interface LogOutput {
  /** Writes text, a newline behind it. */
  write(text: string): void;
  /** True for coloured lines without a time. */
  readonly isTerminal: boolean;
}

/** The format of log lines. */
export interface LogStyle {
  readonly format: LogFormat;
  /** The number of the worker, shown in its lines. */
  readonly worker?: number | undefined;
}

/** A line of the format `json`. Only ASCII is written. */
export interface JsonLogLine {
  /** ISO 8601, in UTC. */
  readonly time: string;
  readonly level: LogLevel;
  /** The logging process. */
  readonly pid: number;
  /** 1, 2, ... in a worker. */
  readonly worker?: number;
  readonly message: string;
  /** Name and message of the error, if there is one. */
  readonly error?: string;
  /** The stack of the error and of its causes; lines are separated by `\n`. */
  readonly stack?: string;
}

const CONSOLA_LEVELS = { error: 0, warn: 1, info: 3, debug: 4 } as const satisfies Record<LogLevel, number>;
const COLOURS = { error: 31, warn: 33, info: 36, debug: 90 } as const satisfies Record<LogLevel, number>;
/** Errors in a chain of causes that are shown. */
const MAX_CAUSES = 8;

/**
 * A logger that writes to standard error: in a terminal coloured and short, otherwise with time and level, one line a
 * message. Control characters in messages and errors are escaped, since they may be a client's. Writing never blocks:
 * see {@link LogStream}.
 *
 * @param level the least important messages that are written.
 * @param quiet only errors are written, whatever the level.
 */
export function createLogger(
  level: LogLevel = "info",
  quiet = false,
  output: LogOutput = standardErrorOutput(),
  style: LogStyle = { format: "text" },
): Logger {
  const lowest = quiet ? "error" : level;
  let consola: ConsolaInstance | undefined;
  const log =
    (type: LogLevel) =>
    (message: string, error?: unknown): void => {
      if (CONSOLA_LEVELS[type] > CONSOLA_LEVELS[lowest]) return;
      consola ??= createInstance(lowest, output, style);
      consola[type](message, error);
    };
  return { level: lowest, error: log("error"), warn: log("warn"), info: log("info"), debug: log("debug") };
}

/** The options of a server that its log depends on. */
export interface LogOptions {
  readonly logLevel: LogLevel;
  /** Only errors are written, whatever the level. */
  readonly quiet: boolean;
  readonly logFormat: LogFormat;
}

/** The logger for a server with these options. `worker` is the number of the worker that it runs in. */
export function serverLogger(options: LogOptions, worker?: number): Logger {
  const style = { format: options.logFormat, worker };
  const logger = createLogger(options.logLevel, options.quiet, standardErrorOutput(), style);
  reportLossOfStandardError((message) => logger.error(message));
  return logger;
}

/** consola is loaded with the first message that is written; an ordinary start writes none. */
function createInstance(level: LogLevel, output: LogOutput, style: LogStyle): ConsolaInstance {
  const core: typeof import("consola/core") = require("consola/core");
  const { isTerminal: coloured } = output;
  return core.createConsola({
    level: CONSOLA_LEVELS[level],
    // Equal messages are all written: each may stand for another request.
    throttle: 0,
    reporters: [{ log: (entry) => output.write(render(entry, coloured, style)) }],
  });
}

function standardErrorOutput(): LogOutput {
  return {
    write: (text) => standardError().writeText(text),
    get isTerminal() {
      const { NO_COLOR } = process.env;
      return isTerminal(2) && (NO_COLOR === undefined || NO_COLOR === "");
    },
  };
}

function render(entry: LogObject, coloured: boolean, { format, worker }: LogStyle): string {
  const [message, error]: unknown[] = entry.args;
  const level = levelOf(entry);
  const { summary, details } = error === undefined ? { summary: undefined, details: [] } : shown(error);
  if (format === "json") {
    return asciiJson({
      time: entry.date.toISOString(),
      level,
      pid: process.pid,
      worker,
      message: String(message),
      error: summary,
      stack: details.length === 0 ? undefined : details.join("\n"),
    });
  }
  const who = worker === undefined ? "" : `worker ${worker}: `;
  const text = printable(`${who}${String(message)}${summary === undefined ? "" : `: ${summary}`}`);
  const head = coloured
    ? `\u001b[${COLOURS[level]}m${level.padEnd(5)}\u001b[39m ${text}`
    : `${entry.date.toISOString()} ${level} ${text}`;
  return [head, ...details.map((line) => `    ${printable(line)}`)].join("\n");
}

/** What was thrown may itself throw when it is looked at; a message is written all the same. */
function shown(error: unknown): { summary: string; details: string[] } {
  try {
    return { summary: summaryOf(error), details: detailsOf(error) };
  } catch {
    return { summary: "something that cannot be shown", details: [] };
  }
}

function levelOf(entry: LogObject): LogLevel {
  switch (entry.type) {
    case "error":
    case "warn":
    case "debug":
      return entry.type;
    default:
      return "info";
  }
}

function summaryOf(error: unknown): string {
  if (error instanceof Error) return error.message === "" ? error.name : `${error.name}: ${error.message}`;
  return typeof error === "string" ? error : Bun.inspect(error, { depth: 2, compact: true });
}

/** The stack without its first lines, which repeat name and message, the errors that it gathers, and each cause. */
function detailsOf(error: unknown): string[] {
  const lines: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current instanceof Error && depth < MAX_CAUSES; depth++) {
    if (depth > 0) lines.push(`caused by ${summaryOf(current)}`);
    lines.push(...stackFrames(current));
    if (current instanceof AggregateError) lines.push(...membersOf(current));
    current = current.cause;
  }
  if (lines.length > 0 && current !== undefined && !(current instanceof Error))
    lines.push(`caused by ${summaryOf(current)}`);
  return lines;
}

/** The errors that one stands for, as those of `Promise.any`, with where each was thrown. */
function membersOf(error: AggregateError): string[] {
  const members: unknown[] = error.errors;
  const lines = members.slice(0, MAX_CAUSES).flatMap((member) => {
    const [place] = member instanceof Error ? stackFrames(member) : [];
    return [`gathers ${summaryOf(member)}${place === undefined ? "" : ` ${place}`}`];
  });
  return members.length > MAX_CAUSES ? [...lines, `and ${members.length - MAX_CAUSES} more`] : lines;
}
