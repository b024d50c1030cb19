import { OptionError } from "../errors.ts";
import {
  type CheckedOptions,
  declarationOf,
  type GivenOptions,
  isOptionName,
  type Mode,
  OPTION_NAMES,
  type OptionName,
  OPTIONS,
  type ServerOptions,
  type WrittenNames,
} from "./table.ts";
import { accepts } from "./value-check.ts";
import { formatValue, readValue } from "./value-text.ts";
import type { PartialOptions } from "./partial-options.ts";
import { isAtTerminal } from "../logging/terminal.ts";

export type { Mode, PartialOptions, ServerOptions };

/** The defaults of a mode. Nothing of this process or its environment is looked at. */
export function defaultOptions(env: Mode = "production"): ServerOptions {
  return complete({}, env);
}

/**
 * The options that a server runs with: what is given, and defaults for the rest. `env` comes from `PAGI_ENV` where it
 * is not given, and is otherwise development when somebody sits at a terminal, else production.
 *
 * @param given {@link PartialOptions}, or values as they were found in the environment or on the command line.
 * @param names how the user wrote the options, for messages.
 * @throws OptionError (as a rejection) for an unknown option, a wrong value, and values that contradict each other.
 */
export async function resolveOptions(
  given: GivenOptions = {},
  names: WrittenNames = {},
): Promise<ServerOptions> {
  const { PAGI_ENV } = process.env;
  const fromEnvironment = given.env === undefined && PAGI_ENV !== undefined && PAGI_ENV !== "";
  const input = fromEnvironment ? { ...given, env: PAGI_ENV } : given;
  const written = fromEnvironment ? { ...names, env: "PAGI_ENV" } : names;
  // Loading the schema takes longer than the rest of a start, and most starts have nothing to refuse.
  const checked = takePlain(input) ?? (await import("./schema.ts")).parseOptions(input, written);
  const options = complete(
    checked,
    checked.env ?? (isAtTerminal() ? OPTIONS.env.onTerminal : OPTIONS.env.default),
  );
  checkOrder(options, checked, written);
  checkExclusion(checked, written);
  if (options.listen.length > 0 || options.socketUser !== "" || options.socketGroup !== "")
    await checkListening(options, written);
  if (checked.forwardedAllowIps !== undefined) {
    const { parseTrustedProxies } = await import("./trusted-proxies.ts");
    parseTrustedProxies(checked.forwardedAllowIps, written.forwardedAllowIps);
  }
  if (checked.metrics !== undefined) {
    const { parseMetricsAddress } = await import("./metrics-address.ts");
    parseMetricsAddress(checked.metrics, written.metrics);
  }
  if (checked.accessLogFormat !== undefined) await checkFormat(options, written);
  return options;
}

/** The values, if none of them must be refused or explained: then the schema is not needed. */
function takePlain(given: Readonly<Record<string, unknown>>): CheckedOptions | undefined {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!isOptionName(name)) return undefined;
    const option = declarationOf(name);
    const { repeatable = false } = option;
    if (Array.isArray(value) !== repeatable) return undefined;
    const list = (repeatable && Array.isArray(value) ? value : [value]).map((each: unknown) =>
      readValue(option, each),
    );
    if (!list.every((each) => accepts(option, each))) return undefined;
    values[name] = repeatable ? list : list[0];
  }
  return values;
}

function complete(checked: CheckedOptions, env: Mode): ServerOptions {
  const values: Record<string, unknown> = {};
  for (const name of OPTION_NAMES) values[name] = checked[name] ?? defaultOf(name, env);
  values["env"] = env;
  // The table gives each key its value above and its type in the mapped type; TypeScript cannot see the two as one.
  return Object.freeze(values) as ServerOptions;
}

function defaultOf(name: OptionName, env: Mode): unknown {
  const option = declarationOf(name);
  const inDevelopment = "inDevelopment" in option ? option.inDevelopment : undefined;
  return env === "development" && inDevelopment !== undefined ? inDevelopment : option.default;
}

/** Refuses an option above the one that it must not exceed, and names both as their user wrote them. */
function checkOrder(options: ServerOptions, checked: CheckedOptions, names: WrittenNames): void {
  for (const name of OPTION_NAMES) {
    const option = declarationOf(name);
    if (!("atMost" in option) || option.atMost === undefined || !isOptionName(option.atMost)) continue;
    const limit = option.atMost;
    const [low, high] = [options[name], options[limit]];
    if (low <= high) continue;
    const show = (key: OptionName): string =>
      `${names[key] ?? asWritten(key, names[key === name ? limit : name])} (${checked[key] === undefined ? "by default " : ""}${formatValue(declarationOf(key), options[key])})`;
    throw checked[name] === undefined
      ? new OptionError(
          names[limit] ?? limit,
          `must not be below ${show(name)}; lower that as well, or raise this.`,
        )
      : new OptionError(names[name] ?? name, `must not be above ${show(limit)}; lower this, or raise that.`);
  }
}

/** The name of an option that was not given, in the manner in which its user has written another one. */
function asWritten(name: OptionName, other: string | undefined): string {
  if (other === undefined) return name;
  const { flag, variable } = declarationOf(name);
  if (other.startsWith("-")) return `--${flag}`;
  return /^[A-Z_]+$/.test(other) ? variable : name;
}

/** Refuses options that say the same in two ways. */
function checkExclusion(checked: CheckedOptions, names: WrittenNames): void {
  for (const name of OPTION_NAMES) {
    if (checked[name] === undefined) continue;
    const other = declarationOf(name).excludes?.find(
      (each) => isOptionName(each) && checked[each] !== undefined,
    );
    if (other === undefined || !isOptionName(other)) continue;
    throw new OptionError(
      names[name] ?? name,
      `cannot be given together with ${names[other] ?? other}; both say where to listen. Leave one of them out.`,
    );
  }
}

/**
 * Refuses what only a supervisor does where there is none; an option that is 0 asks for nothing.
 *
 * @param given the options that were set explicitly, with any value.
 * @throws OptionError, which names `--workers`.
 */
export function checkWorkers(options: ServerOptions, given: GivenOptions, names: WrittenNames = {}): void {
  if (options.workers !== 1 || options.reload) return;
  const idle = OPTION_NAMES.find(
    (name) => declarationOf(name).needsWorkers === true && given[name] !== undefined && options[name] !== 0,
  );
  if (idle === undefined) return;
  const workers = asWritten("workers", names[idle]);
  throw new OptionError(
    names[idle] ?? idle,
    `does nothing without workers: it is a supervisor that replaces one of them while the others serve. Set ${workers} to 2 or more, or leave this out.`,
  );
}

/** Refuses invalid addresses, and unknown users and groups. */
async function checkListening(options: ServerOptions, names: WrittenNames): Promise<void> {
  const { LISTEN_ADDRESS_TEXT, parseListenAddress } = await import("./listen-address.ts");
  const wrong = options.listen.find((text) => parseListenAddress(text) === undefined);
  if (wrong !== undefined)
    throw new OptionError(
      names.listen ?? "listen",
      `must ${LISTEN_ADDRESS_TEXT}, but is ${JSON.stringify(wrong)}.`,
    );
  if (options.socketUser === "" && options.socketGroup === "") return;
  const { groupId, userId } = await import("../system/users.ts");
  if (options.socketUser !== "") userId(options.socketUser, names.socketUser ?? "socketUser");
  if (options.socketGroup !== "") groupId(options.socketGroup, names.socketGroup ?? "socketGroup");
}

async function checkFormat(options: ServerOptions, names: WrittenNames): Promise<void> {
  const { compileAccessLogFormat } = await import("../logging/access-log-format.ts");
  try {
    compileAccessLogFormat(options.accessLogFormat);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const problem = error.message.slice(`${error.option}: `.length);
    throw new OptionError(names.accessLogFormat ?? "accessLogFormat", problem, { cause: error });
  }
}
