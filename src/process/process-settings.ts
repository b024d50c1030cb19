import fs from "node:fs";

import { messageOf, OptionError } from "../errors.ts";
import type { ServerOptions } from "../options/resolve.ts";
import { danglingLinkProblem } from "../system/dangling-link.ts";
import { standardError } from "../logging/standard-error.ts";
import { cannotBecome, wantedIdentity } from "./identity.ts";
import { thisProgram } from "./program.ts";

// Bun has it, and its types leave it out.
declare global {
  namespace NodeJS {
    interface Process {
      initgroups?(user: string, group: number): void;
    }
  }
}

/**
 * What comes before everything else: the folder, and the permissions of what is made there.
 *
 * @throws OptionError when there is no such folder.
 */
export function applySettings(options: Pick<ServerOptions, "chdir" | "umask">): void {
  // A program that is started once more begins where this one did.
  thisProgram();
  if (options.umask !== "") process.umask(Number.parseInt(options.umask, 8));
  changeDirectory(options.chdir);
}

function changeDirectory(folder: string): void {
  if (folder === "") return;
  try {
    process.chdir(folder);
  } catch (error) {
    const problem = danglingLinkProblem(folder) ?? messageOf(error);
    throw new OptionError("--chdir", `cannot go to '${folder}': ${problem}`, { cause: error });
  }
}

/**
 * Gives up root for good: the groups first, then the user, since a user may not change groups. A process that has done
 * so before, or was started as this user, has nothing to give up.
 *
 * @param file an open file that the user is to have, so that what follows this program can write it as well.
 * @throws OptionError for an unknown user or group, when this process may not do it, and when it could go back.
 */
export function dropPrivileges(options: Pick<ServerOptions, "user" | "group">, file?: number): void {
  const identity = wantedIdentity(options);
  if (identity === undefined) return;
  const { uid, gid, name } = identity;
  // The new user may not be allowed to open it.
  standardError().prepare();
  try {
    if (file !== undefined)
      fs.fchownSync(file, uid ?? process.getuid?.() ?? 0, gid ?? process.getgid?.() ?? 0);
    if (gid !== undefined) {
      if (name === undefined) process.setgroups?.([gid]);
      else process.initgroups?.(name, gid);
      process.setgid?.(gid);
    }
    if (uid !== undefined) process.setuid?.(uid);
  } catch (error) {
    throw cannotBecome(identity, error);
  }
  if (uid !== undefined && uid !== 0 && canGoBack()) {
    throw new OptionError(
      "--user",
      "privileges could not be dropped permanently; the server does not start.",
    );
  }
}

function canGoBack(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}
