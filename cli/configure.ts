import { OptionError } from "../src/errors.ts";
import { type OptionName, OPTIONS } from "../src/options/table.ts";
import type { CommandLine } from "./arguments.ts";
import type { ConfigFile } from "./config-file.ts";
import { gather, type OptionSources, type Origin } from "./option-sources.ts";

/** Everything that the user has said, wherever it was, not checked yet. */
export interface Configuration extends OptionSources {
  /** `app.ts`, `app.ts:export` or a directory; absent for an inline application, and when nothing is named. */
  readonly application: string | undefined;
  readonly applicationOrigin: "argument" | Origin | undefined;
  /** The configuration file that was read. */
  readonly file: string | undefined;
  /** The file that a variable was read from, by the name of the variable. */
  readonly variableFiles: ReadonlyMap<string, string>;
}

/**
 * Brings flags, environment, files of variables and the configuration file together, in this order, for each may name
 * what is read after it. A folder to go to is gone to as soon as it is known; every path is meant from where the process
 * is when it is used.
 *
 * @throws OptionError, LoadError
 */
export async function configure({ application: argument, options }: CommandLine): Promise<Configuration> {
  let given = gather(options, process.env);
  let hasGone = await goTo(given.values.chdir);
  let variableFiles: ReadonlyMap<string, string> = new Map();
  if (given.values.envFile !== undefined) {
    variableFiles = await readVariables(given);
    given = gather(options, process.env);
    hasGone ||= await goTo(given.values.chdir);
  }
  const file = await configFile(given);
  if (file !== undefined) {
    const hadFiles = given.values.envFile !== undefined;
    given = gather(options, process.env, file);
    if (!hadFiles && given.values.envFile !== undefined) {
      variableFiles = await readVariables(given);
      given = gather(options, process.env, file);
    }
    if (!hasGone) await goTo(given.values.chdir);
  }
  return { ...named(argument, given, file), file: file?.path, variableFiles };
}

async function goTo(folder: unknown): Promise<boolean> {
  if (typeof folder !== "string" || folder === "") return false;
  const { applySettings } = await import("../src/process/process-settings.ts");
  applySettings({ chdir: folder, umask: "" });
  return true;
}

async function readVariables({ values, names }: OptionSources): Promise<ReadonlyMap<string, string>> {
  const { envFile } = values;
  // Anything but a list of names is refused with all other options.
  if (!Array.isArray(envFile) || !envFile.every((each) => typeof each === "string")) return new Map();
  const { readEnvFiles } = await import("./env-file.ts");
  return readEnvFiles(envFile, names.envFile ?? "envFile");
}

async function configFile({ values: { config } }: OptionSources): Promise<ConfigFile | undefined> {
  if (config === "off" || config === "") return undefined;
  // An ordinary start has none, and does without what it takes to read one.
  if (config === undefined && !(await Bun.file(OPTIONS.config.default).exists())) return undefined;
  const { readConfigFile } = await import("./config-file.ts");
  return await readConfigFile(
    typeof config === "string" ? config : OPTIONS.config.default,
    config !== undefined,
  );
}

/** Decides which application is meant: a flag or argument wins over the environment, and that over the file. */
function named(
  argument: string | undefined,
  given: OptionSources,
  file: ConfigFile | undefined,
): OptionSources & Pick<Configuration, "application" | "applicationOrigin"> {
  const evalOrigin = given.origins.eval;
  if (argument !== undefined && evalOrigin === "flag") {
    throw new OptionError(
      given.names.eval ?? "--eval",
      `cannot be given together with ${argument}; both name the application. Leave one of them out.`,
    );
  }
  const { eval: code } = given.values;
  if (typeof code === "string" && code.trim() === "")
    throw new OptionError(given.names.eval ?? "eval", "needs the code of an application, and there is none.");
  if (argument !== undefined)
    return { ...without(given, "eval"), application: argument, applicationOrigin: "argument" };
  if (evalOrigin !== undefined) return { ...given, application: undefined, applicationOrigin: evalOrigin };
  const application = file?.application;
  return { ...given, application, applicationOrigin: application === undefined ? undefined : "file" };
}

function without({ values, names, origins }: OptionSources, option: OptionName): OptionSources {
  const drop = <V>(record: { readonly [K in OptionName]?: V }): { [K in OptionName]?: V } => {
    const rest: { [K in OptionName]?: V } = { ...record };
    delete rest[option];
    return rest;
  };
  return { values: drop(values), names: drop(names), origins: drop(origins) };
}
