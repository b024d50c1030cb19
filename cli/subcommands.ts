import { OptionError } from "../src/errors.ts";
import { similarName } from "../src/spec/nearest-name.ts";

/** Words that the command line may begin with, in the place of FILE. */
export const SUBCOMMANDS = ["build", "directory"] as const;

/** Subcommands of other programs for serving, which needs no subcommand here. */
const WORDS_OF_OTHERS = ["serve", "start", "run", "dev", "preview", "watch"] as const;

/** Words of other programs that are flags here. */
const FLAG_WORDS: ReadonlySet<string> = new Set(["help", "version"]);

/**
 * Refuses a first word that is probably meant as a subcommand: a misspelt one, or that of another program. A file or
 * directory of that name is served.
 *
 * @throws OptionError
 */
export async function checkFirstWord(word: string | undefined): Promise<void> {
  if (word === undefined || !/^[a-z]+$/i.test(word) || SUBCOMMANDS.some((each) => each === word)) return;
  // Of a file without its extension the loader knows more.
  for (const name of [word, `${word}.ts`, `${word}.js`]) if (await isThere(name)) return;
  const name = word.toLowerCase();
  if (WORDS_OF_OTHERS.some((each) => each === name))
    throw new OptionError(
      word,
      `there is no such command, and no file of that name. pagi-server serves without one: pagi-server app.ts`,
    );
  if (FLAG_WORDS.has(name))
    throw new OptionError(
      word,
      `there is no such command, and no file of that name. Did you mean pagi-server --${name}?`,
    );
  const similar = name === "dir" ? "directory" : similarName(name, SUBCOMMANDS);
  if (similar !== undefined)
    throw new OptionError(
      word,
      `there is no such command, and no file of that name. Did you mean pagi-server ${similar}?`,
    );
}

async function isThere(name: string): Promise<boolean> {
  try {
    await Bun.file(name).stat();
    return true;
  } catch {
    return false;
  }
}
