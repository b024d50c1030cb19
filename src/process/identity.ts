import fs from "node:fs";

import { messageOf, OptionError } from "../errors.ts";
import { checked, cString, libc, ptr } from "../system/libc.ts";
import type { ServerOptions } from "../options/resolve.ts";
import type { FileUser } from "../system/path-access.ts";

/** Who this process is to become. Absent parts stay as they are. */
export interface Identity {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** The name of the user, by which its groups are found. */
  readonly name: string | undefined;
}

/** Numbers of system calls, which act on one thread; those of the C library change all threads. */
const CALLS = {
  x64: { setgroups: 116, setresuid: 117, setresgid: 119, setfsuid: 122, setfsgid: 123 },
  arm64: { setgroups: 159, setresuid: 147, setresgid: 149, setfsuid: 151, setfsgid: 152 },
} as const;
/** Leaves a number as it is, for setresuid(2) and setresgid(2). */
const KEEP = -1;
/** A user may belong to this many groups (NGROUPS_MAX). */
const MAX_GROUPS = 65_536;

/**
 * Who `--user` and `--group` ask for, or `undefined` where there is nothing to give up: neither is given, or this process
 * was started as that user or has become it before.
 *
 * @throws OptionError for an unknown user or group.
 */
export function wantedIdentity(options: Pick<ServerOptions, "user" | "group">): Identity | undefined {
  if (options.user === "" && options.group === "") return undefined;
  const identity = readIdentity(options);
  const { uid, gid } = identity;
  const own = { uid: process.getuid?.(), gid: process.getgid?.() };
  const isThere = own.uid !== 0 && own.uid === (uid ?? own.uid) && own.gid === (gid ?? own.gid);
  return isThere ? undefined : identity;
}

/** Reads the names or numbers of the options. */
function readIdentity({ user, group }: Pick<ServerOptions, "user" | "group">): Identity {
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

/** The user and groups that files see once this process has become it. */
export function fileUserOf(identity: Identity): FileUser {
  const { ids, groups } = ownCredentials();
  const gid = identity.gid ?? ids.gid.effective;
  const supplementary = identity.gid === undefined ? groups : groupsOf(identity, gid);
  return { uid: identity.uid ?? ids.uid.effective, groups: [gid, ...supplementary] };
}

/** As initgroups(3) would set them. */
function groupsOf({ name }: Identity, gid: number): readonly number[] {
  if (name === undefined) return [gid];
  const groups = new Uint32Array(MAX_GROUPS);
  const count = new Int32Array([groups.length]);
  libc().getgrouplist(ptr(cString(name)), gid, ptr(groups), ptr(count));
  return [...groups.subarray(0, count[0])];
}

/**
 * Runs a synchronous check with the user and groups of an identity (see {@link fileUserOf}), then takes this thread's own back. Other threads keep
 * theirs throughout.
 *
 * Only the real ids, which access(2) looks at, and the file system's ids change. The effective ones stay, and with them
 * the right to change all of these: a thread that the runtime starts meanwhile inherits what this one has, and setgroups(3)
 * of the C library ends the process when one thread may do less than the others.
 *
 * @throws OptionError when this process may not become it.
 */
export function actingAs<T>(identity: Identity, { uid, groups }: FileUser, check: () => T): T {
  const [gid = 0, ...supplementary] = groups;
  const own = ownCredentials();
  try {
    setGroups(supplementary);
    call("setresgid", gid, KEEP, KEEP);
    call("setfsgid", gid, 0, 0);
    call("setresuid", uid, KEEP, KEEP);
    call("setfsuid", uid, 0, 0);
  } catch (error) {
    restore(own);
    throw cannotBecome(identity, error);
  }
  try {
    return check();
  } finally {
    restore(own);
  }
}

/** Why somebody without the right to do so cannot become another user. */
export function cannotBecome({ uid }: Identity, error: unknown): OptionError {
  return new OptionError(
    uid === undefined ? "--group" : "--user",
    `cannot become it: ${messageOf(error)}. Only root can; start the server as root, or leave the option out.`,
    { cause: error },
  );
}

interface Ids {
  readonly real: number;
  readonly effective: number;
  readonly saved: number;
}

interface Credentials {
  readonly ids: { readonly uid: Ids; readonly gid: Ids };
  readonly groups: readonly number[];
}

/** Those of this thread (proc(5)). */
function ownCredentials(): Credentials {
  const status = fs.readFileSync("/proc/thread-self/status", "utf8");
  const numbers = (key: string): number[] => {
    const [, text = ""] = new RegExp(`^${key}:(.*)$`, "m").exec(status) ?? [];
    return text.trim().split(/\s+/).filter(Boolean).map(Number);
  };
  const idsOf = (key: string): Ids => {
    const [real = 0, effective = 0, saved = 0] = numbers(key);
    return { real, effective, saved };
  };
  return { ids: { uid: idsOf("Uid"), gid: idsOf("Gid") }, groups: numbers("Groups") };
}

function restore({ ids: { uid, gid }, groups }: Credentials): void {
  // setfsuid(2) first: it brings back the rights to files, which setresuid(2) does not (capabilities(7)).
  call("setfsuid", uid.effective, 0, 0);
  call("setfsgid", gid.effective, 0, 0);
  call("setresuid", uid.real, KEEP, KEEP);
  call("setresgid", gid.real, KEEP, KEEP);
  if (uid.effective === 0) setGroups(groups);
}

function setGroups(groups: readonly number[]): void {
  const list = new Uint32Array(groups.length === 0 ? [0] : groups);
  call("setgroups", groups.length, ptr(list), 0);
}

function call(name: keyof (typeof CALLS)["x64"], first: number, second: number, third: number): void {
  const { arch } = process;
  if (arch !== "x64" && arch !== "arm64") throw new Error(`${name} is not known on ${arch}`);
  checked(libc().syscall(CALLS[arch][name], first, second, third), name);
}
