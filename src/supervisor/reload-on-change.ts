import fs from "node:fs";
import path from "node:path";

import { OptionError } from "../errors.ts";
import type { Logger } from "../logging/logger.ts";
import type { ServerOptions } from "../options/resolve.ts";
import { FolderWatch } from "./folder-watch.ts";

/** Modules of an application. */
const MODULES = ["*.ts", "*.tsx", "*.mts", "*.cts", "*.js", "*.jsx", "*.mjs", "*.cjs"];
/** What is not written by hand; the last ones are locks of an editor. */
const LEFT_OUT = ["node_modules", ".git", "dist", ".#*"];
/** Files that a log line names. */
const MAX_NAMED = 3;

export interface ReloadOnChangeOptions {
  readonly options: Pick<ServerOptions, "reloadInclude" | "reloadExclude" | "config" | "envFile" | "eval">;
  /** What the command line serves. */
  readonly application: string | undefined;
  readonly logger: Logger;
  /** Replaces the workers; {@link ReloadOnChange.reloaded} is to be called once that is over. */
  reload(): void;
}

/**
 * Requests a reload whenever a module of the application is saved, one after the other: what is saved during one is
 * loaded by the next.
 */
export class ReloadOnChange {
  readonly #watch: FolderWatch;
  readonly #options: ReloadOnChangeOptions;
  #isReloading = false;
  #waiting: readonly string[] = [];

  /** @throws OptionError when there is no application, or its folder cannot be watched. */
  constructor(reloadOptions: ReloadOnChangeOptions) {
    const { options, application, logger } = reloadOptions;
    this.#options = reloadOptions;
    if (application !== undefined && fs.statSync(application, { throwIfNoEntry: false })?.isDirectory())
      throw new OptionError("--reload", "there is no application to reload; files are served as they are.");
    const folder = folderOf(application);
    const settings = [options.config, ...options.envFile].map((file) => path.relative(folder, file));
    const isIncluded = matcher([...MODULES, ...options.reloadInclude]);
    const isExcluded = matcher([...LEFT_OUT, ...options.reloadExclude]);
    this.#watch = new FolderWatch({
      folder,
      isWatched: (file) => !isExcluded(file) && (isIncluded(file) || settings.includes(file)),
      isEntered: (inner) => !isExcluded(inner),
      onChange: (files) => {
        for (const file of files.filter((each) => settings.includes(each)))
          logger.warn(`${file} has changed; it is read when the server is started again`);
        const modules = files.filter((each) => !settings.includes(each));
        if (modules.length > 0) this.#onChange(modules);
      },
      onError: (problem) => logger.warn(`A folder is not watched: ${problem}`),
    });
  }

  /** The requested reload is over, or has failed. */
  reloaded(): void {
    this.#isReloading = false;
    if (this.#waiting.length > 0) this.#onChange(this.#waiting.slice());
  }

  close(): void {
    this.#watch.close();
  }

  #onChange(files: readonly string[]): void {
    if (this.#isReloading) {
      this.#waiting = [...new Set([...this.#waiting, ...files])];
      return;
    }
    this.#waiting = [];
    this.#isReloading = true;
    this.#options.logger.info(`${namesOf(files)} changed`);
    this.#options.reload();
  }
}

/** Where the application is: the current directory, if it is anywhere in it. */
function folderOf(application: string | undefined): string {
  const here = process.cwd();
  if (application === undefined) return here;
  // A colon may be part of the file's name, or stand before an export; the folder is the same.
  const folder = path.dirname(path.resolve(application));
  const isHere = folder === here || folder.startsWith(here === "/" ? here : `${here}/`);
  return isHere ? here : fs.realpathSync(folder);
}

/** As in `.gitignore`: a pattern without a slash matches a name at any depth; what is in a match matches too. */
function matcher(patterns: readonly string[]): (file: string) => boolean {
  const globs = patterns.map((pattern) => {
    const plain = pattern.replace(/^\.?\//, "").replace(/\/$/, "");
    return { glob: new Bun.Glob(plain), isName: !plain.includes("/") };
  });
  return (file) => {
    const names = file.split("/");
    return names.some((name, depth) => {
      const whole = names.slice(0, depth + 1).join("/");
      return globs.some(({ glob, isName }) => glob.match(isName ? name : whole));
    });
  };
}

function namesOf(files: readonly string[]): string {
  const named = files.slice(0, MAX_NAMED).join(", ");
  return files.length > MAX_NAMED
    ? `${named} and ${files.length - MAX_NAMED} more have`
    : `${named} ${files.length === 1 ? "has" : "have"}`;
}
