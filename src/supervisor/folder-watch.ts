import fs from "node:fs";
import path from "node:path";

import { messageOf, OptionError } from "../errors.ts";

export interface FolderWatchOptions {
  readonly folder: string;
  /** Whether a change of this file counts. All paths are relative to the folder. */
  isWatched(file: string): boolean;
  /** Whether to look into this folder. */
  isEntered(folder: string): boolean;
  /** Files that have changed, once it has been quiet for a moment. */
  onChange(files: readonly string[]): void;
  /** A folder that cannot be watched, and why. */
  onError(problem: string): void;
}

/** Milliseconds without a change after which those before are reported: an editor or a checkout writes several files. */
const QUIET_TIME = 100;
/** Milliseconds after which they are reported in any case. */
const LONGEST_WAIT = 2000;
/** Linux gives a user 8192 watches where there is little memory, for all programs together. */
const MAX_FOLDERS = 8000;

/**
 * Watches the files of a folder and of those in it, by one watch of the system for each folder; those that are left out
 * cost nothing, which `fs.watch` with `recursive` does not offer.
 */
export class FolderWatch {
  readonly #options: FolderWatchOptions;
  /** By their paths. */
  readonly #watchers = new Map<string, fs.FSWatcher>();
  readonly #changed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firstChangeAt = 0;

  /** @throws OptionError when the system allows no further watch, or there are too many folders. */
  constructor(options: FolderWatchOptions) {
    this.#options = options;
    try {
      this.#enter("", false);
    } catch (error) {
      this.close();
      throw error instanceof OptionError
        ? error
        : new OptionError("--reload", `cannot watch ${options.folder}: ${messageOf(error)}`, {
            cause: error,
          });
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** @param isNew whether what is found in it has not been there before. */
  #enter(folder: string, isNew: boolean): void {
    if (this.#watchers.size >= MAX_FOLDERS) {
      throw new OptionError(
        "--reload",
        `there are more than ${MAX_FOLDERS} folders in ${this.#options.folder}; leave some out with --reload-exclude.`,
      );
    }
    const location = path.join(this.#options.folder, folder);
    const watcher = fs.watch(location, (_event, name) => this.#onEvent(folder, name));
    watcher.on("error", () => {}); // it was removed, which the folder above tells
    this.#watchers.set(folder, watcher);
    for (const entry of fs.readdirSync(location, { withFileTypes: true })) {
      const inner = path.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (this.#options.isEntered(inner)) this.#enter(inner, isNew);
      } else if (isNew) this.#onFile(inner);
    }
  }

  /** A name has changed: the system reports files and folders in the same way. */
  #onEvent(folder: string, name: string | null): void {
    if (name === null || !this.#watchers.has(folder)) return;
    const inner = path.join(folder, name);
    const stat = fs.lstatSync(path.join(this.#options.folder, inner), { throwIfNoEntry: false });
    if (this.#watchers.has(inner)) this.#leave(inner);
    if (stat?.isDirectory() !== true) this.#onFile(inner);
    else if (this.#options.isEntered(inner)) this.#enterNew(inner);
  }

  #enterNew(folder: string): void {
    try {
      this.#enter(folder, true);
    } catch (error) {
      // A folder that was removed at once is not missed.
      if (fs.existsSync(path.join(this.#options.folder, folder))) this.#options.onError(messageOf(error));
    }
  }

  /** A folder that was removed, renamed or replaced: its watches would report a wrong name. */
  #leave(folder: string): void {
    for (const [each, watcher] of this.#watchers) {
      if (each !== folder && !each.startsWith(`${folder}${path.sep}`)) continue;
      watcher.close();
      this.#watchers.delete(each);
    }
  }

  #onFile(file: string): void {
    if (!this.#options.isWatched(file)) return;
    const now = performance.now();
    if (this.#changed.size === 0) this.#firstChangeAt = now;
    this.#changed.add(file);
    clearTimeout(this.#timer);
    const wait = Math.max(0, Math.min(QUIET_TIME, this.#firstChangeAt + LONGEST_WAIT - now));
    this.#timer = setTimeout(() => {
      const files = [...this.#changed];
      this.#changed.clear();
      this.#options.onChange(files);
    }, wait);
  }
}
