import { declarationOf, OPTION_NAMES, type OptionName } from "../src/options/table.ts";
import type { OptionDeclaration } from "../src/options/declaration.ts";

/** What the command line can ask for instead of serving. */
export const COMMANDS = {
  checkConfig: {
    flag: "check-config",
    doc: "Check options and the rights of --user, load the application, then end",
  },
  printConfig: { flag: "print-config", doc: "Print all options and where each comes from, then end" },
  version: { flag: "version", short: "v", doc: "Print the version, then end" },
  help: { flag: "help", short: "h", doc: "Print this help, then end" },
} as const satisfies Record<string, { flag: string; short?: string; doc: string }>;

export type CommandName = keyof typeof COMMANDS;

/** Flags of PAGI's reference implementation that set no option here. */
export const REFERENCE_FLAGS = {
  app: { flag: "app", short: "a", placeholder: "FILE", doc: "The application, as FILE without a flag" },
  server: {
    flag: "server",
    short: "s",
    placeholder: "NAME",
    doc: "For commands written for the reference implementation; there is one server, pagi-server",
  },
  loop: {
    flag: "loop",
    short: "l",
    placeholder: "NAME",
    doc: "For commands written for the reference implementation; Bun has one event loop, and another is ignored",
  },
} as const satisfies Record<string, { flag: string; short: string; placeholder: string; doc: string }>;

export type ReferenceFlag = keyof typeof REFERENCE_FLAGS;

export const REFERENCE_FLAG_NAMES: readonly ReferenceFlag[] = ["app", "server", "loop"];

export const COMMAND_NAMES: readonly CommandName[] = ["checkConfig", "printConfig", "version", "help"];

/** A flag as the command line knows it. */
export type Flag = {
  /** Its main name, without dashes. */
  readonly name: string;
  readonly short: string | undefined;
  readonly aliases: readonly string[];
} & (
  | { readonly kind: "option"; readonly option: OptionName; readonly declaration: OptionDeclaration }
  | { readonly kind: "command"; readonly command: CommandName }
  | { readonly kind: "reference"; readonly reference: ReferenceFlag }
);

/** All flags, in the order of their tables: options, those of the reference implementation, commands. */
export function allFlags(): Flag[] {
  const options = OPTION_NAMES.map((option): Flag => {
    const declaration = declarationOf(option);
    const { flag, short, aliases = [] } = declaration;
    return { kind: "option", name: flag, short, aliases, option, declaration };
  });
  const commands = COMMAND_NAMES.map((command): Flag => {
    const declaration: { flag: string; short?: string } = COMMANDS[command];
    return { kind: "command", name: declaration.flag, short: declaration.short, aliases: [], command };
  });
  const references = REFERENCE_FLAG_NAMES.map((reference): Flag => {
    const { flag, short } = REFERENCE_FLAGS[reference];
    return { kind: "reference", name: flag, short, aliases: [], reference };
  });
  return [...options, ...references, ...commands];
}

/** Whether the flag is followed by a value. */
export function takesValue(flag: Flag): boolean {
  if (flag.kind === "reference") return true;
  return flag.kind === "option" && flag.declaration.type !== "boolean";
}

/** Whether there is a form with `--no-`. */
export function isNegatable(flag: Flag): boolean {
  if (flag.kind !== "option") return false;
  const { type } = flag.declaration;
  return type === "boolean" || type === "log-target" || offWord(flag) !== undefined;
}

/** The word that stands for `--no-` where that is not false. */
export function offWord(flag: Flag): string | undefined {
  return flag.kind === "option" && flag.declaration.type === "string" ? flag.declaration.offWord : undefined;
}
