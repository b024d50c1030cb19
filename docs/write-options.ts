import { allFlags, COMMAND_NAMES, COMMANDS, type Flag, REFERENCE_FLAGS } from "../cli/flags.ts";
import { synopsis } from "../cli/help.ts";
import { ACCESS_LOG_ATOMS, ACCESS_LOG_PRESETS } from "../src/logging/access-log-format.ts";
import { isCommandLineOption } from "../src/options/groups/command-line.ts";
import { OPTION_GROUPS, type OptionDeclaration } from "../src/options/declaration.ts";
import { defaultText } from "../src/options/value-text.ts";

const HEAD = `# Options

<!-- Made from the table of options by \`bun run docs:options\`; edit src/options/table.ts instead. -->

Each option can be given in four ways; a flag goes before the environment, and that before the file:

- as a flag: \`pagi-server --max-body-size 64k app.ts\`
- in the environment: \`PAGI_MAX_BODY_SIZE=64k\`; an empty variable is not set
- in a configuration file, \`pagi.config.ts\` or the file that \`--config\` names:
  \`export default defineConfig({ app: "app.ts", maxBodySize: "64k" })\`. A module (\`.ts\`, \`.js\`, \`.mjs\`), JSON, TOML and
  YAML files all work; in a file without code the keys stand at the top level: \`maxBodySize = "64k"\` in \`pagi.toml\`
- in a program: \`serve(app, { maxBodySize: "64k" })\`, which reads nothing from the environment but \`PAGI_ENV\`

A size is a number of bytes, or has a unit: \`64k\`, \`10m\`, \`1g\`, in powers of 1024. A duration is a number of seconds, or
has a unit: \`500ms\`, \`30s\`, \`2m\`, \`1h\`, \`1d\`. A switch in the environment is \`1\`, \`true\`, \`yes\` or \`on\`, or the
opposite of these; what may be given several times is separated by commas there. An unknown flag or option is refused, and so is a flag that is given twice with different values.

\`pagi-server --print-config\` shows the values that a start would use, and where each comes from.
`;

/** The text of `docs/options.md`. */
export function optionsPage(): string {
  const flags = allFlags();
  const groups = OPTION_GROUPS.map((group) =>
    [`## ${group}`, ...flags.flatMap((flag) => optionEntry(flag, group))].join("\n\n"),
  );
  const commands = COMMAND_NAMES.map((name) => {
    const flag = flags.find((each) => each.kind === "command" && each.command === name);
    return `- \`${flag === undefined ? COMMANDS[name].flag : synopsis(flag)}\`: ${COMMANDS[name].doc}`;
  });
  const references = flags.flatMap((flag) =>
    flag.kind === "reference" ? [`- \`${synopsis(flag)}\`: ${REFERENCE_FLAGS[flag.reference].doc}`] : [],
  );
  const reference = `## As the reference implementation\n\n${references.join("\n")}`;
  return `${[HEAD.trimEnd(), ...groups, accessLogFormats(), reference, `## Instead of serving\n\n${commands.join("\n")}`].join("\n\n")}\n`;
}

function accessLogFormats(): string {
  const { json, ...strings } = ACCESS_LOG_PRESETS;
  const presets = Object.entries(strings).map(([name, format]) => [`\`${name}\``, `\`${format}\``]);
  const atoms = Object.entries(ACCESS_LOG_ATOMS).map(([atom, meaning]) => [`\`${atom}\``, meaning]);
  return [
    "## Access log formats",
    "`--access-log-format` takes the name of a preset:",
    table([["preset", "format"], ...presets, ["`json`", json]]),
    "or a format string, text with these atoms in it:",
    table([["atom", "meaning"], ...atoms]),
    "Text from the client is escaped, so that no request can forge a line: `\\xHH` for control characters, quotes, backslashes and bytes above 0x7E.",
  ].join("\n\n");
}

/** A table as `bun fmt` lays it out: every column as wide as its widest cell. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const [first = "", ...rest] = rows.map((row) =>
    line(row.map((cell, column) => cell.padEnd(widths[column] ?? 0))),
  );
  return [first, line(widths.map((width) => "-".repeat(width))), ...rest].join("\n");
}

function optionEntry(flag: Flag, group: string): string[] {
  if (flag.kind !== "option" || flag.declaration.group !== group) return [];
  const { declaration, option } = flag;
  const { variable, weakVariable } = declaration;
  const variables = [variable, weakVariable]
    .filter((name) => name !== undefined)
    .map((name) => `\`${name}\``);
  return [
    `### ${option}`,
    optionSentences(declaration).join(" "),
    [
      `- Flag: \`${synopsis(flag)}\``,
      `- Environment: ${variables.join(", then ")}`,
      `- Default: ${defaultText(declaration)}`,
      ...(declaration.repeatable ? ["- May be given several times"] : []),
      ...(declaration.needsWorkers ? ["- Refused without workers (`--workers`, or `--reload`)"] : []),
      ...(isCommandLineOption(option) ? ["- Not for a program that calls \`serve\`"] : []),
    ].join("\n"),
  ];
}

/** What an option does, what its 0 means, and why it is there. */
function optionSentences(declaration: OptionDeclaration): string[] {
  const sentences = [`${declaration.doc}.`];
  if ("zero" in declaration && declaration.zero !== undefined) sentences.push(`0 ${declaration.zero}.`);
  if (declaration.reason !== undefined) sentences.push(declaration.reason);
  return sentences;
}

/** Columns of a comment line in {@link optionTypes}, without its indentation. */
const COMMENT_WIDTH = 110;

/** The text of `src/options/partial-options.ts`: the options with the comments that editors show. */
export function optionTypes(): string {
  const members = allFlags().flatMap((flag) => (flag.kind === "option" ? [optionMember(flag)] : []));
  return `// Made from the table of options by \`bun run docs:options\`; edit src/options/table.ts instead.
import type { Duration, Size } from "./option-text.ts";

/** Options of the server as a user may give them. One that is absent or \`undefined\` takes its default. */
export interface PartialOptions {
${members.join("\n\n")}
}
`;
}

function optionMember({ option, declaration }: Extract<Flag, { kind: "option" }>): string {
  const { flag, variable } = declaration;
  const facts = `Default: ${defaultText(declaration)}. Flag \`--${flag}\`, environment \`${variable}\`.`;
  // A glob in the text must not end the comment.
  const words = [...optionSentences(declaration), "\n", facts].join(" ").replaceAll("*/", "*\\/").split(" ");
  const lines = [""];
  for (const word of words) {
    const line = lines.at(-1) ?? "";
    if (word === "\n") lines.push("", "");
    else if (line === "") lines[lines.length - 1] = word;
    else if (line.length + word.length + 1 > COMMENT_WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  const comment = lines.map((line) => (line === "" ? "   *" : `   * ${line}`)).join("\n");
  return `  /**\n${comment}\n   */\n  readonly ${option}?: ${givenType(declaration)} | undefined;`;
}

/** The TypeScript type of the values that a user may give. */
function givenType(option: OptionDeclaration): string {
  const one = oneGivenType(option);
  if (!option.repeatable) return one;
  return one.includes(" | ") ? `readonly (${one})[]` : `readonly ${one}[]`;
}

function oneGivenType(option: OptionDeclaration): string {
  switch (option.type) {
    case "string":
      return "string";
    case "integer":
      return option.zeroWord === undefined ? "number" : `number | ${JSON.stringify(option.zeroWord)}`;
    case "port":
      return "number";
    case "size":
      return "Size";
    case "duration":
      return "Duration";
    case "boolean":
      return "boolean";
    case "choice":
      return option.choices.map((choice) => JSON.stringify(choice)).join(" | ");
    case "log-target":
      return "string | boolean";
  }
}

if (import.meta.main) {
  await Bun.write(new URL("options.md", import.meta.url), optionsPage());
  await Bun.write(new URL("../src/options/partial-options.ts", import.meta.url), optionTypes());
}
