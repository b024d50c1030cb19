import { basename } from "node:path";

import { embeddedApplication } from "../src/loading/embedded-application.ts";
import { OPTION_GROUPS, type OptionDeclaration } from "../src/options/declaration.ts";
import { defaultText } from "../src/options/value-text.ts";
import { allFlags, COMMANDS, type Flag, isNegatable, REFERENCE_FLAGS } from "./flags.ts";

/** Columns of the help; what is longer is wrapped. */
const WIDTH = 100;
/** Where the explanations begin. */
const INDENT = 34;

const USAGE = [
  "Usage: pagi-server [options] [FILE[:EXPORT]]\n       pagi-server directory [options] [DIRECTORY]\n       pagi-server build FILE[:EXPORT] [-o OUTPUT] [--asset PATH]...",
  "Serves the PAGI application that FILE exports: the export named after the colon, or else its\n" +
    "default export, or its export named app. Without FILE, it serves app.ts, src/app.ts or index.ts (or\n" +
    ".js, .mjs, .tsx) if exactly one of them exists.\n" +
    "directory serves the files in DIRECTORY, or in the current directory.\n" +
    "build compiles the server and the application into one binary; see build --help.",
];

/** What to call, and what it does, for a program that serves `application` and no other. */
export function programUsage(application: string): string[] {
  const program = basename(process.execPath);
  return [`Usage: ${program} [options]`, `Serves ${application}, which is built into this program.`];
}

/** The text of `--help`, grouped, made from the table of options. `usage` is how it begins. */
export function helpText(usage: readonly string[] = ownUsage()): string {
  const flags = allFlags();
  const groups = OPTION_GROUPS.map((group) => ({
    title: group,
    members: flags.filter((flag) => flag.kind === "option" && flag.declaration.group === group),
  }));
  const references = flags.filter(({ kind }) => kind === "reference");
  const commands = flags.filter(({ kind }) => kind === "command");
  const others = [
    // A program that has its application built in cannot be given another.
    ...(embeddedApplication() === undefined && usage === USAGE
      ? [{ title: "As the reference implementation", members: references }]
      : []),
    { title: "Instead of serving", members: commands },
  ];
  const sections = [...groups, ...others].map(({ title, members }) =>
    [title, ...members.flatMap(entry)].join("\n"),
  );
  return [
    ...usage,
    ...sections,
    "TIME is in seconds, or has a unit: 500ms, 30s, 2m, 1h. SIZE is in bytes, or has a unit: 64k, 10m.\n" +
      "Each option can also be set in the environment: --max-body-size as PAGI_MAX_BODY_SIZE, for example.\n" +
      "HOST and PORT are read too. Flags take precedence over the environment, which takes precedence over\n" +
      "pagi.config.ts; its default export has options by name, such as maxBodySize, and app for FILE.",
  ].join("\n\n");
}

function ownUsage(): readonly string[] {
  const embedded = embeddedApplication();
  return embedded === undefined ? USAGE : programUsage(embedded.name);
}

/** The flag with its short form, its value and its negation, as documentation shows it. */
export function synopsis(flag: Flag): string {
  const first = flag.short === undefined ? [] : [`-${flag.short}`];
  if (flag.kind === "command") return [...first, `--${flag.name}`].join(", ");
  if (flag.kind === "reference")
    return [...first, `--${flag.name} ${REFERENCE_FLAGS[flag.reference].placeholder}`].join(", ");
  const { declaration } = flag;
  if (declaration.type === "boolean") {
    const onByDefault = declaration.default || declaration.inDevelopment === true;
    return [...first, onByDefault ? `--[no-]${flag.name}` : `--${flag.name}`].join(", ");
  }
  const aliases = flag.aliases.map((alias) => `--${alias}`);
  const negated = isNegatable(flag) ? [`--no-${flag.name}`] : [];
  const value = placeholder(declaration);
  const shown = declaration.type === "choice" && declaration.bare !== undefined ? `[${value}]` : value;
  return [...first, ...aliases, `--${flag.name} ${shown}`, ...negated].join(", ");
}

function placeholder(option: OptionDeclaration): string {
  switch (option.type) {
    case "string":
      return option.placeholder;
    case "integer":
      return option.zeroWord === undefined ? "NUMBER" : `NUMBER|${option.zeroWord}`;
    case "port":
      return "PORT";
    case "size":
      return "SIZE";
    case "duration":
      return "TIME";
    case "choice":
      return option.choices.join("|");
    case "boolean":
      return "";
    case "log-target":
      return "FILE";
  }
}

function entry(flag: Flag): string[] {
  const head = `  ${synopsis(flag)}`;
  const [first = "", ...more] = wrap(explanation(flag), WIDTH - INDENT);
  const rest = more.map((line) => " ".repeat(INDENT) + line);
  // A long flag has a line of its own.
  return head.length + 2 > INDENT
    ? [head, " ".repeat(INDENT) + first, ...rest]
    : [head.padEnd(INDENT) + first, ...rest];
}

function explanation(flag: Flag): string {
  if (flag.kind === "command") return COMMANDS[flag.command].doc;
  if (flag.kind === "reference") return REFERENCE_FLAGS[flag.reference].doc;
  const { declaration } = flag;
  const zero = "zero" in declaration && declaration.zero !== undefined ? `; 0 ${declaration.zero}` : "";
  const isOff =
    declaration.type === "boolean" && !declaration.default && declaration.inDevelopment === undefined;
  return `${declaration.doc}${zero}${isOff ? "" : ` (default: ${defaultText(declaration)})`}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
