import { basename } from "node:path";

import { LoadError, OptionError } from "../src/errors.ts";
import { declarationOf, isOptionName, OPTION_NAMES, type OptionName } from "../src/options/table.ts";
import {
  checkWorkers,
  type PartialOptions,
  resolveOptions,
  type ServerOptions,
} from "../src/options/resolve.ts";
import { ROLE_VARIABLE } from "../src/process/role.ts";
import { writeLine } from "../src/logging/terminal.ts";
import { readArguments } from "./arguments.ts";
import { type Configuration, configure } from "./configure.ts";

/** What is about the loading of an application, which the program has done when it serves. */
const OF_LOADING: readonly OptionName[] = [
  "factory",
  "eval",
  "preload",
  "reload",
  "reloadInclude",
  "reloadExclude",
];

/**
 * The options of a program that serves an application of its own and takes the flags of `pagi-server`: flags, the
 * environment and the configuration file go before what the program gives. What is asked for instead of serving is done,
 * and wrong words are told, as `pagi-server` does it; both end the process. A folder to go to has been gone to.
 *
 * @throws OptionError (as a rejection) for what the program itself gives.
 */
export async function programOptions(words: readonly string[], own: PartialOptions): Promise<ServerOptions> {
  await resolveOptions(own);
  try {
    const commandLine = await readArguments(words);
    const { application, commands } = commandLine;
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
    const given = await configure(commandLine);
    const loading = OF_LOADING.find((option) => given.values[option] !== undefined);
    if (loading !== undefined)
      throw new OptionError(
        given.names[loading] ?? loading,
        "this program serves its own application, which it has loaded itself.",
      );
    const configuration = withOwn(given, own);
    const options = await resolveOptions(configuration.values, configuration.names);
    if (configuration.origins.chdir === "program") {
      const { applySettings } = await import("../src/process/process-settings.ts");
      applySettings({ chdir: options.chdir, umask: "" });
    }
    // A worker has its supervisor's words and variables.
    if (!options.quiet && process.env[ROLE_VARIABLE] === undefined) {
      const { misspeltVariables } = await import("./variables.ts");
      const { serverLogger } = await import("../src/logging/logger.ts");
      const texts = [...commandLine.notices, ...misspeltVariables(process.env)];
      const logger = serverLogger(options);
      for (const text of texts) logger.warn(text);
    }
    if (commands.has("printConfig")) {
      const { configText } = await import("./report.ts");
      return end(configText(options, configuration));
    }
    checkWorkers(options, configuration.values, configuration.names);
    if (commands.has("checkConfig")) {
      const { checkStart } = await import("../src/process/requirements.ts");
      const warnings = await checkStart(options, undefined, { opensSockets: true });
      for (const warning of warnings) writeLine(2, `pagi-server: ${warning}`);
      return end("ok: the options are good.");
    }
    return options;
  } catch (error) {
    if (!(error instanceof OptionError || error instanceof LoadError)) throw error;
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
function withOwn(given: Configuration, own: PartialOptions): Configuration {
  const isExcluded = (option: OptionName): boolean =>
    OPTION_NAMES.some((other) => {
      if (given.values[other] === undefined) return false;
      return excludes(other, option) || excludes(option, other);
    });
  const values: { [K in OptionName]?: unknown } = { ...given.values };
  const origins: { [K in OptionName]?: Configuration["origins"][K] } = { ...given.origins };
  for (const [option, value] of Object.entries(own)) {
    if (!isOptionName(option) || value === undefined) continue;
    if (values[option] !== undefined || isExcluded(option)) continue;
    values[option] = value;
    origins[option] = "program";
  }
  return {
    ...given,
    values,
    origins,
    application: basename(process.execPath),
    applicationOrigin: "program",
  };
}

function excludes(option: OptionName, other: OptionName): boolean {
  return (declarationOf(option).excludes ?? []).some((each) => each === other);
}
