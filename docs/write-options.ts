import { allFlags, COMMAND_NAMES, COMMANDS, type Flag } from "../cli/flags.ts";
import { synopsis } from "../cli/help.ts";
import { isCommandLineOption } from "../src/server/command-line-options.ts";
import { defaultText, OPTION_GROUPS } from "../src/server/option-values.ts";

const HEAD = `# Options

<!-- Made from the table of options by \`bun run docs:options\`; edit src/server/option-table.ts instead. -->

Each option can be given in four ways; a flag goes before the environment, and that before the file:

- as a flag: \`pagi-server --max-body-size 64k app.ts\`
- in the environment: \`PAGI_MAX_BODY_SIZE=64k\`; an empty variable is not set
- in a configuration file, \`pagi.config.ts\` or what \`--config\` names:
  \`export default defineConfig({ app: "app.ts", maxBodySize: "64k" })\`
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
  return `${[HEAD.trimEnd(), ...groups, `## Instead of serving\n\n${commands.join("\n")}`].join("\n\n")}\n`;
}

function optionEntry(flag: Flag, group: string): string[] {
  if (flag.kind !== "option" || flag.declaration.group !== group) return [];
  const { declaration, option } = flag;
  const sentences = [`${declaration.doc}.`];
  if ("zero" in declaration && declaration.zero !== undefined) sentences.push(`0 ${declaration.zero}.`);
  if (declaration.reason !== undefined) sentences.push(declaration.reason);
  const { variable, weakVariable } = declaration;
  const variables = [variable, weakVariable]
    .filter((name) => name !== undefined)
    .map((name) => `\`${name}\``);
  return [
    `### ${option}`,
    sentences.join(" "),
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

if (import.meta.main) await Bun.write(new URL("options.md", import.meta.url), optionsPage());
