import { OptionError } from "../src/errors.ts";
import { importModule } from "../src/loading/import-module.ts";
import { type GivenOptions, isOptionName, OPTION_NAMES } from "../src/options/table.ts";
import { similarName } from "../src/spec/nearest-name.ts";

/** What a configuration file says, with values that are not checked yet. */
export interface ConfigFile {
  /** As it was given. */
  readonly path: string;
  /** What its key `app` names. */
  readonly application: string | undefined;
  readonly values: GivenOptions;
}

/** The keys of a configuration file: it cannot name another one. */
const KEYS: readonly string[] = ["app", ...OPTION_NAMES.filter((name) => name !== "config")];

/**
 * Imports a configuration file and takes its default export.
 *
 * @param isRequired whether somebody has asked for this file, so that it must be there.
 * @returns undefined where there is no such file.
 * @throws OptionError for a file that is not there or exports no options, and for an unknown key.
 * @throws LoadError when it cannot be imported.
 */
export async function readConfigFile(path: string, isRequired: boolean): Promise<ConfigFile | undefined> {
  if (!(await Bun.file(path).exists())) {
    const { danglingLinkProblem } = await import("../src/system/dangling-link.ts");
    const dangling = danglingLinkProblem(path);
    // A link at the default place means that the file is wanted.
    if (!isRequired && dangling === undefined) return undefined;
    const problem = dangling ?? `there is no file '${path}'`;
    throw new OptionError("--config", `${problem}. Check its path; --no-config reads none.`);
  }
  const { default: content } = await importModule(path);
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new OptionError(
      path,
      "must have an object with options as its default export: export default defineConfig({ port: 8080 }).",
    );
  }
  const values: Record<string, unknown> = {};
  let application: string | undefined;
  for (const [key, value] of Object.entries(content)) {
    if (key === "app") application = applicationOf(path, value);
    else if (isOptionName(key) && key !== "config") values[key] = value;
    else throw unknownKey(path, key);
  }
  if (application !== undefined && values["eval"] !== undefined)
    throw new OptionError(`${path}: app`, "cannot be given together with eval; both name the application.");
  return { path, application, values };
}

function applicationOf(path: string, value: unknown): string | undefined {
  if (value === undefined || (typeof value === "string" && value !== "")) return value;
  throw new OptionError(
    `${path}: app`,
    'must name a file, such as "app.ts" or "app.ts:export", for each process loads the application itself.',
  );
}

function unknownKey(path: string, key: string): OptionError {
  if (key === "config")
    return new OptionError(`${path}: config`, "cannot be set in the configuration file itself.");
  const nearest = similarName(key, KEYS);
  const question = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  return new OptionError(`${path}: ${key}`, `there is no such option.${question}`);
}
