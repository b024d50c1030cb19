import fs from "node:fs";

import { messageOf, OptionError } from "../errors.ts";
import type { ServerOptions } from "../server/options.ts";
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
    throw new OptionError("--chdir", `cannot go to '${folder}': ${messageOf(error)}`, { cause: error });
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
 * @throws OptionError for an unknown user or group, when this process may not do it, and when it could go back.
 */
export function dropPrivileges(options: Pick<ServerOptions, "user" | "group">): void {
  if (options.user === "" && options.group === "") return;
  const { uid, gid, name } = identityOf(options);
  const own = { uid: process.getuid?.(), gid: process.getgid?.() };
  if (own.uid !== 0 && own.uid === (uid ?? own.uid) && own.gid === (gid ?? own.gid)) return;
  try {
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
  const entry = user === "" ? undefined : findEntry("/etc/passwd", user, "--user");
  const [name, , uid, gid] = entry ?? [];
  const groupEntry = group === "" ? undefined : findEntry("/etc/group", group, "--group");
  return {
    uid: uid === undefined ? undefined : Number(uid),
    gid: groupEntry !== undefined ? Number(groupEntry[2]) : gid === undefined ? undefined : Number(gid),
    name,
  };
}

/** A line of a file that is made like `/etc/passwd`, by name or number; a number needs no line in it. */
function findEntry(file: string, text: string, option: string): string[] {
  const lines = fs.readFileSync(file, "utf8").split("\n");
  const entries = lines.map((line) => line.split(":"));
  const found = entries.find(([name, , id]) => name === text || id === text);
  if (found !== undefined) return found;
  throw new OptionError(option, `there is no '${text}' in ${file}.`);
}
