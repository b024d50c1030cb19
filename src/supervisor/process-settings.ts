import fs from "node:fs";

import { messageOf, OptionError } from "../errors.ts";
import type { ServerOptions } from "../server/options.ts";
import { danglingLinkProblem } from "../server/dangling-link.ts";
import { standardError } from "../server/standard-error.ts";
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

/** Who this process is to be. Absent parts stay as they are. */
interface Identity {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** The name of the user, by which its groups are found. */
  readonly name: string | undefined;
}

/**
 * Gives up root for good: the groups first, then the user, since a user may not change groups. A process that has done
 * so before, or was started as this user, has nothing to give up.
 *
 * @param file an open file that the user is to have, so that what follows this program can write it as well.
 * @throws OptionError for an unknown user or group, when this process may not do it, and when it could go back.
 */
export function dropPrivileges(options: Pick<ServerOptions, "user" | "group">, file?: number): void {
  if (options.user === "" && options.group === "") return;
  const { uid, gid, name } = identityOf(options);
  const own = { uid: process.getuid?.(), gid: process.getgid?.() };
  // The new user may not be allowed to open it.
  standardError().prepare();
  if (own.uid !== 0 && own.uid === (uid ?? own.uid) && own.gid === (gid ?? own.gid)) return;
  try {
    if (file !== undefined) fs.fchownSync(file, uid ?? own.uid ?? 0, gid ?? own.gid ?? 0);
    if (gid !== undefined) {
      if (name === undefined) process.setgroups?.([gid]);
      else process.initgroups?.(name, gid);
      process.setgid?.(gid);
    }
    if (uid !== undefined) process.setuid?.(uid);
  } catch (error) {
    throw new OptionError(
      options.user === "" ? "--group" : "--user",
      `cannot become it: ${messageOf(error)}. Only root can; start the server as root, or leave the option out.`,
      { cause: error },
    );
  }
  if (uid !== undefined && uid !== 0 && canGoBack()) {
    throw new OptionError("--user", "privileges could not be given up for good; the server does not go on.");
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

/** Reads the names or numbers of the options. */
function identityOf({ user, group }: Pick<ServerOptions, "user" | "group">): Identity {
  const [, , groupNumber] = (group === "" ? undefined : entryOf("/etc/group", group, "--group")) ?? [];
  const gid = groupNumber === undefined ? undefined : Number(groupNumber);
  if (user === "") return { uid: undefined, gid, name: undefined };
  const [name, , uid, ownGroup] = entryOf("/etc/passwd", user, "--user");
  if (gid === undefined && ownGroup === undefined)
    throw new OptionError(
      "--user",
      `user ${user} has no entry in /etc/passwd, which names its group. Give --group too.`,
    );
  return { uid: Number(uid), gid: gid ?? Number(ownGroup), name: name === "" ? undefined : name };
}

/** The fields of a line in `/etc/passwd` or `/etc/group`, by name or number. A number needs no line. */
function entryOf(file: string, text: string, option: string): string[] {
  const entries = fs.readFileSync(file, "utf8").split("\n");
  const found = entries.map((line) => line.split(":")).find(([name, , id]) => name === text || id === text);
  if (found !== undefined) return found;
  if (/^\d{1,9}$/.test(text)) return ["", "", text];
  throw new OptionError(option, `there is no '${text}' in ${file}.`);
}
