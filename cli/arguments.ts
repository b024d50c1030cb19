import type { ArgsDef } from "citty";

import { OptionError } from "../src/errors.ts";
import { embeddedApplication } from "../src/loading/embedded-application.ts";
import type { OptionName } from "../src/options/table.ts";
import { fromText } from "../src/options/value-text.ts";
import { similarName } from "../src/spec/nearest-name.ts";
import { allFlags, type CommandName, type Flag, isNegatable, offWord, takesValue } from "./flags.ts";

/** What one flag was given, and how it was written. */
export interface GivenFlag {
  /** Text, a list of it for a repeatable flag, or a boolean for a flag without a value. */
  readonly value: string | boolean | readonly string[];
  /** As the user wrote it: `--port` or `-p`. */
  readonly written: string;
}

/** A command line, taken apart. Values are not read yet. */
export interface CommandLine {
  /**
   * `app.ts`, `app.ts:export` or a directory; absent when none is named. In a program into which an application was built
   * it is that one's name.
   */
  readonly application: string | undefined;
  /** True for `pagi-server directory`: what is served must be a directory. */
  readonly isDirectory: boolean;
  readonly options: ReadonlyMap<OptionName, GivenFlag>;
  readonly commands: ReadonlySet<CommandName>;
  /** What was accepted and has no effect, for a warning. */
  readonly notices: readonly string[];
}

/** A flag that was found, with its value. */
interface Found {
  readonly flag: Flag;
  readonly written: string;
  readonly value: string | boolean;
}

/**
 * Takes a command line apart.
 *
 * @throws OptionError for an unknown flag, a flag without its value, contradicting repetitions, and a second file.
 */
export async function readArguments(argv: readonly string[]): Promise<CommandLine> {
  const flags = allFlags();
  const { found, files: named, isFirstPlain } = await scanned(argv, flags);
  const embedded = embeddedApplication();
  const isDirectory = embedded === undefined && isFirstPlain && named[0] === "directory";
  const files = isDirectory ? (named.length > 1 ? named.slice(1) : ["."]) : [...named, ...appsOf(found)];
  const [application = embedded?.name, second] = files;
  if (embedded !== undefined && files.length > 0)
    throw new OptionError(`'${files[0]}'`, `no file can be named: this program serves ${embedded.name}.`);
  if (second !== undefined) throw new OptionError(second, "only one application can be served at a time.");
  if (application === "") throw new OptionError("''", "an empty file name names no application.");
  const notices = found.flatMap(noticeOf);
  const options = new Map<OptionName, GivenFlag>();
  const commands = new Set<CommandName>();
  if (found.length > 0) {
    // citty is only loaded when there is a flag to read.
    const { parseArgs } = await import("citty");
    const parsed = parseArgs(found.map(canonical), argumentsOf(flags));
    for (const { flag, written } of found) {
      const value = parsed[flag.name];
      if (flag.kind === "command") commands.add(flag.command);
      else if (flag.kind === "reference") continue;
      else if (flag.declaration.repeatable) options.set(flag.option, { value: allOf(flag, found), written });
      else if (typeof value === "string" || typeof value === "boolean")
        options.set(flag.option, { value, written });
    }
  }
  return { application, isDirectory, options, commands, notices };
}

/** The application as `--app` names it. */
function appsOf(found: readonly Found[]): string[] {
  return found.flatMap(({ flag, value }) =>
    flag.kind === "reference" && flag.reference === "app" && typeof value === "string" ? [value] : [],
  );
}

/** What a flag of the reference implementation does not do here. @throws OptionError for another server. */
function noticeOf({ flag, written, value }: Found): string[] {
  if (flag.kind !== "reference" || typeof value !== "string") return [];
  switch (flag.reference) {
    case "app":
      return [];
    case "server":
      if (/^(?:pagi-server|PAGI::Server)$/i.test(value)) return [];
      throw new OptionError(written, `there is one server, pagi-server, and not '${value}'. Leave it out.`);
    case "loop":
      return value.toLowerCase() === "bun" ? [] : [`${written} ${value} is ignored: Bun has one event loop`];
  }
}

/** Thrown for a flag that there is not; what to write instead is looked up later. */
class UnknownFlag extends Error {
  readonly written: string;

  constructor(written: string) {
    super(written);
    this.written = written;
  }
}

async function scanned(argv: readonly string[], flags: readonly Flag[]): Promise<ReturnType<typeof scan>> {
  try {
    return scan(argv, flags);
  } catch (error) {
    if (!(error instanceof UnknownFlag)) throw error;
    const { synonymOf } = await import("./synonyms.ts");
    const advice =
      synonymOf(error.written, (name) => isNegatableName(name, flags)) ?? similarFlag(error.written, flags);
    throw new OptionError(error.written, `there is no such flag.${advice === "" ? "" : ` ${advice}`}`);
  }
}

/** citty's description of the flags. */
export function argumentsOf(flags: readonly Flag[]): ArgsDef {
  return Object.fromEntries(
    flags.map((flag) => [
      flag.name,
      {
        type: takesValue(flag) ? "string" : "boolean",
        alias: [...(flag.short === undefined ? [] : [flag.short]), ...flag.aliases],
      },
    ]),
  );
}

/**
 * Finds the flags and their values. citty lets unknown flags pass, keeps the last of a repeated one, and takes a
 * flag for the value of another; all of that is refused here, and citty gets one unambiguous form.
 */
function scan(
  argv: readonly string[],
  flags: readonly Flag[],
): { found: Found[]; files: string[]; isFirstPlain: boolean } {
  const byName = new Map(
    flags.flatMap((flag) => [flag.name, ...flag.aliases].map((name) => [name, flag] as const)),
  );
  const byShort = new Map(
    flags.flatMap((flag) => (flag.short === undefined ? [] : [[flag.short, flag] as const])),
  );
  const found: Found[] = [];
  const files: string[] = [];
  /** Whether the first file stands before `--`, behind which a word is nothing but a file. */
  let isFirstPlain = false;
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") files.push(...rest.splice(0));
    else if (word.startsWith("--")) add(found, long(word, rest, byName));
    else if (word.startsWith("-") && word !== "-")
      for (const each of short(word, rest, byShort)) add(found, each);
    else {
      isFirstPlain ||= files.length === 0;
      files.push(word);
    }
  }
  return { found, files, isFirstPlain };
}

function long(word: string, rest: string[], byName: ReadonlyMap<string, Flag>): Found {
  const equals = word.indexOf("=");
  const written = equals === -1 ? word : word.slice(0, equals);
  const inline = equals === -1 ? undefined : word.slice(equals + 1);
  const flag = byName.get(written.slice(2));
  if (flag !== undefined) return { flag, written, value: valueOf(flag, written, inline, rest) };
  const negated = written.startsWith("--no-") ? byName.get(written.slice(5)) : undefined;
  if (negated === undefined) throw new UnknownFlag(written);
  if (!isNegatable(negated))
    throw new OptionError(written, `there is no such flag. ${insteadOfNegating(negated)}`);
  if (inline !== undefined) throw new OptionError(written, "takes no value.");
  return { flag: negated, written, value: offWord(negated) ?? false };
}

/** `-q`, `-p 5000`, `-p5000`, `-p=5000`, and several letters together, of which the last one may take a value. */
function short(word: string, rest: string[], byShort: ReadonlyMap<string, Flag>): Found[] {
  const found: Found[] = [];
  for (let at = 1; at < word.length; at++) {
    const written = `-${word.charAt(at)}`;
    const flag = byShort.get(word.charAt(at));
    if (flag === undefined) throw new UnknownFlag(word.length === 2 || at > 1 ? written : word);
    const behind = word.slice(at + 1);
    if (takesValue(flag)) {
      const inline = behind === "" ? undefined : behind.replace(/^=/, "");
      return [...found, { flag, written, value: valueOf(flag, written, inline, rest) }];
    }
    if (behind.startsWith("="))
      return [...found, { flag, written, value: valueOf(flag, written, behind.slice(1), rest) }];
    found.push({ flag, written, value: true });
  }
  return found;
}

function valueOf(flag: Flag, written: string, inline: string | undefined, rest: string[]): string | boolean {
  if (!takesValue(flag)) return inline === undefined ? true : switchOf(flag, written, inline);
  if (inline !== undefined) return checkedValue(flag, written, inline);
  const [next] = rest;
  const bare = bareValue(flag);
  if (bare !== undefined && !(next !== undefined && bare.choices.includes(next))) return bare.value;
  // A negative number is no flag; what is wrong with it is said when it is read.
  const isFlag = next !== undefined && /^-[^\d.]/.test(next);
  if (next === undefined || isFlag) {
    const hint = isFlag ? ` If it really begins with a dash: ${written}=${next}.` : "";
    throw new OptionError(written, `needs a value.${hint}`);
  }
  rest.shift();
  return checkedValue(flag, written, next);
}

/**
 * Refuses an empty value, which a variable of a shell leaves behind that is not set: `--socket "$SOCKET"` would otherwise
 * serve somewhere else, without a word. And values of other servers' flags that are written alike.
 */
function checkedValue(flag: Flag, written: string, value: string): string {
  const { takesEmpty = false } =
    flag.kind === "option" && flag.declaration.type === "string" ? flag.declaration : {};
  if (value === "" && !takesEmpty)
    throw new OptionError(written, "needs a value, and this one is empty. Leave the flag out, or give one.");
  const meaning = otherMeaningOf(flag, written, value);
  if (meaning !== undefined) throw new OptionError(written, `does not take '${value}'. ${meaning}`);
  return value;
}

/** What a flag means that may stand without its value, and the values that may follow it. */
function bareValue(flag: Flag): { value: string; choices: readonly string[] } | undefined {
  if (flag.kind !== "option" || flag.declaration.type !== "choice") return undefined;
  const { bare, choices } = flag.declaration;
  return bare === undefined ? undefined : { value: bare, choices };
}

function switchOf(flag: Flag, written: string, text: string): boolean {
  const value = flag.kind === "option" ? fromText(flag.declaration, text) : undefined;
  if (typeof value === "boolean") return value;
  throw new OptionError(
    written,
    flag.kind === "option" ? "takes no value but true or false." : "takes no value.",
  );
}

function add(found: Found[], next: Found): void {
  const { flag } = next;
  const repeatable = flag.kind === "option" && flag.declaration.repeatable === true;
  const earlier = repeatable ? undefined : found.find((each) => each.flag === flag);
  if (earlier === undefined) found.push(next);
  else if (earlier.value !== next.value) {
    throw new OptionError(next.written, `contradicts an earlier ${shown(earlier)}. Give it once.`);
  }
}

function shown({ written, value }: Found): string {
  return typeof value === "string" ? `${written} ${value}` : written;
}

function canonical({ flag, value }: Found): string {
  if (typeof value === "string") return `--${flag.name}=${value}`;
  return value ? `--${flag.name}` : `--no-${flag.name}`;
}

function allOf(flag: Flag, found: readonly Found[]): string[] {
  return found.flatMap((each) => (each.flag === flag && typeof each.value === "string" ? [each.value] : []));
}

/** How to do without a flag that has no `--no-` form, as a sentence. */
function insteadOfNegating(flag: Flag): string {
  const canBeOff =
    flag.kind === "option" && flag.declaration.type === "choice" && flag.declaration.choices.includes("off");
  return canBeOff ? `Use --${flag.name} off instead.` : `Leave --${flag.name} out instead.`;
}

function isNegatableName(name: string, flags: readonly Flag[]): boolean {
  return flags.some((flag) => isNegatable(flag) && [flag.name, ...flag.aliases].includes(name));
}

function similarFlag(written: string, flags: readonly Flag[]): string {
  const names = flags.flatMap((flag) => {
    const own = [flag.name, ...flag.aliases];
    return isNegatable(flag) ? [...own, ...own.map((name) => `no-${name}`)] : own;
  });
  // Words written together, in camelCase, are compared as the flags are written.
  const plain = written.replace(/^-+/, "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const similar = similarName(plain, names);
  const question = similar === undefined ? "" : `Did you mean --${similar}? `;
  return `${question}See --help for all of them.`;
}

/** What a one-letter flag of ours means to other servers, by the flag. */
const OTHER_MEANINGS: Readonly<Record<string, string>> = {
  "-b": "An address to listen at is given with --listen.",
  "-p": "A file for the process id is given with --pid.",
};

/** What somebody probably meant whose value is not one that the flag takes, as a sentence. */
function otherMeaningOf(flag: Flag, written: string, value: string): string | undefined {
  if (flag.kind !== "option" || !/[:/.]/.test(value)) return undefined;
  return typeof fromText(flag.declaration, value) === "string" ? OTHER_MEANINGS[written] : undefined;
}
