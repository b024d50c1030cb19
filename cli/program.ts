import { basename } from "node:path";

import { OptionError } from "../src/errors.ts";
import { declarationOf, isOptionName, OPTION_NAMES, type OptionName } from "../src/server/option-table.ts";
import { type PartialOptions, resolveOptions, type ServerOptions } from "../src/server/options.ts";
import { writeLine } from "../src/server/terminal.ts";
import { readArguments } from "./arguments.ts";
import { gather, type Given } from "./given.ts";

/**
 * The options of a program that serves an application of its own and takes the flags of `pagi-server`: flags go before
 * the environment, this before what the program gives. What is asked for instead of serving is done, and wrong words
 * are told, as `pagi-server` does it; both end the process.
 *
 * @throws OptionError (as a rejection) for what the program itself gives.
 */
export async function programOptions(words: readonly string[], own: PartialOptions): Promise<ServerOptions> {
  await resolveOptions(own);
  try {
    const { application, options: flags, commands } = await readArguments(words);
    if (application !== undefined)
      throw new OptionError(
        `'${application}'`,
        "no file can be named: this program serves its own application.",
      );
    if (commands.has("help")) {
      const { helpText, programUsage } = await import("./help.ts");
      return end(helpText(programUsage("the application")));
    }
    if (commands.has("version")) return end(await (await import("./report.ts")).versionText());
    const given = withOwn(gather(flags, process.env), own);
    const options = await resolveOptions(given.values, given.names);
    if (commands.has("printConfig")) {
      const { configText } = await import("./report.ts");
      return end(configText(basename(process.execPath), options, given));
    }
    if (commands.has("checkConfig")) return end("ok: the options are good.");
    return options;
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const { exitCodeOf, failureText } = await import("./report.ts");
    writeLine(2, failureText(error, false));
    process.exit(exitCodeOf(error));
  }
}

function end(text: string): never {
  writeLine(1, text);
  process.exit(0);
}

/** The program's options besides those that were given; what was given also goes before what it excludes. */
function withOwn(given: Given, own: PartialOptions): Given {
  const isExcluded = (option: OptionName): boolean =>
    OPTION_NAMES.some((other) => {
      if (given.values[other] === undefined) return false;
      return excludes(other, option) || excludes(option, other);
    });
  const values: { [K in OptionName]?: unknown } = { ...given.values };
  const origins: { [K in OptionName]?: Given["origins"][K] } = { ...given.origins };
  for (const [option, value] of Object.entries(own)) {
    if (!isOptionName(option) || value === undefined || values[option] !== undefined || isExcluded(option))
      continue;
    values[option] = value;
    origins[option] = "program";
  }
  return { values, names: given.names, origins };
}

function excludes(option: OptionName, other: OptionName): boolean {
  return (declarationOf(option).excludes ?? []).some((each) => each === other);
}
