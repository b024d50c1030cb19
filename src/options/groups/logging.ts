import type { LogFormat, LogLevel } from "../../logging/logger.ts";
import type { OptionDeclaration } from "../declaration.ts";

/** What is logged, where, and how. A part of the table of options. */
export const LOGGING_OPTIONS = {
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
    choices: ["debug", "info", "warn", "error"] satisfies LogLevel[],
    default: "info",
    flag: "log-level",
    variable: "PAGI_LOG_LEVEL",
    doc: "Lowest level to log; debug also shows the stack trace if the server fails to start",
  },
  logFormat: {
    group: "Logging",
    type: "choice",
    choices: ["text", "json"] satisfies LogFormat[],
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
} as const satisfies Record<string, OptionDeclaration>;
