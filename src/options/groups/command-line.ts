import type { OptionDeclaration } from "../declaration.ts";

/**
 * What only a process can be told that has loaded nothing yet: where its settings are, and what it is to load. They are
 * for the command line and for its configuration file, not for `serve`. A part of the table of options.
 */
export const COMMAND_LINE_OPTIONS = {
  config: {
    group: "Configuration",
    type: "string",
    default: "pagi.config.ts",
    placeholder: "FILE",
    offWord: "off",
    flag: "config",
    variable: "PAGI_CONFIG",
    doc: "Configuration file with options by name: a module's default export, JSON, TOML or YAML; the default file is optional",
  },
  envFile: {
    group: "Configuration",
    type: "string",
    default: [],
    repeatable: true,
    placeholder: "FILE",
    flag: "env-file",
    variable: "PAGI_ENV_FILE",
    doc: "File of environment variables, read before everything else; the real environment wins, then the later file",
    reason:
      "Bun reads a .env in the working directory by itself; a file that is named here wins over that one.",
  },
  preload: {
    group: "Application",
    type: "string",
    default: [],
    repeatable: true,
    placeholder: "MODULE",
    flag: "preload",
    variable: "PAGI_PRELOAD",
    doc: "Module (a file or a package) that is imported before the application, in every process that loads it",
  },
  eval: {
    group: "Application",
    type: "string",
    default: "",
    placeholder: "CODE",
    flag: "eval",
    short: "e",
    variable: "PAGI_EVAL",
    doc: "Application in place of FILE: an expression, or the text of a module that exports it",
  },
  reload: {
    group: "Development",
    type: "boolean",
    default: false,
    flag: "reload",
    variable: "PAGI_RELOAD",
    doc: "Reload the application whenever one of its modules is saved",
  },
  reloadInclude: {
    group: "Development",
    type: "string",
    default: [],
    repeatable: true,
    placeholder: "GLOB",
    flag: "reload-include",
    variable: "PAGI_RELOAD_INCLUDE",
    doc: "More files for --reload to watch, in addition to modules (ts, js and similar); a pattern without a slash matches in any directory",
  },
  reloadExclude: {
    group: "Development",
    type: "string",
    default: [],
    repeatable: true,
    placeholder: "GLOB",
    flag: "reload-exclude",
    variable: "PAGI_RELOAD_EXCLUDE",
    doc: "More files and directories for --reload to ignore, in addition to node_modules, .git and dist",
  },
} as const satisfies Record<string, OptionDeclaration>;

/** The name of an option that only the command line has. */
export type CommandLineOption = keyof typeof COMMAND_LINE_OPTIONS;

export function isCommandLineOption(name: string): name is CommandLineOption {
  return Object.hasOwn(COMMAND_LINE_OPTIONS, name);
}
